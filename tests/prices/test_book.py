"""The price book: which row applies, and what has no price."""

from __future__ import annotations

import hashlib
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.errors import Refused
from farthing.prices.book import DEAR_IMAGES, Book, Model, PriceBook, Row
from farthing.prices.compile import make_book
from farthing.providers import Provider
from farthing.settings.load import parse_settings
from farthing.wire.dialect import Ask


def row(
    of_input: int,
    of_output: int,
    /,
    starts: str = "",
    hours: tuple[int, int] | None = None,
    when: dict[str, str] | None = None,
    **prices: int,
) -> Row:
    meters = {"input": of_input, "output": of_output, **prices}
    steps = {meter: [(0, price)] for meter, price in meters.items()}
    return Row(steps, starts, hours, when or {})


def book(*models: Model) -> PriceBook:
    return PriceBook(Book("a test", {"acme": list(models)}).encoded())


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


NOON = at("2026-06-15T12:00")


def inputs(of: PriceBook, moment: str, options: dict[str, str] | None = None) -> int:
    """Return the price of input at a moment."""
    return of.rate("acme", "m", at(moment), options or {}).prices(0).input


def refused(of: PriceBook, name: str = "m", options: dict[str, str] | None = None) -> str:
    with pytest.raises(Refused) as error:
        of.rate("acme", name, NOON, options or {})
    assert error.value.code == "unpriced_model"
    return error.value.message


# -- names ----------------------------------------------------------------------------------------

MATCHES: list[tuple[tuple[str, object], list[str], list[str]]] = [
    (("equals", "GPT-x"), ["gpt-x", "GPT-X"], ["gpt-x-2", "a-gpt-x"]),
    (("starts_with", "gpt-X"), ["gpt-x", "GPT-x-2026"], ["a-gpt-x"]),
    (("ends_with", "-mini"), ["gpt-mini", "GPT-MINI"], ["gpt-mini-2"]),
    (("contains", "Sonnet"), ["claude-sonnet-9", "SONNET"], ["sonet"]),
    (("regex", r"^gpt-\d$"), ["gpt-4", "GPT-5"], ["gpt-44", "a-gpt-4"]),
    (("or", [["equals", "a"], ["equals", "b"]]), ["a", "B"], ["c"]),
    (("and", [["contains", "a"], ["contains", "b"]]), ["ab", "bca"], ["a", "b"]),
    (
        ("and", [["contains", "a"], ["or", [["equals", "ab"], ["equals", "ac"]]]]),
        ["ab", "ac"],
        ["ad", "b"],
    ),
]


@pytest.mark.parametrize(("match", "names", "others"), MATCHES)
def test_a_rule_recognises_its_names_in_any_case(
    match: tuple[str, object], names: list[str], others: list[str]
) -> None:
    found = book(Model("m", [row(1, 2)], match=match))
    for name in names:
        model = found.model("acme", name)
        assert model is not None
        assert model.id == "m"
    for name in others:
        assert found.model("acme", name) is None


def test_without_a_rule_a_model_is_known_by_its_id() -> None:
    found = book(Model("m", [row(1, 2)]))
    assert found.model("acme", "M") is not None
    assert found.model("acme", "m2") is None
    assert found.model("other", "m") is None


def test_of_several_models_that_match_the_first_counts() -> None:
    found = book(Model("m", [row(7, 7)]), Model("m", [row(1, 1)]))
    assert inputs(found, "2026-01-01") == 7


def test_an_option_or_a_name_of_nonsense_never_finds_a_price() -> None:
    found = book(Model("m", [row(1, 2)]))
    assert "The price book has no price for it" in refused(found, "")
    assert "The price book has no price for it" in refused(found, "m\x00")


# -- rows in time ---------------------------------------------------------------------------------

DATED = book(
    Model("m", [row(1, 1), row(2, 2, starts="2026-03-01"), row(3, 3, starts="2026-06-01")])
)


