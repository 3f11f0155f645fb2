"""A statement: the document as JSON, made from facts and what its operator said, and nothing else.

The same inputs and the same leaves make the same bytes (RFC 8785), so that whoever has the log can
make it again. docs/reference/statement.schema.json is its form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from farthing.report.asking import Asking
from farthing.report.bought import QUERIES, bought, dearest_models, providers_of, trend
from farthing.report.caveats import caveats
from farthing.report.columns import Facts
from farthing.report.controls import controls
from farthing.report.draft import Block, Cell, Draft, Inputs, encode, facts_list, notes, table
from farthing.report.limiting import limiting
from farthing.report.measured import availability, cost_each, measured
from farthing.report.outlook import outlook
from farthing.report.regulated import Sample, regulated
from farthing.report.settling import settling
from farthing.report.spans import period_of

FORMAT = "farthing-statement/1"
CURRENCY = "USD"

Document = dict[str, Any]


class Source(NamedTuple):
    """What of the log a statement is made from."""

    facts: Facts
    checkpoint: str
    """The signed head of the tree whose leaves were read."""
    samples: list[Sample]
    """Entries for a regulator to look at, with their proofs."""


def identity(draft: Draft, source: Source) -> None:
    """Write whose statement it is, of when, and from which log."""
    inputs, found = draft.inputs, source.facts.range
    period = period_of(inputs.period)
    rows: list[tuple[str, Cell]] = [
        ("Entity", inputs.entity or "not given"),
        ("Edition", inputs.edition),
        ("Period", f"{inputs.period}: {draft_day(period.begins)} to {period.last_day()}, UTC"),
        ("Made", inputs.made[:16].replace("T", " ") + " UTC by farthing " + inputs.version),
        ("Currency", CURRENCY),
        ("Log", found.origin),
        ("Root", found.root.hex()),
        ("Leaves under it", draft.figure("tree.size", "leaves", "size")),
    ]
    if inputs.scope:
        rows.insert(2, ("Only queries of", inputs.scope))
    draft.section("identity", "Identity", [facts_list("", rows), _books(draft)])


def draft_day(moment: int) -> str:
    """Return a moment's day."""
    from farthing import clock  # noqa: PLC0415

    return clock.iso(moment)[:10]


def _books(draft: Draft) -> Block | None:
    facts, mine = draft.facts, draft.asking.rows(draft.where(kind=QUERIES))
    digests = sorted({facts.name(int(code)) for code in set(facts.price_book[mine].tolist())})
    rows: list[list[Cell]] = [
        [
            digest,
            draft.figure(
                f"price-book.{digest}", "queries", "count",
                where=draft.where(kind=QUERIES, price_book=[digest]),
            ),
        ]
        for digest in digests
    ]  # fmt: skip
    return table("Price books in force", ["SHA-256", "Queries quoted by it"], rows)


def evidence(draft: Draft) -> None:
    """Write how a figure is proved."""
    said = notes(
        "The files of this statement are entries of the log, by their SHA-256: "
        "`farthing verify statement FILE --key KEY` finds any byte that was changed, with the file "
        "statement.tlog-proof beside it and the log's public key.",
        "With the log's entries at hand (`--log FOLDER`) it checks them against the signed root, "
        "asks each figure's query again, and makes the whole statement again.",
        "Each figure has a query, which stands in the JSON; its SHA-256 and the range of leaves "
        "that it is made of stand here.",
    )
    draft.section("evidence", "Evidence", [said, {"type": "index"}])


Section = Callable[[Draft], None]
# Edition → its sections, in their order. None of them may be left out of it.
EDITIONS: dict[str, tuple[str, ...]] = {
    "shareholder": (
        "identity", "bought", "reconciliation", "limits", "outlook", "caveats", "evidence",
    ),
    "regulator": (
        "identity", "bought", "reconciliation", "limits", "performance", "controls", "regulated",
        "caveats", "evidence",
    ),
    "customer": (
        "identity", "bought", "reconciliation", "limits", "performance", "caveats", "evidence",
    ),
}  # fmt: skip


