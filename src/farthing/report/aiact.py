"""A checklist for articles 12, 19, 26 and 50 of the EU's AI Act: what the ledger holds for each.

Regulation (EU) 2024/1689. The duties are in our own words, and not all of the Act. Whether it
applies to a system, and whether a duty is met, is not for a gateway to say: no line claims it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from farthing import clock
from farthing.report.columns import Facts
from farthing.report.performance import classified, performance

NO_CLAIM = (
    "No claim of conformity is made. This list says what farthing holds as evidence for some "
    "duties of Regulation (EU) 2024/1689, and what it does not hold. Whether the Act applies to a "
    "system, and whether a duty is met, is for those who answer for the system to judge."
)
# Articles 19(1) and 26(6) speak of at least six months; the longest six months have 184 days.
SIX_MONTHS_DAYS = 184
DAY = 86_400 * clock.SECOND
# What says of itself that something may be wrong.
ALARMING = ("overrun", "refused", "warned", "reset", "expire-posted", "write-off")

PROVIDER, DEPLOYER = "provider", "deployer"

Figures = dict[str, Any]


class Duty(NamedTuple):
    """A duty, and what there is for it."""

    article: str
    whose: str
    duty: str
    held: str
    """What farthing holds."""
    command: str
    """How to see it; "" for nothing."""
    figures: Callable[[Facts], Figures]
    """What it comes to in the period, with the leaves that say it."""
    not_covered: str


def recorded(facts: Facts) -> Figures:
    """Return how many leaves the period has, and from when to when."""
    span, at = facts.range, facts.at
    return {
        "leaves": span.last - span.first + 1,
        "first_index": span.first,
        "last_index": span.last,
        "first_ending": clock.iso(int(at.min())) if len(at) else None,
        "last_ending": clock.iso(int(at.max())) if len(at) else None,
        "checked_against_the_signed_checkpoint": span.verified,
    }


def alarms(facts: Facts) -> Figures:
    """Return how often something happened that may be a risk."""
    kinds = Counter(leaf["kind"] for _, leaf in facts.others)
    changed = performance(facts).changes
    return {
        **{kind: kinds[kind] for kind in ALARMING if kinds[kind]},
        "unresolved": int(facts.of("unresolved").sum()),
        "posted_at_the_most": int(facts.of("posted").sum()),
        "silent_changes_of_version": len(changed),
    }


def uses(facts: Facts) -> Figures:
    """Return how many uses there are of which the beginning and the end are known."""
    return {"queries_with_both_times": int((facts.at >= facts.began).sum()), "queries": len(facts)}


def kept(facts: Facts) -> Figures:
    """Return how long the log goes back, at the period's end."""
    oldest = next((leaf["at"] for _, leaf in [*facts.earlier, *facts.others] if "at" in leaf), None)
    if oldest is None:
        return {"oldest_entry": None, "days": None, "six_months": None}
    days = (facts.range.until - _moment(oldest)) // DAY
    erased = sum(leaf["kind"] == "erasure" for _, leaf in [*facts.earlier, *facts.others])
    return {
        "oldest_entry": oldest,
        "days_until_the_periods_end": days,
        "six_months": days >= SIX_MONTHS_DAYS,
        "entries_of_erasure": erased,
    }


def monitored(facts: Facts) -> Figures:
    """Return how the models did."""
    counted, classes = classified(facts)
    whole = performance(facts).whole
    return {
        "queries": int(counted.sum()),
        "availability": whole.availability.rate,
        "models": len(np.unique(facts.model[counted])),
        **{kind: int(rows.sum()) for kind, rows in classes.items() if rows.any()},
    }


def changed_by_people(facts: Facts) -> Figures:
    """Return how many entries somebody made, of whom the log has a commitment."""
    return {"entries_with_a_person": sum("by" in leaf for _, leaf in facts.others)}


def nothing(_: Facts) -> Figures:
    """Return nothing: there is nothing to count."""
    return {}


