"""Group commit: an entry counts when the disk, or the system, has it, and never before."""

from __future__ import annotations

import asyncio
import errno
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from farthing.ledger import commit
from farthing.ledger.commit import Committer
from farthing.ledger.entry import Entry, Overrun, encode
from farthing.ledger.journal import Journal, JournalFullError

Open = Callable[..., Journal]
Run = Callable[[Coroutine[Any, Any, None]], None]
Until = Callable[[Callable[[], bool]], Awaitable[None]]
Block = Callable[[Journal], tuple[threading.Event, threading.Event]]
Groups = Callable[[Path], list[list[Entry]]]


class Asked:
    """Appends numbered entries to a committer and keeps the numbers that were called back."""

    def __init__(
        self, journal: Journal, durability: str, waits: Callable[[], bool] | None = None
    ) -> None:
        self.failures: list[BaseException] = []
        self.committer = Committer(journal, durability, self.failures.append, waits=waits)
        self.called: list[int] = []

    def append(self, *numbers: int) -> None:
        for number in numbers:
            entry = encode(Overrun(1, "q", number))
            self.committer.append(entry, partial(self.called.append, number))


def numbers(groups: list[list[Entry]]) -> list[list[int]]:
    return [[e.usd for e in group if isinstance(e, Overrun)] for group in groups]


async def begun(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 10)
    event.clear()


async def turns(count: int = 5) -> None:
    """Let everything that is due in the loop happen."""
    for _ in range(count):
        await asyncio.sleep(0)


# -- power --------------------------------------------------------------------------------------


def test_with_power_nothing_counts_before_the_disk_has_it(
    run: Run, until: Until, open_journal: Open, block_sync: Block
) -> None:
    async def test() -> None:
        journal = open_journal()
        syncing, gate = block_sync(journal)
        asked = Asked(journal, "power")
        asked.append(1)
        await begun(syncing)
        await turns()
        assert journal.position == 1 and asked.called == []
        gate.set()
        await until(lambda: asked.called == [1])
        assert journal.durable == 1
        await asked.committer.close()

    run(test())


def always() -> bool:
    return True


def test_where_it_may_it_waits_for_the_disk_itself(run: Run, open_journal: Open) -> None:
    async def test() -> None:
        journal = open_journal()
        asked, synced, sync = Asked(journal, "power", always), list[str](), journal.sync

        def note() -> None:
            assert asked.called == [], "it counted before the disk had it"
            synced.append(threading.current_thread().name)
            sync()

        journal.sync = note  # type: ignore[method-assign]
        asked.append(1, 2)
        await turns()
        assert (asked.called, synced, journal.durable) == ([1, 2], ["MainThread"], 2)
        await asked.committer.close()

    run(test())


def test_waiting_for_a_disk_that_fails_stops_the_ledger_too(run: Run, open_journal: Open) -> None:
    def fail() -> None:
        raise OSError(errno.EIO, "broken")

    async def test() -> None:
        journal = open_journal()
        asked = Asked(journal, "power", always)
        journal.sync = fail  # type: ignore[method-assign]
        asked.append(1)
        await turns()
        asked.append(2)
        await turns()
        assert asked.called == [] and len(asked.failures) == 1 and journal.position == 1
        del journal.sync
        await asked.committer.close()

    run(test())


def test_with_power_what_comes_while_the_disk_works_goes_in_one_group(
    run: Run, until: Until, open_journal: Open, block_sync: Block, groups_in: Groups
) -> None:
    async def test() -> None:
        journal = open_journal()
        syncing, gate = block_sync(journal)
        asked = Asked(journal, "power")
        asked.append(1)
        await begun(syncing)
        for number in (2, 3, 4):
            asked.append(number)
            await turns()
        assert journal.position == 1, "the disk is busy, what comes waits"
        gate.set()
        await until(lambda: len(asked.called) == 4)
        assert asked.called == [1, 2, 3, 4]
        assert numbers(groups_in(journal.path.parent)) == [[1], [2, 3, 4]]
        await asked.committer.close()

    run(test())


