"""G1, a limit is never passed: many queries at once against a budget for a few of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.gateway import Answer, RunningGateway, states
from tests.support.provider import FakeProvider

from farthing import money
from farthing.ledger.entry import Hold, Settle

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
