"""A worker's ledger over the socket: it refuses while it is down, and loses no ending."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from farthing.ledger import client as client_module
from farthing.ledger.client import RemoteLedger
from farthing.ledger.entry import Entry, Hold, Refusal, Revoke, Settle, Unresolved, Void
from farthing.ledger.journal import Journal
from farthing.ledger.process import OpenLedger
from farthing.ledger.registry import KeyState
from farthing.paths import DataFolder

Build = Callable[..., Any]
Open = Callable[..., Awaitable[OpenLedger]]
Kill = Callable[[OpenLedger], Awaitable[None]]
Run = Callable[[Coroutine[Any, Any, None]], None]
Until = Callable[[Callable[[], bool]], Awaitable[None]]
Block = Callable[[Journal], tuple[threading.Event, threading.Event]]
Groups = Callable[[Path], list[list[Entry]]]

DOWN = Refusal("ledger_unavailable")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "RETRY_SECONDS", 0.005)


@pytest.fixture
def worker(tmp_path: Path) -> Callable[..., RemoteLedger]:
    """Make a worker's ledger, not yet connected."""
    return lambda name="w1": RemoteLedger(DataFolder(tmp_path).socket("ledger"), name)


Worker = Callable[..., RemoteLedger]


def test_a_worker_knows_all_keys_when_it_is_connected(
    run: Run, open_served: Open, worker: Worker, key: Build
) -> None:
    async def test() -> None:
        opened, remote = await open_served(), worker()
        opened.ledger.record(key("k1"))
        ready = [remote.ready]
        await remote.connect()
        assert [*ready, remote.ready] == [False, True]
        assert remote.keys == {"k1": KeyState(key("k1"))}
        await remote.close()
        await opened.close()

    run(test())


def test_a_worker_hears_of_each_change_of_a_key(
    run: Run, until: Until, open_served: Open, worker: Worker, key: Build
) -> None:
    async def test() -> None:
        opened, remote = await open_served(), worker()
        await remote.connect()
        opened.ledger.record(key("k1"))
        await until(lambda: "k1" in remote.keys)
        opened.ledger.record(Revoke(7, "ann", "k1"))
        await until(lambda: remote.keys["k1"].revoked_at == 7)
        await remote.close()
        await opened.close()

    run(test())


def test_a_worker_waits_for_a_ledger_that_is_still_starting(
    run: Run, open_served: Open, worker: Worker
) -> None:
    async def test() -> None:
        remote = worker()
        connecting = asyncio.ensure_future(remote.connect())
        await asyncio.sleep(0.02)
        assert not connecting.done()
        opened = await open_served()
        await connecting
        await remote.close()
        await opened.close()

    run(test())


def test_a_query_is_held_and_settled(
    run: Run, open_served: Open, worker: Worker, key: Build, hold: Build, settle: Build
) -> None:
    async def test() -> None:
        opened, remote = await open_served(), worker()
        opened.ledger.record(key("k1"))
        await remote.connect()
        assert await remote.hold(hold()).in_task() is None
        assert opened.ledger.state.holds == {"q1": hold()}
        assert await remote.end(settle()).in_task() is None
        assert await remote.end(settle()).in_task() == Refusal("not_open")
        assert opened.ledger.state.balance("key:k1", "usd").posted == 60
        await remote.close()
        await opened.close()

    run(test())


def test_each_of_many_queries_gets_its_own_answer(
    run: Run, open_served: Open, worker: Worker, key: Build, hold: Build, limit: Build
) -> None:
    async def test() -> None:
        opened, remote = await open_served(durability="power"), worker()
        opened.ledger.record(key("k1"))
        opened.ledger.record(limit(100))
        await remote.connect()
        sizes = {"q1": 60, "q2": 60, "q3": 40, "q4": 1}
        outcomes = {q: remote.hold(hold(q, usd=usd)) for q, usd in sizes.items()}
        granted = {q: await outcome.in_task() is None for q, outcome in outcomes.items()}
        assert granted == {"q1": True, "q2": False, "q3": True, "q4": False}
        await remote.close()
        await opened.close()

    run(test())