def compose(inputs: Inputs, source: Source) -> Document:
    """Return a statement."""
    draft = Draft(Asking(source.facts), inputs)
    writers: dict[str, Section] = {
        "identity": lambda draft: identity(draft, source),
        "bought": bought,
        "reconciliation": settling,
        "limits": limiting,
        "outlook": outlook,
        "performance": measured,
        "controls": controls,
        "regulated": lambda draft: regulated(draft, source.samples),
        "caveats": caveats,
        "evidence": evidence,
    }
    summary = _summary(draft)
    for name in EDITIONS[inputs.edition]:
        writers[name](draft)
    found = source.facts.range
    return {
        "format": FORMAT,
        "inputs": as_json(inputs),
        "currency": CURRENCY,
        "log": {
            "origin": found.origin,
            "size": found.size,
            "root": found.root.hex(),
            "range": [found.first, found.last],
            "checkpoint": source.checkpoint,
        },
        "summary": _tiles(draft, summary),
        "sections": draft.sections,
        "figures": list(draft.figures.values()),
    }


def as_json(inputs: Inputs) -> dict[str, Any]:
    """Return inputs as the document holds them."""
    import msgspec  # noqa: PLC0415

    told: dict[str, Any] = msgspec.to_builtins(inputs)
    return told


def _summary(draft: Draft) -> dict[str, Cell]:
    """Ask what the first page alone needs."""
    sent = draft.where(kind=["settled", "unresolved"])
    return {
        "sent": draft.figure("summary.sent", "queries", "count", where=sent),
        "answered": availability(draft, "summary.answered"),
        "each": cost_each(draft),
    }


def _tiles(draft: Draft, asked: dict[str, Cell]) -> dict[str, Any]:
    tiles: list[tuple[str, Cell]] = [
        ("Cost, contracted", {"figure": "bought.contracted"}),
        ("Queries", {"figure": "bought.queries"}),
        ("Cost of a query answered", asked["each"]),
        ("Availability", asked["answered"]),
        ("Still unresolved, at most", {"figure": "open.held"}),
    ]
    dearest = providers_of(draft)[0]
    if draft.whole:
        share: Cell = {"figure": f"bought.provider.{dearest}.share"}
        tiles.append((f"Share of {dearest}, the largest vendor", share))
    block = None if any(s["id"] == "outlook" for s in draft.sections) else trend(draft)
    return {
        "tiles": [list(tile) for tile in tiles],
        "plots": [block or _plot_of(draft), dearest_models(draft)],
        "notes": [said for name, said in TO_KNOW if name in draft.figures],
    }


# What stands on the first page, where a statement has the figure that comes first.
TO_KNOW = (
    ("summary.sent", "Of {bought.queries} queries {summary.sent} were sent, and {ended.void} "
     "provably never. {summary.answered} of what providers could answer was answered."),
    ("open.held", "The cost of {open.queries} queries is not known yet: at most {open.held}, "
     "which stays held."),
    ("overruns", "Bills above the bound that was held for them: {overruns}, by {overruns.usd} "
     "together."),
    ("hhi.provider", "The index of concentration is {hhi.provider} of 10,000 by provider, and "
     "{hhi.model} by model."),
    ("forecast.least", "If the next period goes as the cheapest or the dearest week of this one, "
     "it costs {forecast.least} to {forecast.most}."),
)  # fmt: skip


def _plot_of(draft: Draft) -> Block:
    """Return the trend of another section."""
    blocks = (block for section in draft.sections for block in section["blocks"])
    return next(block for block in blocks if block.get("title", "").startswith("Cost by"))


def canonical(document: Document) -> bytes:
    """Return a document's bytes, as they are hashed and logged."""
    encoded: bytes = encode(document)
    return encoded
