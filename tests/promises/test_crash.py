"""G3 and G7, nothing acknowledged is lost: kill -9 of each process in the middle of a stream."""

from __future__ import annotations

import http.client
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.gateway import RunningGateway, states
from tests.support.provider import COMPLETION_TOKENS, PROMPT_TOKENS, FakeProvider

from farthing.ledger.entry import Hold, Settle, Unresolved, Void

COST = f"0.0000{PROMPT_TOKENS + COMPLETION_TOKENS}"


class OpenStream:
    """A stream of which two events have come, and the rest waits at the provider's gate."""

    def __init__(self, gateway: RunningGateway, provider: FakeProvider, key: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
        body = {"model": "gated", "stream": True, "max_tokens": 9, "messages": []}
        headers = {"authorization": f"Bearer {key}"}
        self.connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        self.response = self.connection.getresponse()
        self.query = self.response.headers["farthing-request-id"]
        assert self.response.readline().startswith(b"data: ")
        assert provider.reached.wait(10)

    def rest(self) -> bytes:
        try:
            return self.response.read()
        finally:
            self.connection.close()


@pytest.fixture
def two_workers(tmp_path: Path, provider: FakeProvider) -> Iterator[RunningGateway]:
    """A gateway whose ledger is a process of its own."""
    running = RunningGateway(tmp_path, "workers = 2\n" + provider.toml())
    yield running
    running.stop()


def test_the_ledger_is_killed_in_mid_stream(
    two_workers: RunningGateway, provider: FakeProvider
) -> None:
    """The stream goes on, new queries are refused, and the settlement is recorded afterwards."""
    gateway, key = two_workers, two_workers.key()
    earlier = gateway.chat(key)
    stream = OpenStream(gateway, provider, key)
    os.kill(gateway.pids["ledger"], signal.SIGKILL)
    refused = gateway.chat_until(key, 503)
    assert refused.headers["farthing-error"] == "ledger_unavailable"
    assert refused.headers["retry-after"] == "1"
    sent = len(provider.seen)
    provider.gate.set()
    assert stream.rest().endswith(b"data: [DONE]\n\n")
    assert len(provider.seen) == sent
    later = gateway.chat_until(key, 200)
    for query in (earlier.query, stream.query, later.query):
        record = gateway.record_when_ended(query, key)
        assert (record["status"], record["cost_usd"]) == ("settled", COST)
    assert _holds_and_endings_match(gateway)


def test_a_worker_is_killed_in_mid_stream(
    two_workers: RunningGateway, provider: FakeProvider
) -> None:
    """Its query shows as unresolved at its maximum; the other worker has served all along."""
    gateway, key = two_workers, two_workers.key(usd="0.01")
    earlier = gateway.chat(key, max_tokens=9)
    stream = OpenStream(gateway, provider, key)
    hold = next(e for e in gateway.entries() if isinstance(e, Hold) and e.id == stream.query)
    os.kill(gateway.pids[hold.worker.rpartition("-")[0]], signal.SIGKILL)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        stream.rest()
    later = gateway.chat_until(key, 200, max_tokens=9)
    for answer in (earlier, later):
        assert gateway.record(answer.query, key)["status"] == "settled"
    record = gateway.record_when_ended(stream.query, key)
    assert (record["status"], record["reason"]) == ("unresolved", "worker_lost")
    account = states(gateway.data)[-1].balance(f"key:{hold.key}", "usd")
    assert account.held == hold.usd
    assert account.posted == 2 * 27_000


@pytest.mark.parametrize("workers", [1, 2])
def test_everything_is_killed_in_mid_stream(
    tmp_path: Path, provider: FakeProvider, workers: int
) -> None:
    """As when the power goes: the next start finds all, and the broken query at its maximum."""
    toml = f"workers = {workers}\n{provider.toml()}"
    gateway = RunningGateway(tmp_path, toml)
    key = gateway.key(usd="0.01")
    answered = [gateway.chat(key, max_tokens=9) for _ in range(3)]
    stream = OpenStream(gateway, provider, key)
    gateway.kill()
    stream.connection.close()
    again = RunningGateway(tmp_path, toml)
    try:
        for answer in answered:
            record = again.record(answer.query, key)
            assert (record["status"], record["cost_usd"]) == ("settled", COST)
        again.wait_until_unresolved(stream.query)
        record = again.record(stream.query, key)
        assert (record["status"], record["cost_usd"]) == ("unresolved", None)
        account = states(again.data)[-1].balance(f"key:{key.split('_')[1]}", "usd")
        hold = next(e for e in again.entries() if isinstance(e, Hold) and e.id == stream.query)
        assert (account.posted, account.held) == (3 * 27_000, hold.usd)
        assert again.chat(key, max_tokens=9).status == 200
        assert _holds_and_endings_match(again)
    finally:
        again.stop()


def test_the_supervisor_is_killed_and_its_children_follow(
    tmp_path: Path, provider: FakeProvider
) -> None:
    """Nothing is left behind that would hold the port or the journal."""
    gateway = RunningGateway(tmp_path, provider.toml())
    key = gateway.key()
    os.kill(gateway.process.pid, signal.SIGKILL)
    gateway.process.wait(10)
    gateway.wait_until_gone()
    gateway.kill()
    again = RunningGateway(tmp_path, provider.toml())
    try:
        assert again.chat(key).status == 200
    finally:
        again.stop()


def test_stopping_lets_open_queries_end(gateway: RunningGateway, provider: FakeProvider) -> None:
    key = gateway.key()
    stream = OpenStream(gateway, provider, key)
    gateway.process.send_signal(signal.SIGTERM)
    gateway.wait_until_refusing()
    provider.gate.set()
    assert stream.rest().endswith(b"data: [DONE]\n\n")
    assert gateway.process.wait(30) == 0
    ended = [e for e in gateway.entries() if isinstance(e, Settle) and e.id == stream.query]
    assert len(ended) == 1


def _holds_and_endings_match(gateway: RunningGateway) -> bool:
    """Every hold has one ending, or is unresolved once."""
    entries = gateway.entries()
    holds = sorted(e.id for e in entries if isinstance(e, Hold))
    return holds == sorted(e.id for e in entries if isinstance(e, Settle | Void | Unresolved))
