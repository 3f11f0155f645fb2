"""The compiled book: genai-prices' data, and what farthing.toml says above it."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price, types
from genai_prices.data import providers as their_providers

from farthing.errors import Refused
from farthing.money import NANO
from farthing.prices.book import Book, Model, PriceBook, Row
from farthing.prices.compile import (
    FORMAT,
    PRICE_KEYS,
    UNUSED_KEYS,
    book_source,
    make_book,
)
from farthing.prices.rate import METERS, cost
from farthing.settings import PriceOverride
from farthing.wire.dialect import Usage

MOMENTS = [
    datetime(2024, 1, 1, 12, tzinfo=UTC),
    datetime(2026, 8, 17, 0, 0, tzinfo=UTC),
    datetime(2026, 9, 15, 3, 59, 59, tzinfo=UTC),
    datetime(2026, 11, 23, 16, 30, tzinfo=UTC),
]
USAGES = [
    Usage(input=1, output=1),
    Usage(input=150_000, cache_read=40_000, cache_write=20_000, output=3333),
    Usage(input=300_001, cache_read=7, cache_write=9, cache_write_1h=11, output=77),
]
NOW = int(MOMENTS[-1].timestamp()) * 10**9


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("books")


@pytest.fixture(scope="module")
def book(folder: Path) -> PriceBook:
    return PriceBook(make_book(folder, [], []).read_bytes())


def override(provider: str = "acme", model: str = "m", **fields: object) -> PriceOverride:
    price = PriceOverride(provider, model, Decimal("0.5"), Decimal("1.5"))
    return msgspec.structs.replace(price, **fields)


def compiled(folder: Path, *overrides: PriceOverride) -> PriceBook:
    return PriceBook(make_book(folder, list(overrides), []).read_bytes())


def at(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 10**9


# -- against genai-prices' own calculation --------------------------------------------------------


def theirs(usage: Usage) -> TheirUsage:
    """Return a usage in genai-prices' words: its counts contain one another."""
    written = usage.cache_write + usage.cache_write_1h
    counts = {
        "input_tokens": usage.input + usage.cache_read + written,
        "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": written,
        "output_tokens": usage.output,
    }
    if usage.cache_write_1h:
        counts["cache_write_1h_tokens"] = usage.cache_write_1h
    return TheirUsage(**counts)


def contexts(model: types.ModelInfo) -> list[dict[str, str]]:
    """Return the options a model has prices for, none among them."""
    found: list[dict[str, str]] = [{}]
    for variant in model.price_variants or ():
        if variant.when not in found and len(variant.when) == 1:
            found.append(variant.when)
    return found


