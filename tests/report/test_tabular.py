"""Files: exact, whole, and the same in both formats."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from tests.support.exports import ALL, Billed, read

from farthing.errors import ConfigError
from farthing.report.layout import AMOUNT, Column
from farthing.report.tabular import decimal_text, json_text, write

COLUMNS = [Column("Cost", AMOUNT, frozenset({"1"})), Column("Tags", "json", frozenset({"1"}))]


def test_decimals_are_exact_and_look_like_decimals() -> None:
    assert decimal_text(Decimal(3)) == "3.00"
    assert decimal_text(Decimal("0.000000001")) == "0.000000001"
    assert decimal_text(Decimal(10**18 + 1).scaleb(-9)) == "1000000000.000000001"
    assert decimal_text(Decimal("-0.5")) == "-0.50"
    assert json_text({"b": Decimal("0.10"), "a": True}) == '{"a":true,"b":0.10}'


def test_parquet_says_what_csv_says(sqlite_bills: Billed) -> None:
    rows, _ = sqlite_bills.export("1.4")
    sqlite_bills.export("1.4", form="parquet")
    table = parquet.read_table(sqlite_bills.out / f"focus-1.4-{ALL}.parquet")
    assert str(table.schema.field("BilledCost").type) == "decimal128(38, 9)"
    assert str(table.schema.field("ListUnitPrice").type) == "decimal128(38, 15)"
    assert str(table.schema.field("ChargePeriodStart").type) == "timestamp[ms, tz=UTC]"
    for row, told in zip(rows, table.to_pylist(), strict=True):
        for name, value in told.items():
            assert shown(value) == row[name], name


def shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return decimal_text(value)
    if hasattr(value, "strftime"):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return "" if value is None else str(value)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path, form: str) -> None:
    out = tmp_path / f"out.{form}"
    out.write_text("as it was")

    def broken() -> Iterator[dict[str, Any]]:
        yield {"Cost": Decimal(1)}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(out, form, COLUMNS, broken())
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    assert out.read_text() == "as it was"


def test_nothing_to_write_is_a_header(tmp_path: Path) -> None:
    assert write(tmp_path / "out.csv", "csv", COLUMNS, []) == 0
    assert (tmp_path / "out.csv").read_text() == "Cost,Tags\n" and not read(tmp_path / "out.csv")


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written: No such file"):
        write(tmp_path / "no" / "out.csv", "csv", COLUMNS, [])
