"""The ledger: what it says is durable is, what it cannot record it does not admit."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from farthing.errors import ConfigError
from farthing.ledger.commit import Committer
from farthing.ledger.disk import DISK
from farthing.ledger.entry import (
    Commitment,
    Config,
    Draw,
    Entry,
    Genesis,
    Hold,
    Limit,
    Overrun,
    PriceBookInForce,
    Refusal,
    Revoke,
    Settle,
    Unresolved,
    Void,
    Warned,
    encode,
)
from farthing.ledger.journal import EXTENT, Journal, JournalDamagedError
from farthing.ledger.ledger import (
    ENDING_MOST,
    TEXT_MOST,
    Ledger,
    put_in_force,
    replay,
)
from farthing.ledger.registry import KeyState
from farthing.ledger.reported import Refusals
from farthing.ledger.segments import Mark
from farthing.ledger.snapshotter import Snapshotter
from farthing.ledger.state import State
from farthing.wire.dialect import Usage

Build = Callable[..., Any]
Open = Callable[..., Journal]
Run = Callable[[Coroutine[Any, Any, None]], None]
Until = Callable[[Callable[[], bool]], Awaitable[None]]
Block = Callable[[Journal], tuple[threading.Event, threading.Event]]
Groups = Callable[[Path], list[list[Entry]]]


def ledger_on(journal: Journal, durability: str = "process", *entries: Entry) -> Ledger:
    """Open a ledger on an empty journal, with some entries in its state and journal."""
    state = State()
    for entry in (Genesis(1, "ledger-one"), *entries):
        assert state.apply(entry) is None
        journal.append([encode(entry)])
    return Ledger(journal, state, Committer(journal, durability, failed))


def failed(error: BaseException) -> None:
    raise error


def journaled(groups: list[list[Entry]]) -> list[Entry]:
    return [entry for group in groups for entry in group]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


# -- hold and end -------------------------------------------------------------------------------


def test_a_hold_is_granted_when_it_is_durable_and_not_before(
    run: Run, open_journal: Open, block_sync: Block, key: Build, hold: Build
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = ledger_on(journal, "power", key("k1"))
        syncing, gate = block_sync(journal)
        outcome = ledger.hold(hold())
        assert await asyncio.to_thread(syncing.wait, 10)
        await turns()
        assert not outcome.done
        gate.set()
        assert await outcome.in_task() is None
        assert journal.durable == ledger.state.position == 3
        await ledger.close()

    run(test())


def test_an_ending_counts_when_it_is_durable_and_not_before(
    run: Run, open_journal: Open, block_sync: Block, key: Build, hold: Build, settle: Build
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = ledger_on(journal, "power", key("k1"), hold())
        syncing, gate = block_sync(journal)
        outcome = ledger.end(settle())
        assert await asyncio.to_thread(syncing.wait, 10)
        await turns()
        assert not outcome.done
        gate.set()
        assert await outcome.in_task() is None
        await ledger.close()

    run(test())


def test_what_is_admitted_counts_against_the_next_before_it_is_durable(
    run: Run, open_journal: Open, key: Build, hold: Build, limit: Build
) -> None:
    async def test() -> None:
        ledger = ledger_on(open_journal(), "power", key("k1"), limit(100))
        first, second = ledger.hold(hold("q1", usd=60)), ledger.hold(hold("q2", usd=60))
        assert (first.done, second.done) == (False, True)
        assert second.result() == Refusal("limit_reached", "key:k1", "usd", 100, 0, 60, 60)
        await ledger.close()
        assert await first.in_task() is None

    run(test())


def test_what_is_refused_is_counted_and_not_journaled_one_by_one(
    run: Run, open_journal: Open, groups_in: Groups, hold: Build, settle: Build
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = ledger_on(journal)
        assert ledger.hold(hold()).result() == Refusal("unknown_key")
        assert ledger.hold(hold(at=9)).result() == Refusal("unknown_key")
        assert ledger.end(settle()).result() == Refusal("not_open")
        await ledger.close()
        genesis, told = journaled(groups_in(journal.path.parent))
        assert genesis == Genesis(1, "ledger-one") and isinstance(told, Refusals)
        first = hold().at
        assert (told.since, told.until) == (min(first, 9), max(first, 9))
        assert (told.code, told.scope, told.count) == ("unknown_key", "", 2)

    run(test())


def test_what_is_taken_is_journaled_in_its_order(
    run: Run, open_journal: Open, groups_in: Groups, key: Build, hold: Build, settle: Build
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = ledger_on(journal, "process")
        taken = [key("k1"), hold("q1"), hold("q2"), settle("q1"), Void(5, "q2", "not_sent")]
        ledger.record(taken[0])
        ledger.hold(taken[1])
        ledger.hold(taken[2])
        ledger.end(taken[3])
        ledger.end(taken[4])
        await ledger.close()
        assert journaled(groups_in(journal.path.parent)) == [Genesis(1, "ledger-one"), *taken]

    run(test())


@pytest.mark.parametrize("seed", range(5))
def test_the_journal_read_again_is_the_live_state(
    seed: int, run: Run, open_journal: Open, workload: Callable[..., list[Entry]]
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = ledger_on(journal)
        for entry in workload(seed, 150)[1:]:
            if isinstance(entry, Hold):
                ledger.hold(entry)
            elif isinstance(entry, Settle | Void | Unresolved):
                ledger.end(entry)
            elif not isinstance(entry, Overrun):  # the ledger makes its own
                ledger.record(entry)
        await ledger.close()
        again = Journal(journal.path.parent)
        assert replay(again).encoded() == ledger.state.encoded()
        again.close()

    run(test())


# -- overruns -----------------------------------------------------------------------------------


def test_a_bill_above_its_hold_becomes_an_overrun(
    run: Run, open_journal: Open, groups_in: Groups, key: Build, hold: Build, settle: Build
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = ledger_on(journal, "process", key("k1"), hold(usd=100))
        ledger.end(settle(usd=130, at=7))
        assert ledger.end(settle(usd=130, at=8)).result() == Refusal("not_open")
        await ledger.close()
        written = journaled(groups_in(journal.path.parent))[3:]
        assert written == [settle(usd=130, at=7), Overrun(at=7, id="q1", usd=30)]

    run(test())


@pytest.mark.parametrize("usd", [0, 99, 100])
def test_a_bill_within_its_hold_is_no_overrun(
    usd: int,
    run: Run,
    open_journal: Open,
    groups_in: Groups,
    key: Build,
    hold: Build,
    settle: Build,
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = ledger_on(journal, "process", key("k1"), hold(usd=100))
        ledger.end(settle(usd=usd))
        await ledger.close()
        assert journaled(groups_in(journal.path.parent))[3:] == [settle(usd=usd)]

    run(test())


def test_an_overrun_is_recorded_on_a_full_disk_as_its_settlement_is(
    run: Run,
    open_journal: Open,
    groups_in: Groups,
    monkeypatch: pytest.MonkeyPatch,
    key: Build,
    hold: Build,
    settle: Build,
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = ledger_on(journal, "process", key("k1"), hold(usd=100))
        monkeypatch.setattr(journal, "reserve", only(journal, ENDING_MOST))
        ledger.end(settle(usd=130))
        await ledger.close()
        assert Overrun(at=2_000, id="q1", usd=30) in journaled(groups_in(journal.path.parent))

    run(test())


def only(journal: Journal, size: int) -> Callable[[int], None]:
    """Reserve within that many bytes from now on: what a disk does that has just become full."""
    reserve, end = journal.reserve, journal._end + size

    def bounded(wanted: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            if journal._end + wanted > end:
                patch.setattr(os, "posix_fallocate", no_room)
                patch.setattr(journal, "_allocated", journal._end)
            reserve(wanted)

    return bounded


def no_room(*_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


# -- a full disk --------------------------------------------------------------------------------


def test_the_largest_ending_fits_the_room_that_is_kept_for_it() -> None:
    most, text, query = 2**64 - 1, "\U0001f4b0" * TEXT_MOST, "q" * 64
    usage = Usage(*[most] * len(Usage.__struct_fields__))
    settlement = Settle(most, query, most, usage, most, most, most, text, text, text)
    settlement = replace(settlement, prompt=b"p" * 32, answer=b"a" * 32, contents="committed")
    warned = [Warned(most, query, f"tag:{'t' * 64}", "requests", "minute", most, most)] * 4
    drawn = [Draw(most, query, f"commitment:{'c' * 64}/9", most, most)] * 4
    follow = [*warned, Overrun(most, query, most), *drawn]
    header = 28 + 5  # the group's, and its array's
    assert sum(len(encode(e)) + header for e in (settlement, *follow)) <= ENDING_MOST


def test_an_unresolved_query_and_its_late_settlement_fit_the_room_together() -> None:
    most, text, query = 2**64 - 1, "\U0001f4b0" * TEXT_MOST, "q" * 64
    settlement = Settle(
        most,
        query,
        most,
        Usage(*[most] * len(Usage.__struct_fields__)),
        most,
        most,
        most,
        text,
        text,
    )
    settlement = replace(settlement, prompt=b"p" * 32, answer=b"a" * 32, contents="committed")
    unresolved = Unresolved(most, query, "r" * 64, most, most)
    unresolved = replace(unresolved, prompt=b"p" * 32, answer=b"a" * 32, contents="committed")
    assert sum(len(encode(e)) + 33 for e in (settlement, unresolved)) <= ENDING_MOST


FILL = """
import asyncio, pathlib, resource, sys
from farthing.ledger.commit import Committer
from farthing.ledger.entry import Hold, Key, Settle
from farthing.ledger.journal import EXTENT, Journal, JournalDamagedError
from farthing.ledger.ledger import TEXT_MOST, Ledger, replay
from farthing.wire.dialect import Usage

