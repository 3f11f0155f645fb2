"""Plots are drawings that parse, with heights in proportion and nothing beyond their edges."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from tests.support.statements import figures, statement

from farthing.report.plot import HEIGHT, PAPER, SCREEN, WIDTH, Ink, drawn

SVG = "{http://www.w3.org/2000/svg}"


def drawing(amounts: list[str | None], form: str, ink: Ink = PAPER) -> ET.Element:
    made = {f"f{n}": {"value": amount} for n, amount in enumerate(amounts)}
    block = {
        "form": form, "title": "<Cost> & more", "unit": "USD",
        "labels": [f"day {n}" for n in range(len(amounts))],
        "series": [{"name": 'a "b" <c>', "figures": list(made)}],
    }  # fmt: skip
    return ET.fromstring(drawn(block, made, ink))


@pytest.mark.parametrize("form", ["columns", "bars"])
@pytest.mark.parametrize(
    "amounts", [["1", "2"], ["0", "0"], ["0.0000004"], ["123456789.5", "3"], [None, "7"]]
)
def test_what_is_drawn_is_in_proportion(form: str, amounts: list[str | None]) -> None:
    root = drawing(amounts, form)
    edge = "height" if form == "columns" else "width"
    kept = root.findall(f"{SVG}rect")
    bars = kept[: len(amounts)] if form == "columns" else kept
    drawn_ = [float(bar.get(edge) or 0) for bar in bars]
    values = [float(amount or 0) for amount in amounts]
    most = max(values)
    for length, value in zip(drawn_, values, strict=True):
        assert length == pytest.approx(max(drawn_) * value / most if most else 0, abs=0.11)
    for bar in bars:
        assert float(bar.get("x") or 0) >= 0 and float(bar.get("y") or 0) >= 0
        assert float(bar.get("x") or 0) + float(bar.get("width") or 0) <= WIDTH
    if form == "columns":
        assert all(float(b.get("y") or 0) + float(b.get("height") or 0) <= HEIGHT for b in bars)


def test_a_title_says_what_it_is_to_who_cannot_see_it() -> None:
    title = drawing(["1"], "columns").find(f"{SVG}title")
    assert title is not None and title.text == "<Cost> & more"


def test_on_a_screen_it_takes_the_pages_colours() -> None:
    made = statement()
    svg = drawn(made["summary"]["plots"][0], figures(made), SCREEN)
    assert "currentColor" in svg and "var(--rule)" in svg
