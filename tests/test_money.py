"""Money: exact, integer, rounded once and upwards."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing import money

amounts = st.integers(0, money.MOST)
sums = st.integers(0, 10**30)


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        ("0", 0),
        ("-0", 0),
        ("0.000000001", 1),
        ("0.0025", 2_500_000),
        ("2.50", 2_500_000_000),
        (" 2.5 ", 2_500_000_000),
        ("1e-9", 1),
        ("9000000000", 9 * 10**18),
        (3, 3 * money.NANO),
        (Decimal("0.1"), 100_000_000),
    ],
)
def test_dollars_are_read_exactly(said: str | int | Decimal, amount: int) -> None:
    assert money.nanodollars(said) == amount
    assert money.nanodollars_up(said) == amount


@pytest.mark.parametrize("said", ["", "abc", "1,50", "$1", "0x10", "1e99999999999999999999"])
def test_what_is_no_number_is_refused_with_an_example(said: str) -> None:
    with pytest.raises(ValueError, match=r"is not a decimal number of dollars, such as 2\.50"):
        money.nanodollars(said)


@pytest.mark.parametrize(
    "said", ["-1", "-0.000000001", "nan", "sNaN", "inf", "-inf", "9223372036.854775808"]
)
def test_what_is_no_amount_is_refused_with_the_range(said: str) -> None:
    for read in (money.nanodollars, money.nanodollars_up):
        with pytest.raises(ValueError, match="not an amount between 0 and 9,000,000,000"):
            read(said)


def test_the_largest_amount_is_what_a_signed_64_bit_integer_holds() -> None:
    assert money.nanodollars("9223372036.854775807") == money.MOST == 2**63 - 1


@pytest.mark.parametrize("said", ["0.0000000001", "1.0000000001", "1e-10"])
def test_an_amount_finer_than_a_nanodollar_is_refused_not_rounded(said: str) -> None:
    with pytest.raises(ValueError, match="more than nine decimals"):
        money.nanodollars(said)


@pytest.mark.parametrize(
    ("said", "amount"), [("0.0000000001", 1), ("1.0000000001", money.NANO + 1), ("1e-20", 1)]
)
def test_a_price_finer_than_a_nanodollar_is_rounded_up(said: str, amount: int) -> None:
    assert money.nanodollars_up(said) == amount


@settings(deadline=None)
@given(st.decimals(0, 9_000_000_000, allow_nan=False, allow_infinity=False, places=14))
def test_rounding_up_adds_less_than_a_nanodollar(said: Decimal) -> None:
    over = money.nanodollars_up(said) - Fraction(said) * money.NANO
    assert 0 <= over < 1


def test_a_huge_exponent_is_refused_like_any_other_amount() -> None:
    with pytest.raises(ValueError, match="not an amount between 0 and 9,000,000,000"):
        money.nanodollars("1e999999")


def test_an_amount_with_thirty_decimals_is_refused_not_rounded() -> None:
    with pytest.raises(ValueError, match="more than nine decimals"):
        money.nanodollars("1." + "0" * 29 + "1")


def test_a_price_with_thirty_decimals_is_rounded_up() -> None:
    assert money.nanodollars_up("1." + "0" * 29 + "1") == money.NANO + 1


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0"),
        (1, "0.000000001"),
        (2_500_000, "0.0025"),
        (money.NANO, "1"),
        (10 * money.NANO, "10"),
        (12_345_678_901, "12.345678901"),
        (-1, "-0.000000001"),
        (-2_500_000_000, "-2.5"),
    ],
)
def test_an_amount_is_written_as_its_shortest_decimal(amount: int, text: str) -> None:
    assert money.dollars(amount) == text


@settings(deadline=None)
@given(amounts)
def test_what_is_written_reads_back_as_the_same_amount(amount: int) -> None:
    assert money.nanodollars(money.dollars(amount)) == amount


@settings(deadline=None)
@given(st.integers(-money.MOST, money.MOST))
def test_what_is_written_has_no_exponent_and_no_idle_zero(amount: int) -> None:
    text = money.dollars(amount)
    assert set(text) <= set("-.0123456789")
    assert Fraction(text) * money.NANO == amount
    assert "." not in text or not text.endswith(("0", "."))


@pytest.mark.parametrize(
    ("total", "charged"),
    [(0, 0), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2), (10**24 + 1, 10**18 + 1)],
)
def test_a_charge_rounds_up_to_the_next_nanodollar(total: int, charged: int) -> None:
    assert money.charge(total) == charged


@settings(deadline=None)
@given(sums)
def test_a_charge_is_at_least_the_exact_quotient_and_less_than_one_more(total: int) -> None:
    assert 0 <= money.charge(total) - Fraction(total, money.PER_MILLION) < 1


@settings(deadline=None)
@given(sums, sums)
def test_a_charge_is_monotone_and_summing_first_never_costs_more(one: int, other: int) -> None:
    together = money.charge(one + other)
    assert max(money.charge(one), money.charge(other)) <= together
    assert together <= money.charge(one) + money.charge(other)


@given(amounts)
def test_what_was_written_is_read_again_exactly(amount: int) -> None:
    assert money.exact(money.dollars(amount)) == amount


@pytest.mark.parametrize("said", ["", ".", "-1", "1e-9", "0.0000000001", "1.2.3", "1,5", "nan"])
def test_what_is_no_amount_is_not_read_as_one(said: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        money.exact(said)