@pytest.mark.parametrize(
    ("moment", "price"),
    [
        ("2020-01-01T00:00", 1),
        ("2026-02-28T23:59:59", 1),
        ("2026-03-01T00:00", 2),
        ("2026-05-31T23:59:59", 2),
        ("2026-06-01T00:00", 3),
        ("2030-01-01T00:00", 3),
    ],
)
def test_a_dated_row_applies_from_its_day_on(moment: str, price: int) -> None:
    assert inputs(DATED, moment) == price


def test_of_several_active_rows_the_last_counts_whatever_their_dates() -> None:
    found = book(Model("m", [row(2, 2, starts="2026-06-01"), row(1, 1, starts="2026-03-01")]))
    assert inputs(found, "2026-07-01") == 1


def test_before_every_date_the_first_row_counts() -> None:
    found = book(Model("m", [row(1, 1, starts="2026-03-01"), row(2, 2, starts="2026-06-01")]))
    assert inputs(found, "2020-01-01") == 1


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        ((9 * 60, 17 * 60), ["09:00", "16:59:59"], ["08:59:59", "17:00", "00:00"]),
        ((22 * 60, 6 * 60), ["22:00", "23:59:59", "00:00", "05:59:59"], ["21:59:59", "06:00"]),
        ((0, 30), ["00:00", "00:29:59"], ["00:30", "23:59"]),
        ((23 * 60, 0), ["23:00", "23:59:59"], ["00:00", "22:59"]),
        ((60, 60), [], ["00:59", "01:00", "01:01"]),
    ],
)
def test_hours_begin_and_end_at_their_minute_and_may_cross_midnight(
    hours: tuple[int, int], inside: list[str], outside: list[str]
) -> None:
    found = book(Model("m", [row(1, 1), row(2, 2, hours=hours)]))
    assert [inputs(found, f"2026-06-15T{time}") for time in inside] == [2] * len(inside)
    assert [inputs(found, f"2026-06-15T{time}") for time in outside] == [1] * len(outside)


@settings(deadline=None)
@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 1439))
def test_two_halves_of_a_day_never_both_apply(first: int, last: int, minute: int) -> None:
    moment = minute * 60 * 10**9
    one, other = row(1, 1, hours=(first, last)), row(1, 1, hours=(last, first))
    assert one.active(moment) + other.active(moment) == (first != last)


def test_a_price_that_changes_is_not_remembered_from_the_minute_before() -> None:
    found = book(Model("m", [row(1, 1), row(2, 2, hours=(600, 660))]))
    seen = [inputs(found, f"2026-06-15T{time}") for time in ("09:59:59", "10:00", "11:00", "10:59")]
    assert seen == [1, 2, 1, 2]


def test_what_is_remembered_is_remembered_by_provider_model_and_options() -> None:
    variant = row(9, 9, when={"tier": "fast"})
    models = [Model("m", [row(1, 1)], variants=[variant]), Model("n", [row(2, 2)])]
    found = PriceBook(Book("", {"acme": models, "other": [Model("m", [row(3, 3)])]}).encoded())
    for _ in range(2):
        rates = [
            found.rate("acme", "m", NOON, {}),
            found.rate("acme", "m", NOON, {"tier": "fast"}),
            found.rate("acme", "n", NOON, {}),
            found.rate("other", "m", NOON, {}),
        ]
        assert [rate.prices(0).input for rate in rates] == [1, 9, 2, 3]
        assert (rates[0].provider, rates[0].model) == ("acme", "m")


# -- whichever way it is served -------------------------------------------------------------------

SERVED = book(
    Model(
        "m",
        [row(10, 20)],
        variants=[
            row(4, 8, when={"service_tier": "flex"}),
            row(15, 19, when={"service_tier": "fast"}),
            row(9, 30, when={"speed": "fast"}),
        ],
    )
)


def dearest(tiers: tuple[str, ...] = (), **fields: object) -> tuple[int, int]:
    provider = Provider("https://h", {}, name="a", prices="acme", unasked_tiers=tiers)
    ask = Ask(b"", {}, "m", **fields)  # type: ignore[arg-type]
    found = SERVED.dearest(provider, "m", NOON, ask).prices(0)
    return found.input, found.output


