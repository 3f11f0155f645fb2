"""A ledger with everything that a bill can have, made by the real state machine at real prices:
several providers, tiers, cached input, stated costs, credits, commitments, and late settlements."""

from __future__ import annotations

import random
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import sqlalchemy as sa
from tests.support.evidence import write

from farthing import clock
from farthing.ledger.commitment import contracted
from farthing.ledger.entry import (
    Commitment,
    Entry,
    Exercise,
    Expire,
    Genesis,
    Hold,
    Key,
    Resolve,
    Scope,
    Settle,
    TopUp,
    Tranche,
    Unresolved,
    Void,
    WriteOff,
)
from farthing.ledger.project import catch_up
from farthing.ledger.records import open_records
from farthing.ledger.state import State
from farthing.paths import DataFolder
from farthing.prices.book import PriceBook
from farthing.prices.compile import make_book
from farthing.prices.rate import cost
from farthing.wire.dialect import Usage

LEDGER = "ledger-one"
DAY, HOUR = 86_400 * clock.SECOND, 3600 * clock.SECOND
SEPTEMBER = 1_788_220_800 * clock.SECOND  # 2026-09-01T00:00:00Z
OCTOBER = SEPTEMBER + 30 * DAY
NOVEMBER = OCTOBER + 31 * DAY

# Provider, model, options it is served with, and whether it makes output.
SERVED: tuple[tuple[str, str, dict[str, str], bool], ...] = (
    ("openai", "gpt-4o-mini", {}, True),
    ("openai", "gpt-5.5", {}, True),  # dearer above a number of input tokens
    ("anthropic", "claude-opus-5", {"speed": "fast"}, True),
    ("openai", "text-embedding-3-small", {}, False),
    ("anthropic", "claude-sonnet-4-5", {}, True),
    ("deepseek", "deepseek-chat", {}, True),
)
# So many at the beginning are alike: each is rounded, and so is their sum.
ALIKE = 20
PATHS = {
    "k1": ("key:k1", "project:search", "team:web", "org:acme"),
    "k2": ("key:k2", "org:acme"),
    "k3": ("key:k3",),
}


@lru_cache
def book_file() -> Path:
    """The real price book, made once."""
    return make_book(Path(mkdtemp(prefix="farthing-book-")), [], [])


@lru_cache
def book() -> PriceBook:
    return PriceBook(book_file().read_bytes())


def beginning() -> list[Entry]:
    """Scopes, keys, credits and commitments."""
    at, end = SEPTEMBER - DAY, NOVEMBER + 300 * DAY
    tranches = (
        Tranche(40_000_000, 30_000_001, SEPTEMBER - DAY, end),
        Tranche(30_000_000, 20_000_000, SEPTEMBER, end, after_ppm=500_000),
        Tranche(90_000_000, 70_000_000, SEPTEMBER, end, on_call=True),
    )
    return [
        Genesis(at, LEDGER),
        Scope(at, "ann", "org:acme"),
        Scope(at, "ann", "team:web", "org:acme"),
        Scope(at, "ann", "project:search", "team:web"),
        Key(at, "ann", "k1", "ann's laptop", b"\1" * 32, parent="project:search"),
        Key(at, "ann", "k2", "second", b"\2" * 32, parent="org:acme"),
        Key(at, "ann", "k3", "third", b"\3" * 32),
        TopUp(SEPTEMBER + 5, "ann", "t1", "key:k3", 10**17, NOVEMBER, "first"),
        TopUp(SEPTEMBER + HOUR, "ann", "t2", "user:bob", 10**17),
        Commitment(at, "ann", "c1", "openai", at, end, tranches, 100_001, "a year"),
        Commitment(
            SEPTEMBER + 3, "ann", "c2", "anthropic", SEPTEMBER, end,
            (Tranche(10**12, 9 * 10**11, SEPTEMBER, end),),
        ),
    ]  # fmt: skip


