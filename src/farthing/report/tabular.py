"""Write rows as CSV or as Parquet, some at a time, with every amount as an exact decimal."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from farthing import clock
from farthing.errors import ConfigError
from farthing.report.layout import COUNT, JSON, TEXT, TIME, Column

Record = dict[str, Any]
# Rows that are written at once.
PIECE = 10_000
# Digits that a decimal of an export can have in all.
DIGITS = 38


def write(path: Path, form: str, columns: list[Column], records: Iterable[Record]) -> int:
    """Write rows to a file, which is there whole or not at all; return how many.

    Raises:
        ConfigError: what Parquet needs is not installed, or the file cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        count = FORMATS[form](unfinished, columns, records)
        unfinished.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def decimal_text(value: Decimal) -> str:
    """Return a decimal without an exponent and with two decimals at least: readers that guess a
    column's type would take it for whole numbers otherwise."""
    whole, _, fraction = f"{value:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<2}"


_json = msgspec.json.Encoder(order="sorted", decimal_format="number").encode


def json_text(value: Any) -> str:
    """Return an object as JSON, its names sorted; decimals are exact numbers."""
    return _json(value).decode()


@lru_cache(4096)
def second(nanoseconds: int) -> str:
    """Return a moment as "2026-09-01T00:00:00Z"."""
    return f"{clock.moment(nanoseconds):%Y-%m-%dT%H:%M:%SZ}"


def _pieces(records: Iterable[Record]) -> Iterator[list[Record]]:
    rest = iter(records)
    while piece := list(islice(rest, PIECE)):
        yield piece


def _csv(path: Path, columns: list[Column], records: Iterable[Record]) -> int:
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in columns])
        for piece in _pieces(records):
            writer.writerows([[_cell(r.get(c.name), c.kind) for c in columns] for r in piece])
            count += len(piece)
    return count


def _cell(value: Any, kind: str | int) -> str:
    if value is None:
        return ""
    if isinstance(kind, int):
        return decimal_text(value)
    return _TEXTS.get(kind, str)(value)


_TEXTS: dict[str, Callable[[Any], str]] = {TIME: second, JSON: json_text}


def _parquet(path: Path, columns: list[Column], records: Iterable[Record]) -> int:
    try:
        import pyarrow as pa  # noqa: PLC0415  (heavy, and an extra)
        from pyarrow import parquet  # noqa: PLC0415
    except ModuleNotFoundError:
        raise ConfigError("Parquet needs pyarrow: pip install 'farthing[report]'") from None
    kinds = {
        TEXT: pa.string(),
        JSON: pa.string(),
        COUNT: pa.int64(),
        TIME: pa.timestamp("s", "UTC"),
    }
    schema = pa.schema(
        [(c.name, pa.decimal128(DIGITS, c.kind) if isinstance(c.kind, int) else kinds[c.kind])
         for c in columns]
    )  # fmt: skip
    count = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for piece in _pieces(records):
            told = [[_value(r.get(c.name), c.kind) for r in piece] for c in columns]
            arrays = [
                pa.array(values, field.type) for values, field in zip(told, schema, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            count += len(piece)
    return count


def _value(value: Any, kind: str | int) -> Any:
    if value is not None and kind == JSON:
        return json_text(value)
    return value // clock.SECOND if value is not None and kind == TIME else value


FORMATS: dict[str, Callable[[Path, list[Column], Iterable[Record]], int]] = {
    "csv": _csv,
    "parquet": _parquet,
}