DUTIES = (
    Duty("12(1)", PROVIDER, "A high-risk system records events automatically over its lifetime.",
         "Every query's ending and every administrative change, in a signed, append-only log.",
         "farthing verify folder", recorded,
         "What happens in the application before it asks a model and after it was answered."),
    Duty("12(2)", PROVIDER, "What is recorded lets risks and substantial changes be traced, and "
         "the system be monitored after it was put on the market and while it runs.",
         "Overruns, refusals, unresolved queries, changes of configuration, prices and limits, and "
         "versions that a provider changed without a word.",
         "farthing performance", alarms,
         "Risks that lie in what was asked and answered: contents are not in the log."),
    Duty("12(3)", PROVIDER, "For remote biometric identification: when each use began and ended, "
         "what it was compared with, what matched, and who verified the result.",
         "When each query began and ended.", "farthing log", uses,
         "Everything else of it."),
    Duty("19(1)", PROVIDER, "Logs under the provider's control are kept for a time that suits the "
         "purpose, six months at least.",
         "The log goes back without a gap to its first entry; nothing in it can be taken out.",
         "farthing verify growth", kept,
         "Other systems' logs; and law that asks for another time, or for erasure."),
    Duty("26(1)", DEPLOYER, "The system is used as its instructions for use say.",
         "Limits, routes and models that were in force.", "farthing limits list", nothing,
         "The instructions, and whether they were followed."),
    Duty("26(2)", DEPLOYER, "People who can do it oversee the system.",
         "Who changed limits, keys and routes, as commitments that the ledger can open.",
         "farthing ledger show", changed_by_people,
         "Whether somebody oversees the system itself, and is able to."),
    Duty("26(4)", DEPLOYER, "Input data under the deployer's control suit the purpose.",
         "Nothing.", "", nothing, "All of it: contents are not looked at."),
    Duty("26(5)", DEPLOYER, "The system's operation is monitored, and risks and serious incidents "
         "are told to those concerned.",
         "Availability, errors, times and costs of each model, with intervals.",
         "farthing performance", monitored, "To tell anybody."),
    Duty("26(6)", DEPLOYER, "Logs under the deployer's control are kept for a time that suits the "
         "purpose, six months at least.",
         "As for article 19(1).", "farthing verify growth", kept,
         "Logs of the applications that ask."),
    Duty("26(7), 26(11)", DEPLOYER, "Workers, and people about whom it helps to decide, are told "
         "that a high-risk system is used.", "Nothing.", "", nothing, "All of it."),
    Duty("50(1)", PROVIDER, "People who deal with the system are told that it is an AI system.",
         "Nothing.", "", nothing, "All of it: the application speaks with people."),
    Duty("50(2)", PROVIDER, "Synthetic audio, images, film and text are marked for machines to "
         "tell.",
         "Which queries made output, and of what kind. Answers pass through unchanged, with the "
         "marks that a model's provider gave them.", "farthing export mlbom", nothing,
         "Marking: farthing marks nothing, and does not look for marks."),
    Duty("50(3), 50(4)", DEPLOYER, "People are told of emotion recognition, of deep fakes, and of "
         "text on matters of public interest that was generated.", "Nothing.", "", nothing,
         "All of it."),
)  # fmt: skip


def checklist(facts: Facts) -> dict[str, Any]:
    """Return the list with what the period comes to."""
    span = facts.range
    return {
        "no_claim": NO_CLAIM,
        "regulation": "Regulation (EU) 2024/1689",
        "period": {"since": clock.iso(span.since), "until": clock.iso(span.until)},
        "log": {
            "origin": span.origin, "tree_size": span.size, "root": span.root.hex(),
            "first_index": span.first, "last_index": span.last, "verified": span.verified,
        },
        "lines": [
            {**duty._asdict(), "figures": duty.figures(facts)} for duty in DUTIES
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
        figures = ", ".join(
            f"{name.replace('_', ' ')} {_shown(n)}" for name, n in line["figures"].items()
        )
        command = f" (`{line['command']}`)" if line["command"] else ""
        lines += [
            "", f"## Article {line['article']}, of the {line['whose']}", "", line["duty"], "",
            f"- Held: {line['held']}{command}",
            *([f"- In the period: {figures}"] if figures else []),
            f"- Not covered: {line['not_covered']}",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    """Return a figure; what is not known says so."""
    words = {"None": "unknown", "True": "yes", "False": "no"}
    return words.get(str(value), str(value))


def _moment(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * clock.SECOND
