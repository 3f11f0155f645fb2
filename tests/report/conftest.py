"""What tests of reports share: a log of queries that end in every way a provider can make them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from tests.support.evidence import VERIFIER, Log, hold, make_log, settle
from tests.support.exports import both_bills, sqlite_bills  # noqa: F401  (fixtures)

from farthing.evidence.entries import read_entries
from farthing.evidence.source import source_of
from farthing.ledger.entry import (
    Config,
    Entry,
    Genesis,
    Hold,
    Resolve,
    Settle,
    Unresolved,
    Void,
    WriteOff,
)
from farthing.ledger.evaluation import Evaluation, Score
from farthing.ledger.reported import Refusals
from farthing.report.columns import Facts
from farthing.report.facts import read_facts
from farthing.wire.dialect import Usage

SECOND = 10**9
BEGIN = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp()) * SECOND
END = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp()) * SECOND
QUERIES = 2_500
FINISHES = ("end", "end", "end", "tool_calls", "length", "filter", "")
STATUSES = (*[200] * 60, 201, 204, 302, 400, 401, 404, 429, 429, 500, 503, 529)
UNRESOLVED = [
    ("usage_missing", 200), ("usage_encoded", 200), ("unpriced", 200), ("upstream_reset", 200),
    ("upstream_reset", 0), ("upstream_malformed", 200), ("upstream_timeout", 0),
    ("upstream_timeout", 200), ("upstream_lost", 502), ("worker_lost", 0), ("interrupted", 0),
]  # fmt: skip
VOIDS = ("upstream_unreachable", "not_sent", "no_token", "hold_not_acknowledged")


class Told(NamedTuple):
    """A log, its facts in a quarter, and the leaves that say them."""

    log: Log
    facts: Facts
    leaves: list[dict[str, Any]]


def facts_in(log: Log, since: int = BEGIN, until: int = END) -> Facts:
    return read_facts(read_entries(source_of(str(log.folder)), VERIFIER), since, until)


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    log = make_log(tmp_path_factory.mktemp("performance"), _entries(random.Random(7)))
    reader = log.reader
    return Told(log, facts_in(log), [json.loads(reader.entry(n)) for n in range(reader.size)])


def _entries(draw: random.Random) -> Iterator[Entry]:
    yield Genesis(BEGIN - 10**6, "ledger-one")
    step = (END - BEGIN) // QUERIES
    for number in range(-20, QUERIES + 20):  # some of them before the quarter and after it
        began = BEGIN + number * step
        ended = began + draw.randrange(10**7, 90 * SECOND)
        yield _hold(draw, f"q{number}", began)
        yield from _ending(draw, f"q{number}", ended, draw.randrange(1_000))
        if number % 50 == 0:
            code, scope, unit, window = draw.choice(
                [("limit_reached", "team:a", "usd", "day"), ("route_tripped", "", "", "")]
            )
            count = draw.randrange(1, 400)
            yield Refusals(ended, ended - SECOND, ended, code, scope, unit, window, count)
            yield Config(ended, f"c{number}")


def _hold(draw: random.Random, query: str, at: int) -> Hold:
    provider, team = draw.choice(("north", "north", "south")), draw.choice("ab")
    path = (f"key:k{team}", f"team:{team}", "org:acme", f"provider:{provider}")
    model = draw.choice(("m-1", "m-2"))
    return Hold(at, query, f"k{team}", path, provider, model, model, "chat",
                draw.random() < 0.6, 10**6, 100, 50, 50, "book", "w1")  # fmt: skip


def _ending(draw: random.Random, query: str, at: int, chance: int) -> Iterator[Entry]:
    if chance < 30:
        yield Void(at, query, draw.choice(VOIDS))
    elif chance < 90:
        reason, status = draw.choice(UNRESOLVED)
        yield Unresolved(at, query, reason, status, draw.randrange(1, 10**6))
        later = at + draw.choice((SECOND, 10**6 * SECOND))
        if chance < 50:
            yield Resolve(later, "ann", query, draw.randrange(10**6), "invoice")
        elif chance < 60:
            yield WriteOff(later, "ann", query, "lost")
        elif chance < 70:  # its worker came back
            yield _settle(draw, query, later)
    else:
        yield _settle(draw, query, at)


def _settle(draw: random.Random, query: str, at: int) -> Settle:
    status, first = draw.choice(STATUSES), draw.randrange(10**5, 10**6)
    good = status < 300
    usage = Usage(draw.randrange(100), output=draw.randrange(900)) if good else Usage()
    total = first + draw.choice((0, draw.randrange(10**7)))
    cost = int(draw.lognormvariate(12, 2)) if good else 0
    version = (
        "m-2026-06" if at < BEGIN + (END - BEGIN) // 2 or draw.random() < 0.01 else "m-2026-08"
    )
    finish = draw.choice(FINISHES) if good else ""
    return Settle(at, query, cost, usage, status, first, total, "up", version if good else "",
                  finish=finish)  # fmt: skip


# As the gateway records them: one that came to its end, one that stopped, one that scored nothing.
SCORES = (
    Score("exact", "accuracy", "0.8333333333333334", "0.4365", "0.9700", "wilson-95", 6),
    Score("exact", "f1", "0.8"),
)
EVALUATIONS = (
    Evaluation(
        at=1_700_000_002 * SECOND, by="ann", id="e1", task="arithmetic", version="2", model="fast",
        outcome="complete", began=1_700_000_000 * SECOND, key="k1", samples=3, epochs=2,
        completed=6, dataset_sha256="ab" * 32, scores=SCORES, served=("p/m",), queries=6, calls=6,
        usd=162_000, first=3, last=14, log_sha256="cd" * 32,
    ),
    Evaluation(
        1_700_000_003 * SECOND, "ann", "e2", "arithmetic", "2", "fast", "partial",
        1_700_000_002 * SECOND, "k1", 3, 2, 4, "ab" * 32, SCORES[:1], ("p/m",), 6, None,
        54_000, 2, 500_000, reason="it was stopped",
    ),
    Evaluation(
        1_700_000_004 * SECOND, "ann", "e3", "spelling", "", "p/m", "failed",
        1_700_000_003 * SECOND, "k2", 0, 0, 0, "", reason="no data set",
    ),
)  # fmt: skip


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A published log with evaluations of a model, and nothing else that is asked of it."""
    asked = [entry for number in range(6) for entry in (hold(number), settle(number))]
    made: list[Entry] = [Genesis(BEGIN - 1, "ledger-one"), *asked, *EVALUATIONS]
    log = make_log(tmp_path_factory.mktemp("evaluated"), made)
    reader = log.reader
    leaves = [json.loads(reader.entry(n)) for n in range(reader.size)]
    return Told(log, facts_in(log, 1_699_000_000 * SECOND, END), leaves)
