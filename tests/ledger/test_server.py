"""The ledger's socket: what workers are told, and what becomes of those that go."""

from __future__ import annotations

import asyncio
import logging
import os
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from farthing import clock
from farthing.ledger import server as server_module
from farthing.ledger.account import Balance
from farthing.ledger.entry import Refusal, Revoke, Unresolved, Void
from farthing.ledger.journal import Journal
from farthing.ledger.process import OpenLedger
from farthing.ledger.protocol import (
    Append,
    AskStanding,
    Attach,
    FromLedger,
    Known,
    Outcome,
    ToLedger,
    decode_from_ledger,
    encode,
)
from farthing.ledger.registry import KeyState
from farthing.ledger.standing import Standing
from farthing.paths import DataFolder

Build = Callable[..., Any]
Open = Callable[..., Awaitable[OpenLedger]]
Run = Callable[[Coroutine[Any, Any, None]], None]
Until = Callable[[Callable[[], bool]], Awaitable[None]]
Block = Callable[[Journal], tuple[threading.Event, threading.Event]]


class Caller:
    """One connection to the ledger, spoken to by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, *messages: ToLedger) -> None:
        for message in messages:
            data = encode(message)
            self.writer.write(struct.pack("<I", len(data)) + data)

    async def hear(self) -> FromLedger:
        (length,) = struct.unpack("<I", await self.reader.readexactly(4))
        told: FromLedger = decode_from_ledger(await self.reader.readexactly(length))
        return told

    async def ask(self, message: ToLedger) -> FromLedger:
        self.say(message)
        return await self.hear()

    async def ended(self) -> bool:
        return await self.reader.read() == b""


@asynccontextmanager
async def caller(folder: Path) -> AsyncIterator[Caller]:
    made = Caller(*await asyncio.open_unix_connection(DataFolder(folder).socket("ledger")))
    try:
        yield made
    finally:
        made.writer.close()
        await made.writer.wait_closed()


def test_only_its_owner_can_reach_the_socket_and_the_umask_is_as_before(
    run: Run, tmp_path: Path, open_served: Open
) -> None:
    async def test() -> None:
        before = os.umask(0)
        try:
            opened = await open_served()
            assert os.umask(0) == 0
        finally:
            os.umask(before)
        assert (tmp_path / "ledger.sock").stat().st_mode & 0o777 == 0o600
        await opened.close()

    run(test())


def test_a_socket_that_a_dead_ledger_left_is_replaced(
    run: Run, tmp_path: Path, open_served: Open
) -> None:
    async def test() -> None:
        (tmp_path / "ledger.sock").write_text("left over")
        opened = await open_served()
        async with caller(tmp_path) as worker:
            assert await worker.ask(Attach("w1")) == Known([], [])
        await opened.close()

    run(test())


# -- keys ---------------------------------------------------------------------------------------


def test_a_worker_is_told_all_keys_when_it_attaches(
    run: Run, tmp_path: Path, open_served: Open, key: Build
) -> None:
    async def test() -> None:
        opened = await open_served()
        for entry in (key("k1"), key("k2"), Revoke(7, "ann", "k1")):
            opened.ledger.record(entry)
        async with caller(tmp_path) as worker:
            told = await worker.ask(Attach("w1"))
        assert told == Known([KeyState(key("k1"), 7), KeyState(key("k2"))], [])
        await opened.close()

    run(test())


def test_every_worker_is_told_each_key_that_changes(
    run: Run, tmp_path: Path, open_served: Open, key: Build
) -> None:
    async def test() -> None:
        opened = await open_served()
        async with caller(tmp_path) as one, caller(tmp_path) as two:
            workers = [one, two]
            for number, worker in enumerate(workers):
                await worker.ask(Attach(f"w{number}"))
            opened.ledger.record(key("k1"))
            assert [await w.hear() for w in workers] == [Known([KeyState(key("k1"))], [])] * 2
            opened.ledger.record(Revoke(7, "ann", "k1"))
            assert [await w.hear() for w in workers] == [Known([KeyState(key("k1"), 7)], [])] * 2
        await opened.close()

    run(test())


def test_a_command_is_not_told_keys_that_it_did_not_ask_for(
    run: Run, tmp_path: Path, open_served: Open, key: Build
) -> None:
    async def test() -> None:
        opened = await open_served()
        async with caller(tmp_path) as command:
            assert await command.ask(Append(5, key("k1"))) == Outcome(5, None)
        await opened.close()

    run(test())


# -- entries ------------------------------------------------------------------------------------


def test_a_query_is_held_and_settled_under_the_numbers_it_was_asked_with(
    run: Run, tmp_path: Path, open_served: Open, key: Build, hold: Build, settle: Build
) -> None:
    async def test() -> None:
        opened = await open_served()
        opened.ledger.record(key("k1"))
        async with caller(tmp_path) as worker:
            assert await worker.ask(Append(41, hold())) == Outcome(41, None)
            assert await worker.ask(Append(42, settle())) == Outcome(42, None)
            assert await worker.ask(Append(43, settle())) == Outcome(43, Refusal("not_open"))
            again = await worker.ask(Append(44, Void(9, "q1", "not_sent")))
            assert again == Outcome(44, Refusal("not_open"))
        assert opened.ledger.state.balance("key:k1", "usd").posted == 60
        await opened.close()

    run(test())


def test_a_refusal_travels_with_its_numbers(
    run: Run, tmp_path: Path, open_served: Open, key: Build, hold: Build, limit: Build
) -> None:
    async def test() -> None:
        opened = await open_served()
        async with caller(tmp_path) as command:
            await command.ask(Append(1, limit(50)))
            await command.ask(Append(2, key("k1")))
            told = await command.ask(Append(3, hold(usd=51)))
        assert told == Outcome(3, Refusal("limit_reached", "key:k1", "usd", 50, 0, 0, 51))
        await opened.close()

    run(test())


def test_no_outcome_is_told_before_it_is_durable(
    run: Run,
    tmp_path: Path,
    open_served: Open,
    open_journal: Callable[..., Journal],
    block_sync: Block,
    key: Build,
) -> None:
    async def test() -> None:
        journal = open_journal()
        opened = await open_served(durability="power", journal=journal)
        syncing, gate = block_sync(journal)
        async with caller(tmp_path) as command:
            command.say(Append(1, key("k1")))
            assert await asyncio.to_thread(syncing.wait, 10)
            # The answer to a later question comes first: the outcome is still held back.
            assert isinstance(await command.ask(AskStanding()), Standing)
            gate.set()
            assert await command.hear() == Outcome(1, None)
        assert journal.durable == 2
        await opened.close()

    run(test())


def test_every_balance_and_key_can_be_asked_for(
    run: Run, tmp_path: Path, open_served: Open, key: Build, limit: Build
) -> None:
    async def test() -> None:
        opened = await open_served()
        opened.ledger.record(key("k1"))
        opened.ledger.record(limit(500))
        async with caller(tmp_path) as command:
            told = await command.ask(AskStanding())
        assert isinstance(told, Standing)
        assert told.balances[0] == Balance("key:k1", "usd", 0, 0, 500)
        assert told.keys == [KeyState(key("k1"))]
        await opened.close()

    run(test())


def test_a_message_that_cannot_be_read_ends_its_connection_alone(
    run: Run, tmp_path: Path, open_served: Open, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        opened = await open_served()
        async with caller(tmp_path) as worker, caller(tmp_path) as stranger:
            await worker.ask(Attach("w1"))
            stranger.writer.write(struct.pack("<I", 3) + b"hi!")
            assert await stranger.ended()
            assert isinstance(await worker.ask(AskStanding()), Standing)
        await opened.close()

    run(test())
    assert "cannot be read" in caplog.text


# -- workers that go ----------------------------------------------------------------------------


def test_what_is_unresolved_for_too_long_is_posted_at_its_most(
    run: Run,
    tmp_path: Path,
    open_served: Open,
    key: Build,
    hold: Build,
    monkeypatch: pytest.MonkeyPatch,
    until: Until,
) -> None:
    async def test() -> None:
        monkeypatch.setattr(server_module, "EXPIRE_SECONDS", 0.01)
        opened = await open_served()
        state, ledger, now = opened.ledger.state, opened.ledger, clock.wall()
        ledger.record(key("k1"))
        for query, given_up in (("old", now - 2 * server_module.DAY), ("young", now)):
            ledger.hold(hold(query, usd=100))
            ledger.end(Unresolved(given_up, query, "lost"))
        opened.server.expire(1)
        assert list(state.unresolved) == ["young"]
        assert state.balance("key:k1", "usd").posted == 100
        ledger.hold(hold("later", usd=10))
        ledger.end(Unresolved(now - 2 * server_module.DAY, "later", "lost"))
        await until(lambda: "later" not in state.unresolved)  # at the next look
        await opened.close()

    run(test())


def test_a_worker_whose_connection_ends_leaves_its_open_queries_unresolved(
    run: Run,
    until: Until,
    tmp_path: Path,
    open_served: Open,
    key: Build,
    hold: Build,
    settle: Build,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test() -> None:
        opened = await open_served()
        state = opened.ledger.state
        opened.ledger.record(key("k1"))
        async with caller(tmp_path) as other:
            await other.ask(Attach("w2"))
            await other.ask(Append(1, hold("theirs", worker="w2")))
            async with caller(tmp_path) as worker:
                await worker.ask(Attach("w1"))
                await worker.ask(Append(1, hold("ended", worker="w1")))
                await worker.ask(Append(2, settle("ended")))
                await worker.ask(Append(3, hold("open", worker="w1")))
            await until(lambda: "w1" not in opened.server.attached)
            assert set(state.unresolved) == {"open"} and set(state.holds) == {"open", "theirs"}
            assert state.balance("key:k1", "usd").held == 200
        await until(lambda: not opened.server.attached)
        await opened.close()

    run(test())
    assert "worker w1 is gone; 1 of its queries stay unresolved" in caplog.text


def test_a_command_that_hangs_up_gives_nothing_up(
    run: Run, until: Until, tmp_path: Path, open_served: Open, key: Build, hold: Build
) -> None:
    async def test() -> None:
        opened = await open_served()
        opened.ledger.record(key("k1"))
        opened.ledger.hold(hold(worker=""))
        async with caller(tmp_path) as command:
            await command.ask(AskStanding())
        async with caller(tmp_path) as command:  # by its answer the end of the first is known
            await command.ask(AskStanding())
        assert not opened.ledger.state.unresolved
        await opened.close()

    run(test())


def test_a_worker_that_came_back_is_not_gone_when_its_old_connection_ends(
    run: Run, until: Until, tmp_path: Path, open_served: Open, key: Build, hold: Build
) -> None:
    async def test() -> None:
        opened = await open_served()
        opened.ledger.record(key("k1"))
        async with caller(tmp_path) as new:
            async with caller(tmp_path) as old:
                await old.ask(Attach("w1"))
                await old.ask(Append(1, hold(worker="w1")))
                first = opened.server.attached["w1"]
                await new.ask(Attach("w1"))
            await until(lambda: first.transport is None)
            assert not opened.ledger.state.unresolved and "w1" in opened.server.attached
        await until(lambda: set(opened.ledger.state.unresolved) == {"q1"})
        await opened.close()

    run(test())


def test_strangers_queries_are_given_up_after_the_grace_and_not_those_of_who_came_back(
    run: Run,
    until: Until,
    tmp_path: Path,
    open_served: Open,
    key: Build,
    hold: Build,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert server_module.GRACE_SECONDS >= 1

    async def test() -> None:
        before = await open_served()
        before.ledger.record(key("k1"))
        before.ledger.hold(hold("lost", worker="w1"))
        before.ledger.hold(hold("kept", worker="w2"))
        await before.close()
        monkeypatch.setattr(server_module, "GRACE_SECONDS", 0.1)
        opened = await open_served()
        async with caller(tmp_path) as back:
            await back.ask(Attach("w2"))
            assert not opened.ledger.state.unresolved, "the grace is not over"
            await until(lambda: bool(opened.ledger.state.unresolved))
            assert set(opened.ledger.state.unresolved) == {"lost"}
        await until(lambda: not opened.server.attached)
        await opened.close()

    run(test())


def test_a_ledger_in_its_worker_gives_up_all_earlier_runs_at_once(
    run: Run, open_served: Open, key: Build, hold: Build
) -> None:
    async def test() -> None:
        before = await open_served()
        before.ledger.record(key("k1"))
        before.ledger.hold(hold("lost", worker="w-old"))
        before.ledger.hold(hold("mine", worker="w-new"))
        await before.close()
        opened = await open_served(own_worker="w-new")
        assert set(opened.ledger.state.unresolved) == {"lost"}
        await opened.close()

    run(test())


def test_giving_up_again_does_not_end_a_query_twice(
    run: Run, open_served: Open, key: Build, hold: Build, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        opened = await open_served()
        opened.ledger.record(key("k1"))
        opened.ledger.hold(hold())
        opened.server.give_up_strangers()
        position = opened.ledger.state.position
        opened.server.give_up_strangers()
        assert opened.ledger.state.position == position
        await opened.close()

    with caplog.at_level(logging.WARNING):
        run(test())
    assert caplog.text.count("is gone") == 1


def test_a_closed_server_gives_no_strangers_up(
    run: Run, open_served: Open, key: Build, hold: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "GRACE_SECONDS", 0.01)

    async def test() -> None:
        opened = await open_served()
        opened.ledger.record(key("k1"))
        opened.ledger.hold(hold())
        lost: list[str] = []
        monkeypatch.setattr(opened.server, "worker_lost", lost.append)
        await opened.close()
        await asyncio.sleep(0.03)
        assert lost == []

    run(test())


def test_a_closed_server_serves_nobody_and_gives_nobody_up(
    run: Run, tmp_path: Path, open_served: Open, hold: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        opened = await open_served()
        reached: list[object] = []
        async with caller(tmp_path) as worker:
            await worker.ask(Attach("w1"))
            monkeypatch.setattr(opened.server, "worker_lost", reached.append)
            monkeypatch.setattr(opened.ledger, "hold", reached.append)
            await opened.close()
            with suppress(OSError):
                worker.say(Append(1, hold()))
        await asyncio.sleep(0.03)
        assert reached == []

    run(test())


def test_a_closed_server_takes_no_connection(run: Run, tmp_path: Path, open_served: Open) -> None:
    async def test() -> None:
        opened = await open_served()
        await opened.close()
        with pytest.raises(OSError, match=r"refused|No such file"):
            async with caller(tmp_path):
                pass

    run(test())
