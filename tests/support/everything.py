"""A journal in which everything happens: scopes, keys, limits of all kinds, credits, commitments,
and queries that end in every way there is."""

from __future__ import annotations

import random

from farthing.ledger.entry import (
    ChangeKey,
    Commitment,
    Config,
    Entry,
    Exercise,
    Expire,
    Genesis,
    Hold,
    Key,
    Limit,
    PriceBookInForce,
    Refusals,
    Reset,
    Resolve,
    Revoke,
    Scope,
    Settle,
    TopUp,
    Tranche,
    Unresolved,
    Void,
    WriteOff,
)
from farthing.ledger.state import State
from farthing.wire.dialect import Usage

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
PATHS = {
    "k1": ("key:k1", "project:search", "org:acme"),
    "k2": ("key:k2", "org:acme"),
    "k3": ("key:k3",),
}
LATER = 100 * DAY


def everything(seed: int, steps: int = 150, ledger: str = "ledger-one") -> list[list[Entry]]:
    """Return what a state took, in groups: each entry with what follows from it."""
    draw, state, taken = random.Random(seed), State(), list[list[Entry]]()

    def take(*entries: Entry) -> None:
        for entry in entries:
            refusal, entered = state.enter(entry)
            if refusal is None:
                taken.append(entered)

    take(Genesis(1, ledger), *_beginning())
    for step in range(steps):
        at = 1_000 + step * SECOND
        take(*_step(draw, state, step, at))
    take(_hold(draw, "last", LATER - 1, "k3"), Unresolved(LATER - 1, "last", "worker_lost", 200, 5))
    take(Revoke(LATER, "ann", "k3"), Revoke(LATER + 1, "bob", "k3"))
    return taken


def _beginning() -> list[Entry]:
    tranches = (
        Tranche(9_000, 6_000, 0, LATER),
        Tranche(9_000, 3_000, 0, LATER + 1, on_call=True),
        Tranche(5_000, 4_000, 0, LATER, after_ppm=500_000),
    )
    return [
        Scope(2, "ann", "org:acme"),
        Scope(2, "ann", "project:search", "org:acme"),
        Key(3, "ann", "k1", "first", b"\1" * 32, parent="project:search"),
        Key(3, "ann", "k2", "second", b"\2" * 32),
        Key(3, "ann", "k3", "third \0", b"\3" * 32, max_cost=5_000),
        ChangeKey(4, "bob", "k2", "second, changed", LATER, 7_000, "org:acme"),
        Limit(5, "ann", "org:acme", "usd", 90_000),
        Limit(5, "ann", "org:acme", "tokens", 2_000, "minute"),
        Limit(5, "ann", "key:k1", "concurrent", 6),
        Limit(5, "ann", "key:k2", "usd", 4_000, "day", soft=True),
        Limit(5, "ann", "key:k3", "usd", 3_000, soft=True),
        Limit(5, "ann", "user:*", "requests", 30, "hour"),
        TopUp(6, "ann", "t1", "project:search", 20_000, LATER, "first"),
        TopUp(6, "ann", "t2", "project:search", 30_000),
        Commitment(7, "ann", "c1", "openai", 0, LATER, tranches, 100_000, "a year"),
    ]


def _step(draw: random.Random, state: State, step: int, at: int) -> list[Entry]:
    """Return some entries that a state may take, or not."""
    some = draw.choice([*state.holds, "nobody"])
    lost = draw.choice([*state.unresolved, "nobody"])
    match draw.randrange(14):
        case 0 | 1 | 2 | 3 | 4:
            return [_hold(draw, f"q{step}", at)]
        case 5 | 6 | 7:
            usd, list_usd = draw.randrange(2_300), draw.choice((None, 2_500))
            usage = Usage(draw.randrange(50), 1, 2, 3, draw.randrange(50), 4, 5, 6, 7)
            ended = ("up", "gpt-x-2026-01", "seed, logit_bias")
            settled = Settle(at, some, usd, usage, 200, 11, 22, *ended, list_usd, "length")
            return [settled, Reset(at, "ann", "openai", "gpt-x-2026")]
        case 8:
            return [Void(at, some, "upstream_unreachable")]
        case 9 | 10:
            return [Unresolved(at, some, "usage_missing", 200, 5, "up-lost")]
        case 11:
            tokens = draw.choice((None, draw.randrange(100)))
            return [Resolve(at, "ann", lost, draw.randrange(900), "invoice, line 7", tokens)]
        case 12:
            return [
                Expire(at, lost) if draw.randrange(2) else WriteOff(at, "bob", lost, "unbilled")
            ]
        case _:
            return [
                Exercise(at, "ann", "c1", 2, 300),
                Config(at, f"c{step}"),
                PriceBookInForce(at, f"b{step}", "test"),
                Refusals(at, at - SECOND, at, "limit_reached", "user:u1", "usd", "day", step + 1),
            ]


def _hold(draw: random.Random, query: str, at: int, key: str = "") -> Hold:
    key = key or draw.choice(("k1", "k2", "k3"))
    path = (*PATHS[key], f"user:u{draw.randrange(3)}", "provider:openai")
    usd, tokens = draw.randrange(2_000), draw.randrange(200)
    named = ("openai", "gpt-x-2026", "gpt-x", "chat", True)
    return Hold(at, query, key, path, *named, usd, tokens, 4, 6, "book", "w1")
