"""A reader beside the ledger: all of it once, in order, also while segments are sealed and made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from farthing.ledger import cursor as cursor_module
from farthing.ledger.cursor import Cursor
from farthing.ledger.disk import DISK
from farthing.ledger.entry import Config, Entry, encode
from farthing.ledger.journal import Journal, JournalDamagedError
from farthing.ledger.search import journal_size
from farthing.ledger.segments import Mark, segment_numbers, segment_path

Open = Callable[..., Journal]


def entries(first: int, last: int) -> list[Entry]:
    return [Config(n, "c") for n in range(first, last + 1)]


@pytest.fixture
def journal(open_journal: Open) -> Journal:
    """Twelve entries in four groups, of which two are in a second segment."""
    journal = open_journal()
    for first in (1, 4, 7, 10):
        if first == 7:
            journal.roll()
        append(journal, first, first + 2)
    journal.sync()
    return journal


def append(journal: Journal, first: int, last: int) -> None:
    journal.append([encode(entry) for entry in entries(first, last)])


@pytest.fixture
def cursor(journal: Journal) -> Any:
    made = Cursor(journal.folder)
    yield made
    made.close()


def rest(cursor: Cursor, most: int = 10_000) -> list[Entry]:
    found: list[Entry] = []
    while some := cursor.read(most):
        found += some
    return found


@pytest.mark.parametrize("most", [0, 1, 100, 10_000])
def test_everything_is_read_once_and_in_order(cursor: Cursor, most: int) -> None:
    assert rest(cursor, most) == entries(1, 12)
    assert cursor.read() == []
    assert (cursor.position, cursor.segment.number) == (12, 2)


def test_what_comes_later_is_read_later(cursor: Cursor, journal: Journal) -> None:
    rest(cursor)
    append(journal, 13, 13)
    assert rest(cursor) == entries(13, 13)
    journal.roll()
    assert rest(cursor) == []
    append(journal, 14, 15)
    journal.roll()
    journal.roll()
    append(journal, 16, 17)
    assert rest(cursor) == entries(14, 17)


def test_there_is_no_reader_without_a_journal(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Cursor(tmp_path)


@pytest.mark.parametrize("count", range(5))
def test_a_mark_is_come_back_to(cursor: Cursor, journal: Journal, count: int) -> None:
    for _ in range(count):
        cursor.read(most=0)
    mark, later = cursor.mark, Cursor(journal.folder)
    later.go_to(mark)
    assert (later.position, later.mark) == (3 * count, mark)
    assert rest(later) == entries(3 * count + 1, 12)
    later.close()


@pytest.mark.parametrize("piece", [1, 70, 1_000_000])
def test_a_mark_is_found_in_any_pieces(
    cursor: Cursor, journal: Journal, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    rest(cursor)
    monkeypatch.setattr(cursor_module, "PIECE", piece)
    later = Cursor(journal.folder)
    later.go_to(cursor.mark)
    assert later.position == 12
    later.close()


@pytest.mark.parametrize("mark", [Mark(3, 1), Mark(4, 0), Mark(13, 5), Mark(99, 0)])
def test_a_mark_of_another_journal_is_refused(cursor: Cursor, mark: Mark) -> None:
    with pytest.raises(JournalDamagedError, match=f"has not the entry {mark.position}"):
        cursor.go_to(mark)


def test_a_reader_goes_on_where_another_stood(cursor: Cursor, journal: Journal) -> None:
    for read in (6, 9, 12):
        while cursor.position < read:
            cursor.read(most=0)
        stood = (cursor.position, cursor.offset, cursor.group, cursor.checksum)
        later = Cursor(journal.folder)
        assert later.resume(*stood)
        assert rest(later) == entries(read + 1, 12)
        assert not later.resume(*stood[:3], cursor.checksum ^ 1)
        later.close()


def test_the_end_of_a_segment_written_just_before_the_next_is_not_passed_over(
    cursor: Cursor, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger writes and rolls between a reader's look at the end and at the next segment."""
    rest(cursor)
    look = cursor._next_segment

    def roll_first() -> bool:
        monkeypatch.undo()
        append(journal, 13, 14)
        journal.roll()
        append(journal, 15, 15)
        return look()

    monkeypatch.setattr(cursor, "_next_segment", roll_first)
    assert rest(cursor) == entries(13, 15)


