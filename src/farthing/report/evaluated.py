"""Evaluations that are in the log: what was evaluated, how far it came, and its scores."""

from __future__ import annotations

from typing import Any

from farthing.report.draft import Block, Cell, Draft, table
from farthing.report.recorded import chosen_entries

Leaf = dict[str, Any]

RUNS = [
    "Task, version", "Model asked for", "Served by", "Outcome",
    "Samples × epochs: scored", "Data set, SHA-256", "Cost",
]  # fmt: skip
# How a score's interval was made → how a reader is told.
METHODS = {"": "no interval applies", "wilson-95": "Wilson's, 95 %", "normal-95": "normal, 95 %"}
SCORES = ["Task", "Metric, by scorer", "Value", "Method of the interval", "Samples"]


def evaluated(draft: Draft) -> list[Block | None]:
    """Return the tables of a period's evaluations, of which no customer is told."""
    if not draft.whole:
        return []
    found = [leaf for _, leaf in chosen_entries(draft.facts, {"kind": "evaluation"}, before=False)]
    runs = [_run(draft, number, leaf) for number, leaf in enumerate(found, start=1)]
    scores = [row for n, leaf in enumerate(found, start=1) for row in _scores(draft, n, leaf)]
    return [table("Evaluations", RUNS, runs), table("What evaluations found", SCORES, scores)]


def _run(draft: Draft, number: int, leaf: Leaf) -> list[Cell]:
    which = {"kind": "evaluation", "entry": leaf["entry"]}
    name = f"evaluation.{number}"
    for of, unit in (("samples", "samples"), ("epochs", "epochs"), ("completed", "answers")):
        draft.figure(f"{name}.{of}", unit, "tally", where=which, of=of)
    return [
        ", ".join(filter(None, (leaf["task"], leaf.get("version", "")))),
        leaf["model"],
        ", ".join(leaf.get("served", ())) or "nobody",
        leaf["outcome"],
        f"{{{name}.samples}} × {{{name}.epochs}}: {{{name}.completed}}",
        draft.figure(f"{name}.data", "SHA-256", "stated", where=which, of="dataset_sha256"),
        _cost(draft, name, which, leaf),
    ]


def _cost(draft: Draft, name: str, which: dict[str, Any], leaf: Leaf) -> Cell:
    known = draft.figure(f"{name}.cost", "USD", "total", where=which, of="usd")
    if not leaf.get("unknown"):
        return known
    draft.figure(f"{name}.unknown", "queries", "tally", where=which, of="unknown")
    draft.figure(f"{name}.held", "USD", "total", where=which, of="held")
    return f"{{{name}.cost}}, and at most {{{name}.held}} for {{{name}.unknown}} queries"


def _scores(draft: Draft, number: int, leaf: Leaf) -> list[list[Cell]]:
    which = {"kind": "evaluation", "entry": leaf["entry"]}
    rows: list[list[Cell]] = []
    for place, score in enumerate(leaf.get("scores", ())):
        name = f"evaluation.{number}.score.{place + 1}"
        asked = {"where": which, "place": place}
        rows.append([
            leaf["task"],
            f"{score['metric']}, by {score['scorer']}",
            draft.figure(name, "score", "score", **asked),
            METHODS.get(score.get("method", ""), score.get("method", "")),
            draft.figure(f"{name}.n", "samples", "score", **asked, of="n"),
        ])  # fmt: skip
    return rows