def test_a_cheaper_tier_that_was_asked_for_may_not_be_granted() -> None:
    assert dearest(options={"service_tier": "flex"}) == (10, 20)
    assert dearest(options={"service_tier": "fast"}) == (15, 20)


def test_of_several_options_any_may_be_granted_alone() -> None:
    assert dearest(options={"service_tier": "fast", "speed": "fast"}) == (15, 30)


def test_a_tier_left_open_may_be_the_dearest_that_the_account_can_choose() -> None:
    tiers = ("flex", "fast", "unheard-of")
    assert dearest(tiers, open_tier=True) == (15, 20)
    assert dearest(tiers, open_tier=False) == (10, 20)
    assert dearest((), open_tier=True) == (10, 20)
    assert dearest(("flex",), open_tier=True) == (10, 20), "each set of tiers is its own"


def test_what_was_asked_for_must_have_a_price() -> None:
    with pytest.raises(Refused, match="no price for service_tier = 'unheard-of'"):
        dearest(options={"service_tier": "unheard-of"})


@pytest.mark.parametrize(
    ("moment", "price"),
    [("00:59", 3), ("01:00", 3), ("03:59", 3), ("04:00", 2), ("00:00", 3), ("23:59", 2)],
)
def test_dearer_hours_may_begin_before_the_answer_comes(moment: str, price: int) -> None:
    of = book(Model("m", [row(2, 2), row(3, 3, hours=(60, 240))]))
    provider = Provider("https://h", {}, name="a", prices="acme")
    ask = Ask(b"", {}, "m")
    assert of.dearest(provider, "m", at(f"2026-06-15T{moment}"), ask).prices(0).input == price


def test_the_dearest_is_not_remembered_from_the_minute_before() -> None:
    of = book(
        Model(
            "m", [row(1, 1), row(2, 2, starts="2026-06-15")], variants=[row(0, 0, when={"a": "b"})]
        )
    )
    provider = Provider("https://h", {}, name="a", prices="acme")
    ask = Ask(b"", {}, "m", options={"a": "b"})
    for moment, price in (("2026-06-14T22:59", 1), ("2026-06-14T23:00", 2)):
        assert of.dearest(provider, "m", at(moment), ask).prices(0).input == price


# -- variants -------------------------------------------------------------------------------------

VARIED = book(
    Model(
        "m",
        [row(10, 20, cache_read=5)],
        variants=[
            row(30, 40, starts="2026-09-01", when={"tier": "fast"}),
            Row({"output": [(0, 50)]}, when={"tier": "fast"}),
            Row({"input": [(0, 60)]}, when={"tier": "fast"}),
            Row({"input": [(0, 99)]}, when={"tier": "slow", "speed": "x"}),
        ],
    )
)


def test_a_variant_replaces_the_prices_it_gives_and_no_others() -> None:
    prices = VARIED.rate("acme", "m", NOON, {"tier": "fast"}).prices(0)
    assert (prices.input, prices.output, prices.cache_read) == (10, 50, 5)


def test_of_several_variants_the_first_active_one_counts() -> None:
    prices = VARIED.rate("acme", "m", at("2026-09-01"), {"tier": "fast"}).prices(0)
    assert (prices.input, prices.output) == (30, 40)


@pytest.mark.parametrize("option", [{"tier": "slow"}, {"tier": "Fast"}, {"speed": "x"}])
def test_an_option_without_a_price_is_refused_by_name(option: dict[str, str]) -> None:
    ((name, value),) = option.items()
    assert f"The price book has no price for {name} = {value!r}" in refused(VARIED, options=option)


# -- meters ---------------------------------------------------------------------------------------


