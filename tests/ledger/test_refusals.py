"""Refusals are counted by their reason, however many there are, and recorded a minute apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from farthing.ledger import ledger as module
from farthing.ledger.commit import Committer
from farthing.ledger.entry import Limit, Refusal, Refusals
from farthing.ledger.image import encoded
from farthing.ledger.journal import Journal
from farthing.ledger.ledger import Ledger, replay
from farthing.ledger.refusals import KINDS_MOST, RefusalCounts
from farthing.ledger.state import State

LIMITED = Refusal("limit_reached", "team:a", "usd", window="day")


def test_the_same_reason_is_one_entry() -> None:
    counts = RefusalCounts()
    for at in (5, 3, 9):  # workers' clocks, in the order they arrive
        counts.count(LIMITED, at)
    counts.count(Refusal("limit_reached", "team:a", "usd", window="month"), 4)
    assert counts.take(10) == [
        Refusals(10, 3, 9, "limit_reached", "team:a", "usd", "day", 3),
        Refusals(10, 4, 4, "limit_reached", "team:a", "usd", "month", 1),
    ]
    assert counts.take(11) == []


def test_what_could_not_be_recorded_is_counted_on() -> None:
    counts = RefusalCounts()
    counts.count(LIMITED, 5)
    told = counts.take(6)
    counts.count(LIMITED, 7)
    counts.put_back(told)
    assert counts.take(8) == [Refusals(8, 5, 7, "limit_reached", "team:a", "usd", "day", 2)]


def test_a_flood_of_users_is_counted_by_their_kind() -> None:
    counts = RefusalCounts()
    for number in range(3 * KINDS_MOST):
        counts.count(Refusal("rate_limited", f"user:u{number}", "requests", window="day"), number)
    told = counts.take(1)
    assert len(told) == KINDS_MOST + 1 and sum(each.count for each in told) == 3 * KINDS_MOST
    last = told[-1]
    assert (last.scope, last.since, last.until) == ("user:*", KINDS_MOST, 3 * KINDS_MOST - 1)


Make = Callable[..., Any]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOLD_SECONDS", 0.01)


def limited(ledger: Ledger, key: Make) -> None:
    ledger.record(key("k1"))
    ledger.record(Limit(1, "ann", "key:k1", "requests", 1))


def refused_in(journal: Journal) -> list[Refusals]:
    """What the journal tells, read again from the disk."""
    again = Journal(journal.path.parent)
    found = [entry for entry in again.recover() if isinstance(entry, Refusals)]
    again.close()
    return found


def test_they_are_recorded_within_a_minute_and_the_next_ones_after_it(
    run: Make, open_journal: Make, key: Make, hold: Make, soon: None
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = Ledger(journal, replay(journal), Committer(journal, "process"))
        told: list[int] = []
        limited(ledger, key)
        ledger.hold(hold("q0"))
        for count in (1_000, 10):
            before = ledger.state.position
            for number in range(count):
                told_why = ledger.hold(hold(f"q{count}-{number}")).result()
                assert isinstance(told_why, Refusal) and told_why.code == "limit_reached"
            assert ledger.state.position == before  # nothing yet
            while ledger.state.position == before:
                await asyncio.sleep(0.005)
            told.append(ledger.state.position - before)
        assert told == [1, 1]
        ledger.tell_refusals()  # nothing is left to tell
        await ledger.close()
        assert [entry.count for entry in refused_in(journal)] == [1_000, 10]

    run(test())


def test_a_full_disk_keeps_the_count_until_there_is_room(
    run: Make,
    open_journal: Make,
    key: Make,
    hold: Make,
    soon: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        journal = open_journal()
        ledger = Ledger(journal, replay(journal), Committer(journal, "process"))
        limited(ledger, key)
        tried = asyncio.Event()

        def no_room(_: int) -> bool:
            tried.set()
            return False

        with monkeypatch.context() as full:
            full.setattr(ledger, "_room", no_room)
            assert ledger.hold(hold("q1")).result() == Refusal("journal_full")
            tried.clear()
            await tried.wait()  # by the timer
        before = ledger.state.position
        while ledger.state.position == before:
            await asyncio.sleep(0.005)
        await ledger.close()
        (told,) = refused_in(journal)
        assert (told.code, told.count) == ("journal_full", 1)

    run(test())


def test_the_state_is_what_it_was() -> None:
    state, other = State(), State()
    assert state.apply(Refusals(1, 1, 1, "limit_reached", "team:a", "usd", "day", 9)) is None
    other.position = state.position
    assert encoded(state) == encoded(other)