most, text = 2**62, "\\U0001f4b0" * TEXT_MOST

def hold(n):
    return Hold(1, f"q{n}", "k", ("key:k",), "p", "m", "m", "chat", True, 9, 9, 1, 1, "b", "w")

def settle(n):
    used = Usage(*[most] * len(Usage.__struct_fields__))
    return Settle(most, f"q{n}", 9, used, 200, most, most, text, text)

async def main():
    journal = Journal(pathlib.Path(sys.argv[1]))
    ledger = Ledger(journal, replay(journal), Committer(journal, "process"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (EXTENT, resource.RLIM_INFINITY))
    await ledger.record(Key(1, "ann", "k", "k", b"")).in_task()
    held = 0
    while (refusal := await ledger.hold(hold(held)).in_task()) is None:
        held += 1
    print(held, refusal.code, ledger.record(Key(1, "ann", "l", "l" * 200, b"")).result().code)
    for n in range(held):
        assert await ledger.end(settle(n)).in_task() is None
    assert journal.path.stat().st_size == EXTENT
    assert (await ledger.hold(hold(held)).in_task()) is None, "the endings' room is free again"
    await ledger.close()

asyncio.run(main())
"""


def test_a_full_disk_refuses_queries_while_every_open_one_can_end(
    tmp_path: Path, python: Callable[..., str]
) -> None:
    held, refused, also = python(FILL, tmp_path).split()
    assert int(held) > 1_000 and (refused, also) == ("journal_full", "journal_full")
    journal = Journal(tmp_path)
    state = replay(journal)
    journal.close()
    balance = state.balance("key:k", "usd")
    assert (balance.posted, balance.held) == (int(held) * 9, 9)


def test_a_disk_that_is_really_full_refuses_queries_and_takes_them_again_later(
    run: Run, small_disk: Path, open_journal: Open, key: Build, hold: Build, settle: Build
) -> None:
    async def test() -> None:
        journal = open_journal(small_disk / "journal")
        ledger = ledger_on(journal, "power", key("k1"))
        ballast = small_disk / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(65_536)):
                pass
        open_queries = 0
        while await (outcome := ledger.hold(hold(f"q{open_queries}"))).in_task() is None:
            open_queries += 1
        assert outcome.result() == Refusal("journal_full")
        assert EXTENT // ENDING_MOST // 2 < open_queries < EXTENT // ENDING_MOST
        for number in range(open_queries):
            assert await ledger.end(settle(f"q{number}")).in_task() is None
        ballast.unlink()
        assert await ledger.hold(hold("after")).in_task() is None
        await ledger.close()
        assert journal.position == ledger.state.position

    run(test())


def test_a_query_that_is_refused_for_want_of_room_holds_nothing(
    run: Run, open_journal: Open, key: Build, hold: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = ledger_on(journal, "process", key("k1"))
        monkeypatch.setattr(journal, "reserve", only(journal, 100))
        assert ledger.hold(hold()).result() == Refusal("journal_full")
        assert not ledger.state.holds and ledger.state.position == 2
        await ledger.close()

    run(test())


def test_what_waits_to_be_written_counts_against_the_room(
    run: Run, open_journal: Open, key: Build, hold: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = ledger_on(journal, "process", key("k1"))
        first, second = hold("q1"), hold("q2")
        exactly = len(encode(first)) + len(encode(second)) + 2 * ENDING_MOST
        monkeypatch.setattr(journal, "reserve", only(journal, exactly - 1))
        assert not ledger.hold(first).done
        assert ledger.hold(second).result() == Refusal("journal_full")
        await ledger.close()

    run(test())


def test_on_a_full_disk_every_open_query_ends_though_the_segment_should_be_sealed(
    run: Run,
    until: Until,
    open_journal: Open,
    groups_in: Groups,
    monkeypatch: pytest.MonkeyPatch,
    key: Build,
    hold: Build,
    settle: Build,
) -> None:
    async def test() -> None:
        journal = open_journal(segment=400)
        ledger = ledger_on(journal, "power", key("k1"))
        for number in range(50):
            assert await ledger.hold(hold(f"q{number}")).in_task() is None
        before = journal.path
        assert before.name != "00000001.journal", "it has rolled with queries open"
        for call in ("allocate", "rename"):
            monkeypatch.setattr(DISK, call, no_room)
        monkeypatch.setattr(journal, "_roll_at", 0)
        for number in range(50):
            assert await ledger.end(settle(f"q{number}")).in_task() is None
        assert journal.path == before
        monkeypatch.undo()
        monkeypatch.setattr(journal, "_roll_at", 0)
        assert await ledger.hold(hold("after")).in_task() is None
        assert journal.path != before
        await ledger.close()
        assert len(journaled(groups_in(journal.folder))) == ledger.state.position

    run(test())


def test_a_disk_too_full_for_the_first_entry_is_said(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal()
    monkeypatch.setattr(os, "posix_fallocate", no_room)
    with pytest.raises(ConfigError, match="no room for the journal; free some, then start again"):
        replay(journal)


# -- snapshots ----------------------------------------------------------------------------------


def snapshot(folder: Path) -> None:
    snapshotter = Snapshotter(folder, State, every=1)
    snapshotter.follow()
    snapshotter.close()


def read(folder: Path) -> tuple[State, list[Entry]]:
    """Replay a journal; return the state, and the entries that were read for it."""
    journal, entries = Journal(folder), list[Entry]()
    recover = journal.recover

    def note(after: Mark) -> Iterator[Entry]:
        for entry in recover(after):
            entries.append(entry)
            yield entry

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "recover", note)
        try:
            return replay(journal), entries
        finally:
            journal.close()


def test_a_start_reads_only_what_follows_the_newest_snapshot(
    write_journal: Callable[..., Path], workload: Callable[..., list[Entry]]
) -> None:
    entries = workload(1)
    folder = write_journal([entries[:60]])
    snapshot(folder)
    write_journal([entries[60:]])
    state, taken = read(folder)
    assert taken == entries[60:]
    whole = State()
    for entry in entries:
        whole.apply(entry)
    assert state.encoded() == whole.encoded()


def test_with_its_snapshots_damaged_a_start_reads_everything(
    write_journal: Callable[..., Path], workload: Callable[..., list[Entry]]
) -> None:
    entries = workload(1)
    folder = write_journal([entries])
    snapshot(folder)
    assert read(folder)[1] == []
    (path,) = folder.glob("*.snapshot")
    path.write_bytes(path.read_bytes()[:-1])
    state, taken = read(folder)
    assert (state.position, taken) == (len(entries), entries)


@pytest.mark.parametrize("left", [0, 1])
def test_a_snapshot_ahead_of_its_journal_says_that_entries_are_missing(
    write_journal: Callable[..., Path], workload: Callable[..., list[Entry]], left: int
) -> None:
    """Also when nothing of the journal is left."""
    entries = workload(1)
    folder = write_journal([[entries[0]], entries[1:60]])
    snapshot(folder)
    path = folder / "00000001.journal"
    first = len(path.read_bytes()) - len(path.read_bytes().split(b"FGRP")[-1]) - 4
    os.truncate(path, first * left)
    before = path.read_bytes()
    missing = f"ends after entry {left}, but a snapshot was made after entry 60: .* missing"
    with pytest.raises(JournalDamagedError, match=missing):
        read(folder)
    assert path.read_bytes() == before


# -- administration -----------------------------------------------------------------------------


def test_a_key_that_is_made_or_revoked_is_told_at_once(
    run: Run, open_journal: Open, key: Build, limit: Build
) -> None:
    async def test() -> None:
        ledger = ledger_on(open_journal())
        told: list[tuple[str, int | None]] = []

        def hear(changed: KeyState | Commitment) -> None:
            assert isinstance(changed, KeyState)
            told.append((changed.key.id, changed.revoked_at))

        ledger.on_change.append(hear)
        ledger.record(key("k1"))
        ledger.record(limit(5))
        ledger.record(Revoke(7, "ann", "k1"))
        assert told == [("k1", None), ("k1", 7)]
        assert ledger.keys["k1"] == KeyState(key("k1"), 7)
        await ledger.close()

    run(test())


def test_a_key_that_was_not_taken_is_not_told(run: Run, open_journal: Open, key: Build) -> None:
    async def test() -> None:
        ledger = ledger_on(open_journal(), "process", key("k1"))
        told: list[KeyState | Commitment] = []
        ledger.on_change.append(told.append)
        assert ledger.record(key("k1")).result() == Refusal("duplicate")
        assert ledger.record(Revoke(7, "ann", "nobody")).result() == Refusal("unknown_key")
        assert told == []
        await ledger.close()

    run(test())


def test_given_up_queries_stay_held_and_say_why(
    run: Run, open_journal: Open, groups_in: Groups, key: Build, hold: Build
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = ledger_on(journal, "process", key("k1"), hold("q1"), hold("q2"))
        ledger.give_up([hold("q1")], "worker_lost")
        await ledger.close()
        assert set(ledger.state.unresolved) == {"q1"}
        assert ledger.state.balance("key:k1", "usd").held == 200
        written = journaled(groups_in(journal.path.parent))[-1]
        assert isinstance(written, Unresolved)
        assert (written.id, written.reason) == ("q1", "worker_lost") and written.at > 10**18

    run(test())


def test_only_what_changed_is_put_in_force(run: Run, open_journal: Open, groups_in: Groups) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = ledger_on(journal)
        for config, book in (("c1", "b1"), ("c1", "b1"), ("c2", "b1"), ("c2", "b2")):
            put_in_force(ledger, config, book, "genai-prices")
        await ledger.close()
        written = journaled(groups_in(journal.path.parent))[1:]
        digests = [(e.digest, type(e)) for e in written if isinstance(e, Config | PriceBookInForce)]
        assert digests == [
            ("c1", Config),
            ("b1", PriceBookInForce),
            ("c2", Config),
            ("b2", PriceBookInForce),
        ]
        assert [e.source for e in written if isinstance(e, PriceBookInForce)] == [
            "genai-prices",
            "genai-prices",
        ]

    run(test())


def test_a_configuration_that_cannot_be_recorded_is_not_in_force_silently(
    run: Run, open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = ledger_on(journal)
        monkeypatch.setattr(journal, "reserve", only(journal, 500))
        try:
            put_in_force(ledger, "c1", "b1", "")
        except ConfigError:
            return
        finally:
            await ledger.close()
        assert (ledger.state.config, ledger.state.price_book) == ("c1", "b1")

    run(test())


# -- opening and closing ------------------------------------------------------------------------


def test_a_new_journal_gets_a_genesis_that_is_durable(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    state = replay(journal)
    assert (journal.position, journal.durable, state.position) == (1, 1, 1)
    journal.close()
    again = Journal(tmp_path)
    assert replay(again).ledger == state.ledger
    assert again.position == 1
    again.close()


def test_two_new_journals_are_never_taken_for_each_other(tmp_path: Path) -> None:
    ids = set()
    for name in "ab":
        journal = Journal(tmp_path / name)
        ids.add(replay(journal).ledger)
        journal.close()
    assert len(ids) == 2 and all(len(ledger) == 32 for ledger in ids)


def test_a_journal_with_an_entry_that_cannot_follow_is_not_opened(
    tmp_path: Path, write_journal: Callable[..., Path], key: Build, settle: Build
) -> None:
    genesis: list[Entry] = [Genesis(1, "ledger-one"), key("k1")]
    write_journal([genesis, [settle("never held")]])
    journal = Journal(tmp_path / "journal")
    with pytest.raises(AssertionError, match="entry 3 was journaled and is not valid"):
        replay(journal)
    journal.close()


def test_a_closed_ledger_is_not_ready_and_has_written_everything(
    run: Run, open_journal: Open, groups_in: Groups, key: Build
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = ledger_on(journal, "power")
        ready = [ledger.ready]
        outcome = ledger.record(key("k1"))
        await ledger.close()
        assert [*ready, ledger.ready] == [True, False]
        assert outcome.done
        assert journaled(groups_in(journal.path.parent))[-1] == key("k1")

    run(test())


def test_a_limit_is_in_force_for_the_next_query(
    run: Run, open_journal: Open, key: Build, hold: Build
) -> None:
    async def test() -> None:
        ledger = ledger_on(open_journal(), "process", key("k1"))
        ledger.record(Limit(1, "ann", "key:k1", "usd", 50))
        refusal = ledger.hold(hold(usd=51)).result()
        assert isinstance(refusal, Refusal) and refusal.code == "limit_reached"
        await ledger.close()

    run(test())
