"""Performance, as the gateway measured it, and evaluations that are in the log."""

from __future__ import annotations

from typing import Any

from farthing.report.bought import MODELS_SHOWN, served_of
from farthing.report.draft import Block, Cell, Draft, facts_list, table, text
from farthing.report.evaluated import evaluated
from farthing.report.performance import CLASSES, OTHERS_FAULT

ALL = list(CLASSES)
GOOD = ["answered", "answered_without_usage"]
ABLE = [name for name in ALL if name not in OTHERS_FAULT]
PERCENTILES = (50, 95, 99)


def measured(draft: Draft) -> None:
    """Write the section."""
    blocks = [
        facts_list("In all", _overall(draft)),
        table("What became of queries", ["Class", "Queries", "Share"], _classes(draft)),
        _latency(draft, "first", "first_byte_us", "Time to the first event, of streams"),
        _latency(draft, "whole", "total_us", "Time to the whole answer"),
        _latency(draft, "pace", "pace", "Tokens of output a second, from a stream's first event"),
        text(
            "Availability leaves out what was the client's fault or the gateway's. Beside or below "
            "a share or a percentile stands its 95 % confidence interval: Wilson's, and that of "
            "its rank. The classes are those of `farthing performance`."
        ),
        *evaluated(draft),
    ]
    draft.section("performance", "Performance", blocks)


def answered(draft: Draft, **conditions: Any) -> dict[str, Any]:
    """Return the condition that a query was answered, and its usage is known."""
    return draft.where(outcome=["answered"], **conditions)


def availability(draft: Draft, name: str) -> Cell:
    """Return the part that was answered of the queries which could be."""
    among = draft.where(outcome=ABLE)
    good = draft.where(outcome=GOOD)
    return draft.figure(name, "share", "share", where=good, among=among, interval=True)


def cost_each(draft: Draft) -> Cell:
    """Return what a query that was answered cost, all costs counted."""
    known = draft.where(cost="known")
    return draft.figure("cost.each", "USD", "average", of="cost", where=known, each=answered(draft))


def _overall(draft: Draft) -> list[tuple[str, Cell]]:
    counted = draft.where(outcome=ALL)
    told = draft.where(outcome=["answered"], **{"not": [{"finish": [""]}]})
    cut = {"where": {**told, "finish": ["length"]}, "among": told, "interval": True}
    return [
        ("Availability", availability(draft, "performance.availability")),
        ("Queries that were sent, or could not be",
         draft.figure("performance.sent", "queries", "count", where=counted)),
        ("Answers cut off at their cap", draft.figure("performance.cut", "share", "share", **cut)),
        ("Sent once more to the same provider",
         draft.figure("performance.retries", "queries", "attempts", where=counted, of="retries")),
        ("Sent once more to another provider",
         draft.figure("performance.fallbacks", "queries", "attempts", where=counted,
         of="fallbacks")),
    ]  # fmt: skip


def _classes(draft: Draft) -> list[list[Cell]]:
    among, rows = draft.where(outcome=ALL), list[list[Cell]]()
    for name, words in CLASSES.items():
        mine, label = draft.where(outcome=[name]), f"performance.class.{name}"
        share = {"where": mine, "among": among, "interval": True}
        rows.append([
            words[:1].upper() + words[1:],
            draft.figure(label, "queries", "count", where=mine),
            draft.figure(f"{label}.share", "share", "share", **share),
        ])  # fmt: skip
    return rows


def _latency(draft: Draft, name: str, column: str, title: str) -> Block | None:
    models = list(dict.fromkeys((s.provider, s.model) for s in served_of(draft)))
    rows: list[list[Cell]] = []
    for number, (provider, model) in enumerate(models[:MODELS_SHOWN], start=1):
        mine = answered(draft, provider=[provider], model=[model])
        if column != "total_us":
            mine |= {"stream": True} if column == "first_byte_us" else {"flowing": True}
        label = f"performance.{name}.{number}"
        counted = draft.figure(f"{label}.n", "queries", "count", where=mine)
        rows.append([f"{provider}/{model}", counted, *_percentiles(draft, label, column, mine)])
    columns = ["Model", "Queries", *(f"p{p}" for p in PERCENTILES)]
    return table(title, columns, rows)


def _percentiles(draft: Draft, label: str, column: str, mine: dict[str, Any]) -> list[Cell]:
    unit = "tokens/1000 s" if column == "pace" else "µs"
    return [
        draft.figure(f"{label}.p{p}", unit, "quantile", of=column, p=p, where=mine)
        for p in PERCENTILES
    ]