def sample(provider: types.Provider) -> list[types.ModelInfo]:
    """Return some sixty models of a provider: of those with conditions and of all, spread out."""
    special = [m for m in provider.models if isinstance(m.prices, list) or m.price_variants]
    spread = [models[:: len(models) // 30 + 1] for models in (special, provider.models)]
    return list({model.id: model for models in spread for model in models}.values())


def names(match: object) -> Iterator[str]:
    """Yield the texts of a rule, any of which may be a name of the model."""
    operand = next(iter(vars(match).values()))
    if isinstance(operand, str):
        yield operand
    else:
        for part in operand:
            yield from names(part)


def name_of(model: types.ModelInfo) -> str:
    """Return a name that the model is known by; its id need not be one."""
    known = [name for name in (model.id, *names(model.match)) if model.is_match(name)]
    return known[0] if known else model.id


@pytest.mark.parametrize("provider", their_providers, ids=lambda p: str(p.id))
def test_a_usage_costs_what_genai_prices_says_to_within_the_rounding(
    book: PriceBook, provider: types.Provider
) -> None:
    compared = 0
    for model in sample(provider):
        for options in contexts(model):
            for moment in MOMENTS:
                for usage in USAGES:
                    compared += _agree(book, provider.id, name_of(model), options, moment, usage)
    priced = any(m.chats() and not m.unpriced for m in book.models(provider.id))
    assert (compared > 0) == priced


def _agree(
    book: PriceBook,
    provider: str,
    model: str,
    options: dict[str, str],
    moment: datetime,
    usage: Usage,
) -> bool:
    """Compare one cost; return whether there was one to compare."""
    try:
        rate = book.rate(provider, model, int(moment.timestamp()) * 10**9, options)
    except Refused:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        their = calc_price(
            theirs(usage),
            model,
            provider_id=provider,
            genai_request_timestamp=moment,
            price_context=options,
        )
    over = cost(usage, rate) - their.total_price * 10**9
    assert 0 <= over < 1, (provider, model, options, moment, usage)
    return True


def test_what_is_refused_is_what_farthing_cannot_count(book: PriceBook) -> None:
    for provider in their_providers:
        for model in (m for m in provider.models if m.prices):
            rows = model.prices if isinstance(model.prices, list) else [model]
            used = {k for row in rows for k, v in vars(row.prices).items() if v is not None}
            odd = used - PRICE_KEYS.keys() - UNUSED_KEYS
            ours = next(m for m in book.models(provider.id) if m.id == model.id)
            assert set(ours.unpriced.split(", ")) - {"", "output_image_mtok"} == odd


def test_a_meter_is_either_priced_or_unused_and_never_both() -> None:
    assert not PRICE_KEYS.keys() & UNUSED_KEYS
    known = {meter for meter, _ in PRICE_KEYS.values()}
    assert len(known) == len(PRICE_KEYS), "no meter has two prices"


def test_a_model_with_an_odd_meter_is_refused_with_its_name(book: PriceBook) -> None:
    odd = [(p, m) for p, models in book.book.providers.items() for m in models if m.unpriced]
    assert odd, "genai-prices has such models"
    provider, model = odd[0]
    with pytest.raises(Refused, match=f"also charged by {model.unpriced}"):
        book.rate(provider, model.id, NOW, {})


def test_a_price_for_a_thousand_is_made_one_for_a_million() -> None:
    from farthing.prices.compile import _row

    prices = types.ModelPrice(input_mtok=Decimal("2.5"), web_searches_kcount=Decimal(10))
    row = _row(prices, None)
    assert row.prices == {"input": [(0, 2_500_000_000)], "web_searches": [(0, 10_000_000_000_000)]}


def test_a_price_finer_than_the_unit_is_rounded_up() -> None:
    from farthing.prices.compile import _row

    row = _row(types.ModelPrice(input_mtok=Decimal("0.0000000001")), None)
    assert row.prices == {"input": [(0, 1)]}


# -- the file -------------------------------------------------------------------------------------


def test_a_book_s_name_is_its_digest_and_the_same_prices_make_the_same_book(folder: Path) -> None:
    path = make_book(folder, [], [])
    assert path.name == hashlib.sha256(path.read_bytes()).hexdigest() + ".json"
    assert make_book(folder, [], []) == path
    assert make_book(folder, [override()], []) != path
    assert PriceBook(path.read_bytes()).digest == path.stem


def test_a_book_says_where_its_rows_come_from(folder: Path) -> None:
    assert book_source(make_book(folder, [], [])).startswith("genai-prices ")


def test_genai_prices_is_asked_once_for_each_of_its_versions(tmp_path: Path) -> None:
    make_book(tmp_path, [], [])
    (kept,) = tmp_path.glob(f"genai-prices-*-{FORMAT}.json")
    kept.write_bytes(Book("kept", {"acme": [Model("m", [Row({"input": [(0, 1)]})])]}).encoded())
    assert book_source(make_book(tmp_path, [], [])) == "kept"


def test_the_embedded_model_s_row_is_in_the_book(folder: Path) -> None:
    measured = Model("tiny", [Row({"input": [(0, 3)], "output": [(0, 4)]})])
    found = PriceBook(make_book(folder, [], [measured]).read_bytes())
    assert found.rate("local", "tiny", NOW, {}).prices(0).output == 4


# -- overrides ------------------------------------------------------------------------------------


def test_an_override_comes_before_the_book(folder: Path, book: PriceBook) -> None:
    provider, model = next((p, m) for p, ms in book.book.providers.items() for m in ms if m.chats())
    found = compiled(folder, override(provider, model.id))
    prices = found.rate(provider, model.id, NOW, {}).prices(0)
    assert (prices.input, prices.output) == (500_000_000, 1_500_000_000)
    other = next(m for m in book.models(provider) if m.id != model.id)
    assert found.model(provider, other.id) == book.model(provider, other.id)


def test_an_override_says_every_meter(folder: Path) -> None:
    given = override(
        cache_read=Decimal("0.1"),
        cache_write=Decimal("0.6"),
        cache_write_1h=Decimal("0.7"),
        input_audio=Decimal(2),
        request=Decimal(5000),
        context_tokens=4096,
    )
    rate = compiled(folder, given).rate("acme", "m", NOW, {})
    prices = rate.prices(0)
    assert (prices.cache_read, prices.cache_write) == (100_000_000, 600_000_000)
    assert (prices.cache_write_1h, prices.request) == (700_000_000, 5000 * 10**9)
    assert prices.input_audio == 2_000_000_000
    assert rate.context == 4096
    assert cost(Usage(), rate) == 5_000_000, "half a cent for each query"


def test_the_rows_of_an_override_apply_in_the_order_of_their_days(folder: Path) -> None:
    rows = [
        override(starts=date(2026, 6, 1), input=Decimal(3)),
        override(input=Decimal(1)),
        override(starts=date(2026, 3, 1), input=Decimal(2)),
    ]
    found = compiled(folder, *rows)
    days = [date(2026, 1, 1), date(2026, 3, 1), date(2026, 5, 31), date(2026, 6, 1)]
    prices = [found.rate("acme", "m", at(day), {}).prices(0).input for day in days]
    assert prices == [10**9, 2 * 10**9, 2 * 10**9, 3 * 10**9]


# -- defects --------------------------------------------------------------------------------------


def test_an_override_of_a_later_day_leaves_the_book_s_price_until_then(
    folder: Path, book: PriceBook
) -> None:
    provider, model = next(
        (p, m) for p, ms in book.book.providers.items() for m in ms if m.chats() and not m.unpriced
    )
    before = book.rate(provider, model.id, NOW, {}).prices(0)
    found = compiled(folder, override(provider, model.id, starts=date(2030, 1, 1)))
    assert found.rate(provider, model.id, NOW, {}).prices(0) == before
    assert found.rate(provider, model.id, at(date(2030, 1, 1)), {}).prices(0).input == 500_000_000


def test_an_override_of_a_later_day_alone_prices_nothing_until_then(folder: Path) -> None:
    found = compiled(folder, override(starts=date(2030, 1, 1)))
    with pytest.raises(Refused):
        found.rate("acme", "m", NOW, {})


def test_a_model_whose_output_may_be_dearer_than_its_price_of_output_has_no_price(
    book: PriceBook,
) -> None:
    for provider in their_providers:
        for model in provider.models:
            prices = model.prices
            if isinstance(prices, list):
                continue
            text, image = prices.output_mtok, prices.output_image_mtok
            if isinstance(text, Decimal) and isinstance(image, Decimal) and image > text:
                with pytest.raises(Refused):
                    book.rate(provider.id, model.id, NOW, {})


@pytest.mark.parametrize(
    ("provider", "model", "meter", "price"),
    [
        ("openai", "tts-1", "characters", 15 * 10**9),
        ("openai", "whisper-1", "audio_seconds", 100 * 10**9),  # 0.36 dollars an hour
        ("groq", "whisper-large-v3", "audio_seconds", 30_833_333_334),  # 0.111, rounded up
    ],
)
def test_speech_and_sound_are_priced_by_their_own_meters(
    book: PriceBook, provider: str, model: str, meter: str, price: int
) -> None:
    rate = book.rate(provider, model, NOW, {}, makes_output=False, meters=(meter,))
    assert getattr(rate.prices(0), meter) == price


def test_images_are_priced_by_theirs(book: PriceBook) -> None:
    meters = ("input", "output", "input_image", "output_image")
    rate = book.rate("openai", "gpt-image-1", NOW, {}, meters=meters)
    told = rate.prices(0)
    assert (told.input, told.input_image, told.output_image) == (5 * NANO, 10 * NANO, 40 * NANO)


def test_an_override_can_price_every_meter_there_is() -> None:
    priced = set(METERS) - {"input_audio", "output_audio", "web_searches"}
    assert priced <= set(PriceOverride.__struct_fields__)
