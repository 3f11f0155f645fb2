"""Charges: nothing is lost in rounding, or in dividing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.support.exports import Billed

from farthing.report.charges import (
    HOUR,
    Account,
    Group,
    Sums,
    _charges,
    account_of,
    apportion,
    display,
    rounded,
)
from farthing.report.meters import Priced

amounts = st.integers(0, 10**15)


@given(total=amounts, weights=st.lists(amounts, min_size=1, max_size=9))
def test_parts_are_the_whole(total: int, weights: list[int]) -> None:
    parts = apportion(total, weights)
    assert sum(parts) == total and len(parts) == len(weights)
    whole = sum(weights)
    if whole:
        assert all(abs(p * whole - total * w) < whole for p, w in zip(parts, weights, strict=True))


@given(products=st.lists(amounts, min_size=1, max_size=9), up=st.integers(-5, 2_000))
def test_products_are_rounded_to_a_neighbour_and_the_rest_is_told(
    products: list[int], up: int
) -> None:
    by = 1_000_000
    total = -(-sum(products) // by) + up
    *parts, rest = rounded(products, by, total)
    assert sum(parts) + rest == total
    assert all(abs(part * by - product) < by for part, product in zip(parts, products, strict=True))
    if up == 0:
        assert rest == 0, "one query alone needs no row of rounding"


class _Here:
    """Leaves are where their entries are."""

    def leaf(self, position: int) -> int:
        return position


def test_many_small_queries_leave_a_rounding() -> None:
    """A hundred queries of one token at 0.15 nanodollars cost a nanodollar each."""
    group = Group(
        0, 0, Account(), "p", "m", "", Priced((("input", 150_000),), "standard"), False, False
    )
    sums = Sums([100, 100, 100, 100, 0, 0], {"input": [100, 100, 1, 100]}, {}, 100, 1, 100)
    used, rounding = _charges(group, sums, _Here())  # type: ignore[arg-type]
    assert (used.meter, used.quantity, used.costs.list, used.costs.billed) == ("input", 100, 15, 15)
    assert (rounding.meter, rounding.costs.list, rounding.costs.effective) == ("rounding", 85, 85)
    assert display("rounding") == "Rounding" and display("input") == "Input Tokens"


def test_what_was_paid_is_divided_in_proportion() -> None:
    prices = (("input", 3_000_000), ("output", 1_000_000))
    group = Group(0, 0, Account(), "p", "m", "", Priced(prices, "standard"), True, True)
    used = {"input": [10, 1, 7, 7], "output": [10, 1, 7, 7]}
    sums = Sums([40, 40, 20, 0, 5, 40], used, {"commitment:c/1": 36, "commitment:c/2": 4}, 1, 7, 7)
    first, second = _charges(group, sums, _Here())  # type: ignore[arg-type]
    assert (first.costs, first.applied) == (
        (30, 30, 15, 0, 4, 30), (("commitment:c/1", 27), ("commitment:c/2", 3)),
    )  # fmt: skip
    assert (second.costs.effective, second.costs.from_credit, second.costs.from_commitment) == (
        5,
        1,
        10,
    )


def test_whose_a_query_is() -> None:
    path = ["key:k", "project:s", "team:w", "org:a", "user:bob", "model:m/n", "tag:x", "tag:y"]
    assert account_of(path, users=False) == Account("org:a", "w", "s", "k", "", ("x", "y"))
    assert account_of(path, users=True).user == "bob"
    assert account_of(["key:k"], users=False).sub_account == "key:k"


def test_rounding_is_little(sqlite_bills: Billed) -> None:
    rows, made = sqlite_bills.export()
    roundings = [row for row in rows if row["ChargeCategory"] == "Adjustment"]
    assert roundings
    assert all(abs(float(row["ContractedCost"])) < 10e-9 for row in roundings)
    assert made.queries > 100 and HOUR == 3_600_000_000_000
