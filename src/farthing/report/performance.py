"""How providers performed in a period: from the log's leaves alone, so that anybody can redo it.

A query counts in the period in which it ended, once. What was never sent counts nowhere, but where
no connection to the provider could be made. Times are the gateway's, from the request's last byte:
they have its own part in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from farthing import clock
from farthing.report.changes import Change, changes
from farthing.report.columns import Facts, Flags
from farthing.report.figures import (
    Costs,
    Leaves,
    Percentiles,
    Rate,
    costs,
    percentiles,
    rate,
    rate_of,
)

# What may stand between a sent query and its whole answer.
BROKEN = ("upstream_reset", "upstream_malformed")
LATE = ("upstream_timeout",)
LOST = ("upstream_lost",)
UNREACHED = ("upstream_unreachable",)
OURS = ("worker_lost", "interrupted")

DIMENSIONS = ("provider", "model", "answered_model", "key", "team", "project", "org", "dialect")

CLASSES: dict[str, str] = {
    "answered": "answered, and its usage is known",
    "answered_without_usage": "answered, but what it used is not known",
    "rejected": "the provider refused it (3xx, or 4xx but 429): it was not as it must be",
    "rate_limited": "429: the account's rate at the provider was reached",
    "server_error": "the provider's error (5xx), or something between lost its answer",
    "broken": "the connection broke, or what came was no answer",
    "timed_out": "no answer in time",
    "unreached": "no connection to the provider: not sent",
    "gateway": "the gateway itself was stopped before the answer came",
}
# Whose fault none of the provider's is.
OTHERS_FAULT = ("rejected", "gateway")


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """How queries that have something in common performed."""

    name: str
    queries: int
    """All that were sent, or could not reach the provider."""
    availability: Rate
    """Of those that the provider could answer (not `OTHERS_FAULT`): those it answered."""
    success: Rate
    """Of all: those answered, whose usage is known."""
    classes: dict[str, Rate]
    """Of all: what became of them, by `CLASSES`."""
    first_event: Percentiles
    """Until the first bytes of a streamed answer's body: its first event, which may be one that
    has no token yet."""
    latency: Percentiles
    """Until the last byte, of all that were answered."""
    throughput: Percentiles
    """Tokens of output a second, in thousandths, from a stream's first event to its end."""
    truncated: Rate
    """Cut off by their cap or by the context, of the answers that say why they ended."""
    finishes: dict[str, int]
    """Why answers ended; "" where they do not say."""
    cost: Costs
    """Of those that succeeded."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Queries that a limit, or the ledger, did not admit. The last minute before a kill is lost."""

    code: str
    scope: str
    unit: str
    window: str
    count: int
    leaves: Leaves


class Attempts(msgspec.Struct, frozen=True, kw_only=True):
    """How often queries were sent, as their endings say."""

    queries: int
    attempts: int
    retries: int
    """Attempts beyond the first of a query at the same provider."""
    fallbacks: int
    """Attempts beyond the first at another provider."""


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """How providers performed in a period."""

    since: str
    until: str
    """The period ends before it."""
    origin: str
    tree_size: int
    root: str
    """Of the tree, in hexadecimal."""
    verified: bool
    """Whether all leaves were checked against the signed checkpoint."""
    leaves: Leaves | None
    """Of the period."""
    whole: Group
    by: str
    groups: list[Group]
    refused: Rate
    """Of all that came and could be read: those that were not admitted."""
    refusals: list[Refused]
    attempts: Attempts
    changes: list[Change]
    classes: dict[str, str]
    """What the classes are."""


def performance(facts: Facts, by: str = "provider") -> Performance:
    """Return how all queries performed, and by one of `DIMENSIONS`."""
    counted, classes = classified(facts)
    span, told = facts.range, refusals(facts)
    whole = _group(facts, "", counted, classes)
    leaves = Leaves(span.first, span.last) if span.last >= span.first else None
    count = sum(each.count for each in told)
    return Performance(
        since=clock.iso(span.since),
        until=clock.iso(span.until),
        origin=span.origin,
        tree_size=span.size,
        root=span.root.hex(),
        verified=span.verified,
        leaves=leaves,
        whole=whole,
        by=by,
        groups=_groups(facts, by, counted, classes),
        refused=rate_of(count, count + whole.queries, leaves),
        refusals=told,
        attempts=attempts(facts, counted),
        changes=changes(facts, classes["answered"]),
        classes=CLASSES,
    )


