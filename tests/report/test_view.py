"""Figures as a reader sees them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.statements import statement

from farthing.report.plot import PAPER
from farthing.report.view import aside, shown, view_of


def figure(value: Any, unit: str, **more: Any) -> dict[str, Any]:
    return {"id": "f", "value": value, "unit": unit, **more}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("12345.678901234", "USD", "$12,346"), ("12.345", "USD", "$12.34"), ("0", "USD", "$0"),
        ("0.0052801", "USD", "$0.005280"), ("0.0000001", "USD", "< $0.000001"),
        ("0.706", "share", "70.6 %"), ("0.999512", "share", "99.95 %"),
        ("1.000000", "share", "100.0 %"), ("0.00612", "share", "0.61 %"),
        ("0.000001", "share", "< 0.01 %"), ("0.000000", "share", "0.00 %"),
        (1234567, "queries", "1,234,567"), (1234567, "tokens", "1,234,567"),
        (12345678, "tokens", "12.3 M"), (900, "µs", "900 µs"), (41_400, "µs", "41 ms"),
        (1_234_000, "µs", "1.23 s"), ("2026-09-14T05:04:00.000Z", "time", "2026-09-14 05:04"),
        ("0.8333333333333334", "score", "0.833333"), ("1.0", "score", "1"),
        ("nan", "score", "nan"), ("well", "score", "well"),
        ("ab" * 32, "SHA-256", "abababababababab…"), ("", "SHA-256", "none"),
        (None, "share", "unknown"), (None, "USD", "unknown"),
    ],
)  # fmt: skip
def test_rounded_for_the_eye(value: Any, unit: str, text: str) -> None:
    assert shown(figure(value, unit)) == text


@pytest.mark.parametrize(
    ("edges", "text"),
    [([712_000, 749_000], "712 – 749 ms"), ([980_000, 1_020_000], "980 ms – 1.02 s"), (None, "")],
)
def test_intervals_say_their_unit_once(edges: list[int] | None, text: str) -> None:
    assert aside(figure(1, "µs", **({} if edges is None else {"interval": edges}))) == text


def test_dollars_of_one_column_have_the_same_decimals() -> None:
    view = view_of(statement(), PAPER)
    section = next(s for s in view["sections"] if s["id"] == "bought")
    table = next(b for b in section["blocks"] if b.get("title") == "By provider")
    cells = [row[2]["value"] for row in table["rows"]]
    assert {len(cell.split(".")[1]) for cell in cells if cell != "$0"} == {2}
    assert table["numeric"] == [False, True, True, True, True, True]


def test_each_cell_keeps_its_exact_value() -> None:
    view = view_of(statement(), PAPER)
    assert len(view["index"]) == len(statement()["figures"])
    contracted = next(f for f in statement()["figures"] if f["id"] == "bought.contracted")
    assert view["tiles"][0]["exact"] == f"{contracted['value']} USD"
