"""Workers: one port, one ledger, and what each is told while it runs."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import cast

import pytest
from tests.support.gateway import Answer, RunningGateway, states
from tests.support.provider import FakeProvider

from farthing import clock, money
from farthing.ledger import admin
from farthing.ledger.entry import Hold, Revoke, Settle
from farthing.providers.load import LOCAL
from farthing.proxy import worker as module
from farthing.proxy.app import App
from farthing.proxy.worker import bind, raise_file_limit, usable_providers
from farthing.runtime import LocalModel, Runtime
from farthing.settings import Settings
from farthing.wire import families

WAIT_SECONDS = 20
COST = 27_000


# -- the parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_workers_share_an_address(host: str) -> None:
    try:
        first = bind(host, 0)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with first, bind(host, first.getsockname()[1]) as second:
        for listener in (first, second):
            listener.listen()
        assert first.getsockname() == second.getsockname()
        with socket.socket(first.family) as stranger, pytest.raises(OSError):
            stranger.bind(first.getsockname())


def test_a_worker_may_open_as_many_files_as_the_system_lets_it() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_embedded_model_is_a_provider_only_while_it_runs() -> None:
    told = Runtime("worker-1", "/nowhere", Settings(), "digest")
    assert not usable_providers(told)[LOCAL].usable()
    running = Runtime(
        "worker-1", "/nowhere", Settings(), "digest", local=LocalModel("http://127.0.0.1:7", "s")
    )
    local = usable_providers(running)[LOCAL]
    assert (local.usable(), local.base_url, local.key) == (True, "http://127.0.0.1:7", "s")


@pytest.mark.parametrize("tls", [True, False])
def test_what_the_first_query_does_not_wait_for_is_done_then(
    monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    done: list[str] = []
    monkeypatch.setattr(families, "load", lambda: done.append("translations"))
    monkeypatch.setattr(module, "spare_collections", lambda: done.append("heap"))
    app = SimpleNamespace(pool=SimpleNamespace(load_tls=lambda: done.append("certificates")))
    module._settle_in(cast(App, app), tls=tls)
    assert done == ["translations", *(["certificates"] if tls else []), "heap"]


# -- two of them ----------------------------------------------------------------------------------


@pytest.fixture
def two_workers(
    tmp_path_factory: pytest.TempPathFactory, provider: FakeProvider
) -> Iterator[RunningGateway]:
    """A gateway whose ledger is a process of its own."""
    folder = tmp_path_factory.mktemp("workers")
    running = RunningGateway(folder, "workers = 2\n" + provider.toml())
    yield running
    running.stop()


def worker_of(gateway: RunningGateway, query: str) -> str:
    """Return the id of the run of the worker that served a query."""
    return next(e.worker for e in gateway.entries() if isinstance(e, Hold) and e.id == query)


def name_of(worker: str) -> str:
    return worker.rpartition("-")[0]


class Pinned:
    """A kept-alive connection, and so always the same worker."""

    def __init__(self, gateway: RunningGateway, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
        self.worker = worker_of(gateway, self.ask(key).query)

    def ask(self, key: str) -> Answer:
        body = {"model": "echo", "max_tokens": 9, "messages": []}
        headers = {"authorization": f"Bearer {key}"}
        self._connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        return Answer(self._connection.getresponse())

    def ask_until(self, key: str, status: int) -> Answer:
        """Ask until the answer has a status: the worker is told of keys beside its queries."""
        until = time.monotonic() + WAIT_SECONDS
        while (answer := self.ask(key)).status != status:
            assert time.monotonic() < until, f"{self.worker} never answered {status}"
        return answer

    def close(self) -> None:
        self._connection.close()


def pinned(gateway: RunningGateway, key: str, not_in: tuple[str, ...] = ()) -> dict[str, Pinned]:
    """Connect until both workers are met; runs of workers that are no more do not count."""
    found: dict[str, Pinned] = {}
    until = time.monotonic() + WAIT_SECONDS
    while len(found) < 2:
        assert time.monotonic() < until, f"only {list(found)} serve"
        try:
            made = Pinned(gateway, key)
        except (http.client.HTTPException, OSError):  # it went to one that is being killed
            continue
        if made.worker in not_in or name_of(made.worker) in found:
            made.close()
        else:
            found[name_of(made.worker)] = made
    return found


def test_both_serve_on_one_port_and_the_records_add_up(two_workers: RunningGateway) -> None:
    key = two_workers.key(usd="1")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: two_workers.chat(key, max_tokens=9), range(40)))
    assert {answer.status for answer in answers} == {200}
    queries = {answer.query for answer in answers}
    assert len(queries) == 40
    assert {name_of(worker_of(two_workers, q)) for q in queries} == {"worker-1", "worker-2"}
    settled = [e for e in two_workers.entries() if isinstance(e, Settle)]
    assert {e.id for e in settled} == queries
    assert sum(e.usd for e in settled) == 40 * COST
    account = states(two_workers.data)[-1].balance(f"key:{key.split('_')[1]}", "usd")
    assert (account.posted, account.held) == (40 * COST, 0)
    records = [two_workers.record(query, key) for query in queries]  # from whichever worker
    assert sum(money.nanodollars(r["cost_usd"]) for r in records) == 40 * COST


def test_keys_that_are_made_and_revoked_while_they_run(two_workers: RunningGateway) -> None:
    both = pinned(two_workers, two_workers.key())
    new = two_workers.key()
    for worker in both.values():
        worker.ask_until(new, 200)
    revoked = Revoke(clock.wall(), "test", new.split("_")[1])
    assert asyncio.run(admin.record(two_workers.data, [revoked])) == [None]
    for worker in both.values():
        refused = worker.ask_until(new, 401)
        assert refused.headers["farthing-error"] == "revoked_key"
        worker.close()


def test_one_that_is_killed_is_missed_by_nobody_and_comes_back(two_workers: RunningGateway) -> None:
    key = two_workers.key(usd="1")
    before = pinned(two_workers, key)
    one, other = before["worker-1"], before["worker-2"]
    os.kill(two_workers.pids["worker-1"], signal.SIGKILL)
    with pytest.raises((http.client.HTTPException, OSError)):
        for _ in range(100):
            one.ask(key)
    assert {other.ask(key).status for _ in range(20)} == {200}
    after = pinned(two_workers, key, not_in=(one.worker,))
    assert after["worker-1"].worker != one.worker, "a new run of it has an id of its own"
    assert after["worker-2"].worker == other.worker
    settled = [e.usd for e in two_workers.entries() if isinstance(e, Settle)]
    account = states(two_workers.data)[-1].balance(f"key:{key.split('_')[1]}", "usd")
    assert (account.posted, account.held) == (sum(settled), 0)
    for connection in (one, other, *after.values()):
        connection.close()