def classified(facts: Facts) -> tuple[Flags, dict[str, Flags]]:
    """Return which rows count, and which of them are of each of `CLASSES`."""
    settled, unresolved = facts.of("settled"), facts.of("unresolved")
    void = facts.of("void")
    # A worker that was thought lost may come back and tell how its query ended.
    unresolved[facts.resolves[(settled | void) & (facts.resolves >= 0)]] = False
    told, status = _reasons(facts), facts.http_status
    good = (status >= 200) & (status < 300)
    broken, late, lost = (unresolved & told(*names) for names in (BROKEN, LATE, LOST))
    whole = unresolved & good & ~(broken | late | lost | told(*OURS))
    classes = {
        "answered": settled & good,
        "answered_without_usage": whole,
        "rejected": settled & (status >= 300) & (status < 500) & (status != 429),
        "rate_limited": settled & (status == 429),
        "server_error": settled & (status >= 500) | lost,
        "broken": broken,
        "timed_out": late,
        "unreached": void & told(*UNREACHED),
    }
    counted = settled | unresolved | classes["unreached"]
    named = np.logical_or.reduce(list(classes.values()))
    return counted, {**classes, "gateway": counted & ~named}


def _reasons(facts: Facts) -> Callable[..., Flags]:
    codes = {name: code for code, name in enumerate(facts.names)}
    return lambda *names: np.isin(facts.reason, [codes[name] for name in names if name in codes])


def _groups(facts: Facts, by: str, counted: Flags, classes: dict[str, Flags]) -> list[Group]:
    column = getattr(facts, by)
    found = []
    for code in np.unique(column[counted]):
        mine = counted & (column == code)
        found.append(_group(facts, facts.name(code), mine, classes))
    return sorted(found, key=lambda group: (-group.queries, group.name))


def _group(facts: Facts, name: str, rows: Flags, classes: dict[str, Flags]) -> Group:
    mine = {kind: rows & of for kind, of in classes.items()}
    answered, streamed = mine["answered"], mine["answered"] & facts.stream
    able = rows & ~np.logical_or.reduce([mine[kind] for kind in OTHERS_FAULT])
    finished = answered & (facts.finish != 0)
    words = Counter(facts.names[code] for code in facts.finish[answered].tolist())
    flowing, pace = pace_of(facts, streamed)
    return Group(
        name=name,
        queries=int(rows.sum()),
        availability=rate(facts, answered | mine["answered_without_usage"], able),
        success=rate(facts, answered, rows),
        classes={kind: rate(facts, of, rows) for kind, of in mine.items()},
        first_event=percentiles(facts, streamed, facts.first_byte_us, "microseconds"),
        latency=percentiles(facts, answered, facts.total_us, "microseconds"),
        throughput=percentiles(facts, flowing, pace, "tokens/1000 s"),
        truncated=rate(facts, finished & _ended_by(facts, "length"), finished),
        finishes=dict(sorted(words.items())),
        cost=costs(facts, answered),
    )


def _ended_by(facts: Facts, word: str) -> Flags:
    codes = [code for code, name in enumerate(facts.names) if name == word]
    return np.isin(facts.finish, codes)


def pace_of(facts: Facts, streamed: Flags) -> tuple[Flags, Any]:
    """Return the streams that had time to flow, and each one's tokens in a thousand seconds."""
    lasted = facts.total_us - facts.first_byte_us
    flowing = streamed & (lasted > 0) & (facts.usage["output"] > 0)
    pace = facts.usage["output"] * 10**9 // np.where(lasted > 0, lasted, 1)
    return flowing, pace


def refusals(facts: Facts) -> list[Refused]:
    """Return how many queries were refused, by why."""
    counts: Counter[tuple[str, ...]] = Counter()
    places: dict[tuple[str, ...], list[int]] = {}
    for index, leaf in facts.others:
        if leaf["kind"] == "refused":
            why = tuple(leaf.get(name, "") for name in ("code", "scope", "unit", "window"))
            counts[why] += int(leaf.get("count", 0))
            places.setdefault(why, []).append(index)
    return [
        Refused(code=why[0], scope=why[1], unit=why[2], window=why[3], count=count,
                leaves=Leaves(places[why][0], places[why][-1]))
        for why, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    ]  # fmt: skip


def attempts(facts: Facts, counted: Flags) -> Attempts:
    """Return how often queries were sent: endings of one hold would be attempts at one query."""
    holds, providers = facts.hold[counted], facts.provider[counted]
    queries, attempted = len(np.unique(holds)), len(holds)
    at_each = np.unique(np.stack([holds, providers]), axis=1).shape[1]
    return Attempts(queries=queries, attempts=attempted, retries=attempted - at_each,
                    fallbacks=at_each - queries)  # fmt: skip
