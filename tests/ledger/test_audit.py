"""The journal against itself: each kind of contradiction is found, and named by its entry."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from farthing.ledger.audit import Audit, Contradiction, checked_groups
from farthing.ledger.entry import Entry, Genesis, Overrun, Unresolved, Void, encode
from farthing.ledger.groups import JournalGroups
from farthing.ledger.journal import FIRST_SEGMENT, Journal
from farthing.ledger.state import State

Build = Callable[..., Any]

GENESIS = Genesis(at=1, ledger="ledger-one")


def audited(entries: list[Entry]) -> Audit:
    """Take entries from the first one on, to the end."""
    audit = Audit("ledger-one")
    for number, entry in enumerate(entries, start=1):
        audit.take(entry, number)
    audit.end()
    return audit


def contradiction(entries: list[Entry]) -> tuple[int, str, str]:
    with pytest.raises(Contradiction) as found:
        audited(entries)
    return found.value.entry, found.value.id, found.value.what


def test_what_a_state_took_stands(workload: Build) -> None:
    entries = workload(3, 300)
    counts = audited(entries).counts
    kinds = [type(entry).__name__ for entry in entries]
    assert counts.entries == len(entries)
    assert counts.holds == kinds.count("Hold")
    assert counts.endings == kinds.count("Settle") + kinds.count("Void")
    assert counts.overruns == kinds.count("Overrun") > 0
    assert counts.limits == 2 * counts.holds


def test_an_ending_without_a_hold_and_a_second_one(key: Build, hold: Build, settle: Build) -> None:
    begin = [GENESIS, key(), hold("q1")]
    assert contradiction([*begin, settle("q2")]) == (4, "q2", "ends without a hold")
    again = [*begin, settle("q1"), Void(9, "q1", "upstream_unreachable")]
    assert contradiction(again) == (5, "q1", "ends a second time")
    lost = [*begin, Unresolved(8, "q1", "worker_lost"), settle("q1"), settle("q1")]
    assert contradiction(lost) == (6, "q1", "ends a second time")


def test_an_id_that_is_held_again_after_it_ended(key: Build, hold: Build, settle: Build) -> None:
    """Which the state machine lets pass, as it forgets those that have ended."""
    entries = [GENESIS, key(), hold("q1"), settle("q1"), hold("q1")]
    assert contradiction(entries) == (5, "q1", "is held a second time, after it had ended")


def test_a_limit_that_a_hold_passed(key: Build, hold: Build, limit: Build) -> None:
    entries = [GENESIS, key(), limit(150), hold("q1", usd=100), hold("q2", usd=51)]
    entry, id_, what = contradiction(entries)
    assert (entry, id_) == (5, "q2")
    assert "limit of usd on key:k1" in what


def test_a_limit_is_checked_beside_the_state_machine(
    monkeypatch: pytest.MonkeyPatch, key: Build, hold: Build, limit: Build
) -> None:
    monkeypatch.setattr(State, "_check_limits", lambda *_: None)
    entries = [GENESIS, key(), limit(25, "tokens"), hold("q1", tokens=20), hold("q2", tokens=6)]
    assert contradiction(entries) == (
        5,
        "q2",
        "passes the limit of tokens on key:k1: 0 posted and 26 held are more than 25",
    )


@pytest.mark.parametrize("usd", [19, 21])
def test_an_overrun_says_how_much_more_it_was(
    key: Build, hold: Build, settle: Build, usd: int
) -> None:
    entries = [GENESIS, key(), hold("q1", usd=100), settle("q1", usd=120)]
    audited([*entries, Overrun(9, "q1", 20)])
    assert contradiction([*entries, Overrun(9, "q1", usd)])[:2] == (5, "q1")
    assert contradiction(entries) == (4, "q1", "cost $0.00000002 more than held, unsaid")


def test_a_genesis_in_the_middle_is_impossible(key: Build) -> None:
    entry, _, what = contradiction([GENESIS, key(), GENESIS])
    assert entry == 3
    assert "is impossible" in what


# -- the file -------------------------------------------------------------------------------------


def damaged_at(folder: Path, byte: int) -> Contradiction:
    """Flip a byte, read everything, and put it back."""
    file = folder / FIRST_SEGMENT
    intact = file.read_bytes()
    file.write_bytes(intact[:byte] + bytes([intact[byte] ^ 1]) + intact[byte + 1 :])
    with JournalGroups(folder) as groups, pytest.raises(Contradiction) as found:
        list(checked_groups(groups))
    file.write_bytes(intact)
    return found.value


def test_every_byte_of_what_was_acknowledged_is_watched(
    write_journal: Callable[..., Path], key: Build, hold: Build, settle: Build
) -> None:
    """But for the count of durable entries of the last group, none is flipped unnoticed."""
    folder = write_journal([[GENESIS, key()], [hold("q1")], [settle("q1")], [hold("q2")]])
    with JournalGroups(folder) as groups:
        whole = list(checked_groups(groups))
    for group, after in itertools.pairwise(whole):
        for byte in range(group.offset, group.end, 3):
            found = damaged_at(folder, byte)
            assert found.entry == group.first, byte
            assert f"byte {group.offset}" in found.what
            assert f"byte {after.offset}" in found.what or group.first == 4


def test_a_torn_tail_is_no_damage(
    write_journal: Callable[..., Path], key: Build, hold: Build
) -> None:
    folder = write_journal([[GENESIS, key()], [hold("q1"), hold("q2")]])
    file = folder / FIRST_SEGMENT
    file.write_bytes(file.read_bytes()[:-3] + bytes(64))
    with JournalGroups(folder) as groups:
        assert [len(group.entries) for group in checked_groups(groups)] == [2]
        assert groups.tail(groups.piece(0, 0)[-1].end) > 0


def test_what_is_written_while_it_is_read_is_no_damage(
    monkeypatch: pytest.MonkeyPatch, open_journal: Callable[..., Journal], key: Build, hold: Build
) -> None:
    """The end is reached, then two groups come, then what follows the end is looked at."""
    journal = open_journal()
    journal.append([encode(GENESIS), encode(key())])
    waiting = [[encode(hold("q1"))], [encode(hold("q2"))]]
    damage = JournalGroups.damage

    def late(groups: JournalGroups, offset: int, position: int) -> int | None:
        while waiting:
            journal.append(waiting.pop(0))
            journal.sync()
        return damage(groups, offset, position)

    monkeypatch.setattr(JournalGroups, "damage", late)
    with JournalGroups(journal.path.parent) as groups:
        assert sum(len(group.entries) for group in checked_groups(groups)) == 4


def test_a_group_that_is_whole_and_says_nonsense(open_journal: Callable[..., Journal]) -> None:
    journal = open_journal()
    journal.append([encode(GENESIS)])
    journal.append([msgspec.msgpack.encode(["no-such-tag", 1])])
    with (
        JournalGroups(journal.path.parent) as groups,
        pytest.raises(Contradiction, match="no entry") as found,
    ):
        list(checked_groups(groups))
    assert found.value.entry == 2
