"""G1, a limit is never passed: many queries at once against a budget for a few of them."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.gateway import Answer, RunningGateway, states
from tests.support.provider import FakeProvider

from farthing import clock, money
from farthing.ledger import admin
from farthing.ledger.entry import Hold, Limit, Scope, Settle

FARTHING = "0.0025"
QUERIES = 50


def settings(provider: FakeProvider, workers: int) -> str:
    """A price with which a query can cost, and does cost, about a tenth of a farthing.

    The request below has 97 bytes and the provider's prompts add 1,024 tokens, so the hold is
    (1121 + 7) × $0.22 a million = $0.000248; the fixed price makes the bill nearly that too.
    """
    price = (
        '[[prices]]\nprovider = "fake"\nmodel = "gated"\ninput = "0.02"\noutput = "0.02"\n'
        'request = "225"\nstarts = 2026-01-01\n'
    )
    plain = provider.toml().replace(
        '[[prices]]\nprovider = "fake"\nmodel = "gated"\ninput = "1"\noutput = "1"\n', price
    )
    assert price in plain
    return f"workers = {workers}\n{plain}"


@pytest.mark.parametrize("workers", [1, 2])
def test_fifty_queries_at_once_on_a_farthing(tmp_path: Path, workers: int) -> None:
    provider = FakeProvider()
    gateway = RunningGateway(tmp_path, settings(provider, workers))
    try:
        key = gateway.key(usd=FARTHING)
        begin = threading.Barrier(QUERIES)

        def ask(_: int) -> Answer:
            begin.wait()
            return gateway.chat(key, "gated", max_tokens=7)

        with ThreadPoolExecutor(QUERIES) as pool:
            asked = [pool.submit(ask, n) for n in range(QUERIES)]
            assert provider.reached.wait(30)
            provider.gate.set()
            answers = [future.result() for future in asked]
        held = {e.id for e in gateway.entries() if isinstance(e, Hold)}
        answered = [a for a in answers if a.status == 200]
        refused = [a for a in answers if a.status == 402]
        assert len(answered) + len(refused) == QUERIES
        assert {a.query for a in answered} == held
        assert len(provider.seen) == len(held)
        assert 9 <= len(held) <= 11
        assert "has a limit of $0.0025" in refused[0].json["error"]["message"]
        _never_above(gateway, key)
    finally:
        gateway.stop()
        provider.close()


def _never_above(gateway: RunningGateway, key: str) -> None:
    """At every position of the journal: posted + held ≤ limit; at its end, nothing is held."""
    scope, limit = f"key:{key.split('_')[1]}", money.nanodollars(FARTHING)
    accounts = [state.balance(scope, "usd") for state in states(gateway.data)]
    assert max(account.posted + account.held for account in accounts) <= limit
    assert accounts[-1].held == 0
    spent = sum(e.usd for e in gateway.entries() if isinstance(e, Settle))
    assert accounts[-1].posted == spent
    assert spent > limit * 8 // 10


CROWD, FITS = 64, 11


def crowd(gateway: RunningGateway, provider: FakeProvider, key: str) -> list[Answer]:
    """Ask as many at once; none ends before all were admitted or refused."""
    begin = threading.Barrier(CROWD)
    refused: list[Answer] = []
    before = len(provider.seen)

    def ask(_: int) -> Answer:
        begin.wait()
        answer = gateway.chat(key, "gated", max_tokens=7, headers={"farthing-user": "ada"})
        if answer.status != 200:
            refused.append(answer)
        return answer

    with ThreadPoolExecutor(CROWD) as pool:
        asked = [pool.submit(ask, n) for n in range(CROWD)]
        gateway.wait_until(lambda: len(provider.seen) - before + len(refused) >= CROWD)
        provider.gate.set()
        return [future.result() for future in asked]


@pytest.mark.parametrize(
    ("scope", "unit", "status"),
    [
        ("team:search", "usd", 402),
        ("org:acme", "tokens", 402),
        ("team:search", "requests", 402),
        ("key", "concurrent", 429),
        ("user:*", "usd", 402),
        ("model:fake/gated", "requests", 402),
    ],
)
def test_of_sixty_four_at_once_exactly_as_many_are_sent_as_fit(
    tmp_path: Path, provider: FakeProvider, scope: str, unit: str, status: int
) -> None:
    """Only one scope of their path has a limit: where others have none, nothing opens."""
    gateway = RunningGateway(tmp_path, settings(provider, 2))
    try:
        now = clock.wall()
        team = Scope(now, "test", "team:search", "org:acme")
        gateway.enter(Scope(now, "test", "org:acme"), team)
        key = gateway.key(within="team:search")
        provider.gate.set()
        assert gateway.chat(key, "gated", max_tokens=7).status == 200  # it tells what one holds
        provider.gate.clear()
        hold = next(e for e in gateway.entries() if isinstance(e, Hold))
        limited = f"key:{hold.key}" if scope == "key" else scope
        each = {"usd": hold.usd, "tokens": hold.tokens}.get(unit, 1)
        spent = states(gateway.data)[-1].balance(limited, unit).posted
        gateway.enter(Limit(now, "test", limited, unit, spent + (FITS + 1) * each - 1))
        answers = crowd(gateway, provider, key)
        assert Counter(a.status for a in answers) == {200: FITS, status: CROWD - FITS}
        assert len(provider.seen) == 1 + FITS
        held = {e.id for e in gateway.entries() if isinstance(e, Hold)} - {hold.id}
        assert held == {a.query for a in answers if a.status == 200}
    finally:
        gateway.stop()


def test_a_limit_that_is_lowered_under_load_holds_from_that_entry_on(
    tmp_path: Path, provider: FakeProvider
) -> None:
    gateway = RunningGateway(tmp_path, f"workers = 2\n{provider.toml()}")
    stop = threading.Event()
    try:
        key = gateway.key(usd="1")
        scope = f"key:{key.split('_')[1]}"

        def ask() -> None:
            while not stop.is_set():
                gateway.chat(key, max_tokens=7)

        with ThreadPoolExecutor(8) as pool:
            asking = [pool.submit(ask) for _ in range(8)]
            for number in (1, 2, 3):
                gateway.wait_until(lambda n=number: len(provider.seen) > 20 * n)  # type: ignore[misc]
                lower = states(gateway.data)[-1].balance(scope, "usd").posted * 11 // 10
                gateway.enter(Limit(clock.wall(), "test", scope, "usd", lower))
                if number < 3:
                    gateway.enter(Limit(clock.wall(), "test", scope, "usd", 10**9))
            assert gateway.chat_until(key, 402, max_tokens=7).status == 402
            stop.set()
            for each in asking:
                each.result()
    finally:
        stop.set()
        gateway.stop()
    for entry, position in zip(gateway.entries(), states(gateway.data), strict=True):
        balance = position.balance(scope, "usd")
        if isinstance(entry, Hold):
            assert balance.limit is not None
            assert balance.posted + balance.held <= balance.limit


def test_a_limit_of_a_wrong_shape_is_refused_by_the_running_gateway(
    tmp_path: Path, provider: FakeProvider
) -> None:
    gateway = RunningGateway(tmp_path, provider.toml())
    try:
        before = len(gateway.entries())
        for wrong in (
            Limit(clock.wall(), "test", "team:nobody", "usd", 5),
            Limit(clock.wall(), "test", "org:*", "usd", -5),
            Limit(clock.wall(), "test", "user:ada", "dollars", 5),
        ):
            (refusal,) = asyncio.run(admin.record(gateway.data, [wrong]))
            assert refusal is not None and refusal.code == "invalid" and refusal.detail
        assert len(gateway.entries()) == before
    finally:
        gateway.stop()


def test_a_budget_that_is_spent_stays_spent_over_a_restart(
    tmp_path: Path, provider: FakeProvider
) -> None:
    gateway = RunningGateway(tmp_path, provider.toml())
    key = gateway.key(usd="0.0012")
    first = gateway.chat(key, max_tokens=7)
    assert first.status == 200
    assert gateway.chat(key, max_tokens=200).status == 402
    gateway.stop()
    again = RunningGateway(tmp_path, provider.toml())
    try:
        refused = again.chat(key, max_tokens=200)
        assert refused.status == 402
        assert f"${first.headers['farthing-cost-usd']} is spent" in refused.json["error"]["message"]
    finally:
        again.stop()
