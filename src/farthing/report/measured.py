"""Performance, as the gateway measured it, and evaluations that are in the log."""

from __future__ import annotations

from typing import Any

from farthing.report.bought import ANSWERED, MODELS_SHOWN, served_of
from farthing.report.draft import Block, Cell, Draft, facts_list, table, text
from farthing.report.recorded import chosen_entries

SENT = ["settled", "unresolved"]
# HTTP statuses from and to → what they mean.
CLASSES = {
    "Answered (2xx)": (200, 299),
    "Rate limited (429)": (429, 429),
    "The request was refused (4xx)": (400, 428),
    "The request was refused (43x–49x)": (430, 499),
    "The provider failed (5xx)": (500, 599),
    "No answer": (0, 0),
}
PERCENTILES = (50, 95, 99)


def measured(draft: Draft) -> None:
    """Write the section."""
    blocks = [
        facts_list("In all", _overall(draft)),
        table("Answers by class", ["Class", "Queries", "Share"], _classes(draft)),
        _latency(draft, "first", "first_byte_us", "Time to the first byte"),
        _latency(draft, "whole", "total_us", "Time to the whole answer"),
        text(
            "Percentiles are of queries answered with 2xx. Below each stands its 95 % confidence "
            "interval, from its rank alone."
        ),
        _evaluations(draft),
    ]
    draft.section("performance", "Performance", blocks)


def answered(draft: Draft, **conditions: Any) -> dict[str, Any]:
    """Return the condition that a query was answered."""
    return draft.where(kind=["settled"], http_status=ANSWERED, **conditions)


def availability(draft: Draft, name: str, **conditions: Any) -> Cell:
    """Return the part of the queries sent that were answered."""
    sent = draft.where(kind=SENT, **conditions)
    where = answered(draft, **conditions)
    return draft.figure(name, "share", "share", where=where, among=sent)


def cost_each(draft: Draft) -> Cell:
    """Return what a query that was answered cost, all costs counted."""
    known = draft.where(cost="known")
    return draft.figure("cost.each", "USD", "average", of="cost", where=known, each=answered(draft))


def _overall(draft: Draft) -> list[tuple[str, Cell]]:
    sent = draft.where(kind=SENT)
    streamed = {"where": draft.where(kind=SENT, stream=True), "among": sent}
    return [
        ("Queries sent", draft.figure("performance.sent", "queries", "count", where=sent)),
        ("Answered, of those sent", availability(draft, "performance.availability")),
        ("Streamed", draft.figure("performance.streamed", "share", "share", **streamed)),
    ]


def _classes(draft: Draft) -> list[list[Cell]]:
    sent, rows = draft.where(kind=SENT), list[list[Cell]]()
    for words, (low, high) in CLASSES.items():
        name, mine = f"performance.class.{low}", draft.where(kind=SENT, http_status=[low, high])
        rows.append([
            words,
            draft.figure(name, "queries", "count", where=mine),
            draft.figure(f"{name}.share", "share", "share", where=mine, among=sent),
        ])  # fmt: skip
    return rows


def _latency(draft: Draft, name: str, column: str, title: str) -> Block | None:
    models = list(dict.fromkeys((s.provider, s.model) for s in served_of(draft)))
    rows: list[list[Cell]] = []
    for number, (provider, model) in enumerate(models[:MODELS_SHOWN], start=1):
        mine = answered(draft, provider=[provider], model=[model])
        label = f"performance.{name}.{number}"
        counted = draft.figure(f"{label}.n", "queries", "count", where=mine)
        rows.append([f"{provider}/{model}", counted, *_percentiles(draft, label, column, mine)])
    columns = ["Model", "Queries", *(f"p{p}" for p in PERCENTILES)]
    return table(title, columns, rows)


def _percentiles(draft: Draft, label: str, column: str, mine: dict[str, Any]) -> list[Cell]:
    return [
        draft.figure(f"{label}.p{p}", "µs", "quantile", of=column, p=p, where=mine)
        for p in PERCENTILES
    ]


def _evaluations(draft: Draft) -> Block | None:
    if not draft.whole:
        return None
    rows: list[list[Cell]] = []
    for index, entry in chosen_entries(draft.facts, {"kind": "evaluation"}, before=False):
        words = [str(entry.get(name, "–")) for name in ("task", "model", "data_sha256")]
        which = {"kind": "evaluation", "entry": entry["entry"]}
        told = [
            draft.figure(f"evaluation.{index}.{of}", unit, "stated", where=which, of=of)
            for of, unit in {"n": "samples", "score": "score", "cost": "USD"}.items()
        ]
        rows.append([*words[:2], words[2][:16], *told])
    return table("Evaluations", ["Task", "Model", "Data set", "Samples", "Score", "Cost"], rows)