def test_with_power_each_group_waits_for_a_sync_of_its_own(
    run: Run, until: Until, open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        journal = open_journal()
        syncs, permits, sync = threading.Semaphore(0), threading.Semaphore(0), journal.sync

        def slow() -> None:
            syncs.release()
            assert permits.acquire(timeout=10)
            sync()

        monkeypatch.setattr(journal, "sync", slow)
        asked = Asked(journal, "power")
        for number in (1, 2):
            asked.append(number)
            assert await asyncio.to_thread(syncs.acquire, timeout=10)
            await turns()
            assert asked.called == list(range(1, number))
            permits.release()
            await until(lambda: len(asked.called) == number)  # noqa: B023
        await asked.committer.close()

    run(test())


@pytest.mark.parametrize("durability", ["power", "process"])
def test_what_comes_in_one_turn_goes_in_one_group(
    durability: str, run: Run, until: Until, open_journal: Open, groups_in: Groups
) -> None:
    async def test() -> None:
        journal = open_journal()
        asked = Asked(journal, durability)
        asked.append(1, 2, 3)
        assert journal.position == 0
        await until(lambda: len(asked.called) == 3)
        asked.append(4)
        await until(lambda: len(asked.called) == 4)
        assert asked.called == [1, 2, 3, 4]
        assert numbers(groups_in(journal.path.parent)) == [[1, 2, 3], [4]]
        await asked.committer.close()

    run(test())


def test_what_waits_is_counted_in_bytes_until_it_is_written(run: Run, open_journal: Open) -> None:
    async def test() -> None:
        asked = Asked(open_journal(), "process")
        asked.append(1, 2)
        assert asked.committer.pending_bytes == 2 * len(encode(Overrun(1, "q", 1)))
        await turns()
        assert asked.committer.pending_bytes == 0
        await asked.committer.close()

    run(test())


def test_an_entry_that_is_appended_in_a_callback_is_written_too(
    run: Run, until: Until, open_journal: Open
) -> None:
    async def test() -> None:
        journal = open_journal()
        asked = Asked(journal, "power")
        asked.committer.append(encode(Overrun(1, "q", 0)), lambda: asked.append(1))
        await until(lambda: asked.called == [1])
        assert journal.durable == 2
        await asked.committer.close()

    run(test())


# -- process ------------------------------------------------------------------------------------


def test_with_process_an_entry_counts_when_it_is_written(
    run: Run, open_journal: Open, block_sync: Block, groups_in: Groups
) -> None:
    async def test() -> None:
        journal = open_journal()
        syncing, gate = block_sync(journal)
        asked = Asked(journal, "process")
        asked.append(1)
        assert asked.called == []
        await turns()
        assert asked.called == [1] and not syncing.is_set()
        assert numbers(groups_in(journal.path.parent)) == [[1]]
        gate.set()
        await asked.committer.close()

    run(test())


def test_with_process_the_disk_has_it_a_second_later(
    run: Run, until: Until, open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert commit.PROCESS_SYNC_SECONDS <= 1
    monkeypatch.setattr(commit, "PROCESS_SYNC_SECONDS", 0.01)

    async def test() -> None:
        journal = open_journal()
        asked = Asked(journal, "process")
        for number in (1, 2):
            asked.append(number)
            await until(lambda: journal.durable == number)  # noqa: B023
        await asked.committer.close()

    run(test())


def test_with_process_one_sync_is_asked_for_all_that_is_written_before_it(
    run: Run, open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "PROCESS_SYNC_SECONDS", 0.05)

    async def test() -> None:
        journal = open_journal()
        syncs: list[int] = []
        synced = asyncio.Event()
        loop, sync = asyncio.get_running_loop(), journal.sync

        def counted() -> None:
            sync()
            syncs.append(journal.durable)
            loop.call_soon_threadsafe(synced.set)

        monkeypatch.setattr(journal, "sync", counted)
        asked = Asked(journal, "process")
        for number in range(5):
            asked.append(number)
            await turns()
        await synced.wait()
        await turns()
        assert syncs == [5]
        await asked.committer.close()

    run(test())


def test_with_process_what_is_written_during_a_sync_is_synced_too(
    run: Run, until: Until, open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "PROCESS_SYNC_SECONDS", 0.01)

    async def test() -> None:
        journal = open_journal()
        syncing, gate, sync = threading.Event(), threading.Event(), journal.sync

        def slow() -> None:
            sync()
            syncing.set()
            assert gate.wait(10)

        monkeypatch.setattr(journal, "sync", slow)
        asked = Asked(journal, "process")
        asked.append(1)
        await begun(syncing)
        asked.append(2)
        await turns()
        gate.set()
        try:
            await asyncio.wait_for(until(lambda: journal.durable == 2), 0.5)
        finally:
            await asked.committer.close()

    run(test())


# -- rolling ------------------------------------------------------------------------------------


@pytest.mark.parametrize("durability", ["power", "process"])
def test_what_comes_while_the_next_segment_is_made_goes_in_it_in_one_group(
    durability: str,
    run: Run,
    until: Until,
    open_journal: Open,
    monkeypatch: pytest.MonkeyPatch,
    groups_in: Groups,
) -> None:
    """The loop goes on meanwhile, and nothing counts before it is written."""

    async def test() -> None:
        journal = open_journal(segment=40)
        rolling, gate, roll = threading.Event(), threading.Event(), journal.roll

        def slow() -> None:
            rolling.set()
            assert gate.wait(10)
            roll()

        monkeypatch.setattr(journal, "roll", slow)
        asked = Asked(journal, durability)
        asked.append(1, 2)
        await until(lambda: asked.called == [1, 2])
        for number in (3, 4, 5):
            asked.append(number)
            await begun(rolling) if number == 3 else await turns()
        assert (journal.position, asked.called) == (2, [1, 2])
        gate.set()
        await until(lambda: len(asked.called) == 5)
        assert numbers(groups_in(journal.folder)) == [[1, 2], [3, 4, 5]]
        assert journal.path.name == "00000002.journal"
        await asked.committer.close()

    run(test())


@pytest.mark.parametrize("durability", ["power", "process"])
def test_all_that_is_appended_is_there_however_often_it_rolls(
    durability: str, run: Run, until: Until, open_journal: Open, groups_in: Groups
) -> None:
    async def test() -> None:
        journal = open_journal(segment=100)
        asked = Asked(journal, durability)
        for number in range(200):
            asked.append(number)
            if number % 7 == 0:
                await until(lambda: len(asked.called) > number - 3)  # noqa: B023
        await asked.committer.close()
        assert asked.called == list(range(200)) and not asked.failures
        assert [n for group in numbers(groups_in(journal.folder)) for n in group] == list(
            range(200)
        )
        assert int(journal.path.stem) > 10

    run(test())


def test_a_segment_that_cannot_be_made_for_a_failing_disk_stops_the_ledger(
    run: Run, until: Until, open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        journal = open_journal(segment=1)
        asked = Asked(journal, "process")
        asked.append(1)
        await until(lambda: asked.called == [1])

        def fail() -> None:
            raise OSError(errno.EIO, "broken")

        monkeypatch.setattr(journal, "roll", fail)
        asked.append(2)
        await until(lambda: bool(asked.failures))
        asked.append(3)
        await turns()
        assert asked.called == [1] and journal.position == 1
        await asked.committer.close()

    run(test())


# -- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["append", "sync"])
def test_a_disk_that_fails_stops_the_ledger_and_nothing_counts_any_more(
    what: str, run: Run, until: Until, open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "broken")

    async def test() -> None:
        journal = open_journal()
        asked = Asked(journal, "power")
        monkeypatch.setattr(journal, what, fail)
        asked.append(1)
        await until(lambda: bool(asked.failures))
        monkeypatch.undo()
        position = journal.position
        asked.append(2)
        await turns()
        await asked.committer.close()
        assert asked.called == [] and journal.position == position
        assert [str(failure) for failure in asked.failures] == ["[Errno 5] broken"]

    run(test())


def test_with_process_a_sync_that_fails_stops_the_ledger(
    run: Run, until: Until, open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "PROCESS_SYNC_SECONDS", 0.01)

    def fail() -> None:
        raise OSError(errno.EIO, "broken")

    async def test() -> None:
        journal = open_journal()
        asked = Asked(journal, "process")
        monkeypatch.setattr(journal, "sync", fail)
        asked.append(1)
        await until(lambda: bool(asked.failures))
        asked.append(2)
        await turns()
        await asked.committer.close()
        assert asked.called == [1] and journal.position == 1

    run(test())


DIE = """
import asyncio, atexit, pathlib, sys
from farthing.ledger.commit import Committer
from farthing.ledger.journal import Journal
async def main():
    journal = Journal(pathlib.Path(sys.argv[1]))
    list(journal.recover())
    def fail(): raise OSError("broken")
    journal.sync = fail
    atexit.register(print, "cleaned up")
    Committer(journal, "power").append(b"\\xc0", lambda: print("counted"))
    await asyncio.sleep(30)
try:
    asyncio.run(main())
except BaseException as error:
    print("went on", error)
"""


def test_unless_told_otherwise_a_failing_disk_ends_the_process_at_once(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    command = [sys.executable, "-P", "-c", DIE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=False, env=environ, timeout=30)
    assert (done.returncode, done.stdout) == (70, b"")
    assert b"the journal cannot be written (broken)" in done.stderr


# -- a full disk --------------------------------------------------------------------------------


def full_until(
    room: Callable[[], bool], journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> list[int]:
    """Make a journal full until there is room; returns the sizes of the groups it was offered."""
    append, offered = journal.append, list[int]()

    def sometimes(entries: list[bytes]) -> None:
        offered.append(len(entries))
        if not room():
            raise JournalFullError("no room")
        append(entries)

    monkeypatch.setattr(journal, "append", sometimes)
    return offered


@pytest.mark.parametrize("durability", ["power", "process"])
def test_a_full_disk_keeps_what_was_decided_and_goes_on_when_there_is_room(
    durability: str,
    run: Run,
    until: Until,
    open_journal: Open,
    groups_in: Groups,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commit, "FULL_RETRY_SECONDS", 0.001)

    async def test() -> None:
        journal = open_journal()
        room = asyncio.Event()
        offered = full_until(room.is_set, journal, monkeypatch)
        asked = Asked(journal, durability)
        asked.append(1, 2)
        await until(lambda: len(offered) >= 3)
        asked.append(3)
        await until(lambda: offered[-1] == 3)
        assert asked.called == [] and journal.position == 0
        room.set()
        await until(lambda: len(asked.called) == 3)
        assert asked.called == [1, 2, 3] and not asked.failures
        assert numbers(groups_in(journal.path.parent)) == [[1, 2, 3]]
        await asked.committer.close()

    run(test())


def test_a_full_disk_is_not_asked_again_and_again_without_a_pause(
    run: Run, open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        journal = open_journal()
        room = asyncio.Event()
        offered = full_until(room.is_set, journal, monkeypatch)
        asked = Asked(journal, "process")
        for number in range(10):
            asked.append(number)
            await turns()
        assert offered == [1]
        room.set()
        await asked.committer.close()

    run(test())


def test_what_waits_for_room_is_still_counted_as_pending(
    run: Run, open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        journal = open_journal()
        room = asyncio.Event()
        offered = full_until(room.is_set, journal, monkeypatch)
        asked = Asked(journal, "process")
        asked.append(1)
        await turns()
        pending = asked.committer.pending_bytes
        room.set()
        await asked.committer.close()
        assert offered[0] == 1 and pending == len(encode(Overrun(1, "q", 1)))

    run(test())


def test_closing_on_a_full_disk_lets_the_loop_go_on(
    run: Run, open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "FULL_RETRY_SECONDS", 0.001)

    async def test() -> None:
        journal = open_journal()
        room, tries = asyncio.Event(), 0
        append = journal.append

        def sometimes(entries: list[bytes]) -> None:
            nonlocal tries
            tries += 1
            if tries > 500:
                raise OSError("the loop stands still")
            if not room.is_set():
                raise JournalFullError("no room")
            append(entries)

        monkeypatch.setattr(journal, "append", sometimes)
        asked = Asked(journal, "process")
        asked.append(1)
        asyncio.get_running_loop().call_later(0.02, room.set)
        await asked.committer.close()
        assert asked.called == [1] and not asked.failures

    run(test())


# -- the end ------------------------------------------------------------------------------------


@pytest.mark.parametrize("durability", ["power", "process"])
def test_closing_writes_and_syncs_what_is_left(
    durability: str, run: Run, open_journal: Open, groups_in: Groups
) -> None:
    async def test() -> None:
        journal = open_journal()
        asked = Asked(journal, durability)
        asked.append(1, 2)
        await asked.committer.close()
        assert asked.called == [1, 2]
        assert numbers(groups_in(journal.path.parent)) == [[1, 2]]
        open_journal()  # the lock was given back

    run(test())


def test_closing_waits_for_the_disk_and_for_what_came_meanwhile(
    run: Run, open_journal: Open, block_sync: Block, groups_in: Groups
) -> None:
    async def test() -> None:
        journal = open_journal()
        syncing, gate = block_sync(journal)
        asked = Asked(journal, "power")
        asked.append(1)
        await begun(syncing)
        asked.append(2)
        closing = asyncio.ensure_future(asked.committer.close())
        await turns()
        assert not closing.done() and asked.called == []
        gate.set()
        await closing
        assert asked.called == [1, 2] and journal.durable == 2
        assert numbers(groups_in(journal.path.parent)) == [[1], [2]]

    run(test())


def test_closing_ends_the_thread(run: Run, open_journal: Open) -> None:
    async def test() -> None:
        before = threading.active_count()
        asked = Asked(open_journal(), "power")
        assert threading.active_count() == before + 1
        await asked.committer.close()
        assert threading.active_count() == before

    run(test())
