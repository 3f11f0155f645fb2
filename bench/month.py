"""A month of queries, simulated: teams, limits, credit, a commitment, and what goes wrong.

Every entry passes the ledger's own state machine, so that what follows from one is there as well.
"""

from __future__ import annotations

import heapq
import random
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from farthing.ledger.entry import (
    ChangeKey,
    Commitment,
    Config,
    Entry,
    Genesis,
    Hold,
    Key,
    Limit,
    PriceBookInForce,
    Reset,
    Resolve,
    Scope,
    Settle,
    TopUp,
    Tranche,
    Unresolved,
    Void,
    WriteOff,
    encode,
)
from farthing.ledger.journal import Journal
from farthing.ledger.state import State
from farthing.wire.dialect import Usage

SECOND = 10**9
DAY = 86_400 * SECOND
USD = 10**9
BEGIN = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp()) * SECOND
DAYS = 30
GROUP = 512
BOOKS = ("3f9c0a7be1d24586", "b81d5520c6ea9f17")


class Model(NamedTuple):
    """A model, how often it is asked for, and what it costs: nanodollars for a million tokens."""

    provider: str
    name: str
    versions: tuple[str, ...]
    weight: int
    dialect: str
    prompt: int
    answer: int
    input: int
    output: int
    slow: float


MODELS = (
    Model(
        "openai", "gpt-5-mini", ("gpt-5-mini-2025-08-07",),
        300, "chat", 1900, 260, 250_000_000, 2_000_000_000, 0.9,
    ),
    Model(
        "openai", "gpt-5", ("gpt-5-2025-08-07", "gpt-5-2026-09-14"),
        80, "responses", 3200, 520, 1_250_000_000, 10_000_000_000, 2.4,
    ),
    Model(
        "anthropic", "claude-sonnet-4-5", ("claude-sonnet-4-5-20250929",),
        130, "messages", 5200, 610, 3_000_000_000, 15_000_000_000, 1.8,
    ),
    Model(
        "anthropic", "claude-haiku-4-5", ("claude-haiku-4-5-20251001",),
        160, "messages", 2400, 300, 1_000_000_000, 5_000_000_000, 0.7,
    ),
    Model(
        "gemini", "gemini-2.5-flash", ("gemini-2.5-flash",),
        210, "gemini", 2800, 340, 300_000_000, 2_500_000_000, 0.6,
    ),
    Model(
        "bedrock", "amazon.nova-lite-v1:0", ("",),
        60, "converse", 1700, 240, 60_000_000, 240_000_000, 0.8,
    ),
    Model(
        "mistral", "mistral-small-latest", ("mistral-small-2506",),
        40, "chat", 1500, 280, 100_000_000, 300_000_000, 0.7,
    ),
    Model(
        "local", "smollm2-135m-instruct", ("smollm2-135m-instruct",),
        20, "chat", 600, 120, 20_000_000, 40_000_000, 1.5,
    ),
)  # fmt: skip
WEIGHTS = list(accumulate(model.weight for model in MODELS))
# Key → its project, and how often it asks.
KEYS = {
    "k-web": ("project:site-search", 30), "k-app": ("project:site-search", 22),
    "k-desk": ("project:help-desk", 18), "k-mail": ("project:help-desk", 9),
    "k-lab": ("project:papers", 8), "k-night": ("project:papers", 6),
    "k-ads": ("project:copy", 5), "k-trial": ("project:trial", 2),
}  # fmt: skip
PARENTS = {
    "project:site-search": "team:search", "project:help-desk": "team:support",
    "project:papers": "team:research", "project:copy": "team:growth",
    "project:trial": "team:growth",
}  # fmt: skip
KEY_NAMES = list(KEYS)
KEY_WEIGHTS = list(accumulate(weight for _, weight in KEYS.values()))


