"""Read what a provider says that it billed: its export's columns as data, its rows as `Billed`.

Which columns an export has is what tells the formats apart. Sources of their columns:

- FOCUS 1.2 to 1.4: https://focus.finops.org/focus-specification/
- OpenAI's usage and cost exports carry the fields of its administration API's buckets:
  https://platform.openai.com/docs/api-reference/usage
- Anthropic's console exports, usage by meter and cost by token type:
  https://support.claude.com/en/articles/9534590-cost-and-usage-reporting-in-the-claude-console
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from farthing import money
from farthing.errors import ConfigError


class Format(msgspec.Struct, frozen=True):
    """An export: by which columns it is known, and what they say."""

    name: str
    known_by: tuple[str, ...]
    date: str
    model: str
    provider: str = ""
    """Whose export it is; "" where it is anybody's."""
    cost: str = ""
    currency: str = ""
    tokens: tuple[str, ...] = ()
    """Columns of disjoint counts: their sum is all tokens, in and out."""
    requests: str = ""
    request_id: str = ""
    quantity: str = ""
    unit: str = ""
    """Where one column counts and another says what: only tokens are taken."""
    details: str = ""
    """A JSON object in which the model is named, as `model` says."""
    line_item: bool = False
    """The model's column goes on with the meter: "gpt-4o-mini-2024-07-18, input"."""


FORMATS = (
    Format("openai-costs", ("start_time", "amount_value", "line_item"), "start_time", "line_item",
           "openai", cost="amount_value", currency="amount_currency", line_item=True),
    Format("openai-usage", ("start_time", "model", "input_tokens", "output_tokens"), "start_time",
           "model", "openai", tokens=("input_tokens", "output_tokens"),
           requests="num_model_requests"),
    Format("anthropic-cost", ("usage_date_utc", "model", "token_type", "cost_usd"),
           "usage_date_utc", "model", "anthropic", cost="cost_usd"),
    Format("anthropic-usage", ("usage_date_utc", "model_version", "usage_output_tokens"),
           "usage_date_utc", "model_version", "anthropic",
           tokens=("usage_input_tokens_no_cache", "usage_input_tokens_cache_write_5m",
                   "usage_input_tokens_cache_write_1h", "usage_input_tokens_cache_read",
                   "usage_output_tokens")),
    Format("focus", ("ChargePeriodStart", "BilledCost", "SkuPriceDetails"), "ChargePeriodStart",
           "ModelId", cost="BilledCost", currency="BillingCurrency", quantity="ConsumedQuantity",
           unit="ConsumedUnit", details="SkuPriceDetails"),
)  # fmt: skip

# What --columns can declare, and the fields of `Format` they set.
DECLARED = ("date", "model", "cost_usd", "input_tokens", "output_tokens", "requests", "request_id")


# The model of rows that name none: what they bill is of all of them.
ALL_MODELS = "all-models"


class Billed(msgspec.Struct, frozen=True):
    """One row of an export."""

    day: date
    model: str
    usd: int | None = None
    """Nanodollars; None where the export says nothing of cost."""
    tokens: int | None = None
    requests: int | None = None
    request_id: str = ""


class Invoice(msgspec.Struct, frozen=True):
    """A whole export."""

    name: str
    sha256: str
    format: Format
    rows: list[Billed]
    days: tuple[date, date]
    """The first and the last day that it speaks of, those without any use included."""