def test_what_a_cache_serves_costs_what_input_does_where_nothing_else_is_said() -> None:
    prices = book(Model("m", [row(7, 9)])).rate("acme", "m", NOON, {}).prices(0)
    assert (prices.cache_read, prices.cache_write, prices.cache_write_1h) == (7, 7, 7)
    prices = book(Model("m", [row(7, 9, cache_write=8)])).rate("acme", "m", NOON, {}).prices(0)
    assert (prices.cache_read, prices.cache_write, prices.cache_write_1h) == (7, 8, 8)


def test_a_meter_that_has_no_price_has_none_and_not_zero() -> None:
    prices = book(Model("m", [row(7, 9)])).rate("acme", "m", NOON, {}).prices(0)
    assert prices.input_audio is prices.output_audio is prices.web_searches is None


def test_steps_of_different_meters_are_laid_side_by_side() -> None:
    steps: dict[str, list[tuple[int, int]]] = {
        "input": [(0, 1), (200, 3)],
        "output": [(0, 10), (100, 20), (200, 30)],
        "cache_read": [(0, 5)],
    }
    rate = book(Model("m", [Row(steps)], context=4096)).rate("acme", "m", NOON, {})
    told = [(t.above, t.prices.input, t.prices.output, t.prices.cache_read) for t in rate.tiers]
    assert told == [(0, 1, 10, 5), (100, 1, 20, 5), (200, 3, 30, 5)]
    assert rate.context == 4096


@pytest.mark.parametrize("missing", ["input", "output"])
def test_a_model_without_a_price_for_input_or_output_is_refused(missing: str) -> None:
    only = {"input": [(0, 1)], "output": [(0, 1)]}
    del only[missing]
    model = Model("m", [Row(only)])
    assert not model.chats()
    assert f"The price book has no price for its {missing}" in refused(book(model))


def test_a_price_of_zero_is_a_price() -> None:
    assert book(Model("m", [row(0, 0)])).rate("acme", "m", NOON, {}).prices(0).output == 0


def test_a_model_that_is_charged_by_what_nobody_counts_is_refused_by_name() -> None:
    model = Model("m", [row(1, 2)], unpriced="social_searches_kcount")
    assert "It is also charged by social_searches_kcount" in refused(book(model))


def test_a_refusal_says_what_to_write_and_writing_it_prices_the_model(tmp_path: Path) -> None:
    message = refused(book(), "new")
    assert '[[prices]] provider = "acme", model = "new", and input and output' in message
    assert "dollars for a million tokens" in message
    written = '[[prices]]\nprovider = "acme"\nmodel = "new"\ninput = 0.5\noutput = 1.5\n'
    assert tomllib.loads(written)
    overrides = parse_settings(written, Path("farthing.toml")).prices
    priced = PriceBook(make_book(tmp_path, overrides, []).read_bytes())
    prices = priced.rate("acme", "new", NOON, {}).prices(0)
    assert (prices.input, prices.output) == (500_000_000, 1_500_000_000)


# -- the book as a whole --------------------------------------------------------------------------


def test_a_book_is_known_by_the_digest_of_its_bytes() -> None:
    encoded = Book("x", {"acme": [Model("m", [row(1, 2)])]}).encoded()
    assert PriceBook(encoded).digest == hashlib.sha256(encoded).hexdigest()


def test_the_order_of_names_does_not_change_a_book_s_bytes() -> None:
    one, other = [Model("m", [row(1, 2)])], [Model("n", [row(1, 2)])]
    assert (
        Book("x", {"a": one, "b": other}).encoded() == Book("x", {"b": other, "a": one}).encoded()
    )


def test_a_book_reads_back_as_it_was_written() -> None:
    written = Book("x", {"acme": DATED.models("acme") + VARIED.models("acme")})
    assert msgspec.json.decode(written.encoded(), type=Book) == written
    assert PriceBook(written.encoded()).book == written


def test_the_models_of_an_unknown_provider_are_none() -> None:
    assert DATED.models("nobody") == []


