"""The snapshotter: behind the journal, of what is on the disk, and never in anybody's way."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.counting import Counting
from tests.support.journal import groups

from farthing.ledger import snapshotter as snapshotter_module
from farthing.ledger.disk import DISK
from farthing.ledger.entry import Config, Entry, Genesis, Refusal, encode
from farthing.ledger.journal import Journal, JournalDamagedError
from farthing.ledger.segments import segment_path
from farthing.ledger.snapshot import restore, snapshot_paths
from farthing.ledger.snapshotter import Snapshotter, contradictions

Said = Callable[[], list[str]]
Make = Callable[..., Snapshotter[Counting]]


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Said:
    """What was logged until now."""
    monkeypatch.setattr(logging.getLogger("farthing"), "propagate", True)
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.fixture
def journal(open_journal: Callable[..., Journal]) -> Journal:
    journal = open_journal()
    journal.append([encode(Genesis(1, "one"))])
    return journal


@pytest.fixture
def make(journal: Journal) -> Iterator[Make]:
    made: list[Snapshotter[Counting]] = []

    def make_(every: int = 3, kind: type[Counting] = Counting) -> Snapshotter[Counting]:
        made.append(Snapshotter(journal.folder, kind, every))
        return made[-1]

    yield make_
    for snapshotter in made:
        snapshotter.close()


def append(journal: Journal, count: int) -> None:
    first = journal.position + 1
    journal.append([encode(Config(n, "c")) for n in range(first, first + count)])


def all_in(journal: Journal) -> list[Entry]:
    return [entry for group in groups(journal.folder) for entry in group]


def positions(journal: Journal) -> list[int]:
    return [int(path.stem) for path in snapshot_paths(DISK, journal.folder)]


def test_after_every_so_many_entries_there_is_one(journal: Journal, make: Make) -> None:
    snapshotter = make(every=3)
    expected = []
    for count in (1, 1, 2, 1, 3):
        append(journal, count)
        snapshotter.follow()
        expected.append(positions(journal))
    assert expected == [[], [3], [3], [6, 3], [9, 6]]
    found = restore(DISK, journal.folder, Counting)
    assert found is not None
    assert found[0].encoded() == Counting.of(all_in(journal)).encoded()


def test_it_follows_from_segment_to_segment(journal: Journal, make: Make) -> None:
    snapshotter = make(every=2)
    for _ in range(5):
        append(journal, 2)
        journal.roll()
        snapshotter.follow()
    assert positions(journal) == [11, 9]
    assert contradictions(journal.folder, Counting) == []


def test_a_long_journal_is_taken_in_by_and_by(
    journal: Journal, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that whoever follows can do something else between, and stop."""
    monkeypatch.setattr(snapshotter_module, "PIECES", 2)
    for _ in range(5):
        append(journal, 2)
        journal.roll()
    snapshotter, more = make(every=2), list[bool]()
    for _ in range(4):
        more.append(snapshotter.follow())
    assert more == [True, True, False, False]
    assert positions(journal) == [11, 9]


def test_without_a_journal_it_waits_for_one(tmp_path: Path, said: Said) -> None:
    snapshotter = Snapshotter(tmp_path, Counting, 1)
    snapshotter.follow()
    journal = Journal(tmp_path)
    list(journal.recover())
    snapshotter.follow()
    journal.append([encode(Genesis(1, "one"))])
    snapshotter.follow()
    assert positions(journal) == [1]
    snapshotter.close()
    journal.close()
    assert said() == []


