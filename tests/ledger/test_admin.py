"""Administering a ledger: the same through a running gateway and in the journal itself."""

from __future__ import annotations

import asyncio
import getpass
import socket
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from farthing import clock
from farthing.errors import ConfigError
from farthing.ledger import admin
from farthing.ledger.account import Balance
from farthing.ledger.entry import Entry, Genesis, Refusal, Revoke
from farthing.ledger.frames import FrameProtocol
from farthing.ledger.journal import FIRST_SEGMENT, Journal, JournalDamagedError
from farthing.ledger.process import OpenLedger
from farthing.ledger.registry import KeyState
from farthing.paths import DataFolder

Build = Callable[..., Any]
Open = Callable[..., Awaitable[OpenLedger]]
Run = Callable[[Coroutine[Any, Any, None]], None]
Groups = Callable[[Path], list[list[Entry]]]

BALANCES = [
    Balance("key:k1", "usd", 60, 0, 500),
    Balance("key:k1", "tokens", 5, 0, None),
    Balance("key:k1", "requests", 1, 0, None),
    Balance("key:k1", "concurrent", 0, 0, None),
]


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path)


@pytest.fixture
def entries(key: Build, limit: Build, hold: Build, settle: Build) -> list[Entry]:
    """A key, what it may spend, and what it spent."""
    return [limit(500), key(), hold(), settle(), Revoke(7, "ann", "k1")]


# -- while no gateway runs ------------------------------------------------------------------------


def test_without_a_gateway_the_journal_takes_the_entries_and_gives_the_balances(
    run: Run, data: DataFolder, groups_in: Groups, entries: list[Entry], key: Build
) -> None:
    async def test() -> None:
        assert await admin.record(data, entries) == [None] * 5
        genesis, written = groups_in(data.journal)
        assert [type(entry) for entry in genesis] == [Genesis]
        assert written == entries
        for _ in range(2):  # nobody keeps the journal's lock
            told = await admin.read_standing(data)
            assert (told.balances, told.keys) == (BALANCES, [KeyState(key(), 7)])

    run(test())


def test_without_a_gateway_each_entry_has_its_answer_and_a_refused_one_is_not_written(
    run: Run, data: DataFolder, groups_in: Groups, key: Build
) -> None:
    async def test() -> None:
        asked = [Revoke(7, "ann", "k1"), key("k1"), key("k1"), key("k2")]
        refusals = [Refusal("unknown_key"), None, Refusal("duplicate"), None]
        assert await admin.record(data, asked) == refusals
        assert groups_in(data.journal)[1:] == [[key("k1"), key("k2")]]
        assert await admin.record(data, [key("k2")]) == [Refusal("duplicate")]
        assert groups_in(data.journal)[1:] == [[key("k1"), key("k2")]]

    run(test())


def test_a_socket_that_a_dead_ledger_left_is_no_gateway(
    run: Run, data: DataFolder, groups_in: Groups, key: Build
) -> None:
    async def test() -> None:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(data.socket("ledger")))
        assert await admin.record(data, [key()]) == [None]
        assert groups_in(data.journal)[1:] == [[key()]]

    run(test())


def test_a_journal_that_another_process_has_open_is_left_alone(
    run: Run, data: DataFolder, open_journal: Callable[..., Journal], key: Build
) -> None:
    async def test() -> None:
        open_journal()
        with pytest.raises(ConfigError, match="already open in another process; stop that"):
            await admin.record(data, [key()])
        with pytest.raises(ConfigError, match="already open in another process; stop that"):
            await admin.read_standing(data)

    run(test())


async def _record_nothing(data: DataFolder) -> None:
    await admin.record(data, [])


async def _read(data: DataFolder) -> None:
    await admin.read_standing(data)


@pytest.mark.parametrize("act", [_record_nothing, _read])
def test_a_damaged_journal_stays_as_it_is(
    run: Run,
    data: DataFolder,
    write_journal: Callable[..., Path],
    key: Build,
    hold: Build,
    act: Callable[[DataFolder], Awaitable[None]],
) -> None:
    """What follows the damage was acknowledged, and can still be saved by hand."""
    folder = write_journal([[Genesis(1, "one"), key()], [hold("q1")], [hold("q2")], [hold("q3")]])
    file = folder / FIRST_SEGMENT
    file.write_bytes(damaged := file.read_bytes().replace(b"q1", b"q?"))

    async def test() -> None:
        with pytest.raises(JournalDamagedError, match=r"Nothing was changed\."):
            await act(data)

    run(test())
    assert file.read_bytes() == damaged


# -- through a running gateway --------------------------------------------------------------------


def test_a_running_gateway_takes_the_entries_and_gives_the_balances(
    run: Run, data: DataFolder, open_served: Open, groups_in: Groups, entries: list[Entry]
) -> None:
    async def test() -> None:
        opened = await open_served(durability="power")
        assert await admin.record(data, entries) == [None] * 5
        assert [entry for group in groups_in(data.journal) for entry in group][1:] == entries
        told = await admin.read_standing(data)
        assert told.balances == BALANCES
        assert told.keys == list(opened.ledger.state.keys.values())
        assert not opened.server.attached  # a command is no worker
        await opened.close()
        assert await admin.read_standing(data) == told

    run(test())


def test_a_running_gateways_answers_go_to_the_entries_they_are_for(
    run: Run, data: DataFolder, open_served: Open, key: Build
) -> None:
    async def test() -> None:
        opened = await open_served(durability="power")
        try:
            assert await admin.record(data, [key(), key()]) == [None, Refusal("duplicate")]
        finally:
            await opened.close()

    run(test())


def test_a_gateway_that_does_not_answer_is_named(
    run: Run, data: DataFolder, monkeypatch: pytest.MonkeyPatch, key: Build
) -> None:
    monkeypatch.setattr(admin, "ANSWER_SECONDS", 0.02)

    async def test() -> None:
        with socket.socket(socket.AF_UNIX) as stuck:
            stuck.bind(str(data.socket("ledger")))
            stuck.listen()
            with pytest.raises(ConfigError, match="ledger does not answer; see its log"):
                await admin.record(data, [key()])
            stuck.accept()[0].close()
        assert not data.journal.exists()  # nobody else may write while it runs

    run(test())


def test_a_command_hangs_up(
    run: Run, data: DataFolder, open_served: Open, monkeypatch: pytest.MonkeyPatch, key: Build
) -> None:
    gone = asyncio.Event()

    def hung_up(self: FrameProtocol, exc: Exception | None) -> None:
        FrameProtocol.connection_lost(self, exc)
        gone.set()

    monkeypatch.setattr(admin._Asking, "connection_lost", hung_up)

    async def test() -> None:
        opened = await open_served()
        await admin.record(data, [key()])
        await gone.wait()
        await opened.close()

    run(test())


# -- who and when ---------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyError, OSError])
def test_an_entry_says_who_made_it_as_well_as_can_be_known(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")
    assert admin.who() == "ann"

    def nobody() -> str:
        raise error("no such user")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert admin.who() == "unknown"


def test_an_entry_says_when_it_was_made() -> None:
    before = clock.wall()
    assert before <= admin.now() <= clock.wall()