@pytest.mark.parametrize(
    ("name", "prices", "embeds"),
    [
        ("text-embedding-3-small", {"input": [(0, 1)]}, True),
        ("mistral-embed", {"input": [(0, 1)], "output": [(0, 0)]}, True),
        ("davinci-002", {"input": [(0, 1)]}, False),
        ("an-embed-of-nothing", {"request": [(0, 1)]}, False),
    ],
)
def test_a_model_that_embeds_says_so_in_its_name_and_has_a_price_of_input(
    name: str, prices: dict[str, Any], embeds: bool
) -> None:
    assert Model(name, [Row(prices)]).embeds() is embeds


# -- what is not billed by tokens -----------------------------------------------------------------

IMAGE_METERS = ("input", "output", "input_image", "output_image")


def test_images_cost_what_other_tokens_do_where_nothing_else_is_said() -> None:
    of = book(Model("m", [row(10, 20)]), Model("n", [row(10, 20, input_image=30, output_image=40)]))
    plain = of.rate("acme", "m", NOON, {}, meters=IMAGE_METERS).prices(0)
    assert (plain.input_image, plain.output_image) == (10, 20)
    told = of.rate("acme", "n", NOON, {}, meters=IMAGE_METERS).prices(0)
    assert (told.input_image, told.output_image) == (30, 40)
    assert of.rate("acme", "m", NOON, {}).prices(0).output_image is None


def test_a_model_with_dear_images_is_priced_only_where_they_are_counted() -> None:
    of = book(Model("m", [row(10, 20, output_image=90)], unpriced=DEAR_IMAGES))
    assert of.rate("acme", "m", NOON, {}, meters=IMAGE_METERS).prices(0).output_image == 90
    assert DEAR_IMAGES in refused(of)
    odd = book(Model("m", [row(10, 20)], unpriced=f"{DEAR_IMAGES}, more"))
    with pytest.raises(Refused):
        odd.rate("acme", "m", NOON, {}, meters=IMAGE_METERS)


def test_what_is_billed_by_one_meter_must_have_its_price_and_no_price_of_tokens() -> None:
    spoken = Model("spoken", [Row({"characters": [(0, 15)]})])
    zero = Model("zero", [row(0, 0, characters=15)])
    both = Model("both", [row(10, 0, characters=15)])
    of = book(spoken, zero, both, Model("neither", [row(10, 20)]))
    for name in ("spoken", "zero"):
        found = of.rate("acme", name, NOON, {}, makes_output=False, meters=("characters",))
        assert (found.prices(0).characters, found.prices(0).input) == (15, 0)
    for name, why in (("both", "also charged by its input"), ("neither", "for its characters")):
        with pytest.raises(Refused, match=why):
            of.rate("acme", name, NOON, {}, makes_output=False, meters=("characters",))
    assert "no price for its input" in refused(of, "spoken")


def test_the_dearest_is_of_the_meters_that_are_billed() -> None:
    fast = row(2, 3, when={"service_tier": "fast"}, output_image=70)
    of = book(Model("m", [row(10, 20, output_image=50)], variants=[fast], unpriced=DEAR_IMAGES))
    provider = Provider("https://h", {}, name="acme", prices="acme", unasked_tiers=("fast",))
    painted = Ask(b"", {}, "m", open_tier=True, meters=IMAGE_METERS)
    found = of.dearest(provider, "m", NOON, painted).prices(0)
    assert (found.input, found.input_image, found.output, found.output_image) == (10, 10, 20, 70)
    with pytest.raises(Refused, match=DEAR_IMAGES):
        of.dearest(provider, "m", NOON, Ask(b"", {}, "m", open_tier=True))


def test_the_dearest_of_a_meter_that_is_no_token_s_is_found() -> None:
    of = book(Model("spoken", [Row({"characters": [(0, 15)]})]))
    provider = Provider("https://h", {}, name="acme", prices="acme")
    spoken = Ask(b"", {}, "spoken", makes_output=False, meters=("characters",))
    assert of.dearest(provider, "spoken", NOON, spoken).prices(0).characters == 15