def opening() -> Iterator[Entry]:
    """Yield what stands before the month."""
    at = BEGIN - 40 * DAY
    yield Genesis(at, "01a2month")
    yield Config(at, "c0ffee00c0ffee00")
    yield PriceBookInForce(at, BOOKS[0], "genai-prices")
    yield Scope(at, "ann", "org:acme")
    for team in sorted(set(PARENTS.values())):
        yield Scope(at, "ann", team, "org:acme")
    for project, team in PARENTS.items():
        yield Scope(at, "ann", project, team)
    for key, (project, _) in KEYS.items():
        yield Key(at, "ann", key, f"{key} of acme", b"digest", None, None, project)
    dollars = [("team:search", 9_000), ("team:support", 6_000), ("team:research", 2_500)]
    for scope, amount in [*dollars, ("team:growth", 900), ("provider:anthropic", 14_000)]:
        yield Limit(at, "ann", scope, "usd", amount * USD, "month")
    yield Limit(at, "ann", "org:acme", "usd", 900 * USD, "day")
    yield Limit(at, "ann", "key:k-app", "requests", 9_000, "day", soft=True)
    yield Limit(at, "ann", "key:k-lab", "concurrent", 64)
    yield TopUp(at, "ann", "lot-1", "project:trial", 150 * USD, BEGIN + 90 * DAY, "INV-2041")
    tranches = (
        Tranche(6_000 * USD, 5_100 * USD, BEGIN - 40 * DAY, BEGIN + 20 * DAY),
        Tranche(9_000 * USD, 7_650 * USD, BEGIN - 40 * DAY, BEGIN + 140 * DAY),
    )
    yield Commitment(at, "ann", "cmt-a", "anthropic", at, BEGIN + 140 * DAY, tranches, 80_000)


def later(day: int) -> list[Entry]:
    """Return what administrators do on a day of the month."""
    at = BEGIN + day * DAY + 9 * 3600 * SECOND
    done: dict[int, list[Entry]] = {
        3: [Limit(at, "bob", "team:support", "usd", 7_500 * USD, "month")],
        8: [PriceBookInForce(at, BOOKS[1], "genai-prices"), Config(at, "decafbaddecafbad")],
        15: [TopUp(at, "ann", "lot-2", "project:trial", 100 * USD, None, "INV-2077")],
        21: [ChangeKey(at, "bob", "k-ads", "advertising", None, 5 * USD, "project:copy")],
    }
    return done.get(day, [])