def test_the_next_one_goes_on_where_the_newest_snapshot_is(
    journal: Journal, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(journal, 5)
    journal.roll()
    append(journal, 1)
    make().follow()
    append(journal, 3)
    taken: list[Entry] = []
    apply = Counting.apply

    def note(state: Counting, entry: Entry) -> Refusal | None:
        taken.append(entry)
        return apply(state, entry)

    monkeypatch.setattr(Counting, "apply", note)
    make().follow()
    assert taken == [Config(n, "c") for n in (7, 8, 9, 10)]
    monkeypatch.undo()
    assert positions(journal) == [10, 6]
    assert contradictions(journal.folder, Counting) == []


def test_a_snapshot_knows_no_more_than_the_disk(
    journal: Journal, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, rename = DISK.sync, DISK.rename
    inode = journal.path.stat().st_ino

    def note_sync(file: int) -> None:
        done.append("journal" if os.fstat(file).st_ino == inode else "snapshot")
        sync(file)

    def note_name(path: Path, to: Path) -> None:
        done.append("name")
        rename(path, to)

    append(journal, 3)
    monkeypatch.setattr(DISK, "sync", note_sync)
    monkeypatch.setattr(DISK, "rename", note_name)
    make().follow()
    assert done == ["journal", "snapshot", "name"]


def test_where_there_is_no_room_it_is_a_warning_and_tried_again_later(
    journal: Journal, make: Make, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    snapshotter = make(every=3)
    append(journal, 3)
    monkeypatch.setattr(DISK, "rename", full)
    snapshotter.follow()
    monkeypatch.undo()
    warning = "no snapshot at entry 4 (No space left on device); the next start reads more"
    assert [line.startswith(warning) for line in said()] == [True]
    append(journal, 2)
    snapshotter.follow()
    assert positions(journal) == []
    append(journal, 1)
    snapshotter.follow()
    assert positions(journal) == [7]


def test_a_journal_that_cannot_be_read_for_now_is_tried_again(
    journal: Journal, make: Make, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    snapshotter = make(every=1)
    monkeypatch.setattr(DISK, "open", fail)
    snapshotter.follow()
    monkeypatch.undo()
    assert "Too many open files" in said()[0]
    snapshotter.follow()
    assert positions(journal) == [1]


class Refusing(Counting):
    """Takes two entries and no more."""

    def apply(self, entry: Entry) -> Refusal | None:
        return super().apply(entry) if self.position < 2 else Refusal("not_open")


def test_of_a_journal_that_is_not_valid_no_snapshot_is_made(
    journal: Journal, make: Make, said: Said
) -> None:
    snapshotter = make(every=1, kind=Refusing)
    append(journal, 5)
    for _ in range(3):
        snapshotter.follow()
    assert positions(journal) == []
    assert [line.startswith("no more snapshots are made: entry 3 was") for line in said()] == [True]


def test_of_a_journal_that_its_snapshot_does_not_fit_no_other_is_made(
    journal: Journal, make: Make, said: Said
) -> None:
    append(journal, 3)
    make().follow()
    journal.close()
    journal.path.unlink()
    again = Journal(journal.folder)
    list(again.recover())
    again.append([encode(Genesis(1, "one"))])
    append(again, 9)
    make().follow()
    assert positions(journal) == [4]
    assert "has not the entry 4 that a snapshot was made after" in said()[0]
    again.close()


# -- snapshots against their journal --------------------------------------------------------------


@pytest.fixture
def two(journal: Journal, make: Make) -> Journal:
    """A journal of two segments, with a snapshot of each."""
    snapshotter = make()
    for _ in range(2):
        append(journal, 3)
        snapshotter.follow()
        journal.roll()
    append(journal, 2)
    journal.sync()
    return journal


def test_snapshots_that_the_journal_bears_out_are_no_contradiction(two: Journal) -> None:
    assert positions(two) == [7, 4]
    assert contradictions(two.folder, Counting) == []


class Forgetful(Counting):
    """Sums nothing up."""

    def apply(self, entry: Entry) -> Refusal | None:
        self.position += 1
        return None


def test_a_state_that_the_journal_does_not_make_is_a_contradiction(two: Journal) -> None:
    said = "00000000000000000004.snapshot: the journal says otherwise"
    assert contradictions(two.folder, Forgetful)[0] == said


def test_a_damaged_one_is_named(two: Journal) -> None:
    newest, oldest = snapshot_paths(DISK, two.folder)
    newest.write_bytes(newest.read_bytes()[:-1])
    said = f"{newest.name}: its bytes are not those that were written"
    assert contradictions(two.folder, Counting) == [said]
    assert oldest.exists()


def test_one_ahead_of_the_journal_is_a_contradiction(
    two: Journal, write_journal: Callable[..., Path], tmp_path: Path
) -> None:
    shorter = write_journal([[Genesis(1, "one")]], tmp_path / "shorter")
    for path in snapshot_paths(DISK, two.folder):
        (shorter / path.name).write_bytes(path.read_bytes())
    assert len(contradictions(shorter, Counting)) == 2


def test_one_of_another_journal_is_a_contradiction(
    two: Journal, write_journal: Callable[..., Path], tmp_path: Path
) -> None:
    same = [Config(n, "c") for n in (2, 3, 4)]
    other = write_journal([[Genesis(1, "two")], same], tmp_path / "other")
    path = snapshot_paths(DISK, two.folder)[1]
    (other / path.name).write_bytes(path.read_bytes())
    assert contradictions(other, Forgetful) == [f"{path.name}: the journal says otherwise"]


def test_a_journal_that_cannot_be_read_to_its_end_is_refused(two: Journal) -> None:
    path = segment_path(two.folder, 1)
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    before = len(list(Path("/dev/fd").iterdir()))
    with pytest.raises(JournalDamagedError, match=r"00000001.journal is damaged"):
        contradictions(two.folder, Counting)
    assert len(list(Path("/dev/fd").iterdir())) == before