def bills(
    seed: int = 1, queries: int = 300, since: int = SEPTEMBER, until: int = NOVEMBER
) -> list[Entry]:
    """Return what a state took: queries evenly over a span, ended in every way there is."""
    draw, state, taken = random.Random(seed), State(), list[Entry]()

    def take(entry: Entry) -> None:
        refusal, entered = state.enter(entry)
        assert refusal is None, (refusal, entry)
        taken.extend(entered)

    for entry in beginning():
        take(entry)
    step = (until - since) // max(1, queries)
    for number in range(queries):
        # Five in the same seconds, so that there are hours with several.
        at = since + number // 5 * 5 * step + number % 5 * clock.SECOND + draw.randrange(9)
        if number < ALIKE:
            at = since + 2 * HOUR + number * clock.SECOND
        hold = _hold(draw, f"q{number}", at)
        take(hold)
        for entry in _ending(draw, hold, state):
            take(entry)
        if number == queries // 3:
            take(Exercise(at + 1, "ann", "c1", 3, 20_000_007))
        lost = list(state.unresolved)
        if lost and draw.randrange(8) == 0:
            take(_late(draw, lost[0], at + 2))
    return taken


def _hold(draw: random.Random, query: str, at: int) -> Hold:
    # Most of those that come together are alike.
    same = random.Random(int(query[1:]) // 5) if draw.randrange(4) else draw
    key = same.choice(("k1", "k1", "k2", "k3"))
    provider, model, _, _ = same.choice(SERVED)
    tags = same.sample(("tag:nightly", "tag:eval"), same.randrange(3))
    user = ("user:bob",) if draw.randrange(10) == 0 else ()
    if int(query[1:]) < ALIKE:
        key, (provider, model, _, _), tags = "k2", SERVED[0], []
    path = (*PATHS[key], *user, f"model:{provider}/{model}", f"provider:{provider}", *sorted(tags))
    named = (provider, model, model, "chat", False)
    digest = draw.choice((book().digest[:16],) * 9 + ("f" * 16,))  # one that was thrown away
    return Hold(at, query, key, path, *named, 20 * 10**9, 400_000, 4, 6, digest, "w1")


def _ending(draw: random.Random, hold: Hold, state: State) -> list[Entry]:
    at = hold.at + draw.randrange(1, clock.SECOND // 2)
    match draw.randrange(12):
        case 0:
            return [Void(at, hold.id, "upstream_unreachable")]
        case 1 | 2:
            return [Unresolved(at, hold.id, "usage_missing", 200, 5, "up")]
        case 3:
            return [Settle(at, hold.id, 0, Usage(), 400, 4, 5)]
        case 4:  # the provider stated what it billed
            return [_settle(at, hold, draw.randrange(1, 9_999), Usage(7, output=9), None)]
    usage = _usage(draw, hold)
    _, _, options, makes = next(s for s in SERVED if s[:2] == (hold.provider, hold.model))
    rate = book().rate(hold.provider, hold.model, hold.at, options, makes_output=makes)
    usd = cost(usage, rate)
    terms = [c.terms for c in state.commitments.by_id.values()]
    paid = contracted(usd, hold.provider, terms, hold.at)
    return [_settle(at, hold, paid, usage, usd if paid != usd else None)]


def _settle(at: int, hold: Hold, usd: int, usage: Usage, list_usd: int | None) -> Settle:
    return Settle(at, hold.id, usd, usage, 200, 4, 5, "up", f"{hold.model}-0901", "", list_usd)


def _usage(draw: random.Random, hold: Hold) -> Usage:
    makes = next(s[3] for s in SERVED if s[1] == hold.model)
    big = 300_000 if draw.randrange(8) == 0 else 0
    cached: dict[str, Any] = {}
    if hold.provider == "anthropic":
        cached = {"cache_read": draw.randrange(999), "cache_write_1h": draw.randrange(2) * 77}
    output = draw.randrange(1, 900) if makes else 0
    return Usage(big + draw.randrange(1, 3_000), output=output, reasoning=output // 3, **cached)


def _late(draw: random.Random, query: str, at: int) -> Entry:
    match draw.randrange(3):
        case 0:
            return Resolve(at, "ann", query, draw.randrange(9_000), "invoice, line 7", 100)
        case 1:
            return Expire(at, query)
        case _:
            return WriteOff(at, "bob", query, "unbilled")


def billed(
    root: Path, made: list[Entry], database: str | None = None
) -> tuple[DataFolder, sa.Engine]:
    """Write a journal, keep its price book, and project it."""
    folder = DataFolder(root)
    write(folder.journal, made)
    folder.price_books.mkdir(exist_ok=True)
    (folder.price_books / book_file().name).write_bytes(book_file().read_bytes())
    engine = open_records(folder, database)
    catch_up(engine, folder.journal)
    return folder, engine
