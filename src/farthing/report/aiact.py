"""A checklist for articles 12, 19, 26 and 50 of the EU's AI Act, of the duties in `duties.py`."""

from __future__ import annotations

from typing import Any

from farthing import clock
from farthing.report.asking import Asking, Value
from farthing.report.columns import Facts
from farthing.report.duties import DUTIES, NO_CLAIM, Asked
from farthing.report.measure import answer


def checklist(facts: Facts) -> dict[str, Any]:
    """Return the list with what the period comes to."""
    span, asking = facts.range, Asking(facts)

    def asked(figure: Asked) -> Value:
        return answer(asking, figure.query).value

    return {
        "no_claim": NO_CLAIM,
        "regulation": "Regulation (EU) 2024/1689",
        "period": {"since": clock.iso(span.since), "until": clock.iso(span.until)},
        "log": {
            "origin": span.origin, "tree_size": span.size, "root": span.root.hex(),
            "first_index": span.first, "last_index": span.last, "verified": span.verified,
        },
        "lines": [
            {**duty._asdict(), "figures": {each.name: asked(each) for each in duty.figures}}
            for duty in DUTIES
        ],
    }  # fmt: skip


def markdown(told: dict[str, Any]) -> str:
    """Return the list for people to read."""
    log, period = told["log"], told["period"]
    lines = [
        f"# Checklist for articles 12, 19, 26 and 50 of {told['regulation']}",
        "",
        f"**{told['no_claim']}**",
        "",
        f"From {period['since']} to {period['until']}; leaves {log['first_index']} to "
        f"{log['last_index']} of the {log['tree_size']} of the log {log['origin']}.",
    ]
    for line in told["lines"]:
        figures = "; ".join(f"{name}: {_shown(n)}" for name, n in line["figures"].items())
        command = f" (`{line['command']}`)" if line["command"] else ""
        lines += [
            "", f"## Article {line['article']}, of the {line['whose']}", "", line["duty"], "",
            f"- Held: {line['held']}{command}",
            *([f"- In the period: {figures}"] if figures else []),
            f"- Not covered: {line['not_covered']}",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _shown(value: Value) -> str:
    """Return a figure; what is not known says so."""
    return "unknown" if value is None else str(value)