def read_invoice(path: Path, columns: Mapping[str, str] | None = None) -> Invoice:
    """Read an export. `columns` declares a plain one's: what each of `DECLARED` is called in it.

    Raises:
        ConfigError: it cannot be read, is of no known format, or a row of it makes no sense.
    """
    try:
        content = path.read_bytes()
        table = csv.DictReader(content.decode("utf-8-sig").splitlines(keepends=True))
        names = list(table.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    kind = _declared(path, names, columns) if columns else _recognised(path, names)
    days, rows = set[date](), list[Billed]()
    for number, line in enumerate(table, start=2):
        try:
            day = _day(line[kind.date])
            days.add(day)
            if (row := _row(kind, day, line)) is not None:
                rows.append(row)
        except (ValueError, InvalidOperation, KeyError, TypeError) as error:
            raise ConfigError(f"{path}, row {number}: {error}") from None
    if not days:
        raise ConfigError(f"{path}: no rows; export a period in which there was use")
    digest = hashlib.sha256(content).hexdigest()
    return Invoice(path.name, digest, kind, rows, (min(days), max(days)))


def _recognised(path: Path, names: Iterable[str]) -> Format:
    """Return the format whose columns are all there."""
    found = next((kind for kind in FORMATS if set(kind.known_by) <= set(names)), None)
    if found is None:
        known = ", ".join(kind.name for kind in FORMATS)
        raise ConfigError(
            f"{path}: its columns ({', '.join(names) or 'none'}) are of no known export ({known}); "
            "say what they are: --columns date=DAY,model=MODEL,cost_usd=COST"
        )
    return found


def _declared(path: Path, names: list[str], columns: Mapping[str, str]) -> Format:
    for meaning, name in columns.items():
        if meaning not in DECLARED:
            raise ConfigError(f"--columns: {meaning} is not one of {', '.join(DECLARED)}")
        if name not in names:
            raise ConfigError(f"{path}: there is no column {name}, only {', '.join(names)}")
    if missing := {"date", "model"} - columns.keys():
        raise ConfigError(f"--columns: say which column is the {' and the '.join(sorted(missing))}")
    return Format(
        "plain",
        (),
        columns["date"],
        columns["model"],
        cost=columns.get("cost_usd", ""),
        tokens=tuple(columns[n] for n in ("input_tokens", "output_tokens") if n in columns),
        requests=columns.get("requests", ""),
        request_id=columns.get("request_id", ""),
    )


def _row(kind: Format, day: date, line: Mapping[str, str]) -> Billed | None:
    """Return a row, or None for one that says that there was nothing."""
    model = _model(kind, line)
    cost = _cost(kind, line)
    if not model and not cost:
        return None
    return Billed(
        day,
        model or ALL_MODELS,
        cost,
        _tokens(kind, line),
        _count(line[kind.requests]) if kind.requests in line else None,
        line.get(kind.request_id, "") if kind.request_id else "",
    )


def _model(kind: Format, line: Mapping[str, str]) -> str:
    if kind.details:
        details = json.loads(line[kind.details] or "{}")
        return str(details.get(kind.model) or line.get("SkuId") or "")
    text = line[kind.model].strip()
    return text.rpartition(", ")[0] or text if kind.line_item else text


def _cost(kind: Format, line: Mapping[str, str]) -> int | None:
    """Return nanodollars; finer parts of one are rounded, as an export sums what is finer still."""
    if not kind.cost:
        return None
    if kind.currency and (line[kind.currency] or "usd").lower() != "usd":
        raise ValueError(f"{line[kind.currency]} is not a currency that this can compare: USD is")
    dollars = Decimal(line[kind.cost] or 0)
    if not dollars.is_finite() or abs(dollars) > money.MOST_DOLLARS:
        raise ValueError(f"{line[kind.cost]} is not an amount of dollars")
    return int((dollars * money.NANO).to_integral_value())


def _tokens(kind: Format, line: Mapping[str, str]) -> int | None:
    if kind.quantity:
        return _count(line[kind.quantity]) if "token" in line[kind.unit].lower() else 0
    return sum(_count(line[name]) for name in kind.tokens) if kind.tokens else None


def _count(text: str) -> int:
    number = Decimal(text or 0)
    if number != number.to_integral_value():
        raise ValueError(f"{text} is not a whole number")
    return int(number)


def _day(text: str) -> date:
    """Return the UTC day of an ISO date or time, or of seconds since the Unix epoch."""
    if text.isascii() and text.isdigit() and len(text) > 8:
        return datetime.fromtimestamp(int(text), UTC).date()
    moment = datetime.fromisoformat(text.strip())
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date()