class Month:
    """Draws queries one after the other, and ends them in the order of their times."""

    def __init__(self, queries: int, seed: int = 1) -> None:
        self.state = State()
        self._draw = random.Random(seed)
        self._queries = queries
        self._open: list[tuple[int, int, Any]] = []
        self._unresolved: list[str] = []
        self._book = BOOKS[0]
        self.refused = 0

    def entries(self) -> Iterator[Entry]:
        """Yield all entries of the journal."""
        for entry in opening():
            yield from self._enter(entry)
        day = -1
        for number, at in enumerate(self._times()):
            while self._open and self._open[0][0] <= at:
                yield from self._end()
            if (today := (at - BEGIN) // DAY) != day:
                day = today
                for entry in later(day):
                    yield from self._enter(entry)
                self._book = BOOKS[day >= 8]
            yield from self._begin(number, at)
        while self._open:
            yield from self._end()

    def _times(self) -> Iterator[int]:
        """Yield when queries come: more on weekdays and in the daytime, and ever more of them."""
        draw = self._draw
        weights = [
            (0.45 if (day + 1) % 7 in (5, 6) else 1.0) * (1 + 0.012 * day) for day in range(DAYS)
        ]
        for day, weight in enumerate(weights):
            count = round(self._queries * weight / sum(weights))
            hours = sorted(min(max(draw.gauss(0.58, 0.17), 0), 0.999_999) for _ in range(count))
            for hour in hours:
                yield BEGIN + day * DAY + int(hour * DAY)

    def _enter(self, entry: Entry) -> list[Entry]:
        refusal, entered = self.state.enter(entry)
        self.refused += refusal is not None
        return entered

    def _begin(self, number: int, at: int) -> list[Entry]:
        draw = self._draw
        model = MODELS[bisect_right(WEIGHTS, draw.randrange(WEIGHTS[-1]))]
        key = KEY_NAMES[bisect_right(KEY_WEIGHTS, draw.randrange(KEY_WEIGHTS[-1]))]
        project = KEYS[key][0]
        path = (
            f"key:{key}", project, PARENTS[project], "org:acme", f"provider:{model.provider}",
            f"model:{model.provider}/{model.name}",
        )  # fmt: skip
        prompt = max(20, int(draw.lognormvariate(0, 0.6) * model.prompt))
        bound = prompt * 3 * model.input + 2048 * model.output
        hold = Hold(
            at, f"q01a2087b013c{1:010x}{number + 1:08x}", key, path, model.provider, model.name,
            model.name, model.dialect, draw.random() < 0.6, -(-bound // 10**6), prompt * 3 + 2048,
            prompt * 3, 2048, self._book, "worker-1",
        )  # fmt: skip
        entered = self._enter(hold)
        if entered:
            first = int(model.slow * draw.lognormvariate(0, 0.45) * 400_000)
            answer = min(2048, max(1, int(draw.lognormvariate(0, 0.7) * model.answer)))
            total = first + int(answer * model.slow * 9_000)
            heapq.heappush(
                self._open, (at + total * 1000, number, (hold, model, prompt, answer, first, total))
            )
        return entered

    def _end(self) -> Iterator[Entry]:
        at, number, (hold, model, prompt, answer, first, total) = heapq.heappop(self._open)
        chance = self._draw.random()
        if chance < 0.0006:
            yield from self._enter(Void(at, hold.id, "upstream_unreachable"))
        elif chance < 0.0014:
            yield from self._enter(Unresolved(at, hold.id, "upstream_reset", 0, total))
            self._unresolved.append(hold.id)
        else:
            status = (
                429
                if chance < 0.006
                else 503
                if chance < 0.0085
                else 400
                if chance < 0.0105
                else 200
            )
            yield from self._settle(at, hold, model, (prompt, answer, first, total), status, chance)
        if number % 9_973 == 9_972 and self._unresolved:
            yield from self._decide(at)

    def _settle(
        self, at: int, hold: Hold, model: Model, told: tuple[int, int, int, int], status: int,
        chance: float,
    ) -> Iterator[Entry]:  # fmt: skip
        prompt, answer, first, total = told
        if status != 200:
            yield from self._enter(Settle(at, hold.id, 0, Usage(), status, first, first + 900))
            return
        cached = prompt * self._draw.choice((0, 0, 0, 5, 8)) // 10
        usage = Usage(
            input=prompt - cached, cache_read=cached, output=answer, reasoning=answer // 5
        )
        cost = -(
            -((prompt - cached) * model.input + cached * model.input // 10 + answer * model.output)
            // 10**6
        )
        if chance > 0.999_995:
            cost = hold.usd * 11 // 10  # the provider bills more than it can
        discount = model.provider == "anthropic"
        billed = cost - cost * 8 // 100 if discount else cost
        version = model.versions[-1 if at > BEGIN + 13 * DAY + 5 * 3600 * SECOND else 0]
        yield from self._enter(
            Settle(
                at, hold.id, billed, usage, 200, first, total, f"up-{hold.id[-8:]}", version, "",
                cost if discount else None, finish="length" if answer == hold.output_cap else "end",
            )
        )  # fmt: skip
        if billed > hold.usd:
            yield from self._enter(Reset(at + SECOND, "ann", model.provider, model.name))

    def _decide(self, at: int) -> Iterator[Entry]:
        query = self._unresolved.pop(0)
        if self._draw.random() < 0.8:
            hold = self.state.holds[query]
            yield from self._enter(Resolve(at, "ann", query, hold.usd // 3, "invoice 77", 900))
        else:
            yield from self._enter(WriteOff(at, "ann", query, "the provider says it never came"))


def write(folder: Path, queries: int, seed: int = 1) -> Month:
    """Write a month's journal."""
    journal = Journal(folder)
    list(journal.recover())
    month, group = Month(queries, seed), []
    for entry in month.entries():
        group.append(encode(entry))
        if len(group) >= GROUP:
            journal.append(group)
            group = []
    if group:
        journal.append(group)
    journal.sync()
    journal.close()
    return month