def test_a_hold_is_not_granted_before_the_ledger_has_it_on_its_disk(
    run: Run,
    open_served: Open,
    open_journal: Callable[..., Journal],
    block_sync: Block,
    worker: Worker,
    key: Build,
    hold: Build,
) -> None:
    async def test() -> None:
        journal, remote = open_journal(), worker()
        opened = await open_served(durability="power", journal=journal)
        await opened.ledger.record(key("k1")).in_task()
        await remote.connect()
        syncing, gate = block_sync(journal)
        outcome = remote.hold(hold())
        assert await asyncio.to_thread(syncing.wait, 10)
        await asyncio.sleep(0.02)
        assert not outcome.done
        gate.set()
        assert await outcome.in_task() is None and journal.durable == 3
        await remote.close()
        await opened.close()

    run(test())


# -- a ledger that dies and comes back ----------------------------------------------------------


def test_nothing_is_held_before_the_ledger_was_there(run: Run, worker: Worker, hold: Build) -> None:
    async def test() -> None:
        assert worker().hold(hold()).result() == DOWN

    run(test())


def test_while_the_ledger_is_gone_queries_are_refused_and_then_taken_again(
    run: Run,
    until: Until,
    open_served: Open,
    kill_ledger: Kill,
    worker: Worker,
    key: Build,
    hold: Build,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test() -> None:
        first, remote = await open_served(), worker()
        first.ledger.record(key("k1"))
        await remote.connect()
        await kill_ledger(first)
        await until(lambda: not remote.ready)
        assert remote.hold(hold("meanwhile")).result() == DOWN
        second = await open_served()
        await until(lambda: remote.ready)
        assert await remote.hold(hold("after")).in_task() is None
        assert list(second.ledger.state.holds) == ["after"]
        await remote.close()
        await second.close()

    run(test())
    assert "the ledger is gone; queries are refused until it is back" in caplog.text


def test_a_worker_is_not_ready_before_the_next_ledger_has_told_its_keys(
    run: Run, until: Until, tmp_path: Path, worker: Worker, hold: Build
) -> None:
    async def test() -> None:
        connected = asyncio.Event()
        loop = asyncio.get_running_loop()

        class Silent(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                connected.set()

        server = await loop.create_unix_server(Silent, str(tmp_path / "ledger.sock"))
        remote = worker()
        connecting = asyncio.ensure_future(remote.connect())
        await connected.wait()
        await asyncio.sleep(0.02)
        assert not remote.ready and not connecting.done()
        assert remote.hold(hold()).result() == DOWN
        connecting.cancel()
        await remote.close()
        server.close()

    run(test())


def test_an_ending_that_comes_while_the_ledger_is_gone_is_recorded_once_when_it_is_back(
    run: Run,
    until: Until,
    tmp_path: Path,
    open_served: Open,
    kill_ledger: Kill,
    groups_in: Groups,
    worker: Worker,
    key: Build,
    hold: Build,
    settle: Build,
) -> None:
    async def test() -> None:
        opened, remote = await open_served(), worker()
        opened.ledger.record(key("k1"))
        await remote.connect()
        await remote.hold(hold()).in_task()
        await kill_ledger(opened)
        await until(lambda: not remote.ready)
        assert remote.end(settle()).result() == DOWN, "it does not count yet"
        for _ in range(2):  # it comes back, and dies and comes back once more
            opened = await open_served()
            await until(lambda: remote.ready)
            await until(lambda: not opened.ledger.state.holds)  # noqa: B023
            await kill_ledger(opened)
            await until(lambda: not remote.ready)
        await remote.close()

    run(test())
    written = [e for group in groups_in(tmp_path / "journal") for e in group]
    assert [e for e in written if isinstance(e, Settle | Void | Unresolved)] == [settle()]


def test_an_ending_whose_answer_was_lost_is_sent_again_and_counts_once(
    run: Run,
    until: Until,
    tmp_path: Path,
    open_served: Open,
    open_journal: Callable[..., Journal],
    kill_ledger: Kill,
    block_sync: Block,
    groups_in: Groups,
    worker: Worker,
    key: Build,
    hold: Build,
    settle: Build,
) -> None:
    async def test() -> None:
        journal, remote = open_journal(), worker()
        first = await open_served(durability="power", journal=journal)
        await first.ledger.record(key("k1")).in_task()
        await remote.connect()
        await remote.hold(hold()).in_task()
        syncing, gate = block_sync(journal)
        outcome = remote.end(settle())
        assert await asyncio.to_thread(syncing.wait, 10)
        killing = asyncio.ensure_future(kill_ledger(first))
        await until(lambda: outcome.done)
        assert outcome.result() == DOWN
        gate.set()
        await killing
        second = await open_served()
        await remote.close()
        await second.close()

    run(test())
    written = [e for group in groups_in(tmp_path / "journal") for e in group]
    assert [e for e in written if isinstance(e, Settle)] == [settle()]


def test_a_hold_whose_answer_was_lost_is_refused_and_voided(
    run: Run,
    until: Until,
    tmp_path: Path,
    open_served: Open,
    open_journal: Callable[..., Journal],
    kill_ledger: Kill,
    block_sync: Block,
    groups_in: Groups,
    worker: Worker,
    key: Build,
    hold: Build,
) -> None:
    async def test() -> None:
        journal, remote = open_journal(), worker()
        first = await open_served(durability="power", journal=journal)
        await first.ledger.record(key("k1")).in_task()
        await remote.connect()
        syncing, gate = block_sync(journal)
        outcome = remote.hold(hold())
        assert await asyncio.to_thread(syncing.wait, 10)
        killing = asyncio.ensure_future(kill_ledger(first))
        await until(lambda: outcome.done)
        assert outcome.result() == DOWN
        gate.set()
        await killing
        second = await open_served()
        assert set(second.ledger.state.holds) == {"q1"}, "it was recorded, only the answer is lost"
        await until(lambda: not second.ledger.state.holds)
        assert second.ledger.state.balance("key:k1", "usd").posted == 0
        await remote.close()
        await second.close()

    run(test())
    last = groups_in(tmp_path / "journal")[-1][-1]
    assert isinstance(last, Void) and (last.id, last.reason) == ("q1", "hold_not_acknowledged")


def test_a_hold_that_never_reached_the_journal_leaves_nothing_behind(
    run: Run,
    until: Until,
    open_served: Open,
    kill_ledger: Kill,
    worker: Worker,
    key: Build,
    hold: Build,
) -> None:
    async def test() -> None:
        first, remote = await open_served(), worker()
        first.ledger.record(key("k1"))
        await remote.connect()
        outcome = remote.hold(hold())  # still in this turn's write when the ledger dies
        await kill_ledger(first)
        assert await outcome.in_task() == DOWN
        second = await open_served()
        await asyncio.wait_for(remote.close(), 2)  # the void is answered, so nothing is waited for
        assert not second.ledger.state.holds
        await second.close()

    run(test())


def test_a_worker_that_comes_back_keeps_its_open_queries(
    run: Run,
    until: Until,
    open_served: Open,
    kill_ledger: Kill,
    worker: Worker,
    key: Build,
    hold: Build,
    settle: Build,
) -> None:
    async def test() -> None:
        first, back, gone = await open_served(), worker("back"), worker("gone")
        first.ledger.record(key("k1"))
        for remote in (back, gone):
            await remote.connect()
        await back.hold(hold("q1", worker="back")).in_task()
        await gone.hold(hold("q2", worker="gone")).in_task()
        await gone.close()
        await until(lambda: set(first.ledger.state.unresolved) == {"q2"})
        await kill_ledger(first)
        await until(lambda: not back.ready)
        second = await open_served()
        await until(lambda: back.ready)
        second.server.give_up_strangers()
        assert set(second.ledger.state.unresolved) == {"q2"}
        assert await back.end(settle("q1")).in_task() is None
        await back.close()
        await second.close()

    run(test())


def test_a_worker_that_lost_only_its_connection_settles_what_was_given_up(
    run: Run,
    until: Until,
    open_served: Open,
    worker: Worker,
    key: Build,
    hold: Build,
    settle: Build,
) -> None:
    async def test() -> None:
        opened, remote = await open_served(), worker()
        opened.ledger.record(key("k1"))
        await remote.connect()
        await remote.hold(hold()).in_task()
        transport = opened.server.attached["w1"].transport
        assert transport is not None
        transport.abort()
        await until(lambda: set(opened.ledger.state.unresolved) == {"q1"})
        remote.end(settle())
        await until(lambda: not opened.ledger.state.holds)
        assert opened.ledger.state.balance("key:k1", "usd").posted == 60
        await remote.close()
        await opened.close()

    run(test())


def test_an_ending_that_comes_while_the_ledger_is_coming_back_is_recorded(
    run: Run,
    until: Until,
    tmp_path: Path,
    open_served: Open,
    kill_ledger: Kill,
    worker: Worker,
    key: Build,
    hold: Build,
    settle: Build,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        first, remote = await open_served(), worker()
        first.ledger.record(key("k1"))
        await remote.connect()
        await remote.hold(hold()).in_task()
        await kill_ledger(first)
        await until(lambda: not remote.ready)
        told = client_module._Connection.message

        def ending_first(connection: client_module._Connection, data: bytes) -> None:
            if not remote.ready:  # these are the keys, and just before them the query ends
                remote.end(settle())
            told(connection, data)

        monkeypatch.setattr(client_module._Connection, "message", ending_first)
        second = await open_served()
        await until(lambda: remote.ready)
        try:
            await asyncio.wait_for(until(lambda: not second.ledger.state.holds), 0.3)
        finally:
            await remote.close(patience=0.01)
            await second.close()

    run(test())


# -- the end ------------------------------------------------------------------------------------


def test_closing_waits_until_every_ending_is_recorded(
    run: Run,
    open_served: Open,
    open_journal: Callable[..., Journal],
    block_sync: Block,
    worker: Worker,
    key: Build,
    hold: Build,
    settle: Build,
) -> None:
    async def test() -> None:
        journal, remote = open_journal(), worker()
        opened = await open_served(durability="power", journal=journal)
        await opened.ledger.record(key("k1")).in_task()
        await remote.connect()
        for query in ("q1", "q2"):
            await remote.hold(hold(query)).in_task()
        syncing, gate = block_sync(journal)
        remote.end(settle("q1"))
        assert await asyncio.to_thread(syncing.wait, 10)
        remote.end(settle("q2"))
        closing = asyncio.ensure_future(remote.close())
        await asyncio.sleep(0.02)
        assert not closing.done()
        gate.set()
        await closing
        assert journal.durable == journal.position == 6
        await opened.close()

    run(test())


def test_closing_without_a_ledger_ends_when_patience_does_and_says_what_is_not_recorded(
    run: Run, worker: Worker, settle: Build, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        remote = worker()
        remote.end(settle("q1"))
        remote.end(settle("q2"))
        await remote.close(patience=0.01)

    run(test())
    assert "2 endings could not be recorded; they stay held" in caplog.text


def test_a_closed_worker_does_not_come_back(
    run: Run, until: Until, open_served: Open, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        opened, remote = await open_served(), worker()
        await remote.connect()
        await remote.close()
        await until(lambda: not opened.server.attached)
        await asyncio.sleep(0.02)
        assert not opened.server.attached and not remote.ready
        await opened.close()

    run(test())
    assert "the ledger is gone" not in caplog.text


def test_a_worker_that_is_closed_while_the_ledger_is_gone_stops_trying(
    run: Run, until: Until, open_served: Open, kill_ledger: Kill, worker: Worker
) -> None:
    async def test() -> None:
        first, remote = await open_served(), worker()
        await remote.connect()
        await kill_ledger(first)
        await until(lambda: not remote.ready)
        await remote.close()
        second = await open_served()
        await asyncio.sleep(0.03)
        assert not second.server.attached
        await second.close()

    run(test())


def test_what_a_hold_asks_for_is_what_the_ledger_records(
    run: Run, open_served: Open, worker: Worker, key: Build, hold: Build
) -> None:
    async def test() -> None:
        opened, remote = await open_served(), worker()
        opened.ledger.record(key("k1"))
        await remote.connect()
        asked: Hold = hold("q1", usd=2**62, tokens=7, path=("key:k1", "org:é"))
        assert await remote.hold(asked).in_task() is None
        assert opened.ledger.state.holds["q1"] == asked
        await remote.close()
        await opened.close()

    run(test())
