"""What is settled and what is not: costs from evidence, holds that are open, bills above bounds."""

from __future__ import annotations

from typing import Any

from farthing.report.bought import QUERIES
from farthing.report.draft import Cell, Draft, table, text

# What became of queries whose cost was not known at once → how a reader is told.
LATER = {
    "resolved": "Settled from evidence, such as an invoice",
    "posted": "Posted at the most they could cost, after the time set for evidence",
    "written-off": "Written off, at nothing",
}
ENDINGS = {
    "settled": "Settled: the cost is known",
    "void": "Void: provably never sent",
    "unresolved": "Unresolved: sent, and the cost was not known at once",
}


def settling(draft: Draft) -> None:
    """Write the section."""
    blocks = [
        text(
            "A query whose cost is unknown stays held at the most it can cost. It is never counted "
            "as nothing, and it is carried over until evidence, time or a decision ends it. Where "
            "evidence such as an invoice told what it cost, its entry has the amount and a "
            "commitment to that evidence. In what else an invoice differs is found by `farthing "
            "ledger reconcile`; it is not in the log, and not in this statement."
        ),
        table(
            "How queries ended",
            ["Ending", "Queries", "Share"],
            [_ended(draft, kind, words) for kind, words in ENDINGS.items()],
        ),
        table(
            "What was not known at once",
            ["What became of it", "Queries", "Held", "Posted", "Held and not posted"],
            [*(_later(draft, kind, words) for kind, words in LATER.items()), *_open(draft)],
        ),
        _beyond(draft),
    ]
    draft.section("reconciliation", "Reconciliation", blocks)


def _ended(draft: Draft, kind: str, words: str) -> list[Cell]:
    mine = draft.where(kind=[kind])
    among = draft.where(kind=QUERIES)
    return [
        words,
        draft.figure(f"ended.{kind}", "queries", "count", where=mine),
        draft.figure(f"ended.{kind}.share", "share", "share", where=mine, among=among),
    ]


def _later(draft: Draft, kind: str, words: str) -> list[Cell]:
    mine = draft.where(kind=[kind])
    name = f"later.{kind}"
    posted = [
        draft.figure(f"{name}.posted", "USD", "sum", of="cost", where=mine),
        draft.figure(f"{name}.released", "USD", "sum", of="released", where=mine),
    ]
    return [words, *_counted(draft, name, mine), *posted]


def _counted(draft: Draft, name: str, mine: dict[str, Any]) -> list[Cell]:
    return [
        draft.figure(f"{name}.queries", "queries", "count", where=mine),
        draft.figure(f"{name}.held", "USD", "sum", of="held", where=mine),
    ]


def _open(draft: Draft) -> list[list[Cell]]:
    """What nothing has settled: its cost is not known, and so nothing is posted."""
    mine = draft.where(kind=["unresolved"], superseded=False)
    before = _standing(draft, "carried", since="before")
    return [
        ["Unresolved in the period, and still so", *_counted(draft, "recent", mine), "", ""],
        ["Unresolved before the period, and still so", *before, "", ""],
        ["Unresolved at its end, in all: at most what is held", *_standing(draft, "open"), "", ""],
    ]


def _standing(draft: Draft, name: str, **since: str) -> list[Cell]:
    asked = {"where": draft.where(), **since}
    return [
        draft.figure(f"{name}.queries", "queries", "standing", of="queries", **asked),
        draft.figure(f"{name}.held", "USD", "standing", of="held", **asked),
    ]


def _beyond(draft: Draft) -> Any:
    if not draft.whole:
        return None
    overruns = {"kind": "overrun"}
    rows: list[list[Cell]] = [[
        "Bills above the bound that was held",
        draft.figure("overruns", "entries", "entries", where=overruns),
        draft.figure("overruns.usd", "USD", "total", where=overruns, of="usd"),
    ]]  # fmt: skip
    return table("Overruns", ["", "Queries", "Beyond their holds"], rows)
