"""Limits: each with its amount and its peak, and what they refused or let pass with a warning."""

from __future__ import annotations

from typing import Any

from farthing.report.draft import Block, Cell, Draft, table, text
from farthing.report.recorded import chosen_entries

SHOWN = 25
UNITS = {"usd": "USD", "tokens": "tokens", "requests": "queries", "concurrent": "queries"}
# Scopes whose queries can be told from leaves.
TOLD = frozenset({"org", "team", "project", "key", "provider"})
WINDOWS = {
    "ever": "in all", "month": "a month", "day": "a day", "hour": "an hour", "minute": "a minute",
}  # fmt: skip

# The ledger's codes → what a reader calls them.
REFUSED = {
    "limit_reached": "Queries refused: a limit was reached",
    "credit_exhausted": "Queries refused: the credit was used up",
    "route_tripped": "Queries refused: the model had billed above its bound",
}

Named = tuple[str, str, str]
"""A limit's scope, unit and window."""


def limiting(draft: Draft) -> None:
    """Write the section."""
    blocks = [
        text(
            "Before a query is sent, the most it can cost is held on every limit of its path. "
            "Posted and held together never pass a hard limit. The peak is their highest sum in "
            "any window that began in the period, made from the places of holds and endings in the "
            "journal. Without a window all counts, from the first query of the log on. Queries "
            "that had not ended when this statement was made are not in it."
        ),
        _limits(draft),
        _pressed(draft),
    ]
    draft.section("limits", "Limits", blocks)


def limits_of(draft: Draft) -> dict[Named, dict[str, Any]]:
    """Return the limits in force at the end that the statement may name, as last set."""
    found: dict[Named, dict[str, Any]] = {}
    for _, entry in chosen_entries(draft.facts, {"kind": "limit"}, before=True):
        named = (entry["scope"], entry["unit"], entry.get("window", "ever"))
        found.pop(named, None)
        if "amount" in entry and _is_shown(draft, entry["scope"]):
            found[named] = entry
    return found


def _is_shown(draft: Draft, scope: str) -> bool:
    if not draft.whole:
        return scope == draft.inputs.scope
    return draft.names_tenants or scope.partition(":")[0] in ("provider", "model", "route")


def _limits(draft: Draft) -> Block | None:
    found = sorted(limits_of(draft).items())
    rows = [_limit(draft, number, *each) for number, each in enumerate(found[:SHOWN], start=1)]
    if not rows:
        whose = "of a provider, a model or a route" if draft.whole else "of its own"
        return text(f"No limit {whose} was in force at the end of the period.")
    title = "Limits in force at the end"
    if len(found) > SHOWN:
        title += f" (the first {SHOWN} of them)"
    return table(title, ["Limit of", "On", "Amount", "Peak, posted and held", "Of the limit"], rows)


def _limit(draft: Draft, number: int, named: Named, entry: dict[str, Any]) -> list[Cell]:
    scope, unit, window = named
    kind, _, name = scope.partition(":")
    which: dict[str, Any] = {"kind": "limit", "scope": scope, "unit": unit}
    which["window"] = window if window != "ever" else ["", "ever"]
    amount = draft.figure(f"limit.{number}", UNITS[unit], "stated", where=which, of="amount")
    words = ("USD" if unit == "usd" else unit) + f", {WINDOWS[window]}" * (unit != "concurrent")
    soft = ", warns only" if entry.get("soft") else ""
    peak: list[Cell] = ["not told by leaves", ""]
    if kind in TOLD:
        peak = _peak(draft, number, (unit, window), {kind: [name]}, which)
    return [scope, words + soft, amount, *peak]


def _peak(
    draft: Draft, number: int, of: tuple[str, str], mine: dict[str, Any], which: dict[str, Any]
) -> list[Cell]:
    unit, window = of
    asked = {"where": mine, "meter": unit, "window": window}
    found = draft.figure(f"limit.{number}.peak", UNITS[unit], "peak", **asked)
    if draft.value(found) is None:
        return [found, ""]
    part = draft.figure(f"limit.{number}.part", "share", "peak-part", **asked, limit=which)
    return [found, part]


def _pressed(draft: Draft) -> Block | None:
    """What limits did in the period."""
    mine = {} if draft.whole else {"scope": draft.inputs.scope}
    rows: list[list[Cell]] = [
        ["Limits set, changed or lifted", _entries(draft, "limits.changed", "limit", mine)],
        [
            "Soft limits passed, each once a window",
            _entries(draft, "limits.warned", "warned", mine),
        ],
    ]
    for code, words in REFUSED.items():
        refused = {"kind": "refused", "code": code} | mine
        figure = draft.figure(f"refused.{code}", "queries", "tally", where=refused, of="count")
        rows.append([words, figure])
    return table("What limits did in the period", ["", "Count"], rows)


def _entries(draft: Draft, name: str, kind: str, mine: dict[str, str]) -> Cell:
    return draft.figure(name, "entries", "entries", where={"kind": kind, **mine})