def test_what_is_damaged_before_a_later_segment_is_refused(
    cursor: Cursor, journal: Journal
) -> None:
    path = segment_path(journal.folder, 1)
    content = path.read_bytes()
    path.write_bytes(content[:-30] + b"?" + content[-29:])
    with pytest.raises(JournalDamagedError, match=r"00000001.journal is damaged .* entry 4"):
        rest(cursor)


def test_a_segment_of_another_journal_is_refused(
    cursor: Cursor, journal: Journal, open_journal: Open, tmp_path: Path
) -> None:
    other = open_journal(tmp_path / "other")
    for first in (4, 1):
        append(other, first, first + 2)
    other.roll()
    segment_path(journal.folder, 1).write_bytes(segment_path(other.folder, 1).read_bytes())
    with pytest.raises(JournalDamagedError, match=r"00000001.journal is not what 00000002"):
        rest(cursor)


def test_at_its_end_a_journal_is_checked_for_what_follows(journal: Journal) -> None:
    def check() -> None:
        cursor = Cursor(journal.folder)
        try:
            rest(cursor)
            cursor.check_tail()
        finally:
            cursor.close()

    check()
    last, sealed = segment_path(journal.folder, 2), segment_path(journal.folder, 1)
    append(journal, 13, 13)
    content = bytearray(last.read_bytes())
    content[64 + 40] ^= 1  # in the segment's first group; the last one knew it to be durable
    last.write_bytes(content)
    with pytest.raises(JournalDamagedError, match="entry 7 was acknowledged"):
        check()
    last.unlink()
    with pytest.raises(JournalDamagedError, match=r"00000002.journal is missing"):
        check()
    assert sealed.exists()


def test_a_reader_beside_a_ledger_that_rolls_all_the_time_reads_everything(
    open_journal: Open,
) -> None:
    journal, last = open_journal(segment=200), 400

    append(journal, 1, 1)
    writing, found = threading.Thread(target=lambda: write_rest(journal, last)), list[Entry]()
    writing.start()
    cursor = Cursor(journal.folder)
    while len(found) < last:
        found += cursor.read(most=0)
    writing.join()
    cursor.close()
    assert found == entries(1, last)
    assert len(segment_numbers(DISK, journal.folder)) > 50


def write_rest(journal: Journal, last: int) -> None:
    for number in range(2, last + 1):
        append(journal, number, number)
        if journal.roll_due:
            journal.roll()


def test_what_is_whole_and_of_no_known_kind_is_refused_after_what_comes_before(
    cursor: Cursor, journal: Journal
) -> None:
    journal.append([msgspec.msgpack.encode(["no-such-kind", 1])])
    assert rest_of(cursor) == entries(1, 12)
    with pytest.raises(JournalDamagedError, match="what this version does not know"):
        cursor.read()
    assert cursor.position == 12


def rest_of(cursor: Cursor) -> list[Entry]:
    """Read until twelve entries were read."""
    found: list[Entry] = []
    while len(found) < 12:
        found += cursor.read()
    return found


def test_how_much_was_read_is_told_in_bytes(cursor: Cursor, journal: Journal) -> None:
    rest(cursor)
    first = segment_path(journal.folder, 1).stat().st_size
    assert cursor.passed == first - len(cursor.segment.seal(6))
    assert cursor.passed + cursor.offset < journal_size(journal.folder)


def test_the_unused_end_is_no_tail_and_neither_is_a_seal(cursor: Cursor, journal: Journal) -> None:
    rest(cursor)
    assert cursor.tail() == 0
    append(journal, 13, 13)
    assert cursor.tail() >= 40
    rest(cursor)
    journal.roll()
    assert cursor.tail() == 0


def test_what_is_there_is_passed_over_and_what_comes_is_read(journal: Journal) -> None:
    cursor = Cursor(journal.folder)
    try:
        cursor.go_to_end()
        assert (cursor.position, cursor.read()) == (12, [])
        append(journal, 13, 14)
        journal.roll()
        append(journal, 15, 15)
        journal.sync()
        assert rest(cursor) == entries(13, 15)
    finally:
        cursor.close()
