"""Rates: quantity × price, summed first and rounded once."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.errors import Refused
from farthing.money import PER_MILLION
from farthing.prices.rate import METERS, SPECIAL, Prices, Rate, Tier, cost, merged
from farthing.wire.dialect import Usage

# Prices that tell every meter apart in a sum: each a million times the one before.
APART = Prices(*(10 ** (6 * place) for place in range(len(METERS) - 1)))
FULL = Rate("p", "m", (Tier(0, APART),))
CHEAP = Prices(10, 20, 1, 12, 15)
DEAR = Prices(20, 30, 2, 24, 30)
DEAREST = Prices(5, 90, 3, 5, 5)
TIERED = Rate("p", "m", (Tier(0, CHEAP), Tier(100, DEAR), Tier(200, DEAREST)))

prices = st.integers(0, 10**13)
counts = st.integers(0, 10**9)
usages = st.builds(
    Usage,
    input=counts,
    cache_read=counts,
    cache_write=counts,
    cache_write_1h=counts,
    output=counts,
    reasoning=counts,
    input_audio=counts,
    output_audio=counts,
    web_searches=counts,
    input_image=counts,
    output_image=counts,
    characters=counts,
    audio_seconds=counts,
    search_units=counts,
)
full_prices = st.builds(Prices, *[prices] * len(METERS))


@settings(deadline=None)
@given(usages, full_prices)
def test_a_cost_is_the_exact_sum_rounded_up_once(usage: Usage, of: Prices) -> None:
    priced = msgspec.structs.asdict(of)
    quantities = {**msgspec.structs.asdict(usage), "request": 1}
    exact = sum(Fraction(quantities[meter]) * priced[meter] for meter in METERS) / PER_MILLION
    assert 0 <= cost(usage, Rate("p", "m", (Tier(0, of),))) - exact < 1


@pytest.mark.parametrize("meter", [name for name in METERS if name != "request"])
def test_each_meter_is_charged_at_its_own_price(meter: str) -> None:
    usage = Usage(**{meter: PER_MILLION})
    assert cost(usage, FULL) == getattr(APART, meter)


def test_reasoning_is_part_of_the_output_and_not_charged_again() -> None:
    assert cost(Usage(output=PER_MILLION, reasoning=PER_MILLION), FULL) == APART.output


def test_a_query_has_its_own_price_even_when_it_used_nothing() -> None:
    rate = Rate("p", "m", (Tier(0, msgspec.structs.replace(CHEAP, request=5 * PER_MILLION)),))
    assert cost(Usage(), rate) == 5


def test_rounding_happens_once_and_not_for_each_meter() -> None:
    of = Prices(1, 1, 1, 1, 1)
    assert cost(Usage(1, 1, 1, 1, 1), Rate("p", "m", (Tier(0, of),))) == 1


@pytest.mark.parametrize("meter", SPECIAL)
def test_a_meter_without_a_price_is_refused_and_never_zero(meter: str) -> None:
    with pytest.raises(Refused, match=f"p/m used {meter}, which the price book has no") as error:
        cost(Usage(**{meter: 1}), TIERED)
    assert error.value.code == "unpriced_model"


def test_a_meter_whose_price_is_nothing_costs_nothing() -> None:
    free = msgspec.structs.replace(CHEAP, web_searches=0)
    assert cost(Usage(web_searches=10**6), Rate("p", "m", (Tier(0, free),))) == 0


# -- tiers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tokens", "of"),
    [
        (0, CHEAP),
        (1, CHEAP),
        (100, CHEAP),
        (101, DEAR),
        (200, DEAR),
        (201, DEAREST),
        (9**9, DEAREST),
    ],
)
def test_a_tier_begins_above_its_number_of_tokens(tokens: int, of: Prices) -> None:
    assert TIERED.prices(tokens) == of


@pytest.mark.parametrize(
    "usage",
    [
        Usage(input=101),
        Usage(input=1, cache_read=100),
        Usage(input=1, cache_write=100),
        Usage(input=1, cache_write_1h=100),
        Usage(input=1, cache_read=50, cache_write=50),
    ],
)
def test_all_input_decides_the_tier_and_all_tokens_pay_it(usage: Usage) -> None:
    output = Usage(output=PER_MILLION)
    above = msgspec.structs.replace(usage, output=PER_MILLION)
    assert cost(output, TIERED) == CHEAP.output
    assert DEAR.output <= cost(above, TIERED) < DEAREST.output


def test_audio_counts_as_input_for_the_tier() -> None:
    of = [msgspec.structs.replace(row, input_audio=0) for row in (CHEAP, DEAR)]
    rate = Rate("p", "m", (Tier(0, of[0]), Tier(100, of[1])))
    assert cost(Usage(input_audio=101, output=PER_MILLION), rate) == DEAR.output


def test_output_does_not_decide_the_tier() -> None:
    assert cost(Usage(input=1, output=10**6), TIERED) == CHEAP.output + 1


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(0, 400))
def test_the_tier_of_any_smaller_input_is_among_those_reachable(bound: int, used: int) -> None:
    if used <= bound:
        assert TIERED.prices(used) in TIERED.reachable(bound)


def test_no_tier_is_reachable_that_the_input_cannot_be_in() -> None:
    assert TIERED.reachable(0) == TIERED.reachable(100) == [CHEAP]
    assert TIERED.reachable(101) == TIERED.reachable(200) == [CHEAP, DEAR]
    assert TIERED.reachable(201) == [CHEAP, DEAR, DEAREST]


# -- rates together -------------------------------------------------------------------------------


def test_rates_together_are_the_dearest_of_each_meter_in_each_tier() -> None:
    sounding = msgspec.structs.replace(CHEAP, output=25, input_audio=3)
    other = Rate("p", "other", (Tier(0, sounding), Tier(150, CHEAP)))
    found = merged([TIERED, other])
    assert (found.provider, found.model) == ("p", "m")
    assert [tier.above for tier in found.tiers] == [0, 100, 150, 200]
    assert found.prices(100) == msgspec.structs.replace(CHEAP, output=25, input_audio=3)
    assert found.prices(120) == msgspec.structs.replace(DEAR, input_audio=3)
    assert found.prices(180) == DEAR
    assert found.prices(201) == Prices(10, 90, 3, 12, 15)
    assert merged([TIERED]) == TIERED


tiers = st.lists(st.integers(1, 300), max_size=3, unique=True).flatmap(
    lambda starts: st.tuples(
        *(st.builds(Tier, st.just(start), full_prices) for start in sorted({0, *starts}))
    )
)


@settings(deadline=None)
@given(st.lists(tiers, min_size=1, max_size=3), usages, st.integers(0, 400))
def test_rates_together_are_never_cheaper_than_one_of_them(
    rows: list[tuple[Tier, ...]], usage: Usage, of_input: int
) -> None:
    rates = [Rate("p", "m", row) for row in rows]
    for used in (usage, Usage(input=of_input, output=usage.output)):
        assert cost(used, merged(rates)) >= max(cost(used, rate) for rate in rates)
