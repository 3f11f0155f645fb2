"""Make the price book: genai-prices' data in our rows, and what farthing.toml says above them.

genai-prices is imported here alone, once for each of its versions: importing it takes longer
than starting the gateway, and its data more memory than a worker.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from farthing.money import nanodollars_up
from farthing.paths import write_private
from farthing.prices.book import DEAR_IMAGES, Book, Model, Row, Steps, find
from farthing.prices.rate import METERS
from farthing.settings import PriceOverride

if TYPE_CHECKING:
    from genai_prices import types as source

# Raised when the rows below are made differently from the same data.
FORMAT = 4

# genai-prices' name of a price → our meter, and how many dollars for a million it makes of one.
PRICE_KEYS: dict[str, tuple[str, int | Fraction]] = {
    "input_mtok": ("input", 1),
    "output_mtok": ("output", 1),
    "cache_read_mtok": ("cache_read", 1),
    "cache_write_mtok": ("cache_write", 1),
    "cache_write_1h_mtok": ("cache_write_1h", 1),
    "input_audio_mtok": ("input_audio", 1),
    "output_audio_mtok": ("output_audio", 1),
    "input_image_mtok": ("input_image", 1),
    "output_image_mtok": ("output_image", 1),
    "input_mchars": ("characters", 1),
    "input_audio_hours": ("audio_seconds", Fraction(10**6, 3600)),
    "web_searches_kcount": ("web_searches", 1000),
    "requests_kcount": ("request", 1000),
}

# Meters of media and searches that a query must ask for, and is refused when it does.
UNUSED_KEYS = frozenset(
    {
        "audio_hours",
        "cache_audio_read_mtok",
        "cache_image_read_mtok",
        "input_annotated_document_kpages",
        "input_document_kpages",
        "input_video_mtok",
        "output_video_mtok",
        "storage_searches_kcount",
    }
)


def make_book(folder: Path, overrides: list[PriceOverride], measured: list[Model]) -> Path:
    """Write the price book in force to a folder and return its path; its name is its digest.

    `measured` are the embedded model's rows; `overrides` come before them and before the rest.
    """
    base = _base(folder)
    providers = dict(base.providers)
    providers["local"] = measured
    for model, provider in _overridden(overrides):
        others = providers.get(provider, [])
        providers[provider] = [_until_then(model, find(others, model.id)), *others]
    encoded = msgspec.structs.replace(base, providers=providers).encoded()
    path = folder / f"{hashlib.sha256(encoded).hexdigest()}.json"
    if not path.exists():
        write_private(path, encoded.decode())
    return path


def _until_then(override: Model, before: Model | None) -> Model:
    """Put the book's rows, or one without prices, before an override of a later day."""
    if not override.rows[0].starts:
        return override
    rows = before.rows if before is not None else [Row(prices={})]
    unpriced = before.unpriced if before is not None else ""
    return msgspec.structs.replace(override, rows=[*rows, *override.rows], unpriced=unpriced)


def _base(folder: Path) -> Book:
    """Return genai-prices' data as a book; kept in the folder for the next start."""
    version = metadata.version("genai-prices")
    path = folder / f"genai-prices-{version}-{FORMAT}.json"
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Book)
    from genai_prices.data import providers  # noqa: PLC0415

    own = {p.id: [_model(m) for m in p.models if m.prices] for p in providers}
    # Of a model that a provider does not list, another provider's price may count.
    others = {p.id: p.fallback_model_providers or [] for p in providers}
    book = Book(
        source=f"genai-prices {version}",
        providers={
            name: [*models, *(model for other in others[name] for model in own[other])]
            for name, models in own.items()
        },
    )
    write_private(path, book.encoded().decode())
    return book


def _model(info: source.ModelInfo) -> Model:
    rows = info.prices if isinstance(info.prices, list) else [info]
    used = {key for row in rows for key, value in vars(row.prices).items() if value is not None}
    odd = sorted(used - PRICE_KEYS.keys() - UNUSED_KEYS)
    if any(_dear_images(row.prices) for row in rows):
        odd.append(DEAR_IMAGES)  # choosing such a model is asking for images
    return Model(
        id=info.id,
        match=_match(info.match),
        rows=[_row(row.prices, getattr(row, "constraint", None)) for row in rows],
        variants=[_row(v.prices, v.constraint, v.when) for v in info.price_variants or ()],
        context=info.context_window,
        unpriced=", ".join(odd),
        deprecated=bool(info.deprecated),
    )


def _dear_images(prices: Any) -> bool:
    """Whether images cost more than other output, by whose price they would be counted."""
    image, output = prices.output_image_mtok, prices.output_mtok
    plain = isinstance(image, Decimal) and isinstance(output, Decimal)
    return image is not None and not (plain and image <= output)


def _row(prices: Any, constraint: Any, when: dict[str, str] | None = None) -> Row:
    starts = getattr(constraint, "start_date", None)
    hours = None
    if (first := getattr(constraint, "start_time", None)) is not None:
        last = constraint.end_time
        hours = (first.hour * 60 + first.minute, last.hour * 60 + last.minute)
    return Row(
        prices={
            PRICE_KEYS[key][0]: _steps(value, PRICE_KEYS[key][1])
            for key, value in vars(prices).items()
            if value is not None and key in PRICE_KEYS
        },
        starts=starts.isoformat() if starts else "",
        hours=hours,
        when=when or {},
    )


def _steps(price: Decimal | source.TieredPrices, times: int | Fraction) -> Steps:
    if isinstance(price, Decimal):
        return [(0, _times(price, times))]
    tiers = [(tier.start, _times(tier.price, times)) for tier in price.tiers]
    return [(0, _times(price.base, times)), *tiers]


def _times(price: Decimal, times: int | Fraction) -> int:
    return nanodollars_up(price * times.numerator / times.denominator)


def _match(logic: Any) -> tuple[str, object]:
    """Turn a clause (a dataclass with one field named after its rule) into (rule, operand)."""
    rule, operand = next(iter(vars(logic).items()))
    if isinstance(operand, str):
        return rule, operand
    return rule.rstrip("_"), [_match(part) for part in operand]


def _overridden(overrides: list[PriceOverride]) -> list[tuple[Model, str]]:
    """Gather the overrides of each model, in the order of their days."""
    grouped: dict[tuple[str, str], list[PriceOverride]] = {}
    for override in overrides:
        grouped.setdefault((override.provider, override.model), []).append(override)
    return [
        (
            Model(
                id=model,
                rows=[_override_row(o) for o in sorted(rows, key=lambda o: str(o.starts or ""))],
                context=next((o.context_tokens for o in rows if o.context_tokens), None),
                source="farthing.toml",
            ),
            provider,
        )
        for (provider, model), rows in grouped.items()
    ]


def _override_row(override: PriceOverride) -> Row:
    given = {meter: getattr(override, meter, None) for meter in METERS}
    return Row(
        prices={m: [(0, nanodollars_up(price))] for m, price in given.items() if price is not None},
        starts=override.starts.isoformat() if override.starts else "",
    )


class _Source(msgspec.Struct):
    source: str


def book_source(path: Path) -> str:
    """Return where a written book's rows come from."""
    return msgspec.json.decode(path.read_bytes(), type=_Source).source
