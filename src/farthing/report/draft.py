"""A statement while it is written: sections of blocks, and the figures that stand in them.

A cell is a text or the name of a figure. Nothing that is counted or measured stands in a text but
by its figure's name in braces, so that every number of a statement has its query.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec

from farthing.report.asking import Answer, Asking, Query
from farthing.report.measure import answer

Block = dict[str, Any]
Cell = dict[str, str] | str

encode = msgspec.json.Encoder(order="sorted").encode
"""RFC 8785: sorted names, no spaces; there are no floats."""


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """All that a statement is made from beside the log."""

    edition: str
    scope: str
    """Whose queries alone it is about, such as "org:acme"; all when empty."""
    entity: str
    """Whose statement it is."""
    period: str
    until: str
    """What had happened by this moment is in it; the period's end, if that is over."""
    made: str
    version: str
    systems: dict[str, System] = {}
    """What the operator says of each model, by "provider/model"."""


class System(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator says of a model in use; what is empty was not given."""

    purpose: str = ""
    role: str = ""
    """Of the operator, such as "deployer"."""
    documents: str = ""
    """Which documents of the model's provider are held, or were asked for and not supplied."""


def query_hash(query: Query) -> str:
    """Return what stands for a query in the index."""
    return sha256(encode(query)).hexdigest()


def figure_of(name: str, unit: str, query: Query, answer: Answer) -> dict[str, Any]:
    """Return a figure as a statement holds it."""
    told: dict[str, Any] = {
        "id": name,
        "unit": unit,
        "value": answer.value,
        "n": answer.n,
        "range": None if answer.first is None else [answer.first, answer.last],
        "query": query,
        "query_sha256": query_hash(query),
    }
    if answer.low is not None:
        told["interval"] = [answer.low, answer.high]
    return told


class Draft:
    """Gathers figures and sections."""

    def __init__(self, asking: Asking, inputs: Inputs) -> None:
        self.asking = asking
        self.facts = asking.facts
        self.inputs = inputs
        self.figures: dict[str, dict[str, Any]] = {}
        self.sections: list[dict[str, Any]] = []
        kind, _, name = inputs.scope.partition(":")
        self.whose: dict[str, Any] = {kind: [name]} if inputs.scope else {}
        """The condition that all queries here have."""

    @property
    def names_tenants(self) -> bool:
        """Say whether keys, teams and organisations may be named."""
        return self.inputs.edition != "shareholder"

    @property
    def whole(self) -> bool:
        """Say whether it is about all of the gateway's queries."""
        return not self.inputs.scope

    def where(self, **conditions: Any) -> dict[str, Any]:
        """Return a condition on the queries that the statement is about."""
        return {**self.whose, **conditions}

    def figure(self, name: str, unit: str, measure: str, **query: Any) -> Cell:
        """Ask a query, keep its figure by a name, and return its cell."""
        made: Query = {"measure": measure, **query}
        assert name not in self.figures, f"two figures are called {name}"
        self.figures[name] = figure_of(name, unit, made, answer(self.asking, made))
        return {"figure": name}

    def value(self, cell: Cell) -> Any:
        """Return a figure's value."""
        assert not isinstance(cell, str), "a text has none"
        return self.figures[cell["figure"]]["value"]

    def section(self, name: str, title: str, blocks: Iterable[Block | None]) -> None:
        """Add a section; a block that has nothing to show is left out."""
        kept = [block for block in blocks if block is not None]
        number = len(self.sections) + 1
        self.sections.append({"number": number, "id": name, "title": title, "blocks": kept})


def text(said: str) -> Block:
    """Return a paragraph."""
    return {"type": "text", "text": said}


def notes(*said: str) -> Block:
    """Return a list of sentences."""
    return {"type": "notes", "notes": list(said)}


def table(
    title: str, columns: list[str], rows: list[list[Cell]], total: bool = False
) -> Block | None:
    """Return a table; None without rows. With a total, the last row is it."""
    if not rows:
        return None
    return {"type": "table", "title": title, "columns": columns, "rows": rows, "total": total}


def facts_list(title: str, rows: list[tuple[str, Cell]]) -> Block:
    """Return names with what each is."""
    return {"type": "list", "title": title, "rows": [list(row) for row in rows]}


def plot(
    form: str, title: str, unit: str, labels: list[str], series: list[tuple[str, list[Cell]]]
) -> Block | None:
    """Return a plot: "columns" stacked over time, or "bars" side by side; None without points."""
    if not labels or not series:
        return None
    names = [
        {"name": name, "figures": [cell["figure"] for cell in cells if not isinstance(cell, str)]}
        for name, cells in series
    ]
    return {
        "type": "plot", "form": form, "title": title, "unit": unit, "labels": labels,
        "series": names,
    }  # fmt: skip
