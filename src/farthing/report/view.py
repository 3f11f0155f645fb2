"""A statement as its reader sees it: figures rounded for the eye, plots drawn.

Nothing is computed here that is not in the document: the exact values stand in the JSON and in the
index of figures.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from farthing.report.plot import Ink, drawn

NAMED = re.compile(r"\{([^{}]+)\}")
UNKNOWN = "unknown"
MILLION = 10**6
WIDEST = 36
"""How many letters make a column of a table no wider, but for sentences."""


def shown(figure: dict[str, Any], places: int | None = None) -> str:
    """Return a figure as it is read; with so many decimals, where that is said."""
    value, unit = figure["value"], figure["unit"]
    if value is None:
        return UNKNOWN
    if unit == "USD":
        return _dollars(Decimal(value), places)
    if unit == "tokens" and places is not None and value:
        return f"{Decimal(value) / MILLION:,.{places}f} M"
    return SHOWN.get(unit, _number)(value)


def _number(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def _tokens(value: int) -> str:
    return f"{Decimal(value) / MILLION:,.1f} M" if value >= 10 * MILLION else _number(value)


def _dollars(value: Decimal, places: int | None) -> str:
    if not value:
        return "$0"
    if places is None:
        places = 0 if abs(value) >= 10_000 else 2 if abs(value) >= 1 else 6
    least = Decimal(1).scaleb(-places)
    if abs(value) < least:
        return f"< ${least}"
    return f"${value:,.{places}f}"


def _percent(share: str) -> str:
    value = Decimal(share) * 100
    if value and value < Decimal("0.01"):
        return "< 0.01 %"
    return f"{value:.2f} %" if value < 1 or 99 < value < 100 else f"{value:.1f} %"


def aside(figure: dict[str, Any]) -> str:
    """Return a figure's confidence interval as it is read; nothing where it has none."""
    interval = figure.get("interval")
    if interval is None:
        return ""
    low, high = (shown({**figure, "value": edge}) for edge in interval)
    (number, _, word), (_, _, unit) = low.partition(" "), high.partition(" ")
    return f"{number if word == unit else low} – {high}"


def _span(micros: int) -> str:
    if micros < 1000:
        return f"{micros} µs"
    return f"{micros / 1000:.0f} ms" if micros < MILLION else f"{micros / MILLION:.2f} s"


def _score(value: str) -> str:
    """Return a score to six places; what is no number as it stands."""
    try:
        found = Decimal(value)
    except InvalidOperation:
        return value
    return f"{round(found, 6).normalize():f}" if found.is_finite() else value


SHOWN: dict[str, Callable[[Any], str]] = {
    "share": _percent,
    "µs": _span,
    "time": lambda iso: str(iso)[:16].replace("T", " "),
    "tokens": _tokens,
    "tokens/1000 s": lambda pace: f"{Decimal(pace) / 1000:,.1f}/s",
    "score": _score,
    "SHA-256": lambda digest: f"{digest[:16]}…" if digest else "none",
}


def view_of(document: dict[str, Any], ink: Ink) -> dict[str, Any]:
    """Return what the templates set: texts, cells with their alignment, and drawings."""
    figures = {figure["id"]: figure for figure in document["figures"]}
    viewer = _Viewer(figures, ink)
    summary = document["summary"]
    return {
        "document": document,
        "tiles": [{"label": label, **viewer.tile(cell)} for label, cell in summary["tiles"]],
        "plots": [viewer.block(block) for block in summary["plots"] if block is not None],
        "notes": viewer.block({"type": "notes", "notes": summary["notes"]})["notes"],
        "sections": [
            {**section, "blocks": [viewer.block(block) for block in section["blocks"]]}
            for section in document["sections"]
        ],
        "index": [viewer.indexed(figure) for figure in document["figures"]],
    }


def _width(words: str) -> int:
    """Return how wide a cell is: of sentences, which go over lines, less than they are long."""
    return min(WIDEST, len(words)) + max(0, len(words) - WIDEST) // 6


class _Viewer:
    def __init__(self, figures: dict[str, dict[str, Any]], ink: Ink) -> None:
        self._figures = figures
        self._ink = ink

    def tile(self, cell: dict[str, str]) -> dict[str, str]:
        """Return a tile's number."""
        figure = self._figures[cell["figure"]]
        return {"value": shown(figure), "exact": exact(figure), "id": figure["id"]}

    def block(self, block: dict[str, Any]) -> dict[str, Any]:
        """Return a block with its cells as they are read."""
        kind = block["type"]
        if kind == "text":
            return {**block, "text": self._said(block["text"])}
        if kind == "notes":
            return {**block, "notes": [self._said(note) for note in block["notes"]]}
        if kind == "list":
            rows = [[words, self._cell(cell, None)] for words, cell in block["rows"]]
            return {**block, "rows": rows}
        if kind == "table":
            return self._table(block)
        if kind == "plot":
            return {**block, "svg": drawn(block, self._figures, self._ink)}
        return block

    def _said(self, words: str) -> str:
        """Return a text with the figures that it names."""
        return NAMED.sub(lambda found: shown(self._figures[found[1]]), words)

    def _table(self, block: dict[str, Any]) -> dict[str, Any]:
        columns = list(zip(*block["rows"], strict=True))
        places = [self._places(column) for column in columns]
        numeric = [any(not isinstance(cell, str) for cell in column) for column in columns]
        rows = [
            [self._cell(cell, each) for cell, each in zip(row, places, strict=True)]
            for row in block["rows"]
        ]
        widths = [
            max(len(title) * 3 // 4, *(_width(row[at]["value"]) for row in rows), 5)
            for at, title in enumerate(block["columns"])
        ]
        return {**block, "rows": rows, "numeric": numeric, "widths": widths}

    def _places(self, column: tuple[Any, ...]) -> int | None:
        """Return how many decimals a column has, the same in each of its cells.

        That is one of dollars, or of so many tokens that they are read in millions.
        """
        figures = [self._figures[cell["figure"]] for cell in column if not isinstance(cell, str)]
        if any(f["unit"] == "tokens" and f["value"] >= 10 * MILLION for f in figures):
            return 1
        amounts = [
            Decimal(f["value"]) for f in figures if f["unit"] == "USD" and f["value"] is not None
        ]
        if not amounts:
            return None
        return 2 if max(amounts) >= 1 or not any(amounts) else 6

    def _cell(self, cell: dict[str, str] | str, places: int | None) -> dict[str, str]:
        if isinstance(cell, str):
            return {"value": self._said(cell), "exact": "", "id": "", "aside": ""}
        figure = self._figures[cell["figure"]]
        told = {"exact": exact(figure), "id": figure["id"], "aside": aside(figure)}
        return {"value": shown(figure, places), **told}

    def indexed(self, figure: dict[str, Any]) -> dict[str, str]:
        """Return a line of the index."""
        first_last = figure["range"]
        return {
            "id": figure["id"],
            "exact": exact(figure),
            "n": f"{figure['n']:,}",
            "range": "" if first_last is None else f"{first_last[0]}–{first_last[1]}",
            "query": figure["query_sha256"][:12],
        }


def exact(figure: dict[str, Any]) -> str:
    """Return a figure's whole value."""
    if figure["value"] is None:
        return UNKNOWN
    return f"{figure['value']} {figure['unit']}" if figure["unit"] != "time" else figure["value"]
