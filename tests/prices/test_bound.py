"""Bounds: nothing a query can be billed is above its quote."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from farthing import money
from farthing.errors import Refused
from farthing.prices.bound import Quote, input_bound, quote
from farthing.prices.rate import Prices, Rate, Tier, cost, merged
from farthing.providers import Provider
from farthing.providers.load import Bound, built_in
from farthing.wire.dialect import Ask, Usage


def provider(**bound: Any) -> Provider:
    return Provider("https://h", {}, name="acme", bound=Bound(**bound))


def ask(size: int = 100, **fields: Any) -> Ask:
    return Ask(body=b"x" * size, fields={}, model="m", **fields)


def flat(of_input: int, of_output: int, **prices: int) -> Rate:
    """Return a rate of one tier, in dollars for a million tokens."""
    row = Prices(
        *(price * money.NANO for price in (of_input, of_output, of_input, of_input, of_input)),
        **{name: price * money.NANO for name, price in prices.items()},
    )
    return Rate("acme", "m", (Tier(0, row),))


PLAIN = provider(query_tokens=10, tool_tokens=1000, image_tokens=500)
KINDS = ("image", "document", "audio", "video")
WINDOWED = provider(query_tokens=10, windows={"small*": 900, "m*": 5000}, windowed=KINDS)
WIDE = provider(query_tokens=10, tool_tokens=1000, windows={"m*": 3000}, windowed=KINDS)
PDF = (("document", "content part `file`"),)
RATE = flat(1, 10)

# -- the input ------------------------------------------------------------------------------------


def test_the_input_is_bounded_by_the_body_and_the_provider_s_own_prompt() -> None:
    assert input_bound(ask(100), RATE, PLAIN) == 110


def test_tools_add_the_provider_s_tool_prompt() -> None:
    assert input_bound(ask(100, tools=True), RATE, PLAIN) == 1110


def test_an_image_counts_by_its_own_bound_and_not_by_its_bytes() -> None:
    assert input_bound(ask(9000, images=3, opaque_bytes=8900), RATE, PLAIN) == 100 + 10 + 3 * 500


def test_images_are_refused_where_no_bound_is_known_with_what_to_write() -> None:
    unknown = provider(query_tokens=10)
    assert input_bound(ask(100), RATE, unknown) == 110
    with pytest.raises(Refused) as error:
        input_bound(ask(100, images=1), RATE, unknown)
    assert error.value.code == "unbounded"
    assert "image_tokens under [providers.acme] in farthing.toml" in error.value.message


def test_what_has_no_bound_is_refused_by_name_whatever_its_price() -> None:
    with pytest.raises(Refused, match="The cost of `audio`, tool `x` has no upper bound") as error:
        quote(ask(unbounded=("`audio`", "tool `x`")), flat(0, 0), PLAIN, 1000)
    assert error.value.code == "unbounded"


# -- the window -----------------------------------------------------------------------------------


def test_the_window_bounds_what_bytes_do_not() -> None:
    assert input_bound(ask(100, opaque=PDF), RATE, WINDOWED) == 5000
    assert input_bound(ask(90_000, opaque=PDF, images=3), RATE, WINDOWED) == 5000


def test_the_window_is_the_model_s_own() -> None:
    small = msgspec.structs.replace(RATE, model="Small-2")
    assert input_bound(ask(100, opaque=PDF), small, WINDOWED) == 900


def test_a_larger_window_in_the_price_book_counts_and_a_smaller_one_does_not() -> None:
    for context, bound in ((7000, 7000), (300, 5000), (None, 5000)):
        rate = msgspec.structs.replace(RATE, context=context)
        assert input_bound(ask(100, opaque=PDF), rate, WINDOWED) == bound


@pytest.mark.parametrize(
    "of",
    [
        provider(windows={"m*": 5000}, windowed=("image",)),
        provider(windowed=("document",)),
        provider(windows={"other*": 5000}, windowed=("document",)),
    ],
)
def test_what_the_provider_s_window_does_not_bound_is_refused_by_name(of: Provider) -> None:
    known = msgspec.structs.replace(RATE, context=5000)
    with pytest.raises(Refused, match="The cost of content part `file` has no upper") as error:
        input_bound(ask(opaque=PDF), known, of)
    assert error.value.code == "unbounded"


def test_only_the_content_that_is_not_bounded_is_named() -> None:
    of = provider(windows={"m*": 5000}, windowed=("document",))
    both = (*PDF, ("audio", "content part `sound`"))
    with pytest.raises(Refused, match="The cost of content part `sound` has no upper"):
        input_bound(ask(opaque=both), RATE, of)


def test_the_window_bounds_images_where_their_number_does_not() -> None:
    assert input_bound(ask(100, images=1), RATE, WINDOWED) == 5000
    unbounded = provider(windows={"m*": 5000}, windowed=("document",))
    for of in (ask(images=1), ask(images=1, opaque=PDF)):
        with pytest.raises(Refused, match="image_tokens under"):
            input_bound(of, RATE, unbounded)


def test_the_smallest_bound_is_taken() -> None:
    assert input_bound(ask(4000), RATE, WINDOWED) == 4010
    assert input_bound(ask(6000), RATE, WINDOWED) == 5000
    dear = provider(query_tokens=10, image_tokens=3000, windows={"m*": 5000}, windowed=KINDS)
    assert input_bound(ask(100, images=1), RATE, dear) == 3110
    assert input_bound(ask(100, images=2), RATE, dear) == 5000
    elsewhere = msgspec.structs.replace(RATE, model="x")
    assert input_bound(ask(6000), elsewhere, WINDOWED) == 6010, "no window of it is known"


def test_texts_to_embed_have_the_window_each() -> None:
    assert input_bound(ask(90_000, makes_output=False), RATE, WINDOWED) == 90_010


def test_what_may_be_sound_is_charged_at_the_price_of_sound() -> None:
    sounding = flat(1, 0, input_audio=7)
    for kind in ("audio", "video"):
        of = ask(opaque=((kind, "content part `x`"),))
        assert quote(of, sounding, WINDOWED, 1).usd == 5000 * 7000
        with pytest.raises(Refused, match=r"no price for sound.*`input_audio`") as error:
            quote(of, flat(1, 0), WINDOWED, 1)
        assert error.value.code == "unpriced_model"
    assert quote(ask(opaque=PDF), flat(1, 0), WINDOWED, 1).usd == 5000 * 1000


# -- the cap on output ----------------------------------------------------------------------------


def test_the_client_s_cap_is_kept() -> None:
    assert quote(ask(output_cap=7), RATE, PLAIN, 1000).output_cap == 7


def test_a_query_without_a_cap_gets_the_default() -> None:
    assert quote(ask(), RATE, PLAIN, 1000).output_cap == 1000


def test_the_default_is_no_larger_than_the_model_s_context() -> None:
    small = Rate("acme", "m", RATE.tiers, context=300)
    assert quote(ask(), small, PLAIN, 1000).output_cap == 300
    assert quote(ask(output_cap=900), small, PLAIN, 1000).output_cap == 900


def test_the_default_leaves_room_for_what_the_request_needs_at_least() -> None:
    assert quote(ask(least_output=2049), RATE, PLAIN, 1000).output_cap == 2049


def test_the_client_s_own_cap_is_never_raised() -> None:
    assert quote(ask(output_cap=100, least_output=2049), RATE, PLAIN, 1000).output_cap == 100


def test_a_cap_that_the_provider_raises_counts_as_raised() -> None:
    raising = provider(query_tokens=10, least_cap=16)
    small = quote(ask(990, output_cap=1, choices=2), RATE, raising, 1000)
    assert (small.output_cap, small.tokens) == (1, 1000 + 32), "the client's own cap is sent"
    assert small.usd == 1000 * 1000 + 32 * 10_000
    assert quote(ask(990, output_cap=17), RATE, raising, 1000).tokens == 1017
    for most in (small.usd - 1, 1000 * 1000 + 2 * 10_000):
        with pytest.raises(Refused, match="even with its output capped"):
            quote(ask(990, output_cap=1, choices=2), RATE, raising, 1000, most)


def test_reasoning_that_the_cap_does_not_count_is_in_the_quote_for_every_answer() -> None:
    known = provider(query_tokens=10, beside_cap=("m*",), reasoning_tokens=300)
    found = quote(ask(990, output_cap=100, choices=2), RATE, known, 1)
    assert (found.output_cap, found.tokens) == (100, 1000 + 200 + 600)
    assert found.usd == 1000 * 1000 + 800 * 10_000
    other = msgspec.structs.replace(RATE, model="plain")
    assert quote(ask(990, output_cap=100), other, known, 1).tokens == 1100
    assert quote(ask(990, makes_output=False), RATE, known, 1).tokens == 1000


def test_reasoning_without_a_bound_of_its_own_fills_the_window_or_is_refused() -> None:
    windowed = provider(query_tokens=10, beside_cap=("*",), windows={"m*": 5000})
    assert quote(ask(990, output_cap=100), RATE, windowed, 1).tokens == 1000 + 100 + 5000
    none_at_all = msgspec.structs.replace(windowed.bound, reasoning_tokens=0)
    certain = msgspec.structs.replace(windowed, bound=none_at_all)
    assert quote(ask(990, output_cap=100), RATE, certain, 1).tokens == 1100
    with pytest.raises(Refused, match="the reasoning of acme/m has no upper bound"):
        quote(ask(), RATE, provider(beside_cap=("*",)), 1)


def test_a_price_cap_leaves_room_for_reasoning_that_the_cap_does_not_count() -> None:
    of = provider(query_tokens=10, beside_cap=("*",), reasoning_tokens=300)
    most = 1000 * 1000 + 340 * 10_000
    assert quote(ask(990), RATE, of, 1000, most).output_cap == 40
    with pytest.raises(Refused, match="more than its cap"):
        quote(ask(990), RATE, of, 1000, 1000 * 1000 + 300 * 10_000)


def test_a_model_that_costs_more_than_one_answer_s_tokens_is_refused_with_the_reason() -> None:
    crowd = provider(unbounded={"*crowd*": "runs several agents"})
    with pytest.raises(Refused, match="acme/a-Crowd-1 runs several agents; choose") as error:
        quote(ask(), msgspec.structs.replace(RATE, model="a-Crowd-1"), crowd, 1)
    assert error.value.code == "unbounded"
    quote(ask(), RATE, crowd, 1)


# -- the quote ------------------------------------------------------------------------------------


def test_a_quote_is_the_input_and_the_output_at_their_prices() -> None:
    found = quote(ask(990, output_cap=100), RATE, PLAIN, 1)
    assert (found.input_tokens, found.tokens) == (1000, 1100)
    assert found.usd == 1000 * 1000 + 100 * 10_000


def test_every_choice_may_use_the_whole_cap() -> None:
    found = quote(ask(990, output_cap=100, choices=5), RATE, PLAIN, 1)
    assert found.output_cap == 100
    assert found.tokens == 1000 + 500
    assert found.usd == 1000 * 1000 + 500 * 10_000


def test_output_beyond_the_cap_is_in_the_quote() -> None:
    found = quote(ask(990, output_cap=100, extra_output=40), RATE, PLAIN, 1)
    assert found.tokens == 1140
    assert found.usd == 1000 * 1000 + 140 * 10_000


def test_the_price_of_a_query_is_in_the_quote() -> None:
    with_fee = flat(1, 10, request=5)
    more = (
        quote(ask(output_cap=1), with_fee, PLAIN, 1).usd
        - quote(ask(output_cap=1), RATE, PLAIN, 1).usd
    )
    assert more == 5 * money.NANO // money.PER_MILLION


def test_the_dearest_kind_of_input_is_taken() -> None:
    rate = Rate("acme", "m", (Tier(0, Prices(10, 0, 3, 12, 20)),))
    marking = provider(query_tokens=10, marked_writes=True)
    million = ask(10**6 - 10)
    assert quote(million, rate, PLAIN, 1).usd == 20, "it may be written to a cache unasked"
    assert quote(million, rate, marking, 1).usd == 10, "without a mark nothing is written"
    million.cache_marks = True
    assert quote(million, rate, marking, 1).usd == 20


def test_a_cache_that_is_dearer_to_read_than_the_input_is_taken() -> None:
    rate = Rate("acme", "m", (Tier(0, Prices(10, 0, 30, 10, 10)),))
    assert quote(ask(10**6 - 10), rate, PLAIN, 1).usd == 30


def test_the_dearest_tier_that_can_be_reached_is_taken() -> None:
    tiers = (Tier(0, Prices(10, 0, 0, 0, 0)), Tier(10**6, Prices(5, 0, 0, 0, 0)))
    rate = Rate("acme", "m", tiers)
    assert quote(ask(10**6), rate, PLAIN, 1).usd == 11, "a later tier may be the cheaper one"


# -- laws -----------------------------------------------------------------------------------------

amounts = st.integers(0, 10**11)
rows = st.builds(
    Prices, amounts, amounts, amounts, amounts, amounts, input_audio=amounts, request=amounts
)
providers = st.builds(
    Bound,
    query_tokens=st.just(10),
    tool_tokens=st.just(1000),
    image_tokens=st.sampled_from([None, 500]),
    windows=st.sampled_from([{"m*": 4000}, {"*": 900}]),
    windowed=st.just(KINDS),
    least_cap=st.sampled_from([0, 16]),
    beside_cap=st.sampled_from([(), ("m*",)]),
    reasoning_tokens=st.sampled_from([None, 0, 77]),
    marked_writes=st.booleans(),
).map(lambda bound: Provider("https://h", {}, name="acme", bound=bound))
opaque = st.sampled_from([(), PDF, (("audio", "`a`"),), (*PDF, ("video", "`v`"))])


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    starts = draw(st.lists(st.integers(1, 4000), max_size=3, unique=True))
    return Rate("acme", "m", tuple(Tier(start, draw(rows)) for start in sorted({0, *starts})))


@st.composite
def asks(draw: st.DrawFn) -> Ask:
    size = draw(st.integers(0, 3000))
    images = draw(st.integers(0, 3))
    least = draw(st.integers(1, 50))
    return ask(
        size,
        output_cap=draw(st.none() | st.integers(least, 5000)),
        least_output=least,
        choices=draw(st.integers(1, 4)),
        extra_output=draw(st.integers(0, 200)),
        cache_marks=draw(st.booleans()),
        tools=draw(st.booleans()),
        images=images,
        opaque_bytes=draw(st.integers(0, size)) if images else 0,
        opaque=draw(opaque),
    )


@st.composite
def usages(draw: st.DrawFn, of: Ask, at: Provider, offer: Quote) -> Usage:
    """Draw a usage that a provider which keeps to its bounds may bill."""
    bound = at.bound
    reasoning = 0
    if bound.beside_cap:
        most = bound.reasoning_tokens
        reasoning = max(bound.windows.values()) if most is None else most
    counted = max(offer.output_cap, bound.least_cap)
    output = draw(st.integers(0, (counted + reasoning) * of.choices + of.extra_output))
    total = draw(st.integers(0, offer.input_tokens))
    cuts = sorted(draw(st.tuples(*[st.integers(0, total)] * 4)))
    read, write, hour, sound = (b - a for a, b in pairwise([0, *cuts]))
    if bound.marked_writes and not of.cache_marks:
        write = hour = 0
    if not of.opaque:
        sound = 0
    plain = total - read - write - hour - sound
    return Usage(plain, read, write, hour, output, input_audio=sound)


@settings(deadline=None, max_examples=300)
@given(st.data(), st.lists(rates(), min_size=1, max_size=3), asks(), providers)
def test_no_usage_within_the_bounds_costs_more_than_its_quote(
    data: st.DataObject, served: list[Rate], of: Ask, at: Provider
) -> None:
    most = data.draw(st.none() | st.integers(0, 10**9))
    try:
        offer = quote(of, merged(served), at, 1000, most)
    except Refused:
        assume(False)
    usage = data.draw(usages(of, at, offer))
    for rate in served:
        assert cost(usage, rate) <= offer.usd
    assert usage.tokens() <= offer.tokens
    assert most is None or offer.usd <= most


@settings(deadline=None, max_examples=300)
@given(rates(), asks(), st.integers(0, 10**9))
def test_a_price_cap_is_never_exceeded_and_never_wasted(rate: Rate, of: Ask, most: int) -> None:
    free = quote(of, rate, WIDE, 1000)
    try:
        capped = quote(of, rate, WIDE, 1000, most)
    except Refused as problem:
        assert problem.code == "max_cost"
        least = of.least_output
        of.output_cap = least
        assert quote(of, rate, WIDE, 1000).usd > most, "it is refused only when it must be"
        return
    assert capped.usd <= most
    assert of.least_output <= capped.output_cap <= free.output_cap
    if capped.output_cap < free.output_cap:
        of.output_cap = capped.output_cap + 1
        assert quote(of, rate, WIDE, 1000).usd > most, "one token more would not have fitted"


@settings(deadline=None)
@given(rates(), asks())
def test_a_price_cap_that_the_query_fits_changes_nothing(rate: Rate, of: Ask) -> None:
    free = quote(of, rate, WIDE, 1000)
    assert quote(of, rate, WIDE, 1000, free.usd) == free


def test_a_price_cap_too_small_for_the_least_output_is_refused_with_the_figures() -> None:
    of = ask(990, least_output=2049)
    with pytest.raises(Refused) as error:
        quote(of, RATE, PLAIN, 4000, max_cost=1000 * 1000 + 2048 * 10_000)
    assert error.value.code == "max_cost"
    for figure in ("$0.02149", "2049 tokens", "$0.02148", "1000 tokens"):
        assert figure in error.value.message
    assert quote(of, RATE, PLAIN, 4000, max_cost=1000 * 1000 + 2049 * 10_000).output_cap == 2049


def test_a_free_model_fits_a_price_cap_of_nothing() -> None:
    assert quote(ask(output_cap=50), flat(0, 0), PLAIN, 1000, max_cost=0).output_cap == 50


def test_a_price_cap_of_nothing_refuses_what_is_not_free() -> None:
    with pytest.raises(Refused) as error:
        quote(ask(), RATE, PLAIN, 1000, max_cost=0)
    assert error.value.code == "max_cost"


@pytest.mark.parametrize("cap", [10**15, 2**63, 10**19, 10**40])
def test_a_quote_that_a_journal_cannot_carry_is_refused(cap: int) -> None:
    with pytest.raises(Refused):
        quote(ask(output_cap=cap), RATE, PLAIN, 1000)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("openai", "gpt-4o-search-preview"),
        ("openai", "gpt-5-search-api"),
        ("openrouter", "openai/gpt-4o-mini-search-preview"),
        ("openrouter", "perplexity/sonar"),
    ],
)
def test_a_model_that_searches_unasked_needs_a_price_of_each_query(name: str, model: str) -> None:
    with pytest.raises(Refused, match="searches unasked"):
        quote(ask(), msgspec.structs.replace(RATE, model=model), built_in(name), 1000)
    priced = msgspec.structs.replace(flat(1, 10, request=10_000), model=model)
    assert quote(ask(), priced, built_in(name), 1000).usd > 10_000_000
    quote(ask(), RATE, built_in(name), 1000)


# -- what is not text -----------------------------------------------------------------------------

PAINTER = provider(made_images={"p*": 300})
IMAGE_METERS = ("input", "output", "input_image", "output_image")


def painted(**prices: int) -> Rate:
    meters = {"input": 1, "output": 1, "cache_read": 1, "cache_write": 1, "cache_write_1h": 1}
    return Rate("acme", "painter", (Tier(0, Prices(**{**meters, **prices})),))


def test_images_are_bounded_by_their_number_and_the_largest_of_the_model() -> None:
    of = ask(made_images=3, extra_output=50, meters=IMAGE_METERS)
    found = quote(of, painted(), PAINTER, 1)
    assert (found.tokens - found.input_tokens, found.output_cap) == (3 * 300 + 50, 300)
    assert of.output_cap is None, "the request itself is not changed"


def test_images_are_bounded_at_the_dearest_price_that_a_token_can_have() -> None:
    of = ask(made_images=1, meters=IMAGE_METERS)
    million = 10**6
    dear = painted(input_image=2 * million, output_image=5 * million)
    found = quote(of, dear, PAINTER, 1)
    assert found.usd == found.input_tokens * 2 + 300 * 5
    words = msgspec.structs.replace(of, meters=("input", "output"))
    assert quote(words, dear, PAINTER, 1).usd == 1, "but only where it is billed by them"


def test_images_cannot_be_made_smaller_to_fit_a_price_cap() -> None:
    of = ask(made_images=1, meters=IMAGE_METERS)
    full = quote(of, painted(output_image=10**6), PAINTER, 1).usd
    assert quote(of, painted(output_image=10**6), PAINTER, 1, full).usd == full
    with pytest.raises(Refused) as refused:
        quote(of, painted(output_image=10**6), PAINTER, 1, full - 1)
    assert refused.value.code == "max_cost"


def test_a_model_whose_images_nobody_counted_has_no_bound() -> None:
    other = msgspec.structs.replace(painted(), model="x")
    with pytest.raises(Refused, match="image made by acme/x") as refused:
        quote(ask(made_images=1), other, PAINTER, 1)
    assert refused.value.code == "unbounded"


@pytest.mark.parametrize("meter", ["characters", "audio_seconds", "search_units"])
def test_a_request_is_bounded_by_what_it_says_of_other_meters(meter: str) -> None:
    of = ask(makes_output=False, meters=(meter,), most=Usage(**{meter: 7}))
    rate = painted(input=0, cache_read=0, **{meter: 10**6})
    found = quote(of, rate, PLAIN, 1)
    assert (found.usd, found.tokens) == (7, 0), "and by no tokens, of which it is billed none"
    assert found.usd >= cost(Usage(**{meter: 7}), rate)


def test_each_of_several_prompts_has_the_window_to_itself() -> None:
    assert input_bound(ask(9000), RATE, WINDOWED) == 5000
    assert input_bound(ask(9000, prompts=2), RATE, WINDOWED) == 9010


def test_what_is_not_billed_by_its_input_has_none_whatever_is_in_it() -> None:
    of = ask(9000, meters=("audio_seconds",), opaque=PDF, images=1)
    assert input_bound(of, RATE, provider()) == 0


def test_a_text_that_is_read_many_times_counts_as_often() -> None:
    assert input_bound(ask(extra_input=500), RATE, PLAIN) == 500 + input_bound(ask(), RATE, PLAIN)


def test_a_dialect_s_own_cap_comes_before_the_gateway_s() -> None:
    assert quote(ask(default_cap=16), RATE, PLAIN, 1000).output_cap == 16
    assert quote(ask(default_cap=16, output_cap=99), RATE, PLAIN, 1000).output_cap == 99
