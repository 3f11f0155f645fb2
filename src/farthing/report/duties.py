"""Duties of articles 12, 19, 26 and 50 of the EU's AI Act, and the evidence that there is for each.

Regulation (EU) 2024/1689. The duties are in our own words, and not all of the Act. Whether it
applies to a system, and whether a duty is met, is not for a gateway to say: no line claims it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from farthing.report.performance import CLASSES, OTHERS_FAULT

NO_CLAIM = (
    "No claim of conformity is made. This list says what farthing holds as evidence for some "
    "duties of Regulation (EU) 2024/1689, and what it does not hold. Whether the Act applies to a "
    "system, and whether a duty is met, is for those who answer for the system to judge."
)
PROVIDER, DEPLOYER = "provider", "deployer"


class Asked(NamedTuple):
    """A figure of the period, by the query that it comes from."""

    name: str
    unit: str
    query: dict[str, Any]


class Duty(NamedTuple):
    """A duty, and what there is for it."""

    article: str
    whose: str
    duty: str
    held: str
    """What farthing holds."""
    command: str
    """How to see it; "" for nothing."""
    figures: tuple[Asked, ...]
    """What it comes to in the period."""
    not_covered: str


def _entries(kind: str, name: str = "", **more: Any) -> Asked:
    return Asked(name or kind, "entries", {"measure": "entries", "where": {"kind": kind}, **more})


def _count(name: str, **where: Any) -> Asked:
    return Asked(name, "queries", {"measure": "count", "where": where})


_OLDEST = {"measure": "stated", "where": {"kind": "genesis"}, "of": "at"}
_ABLE = [name for name in CLASSES if name not in OTHERS_FAULT]
_GOOD = {"outcome": ["answered", "answered_without_usage"]}

RECORDED = (
    Asked("leaves", "leaves", {"measure": "positions"}),
    Asked("first ending", "time", {"measure": "first", "of": "at", "where": {}}),
    Asked("last ending", "time", {"measure": "last", "of": "at", "where": {}}),
)
# What says of itself that something may be wrong.
ALARMS = (
    *map(_entries, ("overrun", "refused", "warned", "reset")),
    _count("unresolved", kind=["unresolved"]),
    _count("posted at the most", kind=["posted"]),
    _count("written off", kind=["written-off"]),
    Asked("silent changes of version", "changes", {"measure": "version-changes"}),
)
USES = (_count("queries with both times"),)
# Articles 19(1) and 26(6) speak of at least six months; the longest six months have 184 days.
KEPT = (
    Asked("oldest entry", "time", _OLDEST),
    Asked(
        "days to the period's end (six months have 184 at most)", "days", {"measure": "days-kept"}
    ),
    _entries("erasure", "erasures of contents, ever", before=True),
)
MONITORED = (
    _count("queries", outcome=list(CLASSES)),
    Asked(
        "availability",
        "share",
        {
            "measure": "share",
            "where": _GOOD,
            "among": {"outcome": _ABLE},
            "interval": True,
        },
    ),
    *(_count(name.replace("_", " "), outcome=[name]) for name in CLASSES if name != "answered"),
)
PEOPLE = (Asked("entries with a person", "entries", {"measure": "by-people"}),)

DUTIES = (
    Duty("12(1)", PROVIDER, "A high-risk system records events automatically over its lifetime.",
         "Every query's ending and every administrative change, in a signed, append-only log.",
         "farthing verify folder", RECORDED,
         "What happens in the application before it asks a model and after it was answered."),
    Duty("12(2)", PROVIDER, "What is recorded lets risks and substantial changes be traced, and "
         "the system be monitored after it was put on the market and while it runs.",
         "Overruns, refusals, unresolved queries, changes of configuration, prices and limits, and "
         "versions that a provider changed without a word.",
         "farthing performance", ALARMS,
         "Risks that lie in what was asked and answered: contents are not in the log."),
    Duty("12(3)", PROVIDER, "For remote biometric identification: when each use began and ended, "
         "what it was compared with, what matched, and who verified the result.",
         "When each query began and ended.", "farthing log", USES,
         "Everything else of it."),
    Duty("19(1)", PROVIDER, "Logs under the provider's control are kept for a time that suits the "
         "purpose, six months at least.",
         "The log goes back without a gap to its first entry; nothing in it can be taken out.",
         "farthing verify growth", KEPT,
         "Other systems' logs; and law that asks for another time, or for erasure."),
    Duty("26(1)", DEPLOYER, "The system is used as its instructions for use say.",
         "Limits, routes and models that were in force.", "farthing limits list", (),
         "The instructions, and whether they were followed."),
    Duty("26(2)", DEPLOYER, "People who can do it oversee the system.",
         "Who changed limits, keys and routes, as commitments that the ledger can open.",
         "farthing ledger show", PEOPLE,
         "Whether somebody oversees the system itself, and is able to."),
    Duty("26(4)", DEPLOYER, "Input data under the deployer's control suit the purpose.",
         "Nothing.", "", (), "All of it: contents are not looked at."),
    Duty("26(5)", DEPLOYER, "The system's operation is monitored, and risks and serious incidents "
         "are told to those concerned.",
         "Availability, errors, times and costs of each model, with intervals.",
         "farthing performance", MONITORED, "To tell anybody."),
    Duty("26(6)", DEPLOYER, "Logs under the deployer's control are kept for a time that suits the "
         "purpose, six months at least.",
         "As for article 19(1).", "farthing verify growth", KEPT,
         "Logs of the applications that ask."),
    Duty("26(7), 26(11)", DEPLOYER, "Workers, and people about whom it helps to decide, are told "
         "that a high-risk system is used.", "Nothing.", "", (), "All of it."),
    Duty("50(1)", PROVIDER, "People who deal with the system are told that it is an AI system.",
         "Nothing.", "", (), "All of it: the application speaks with people."),
    Duty("50(2)", PROVIDER, "Synthetic audio, images, film and text are marked for machines to "
         "tell.",
         "Which queries made output, and of what kind. Answers pass through unchanged, with the "
         "marks that a model's provider gave them.", "farthing export mlbom", (),
         "Marking: farthing marks nothing, and does not look for marks."),
    Duty("50(3), 50(4)", DEPLOYER, "People are told of emotion recognition, of deep fakes, and of "
         "text on matters of public interest that was generated.", "Nothing.", "", (),
         "All of it."),
)  # fmt: skip
