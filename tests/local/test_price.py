"""The embedded model's price: the machine's time, by what its tokens take of it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.local.model import Speed
from farthing.local.price import priced
from farthing.local.weights import MODEL
from farthing.prices.book import Book, Model, PriceBook

HOUR = Decimal("0.05")
SPEED = Speed(input_tokens=160, input_us=400_000, output_tokens=32, output_us=1_600_000)


def prices(model: Model) -> dict[str, int]:
    """Return the prices of the model's only row and step."""
    (row,) = model.rows
    return {meter: price for meter, ((_, price),) in row.prices.items()}


def test_a_token_costs_the_time_it_takes() -> None:
    # A quarter of a hundredth of a second for a token of input, a twentieth for one of output;
    # at 3,600 dollars for an hour a second costs a dollar.
    found = prices(priced(SPEED, Decimal(3600), 8192))
    assert found["input"] == 2_500 * 10**9
    assert found["output"] == 50_000 * 10**9


@settings(deadline=None)
@given(
    st.integers(1, 10**6),
    st.integers(0, 10**12),
    st.decimals(0, 1000, places=9, allow_nan=False, allow_infinity=False),
)
def test_a_price_is_never_below_the_time_and_less_than_a_nanodollar_above(
    tokens: int, microseconds: int, hour: Decimal
) -> None:
    found = prices(priced(Speed(tokens, microseconds, tokens, microseconds), hour, 1))
    exact = Fraction(hour) * 10**9 * Fraction(microseconds, tokens) / 3600
    assert 0 <= found["input"] - exact < 1
    assert found["input"] == found["output"]


def test_tokens_from_the_model_s_cache_take_no_time_and_cost_nothing() -> None:
    assert prices(priced(SPEED, HOUR, 8192))["cache_read"] == 0


def test_a_machine_that_costs_nothing_makes_tokens_free() -> None:
    assert set(prices(priced(SPEED, Decimal(0), 8192)).values()) == {0}


def test_the_row_prices_the_model_at_any_time_and_bounds_its_output() -> None:
    book = PriceBook(Book("", {"local": [priced(SPEED, HOUR, 8192)]}).encoded())
    rate = book.rate("local", MODEL, 0, {})
    assert rate.context == 8192
    assert rate.prices(10**9) == rate.prices(0)


@pytest.mark.parametrize("words", ["$0.05 for an hour", "400000 µs for 160", "1600000 µs for 32"])
def test_the_row_says_what_its_prices_come_from(words: str) -> None:
    assert words in priced(SPEED, HOUR, 8192).source
