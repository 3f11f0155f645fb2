"""Rolling the journal: at its size, safely at every step, and keeping what was reserved."""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from farthing.errors import ConfigError
from farthing.ledger.disk import DISK, Disk
from farthing.ledger.entry import Config, Entry, encode
from farthing.ledger.groups import HEADER
from farthing.ledger.journal import EXTENT, Journal, JournalDamagedError, JournalFullError
from farthing.ledger.segments import LINK, SEAL, START, Mark, segment_numbers, segment_path

Open = Callable[..., Journal]


def entries(first: int, last: int) -> list[Entry]:
    return [Config(n, "c") for n in range(first, last + 1)]


def append(journal: Journal, first: int, last: int) -> None:
    journal.append([encode(entry) for entry in entries(first, last)])


def recovered(folder: Path, after: Mark = START) -> list[Entry]:
    journal = Journal(folder)
    try:
        return list(journal.recover(after))
    finally:
        journal.close()


def rolled(journal: Journal) -> None:
    """Write three groups of two entries, the last two in segments of their own."""
    for first in (1, 3, 5):
        append(journal, first, first + 1)
        if first < 5:
            journal.roll()


def test_it_is_due_at_its_size_and_not_before(open_journal: Open) -> None:
    size = HEADER.size + 1 + len(encode(Config(1, "c")))
    journal = open_journal(segment=3 * size)
    due = [journal.roll_due]
    for number in (1, 2, 3):
        append(journal, number, number)
        due.append(journal.roll_due)
    journal.roll()
    assert [*due, journal.roll_due] == [False, False, False, True, False]
    assert journal.path == segment_path(journal.folder, 2)


def test_a_journal_that_is_past_its_size_rolls_when_it_is_opened(
    open_journal: Open,
) -> None:
    journal = open_journal()
    append(journal, 1, 5)
    journal.close()
    again = open_journal(segment=10)
    assert again.path == segment_path(journal.folder, 2)
    append(again, 6, 6)
    again.close()
    assert recovered(again.folder) == entries(1, 6)


def test_a_sealed_segment_ends_at_its_seal_and_is_never_written_again(open_journal: Open) -> None:
    journal = open_journal()
    append(journal, 1, 2)
    end = journal._end
    journal.roll()
    path = segment_path(journal.folder, 1)
    content, changed = path.read_bytes(), path.stat().st_mtime_ns
    assert len(content) == end + SEAL.size
    append(journal, 3, 4)
    journal.sync()
    journal.close()
    assert recovered(journal.folder) == entries(1, 4)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, changed)


def test_what_was_written_is_durable_when_it_has_rolled(open_journal: Open) -> None:
    journal = open_journal()
    append(journal, 1, 2)
    journal.roll()
    assert (journal.position, journal.durable) == (2, 2)


def test_an_empty_segment_is_no_trouble(open_journal: Open) -> None:
    journal = open_journal()
    for _ in range(3):
        journal.roll()
    append(journal, 1, 1)
    journal.roll()
    journal.close()
    assert recovered(journal.folder) == entries(1, 1)
    assert segment_numbers(DISK, journal.folder) == [1, 2, 3, 4, 5]


class Stopped(BaseException):
    """The process is killed."""


class Stopping(Disk):
    """Kills the process before a call that changes something; what was written stays written."""

    def __init__(self, calls: int) -> None:
        self.calls = calls


def _stopping(name: str) -> Callable[..., Any]:
    def call(self: Stopping, *arguments: Any) -> Any:
        if self.calls == 0:
            raise Stopped
        self.calls -= 1
        return getattr(Disk, name)(self, *arguments)

    return call


for _name in ("open", "write", "allocate", "truncate", "sync", "sync_folder", "rename", "remove"):
    setattr(Stopping, _name, _stopping(_name))


def test_killed_before_any_step_of_it_nothing_is_lost(tmp_path: Path) -> None:
    reached = 0
    for calls in range(100):
        journal = Journal(tmp_path / f"{calls}")
        assert list(journal.recover()) == []
        append(journal, 1, 2)
        journal.roll()
        append(journal, 3, 4)
        journal.disk = Stopping(calls)
        try:
            journal.roll()
        except Stopped:
            reached += 1
        else:
            journal.disk = DISK
            journal.close()
            break
        os.close(journal._lock)  # its other files stay open, as they may in a test
        assert recovered(journal.folder) == entries(1, 4)
        assert not (journal.folder / "next.journal").exists()
        sealed = segment_numbers(DISK, journal.folder)[:-1]
        assert sealed in ([1], [1, 2])
        for number in sealed:
            assert segment_path(journal.folder, number).read_bytes()[-24:].startswith(b"FEND")
    assert reached > 8


# -- a full disk --------------------------------------------------------------------------------


def no_room(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("call", ["open", "allocate", "write", "sync", "rename"])
def test_where_there_is_no_room_for_the_next_segment_this_one_goes_on(
    open_journal: Open,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    call: str,
) -> None:
    monkeypatch.setattr(logging.getLogger("farthing"), "propagate", True)
    journal = open_journal(segment=50)
    append(journal, 1, 9)
    journal.sync()
    before = len(list(Path("/dev/fd").iterdir()))
    if call == "sync":  # the file's, not the segment's that is in use
        monkeypatch.setattr(journal, "sync", lambda: None)
    monkeypatch.setattr(DISK, call, no_room)
    journal.roll()
    monkeypatch.undo()
    assert "going on in this" in caplog.text
    assert len(list(Path("/dev/fd").iterdir())) == before
    assert [path.name for path in journal.folder.iterdir() if "next" in path.name] == []
    append(journal, 10, 10)
    due = journal.roll_due  # not tried again at once
    journal.append([encode(Config(11, "x" * EXTENT))])
    assert (due, journal.roll_due) == (False, True)
    journal.roll()
    append(journal, 12, 12)
    journal.close()
    assert len(recovered(journal.folder)) == 12
    assert segment_numbers(DISK, journal.folder) == [1, 2]


@pytest.mark.parametrize("call", ["open", "allocate", "sync", "sync_folder", "rename", "truncate"])
def test_a_disk_that_fails_is_not_taken_for_a_full_one(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "broken")

    journal = open_journal()
    append(journal, 1, 2)
    monkeypatch.setattr(DISK, call, fail)
    with pytest.raises(OSError, match="broken"):
        journal.roll()
    monkeypatch.undo()


def test_what_was_reserved_is_kept_in_the_next_segment(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal()
    append(journal, 1, 1)
    journal.reserve(EXTENT + 1)
    journal.roll()
    assert journal.path.stat().st_size == 2 * EXTENT
    monkeypatch.setattr(DISK, "allocate", no_room)
    for _ in range(2):
        journal.append([encode(Config(1, "x" * (EXTENT // 2 - LINK.size)))])


def test_what_is_reserved_while_the_next_segment_is_made_is_kept_in_it(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop admits queries while the thread waits for the disk."""
    journal, sync = open_journal(), DISK.sync
    append(journal, 1, 1)
    journal.sync()
    inode = journal.path.stat().st_ino

    def reserve_meanwhile(file: int) -> None:
        if os.fstat(file).st_ino != inode:
            journal.reserve(3 * EXTENT)
        sync(file)

    monkeypatch.setattr(DISK, "sync", reserve_meanwhile)
    journal.roll()
    assert journal.path.stat().st_size == 4 * EXTENT
    monkeypatch.setattr(DISK, "allocate", no_room)
    journal.reserve(3 * EXTENT)
    with pytest.raises(JournalFullError):
        journal.reserve(4 * EXTENT)


def test_what_is_reserved_in_the_very_moment_of_the_change_is_kept_in_the_next_segment(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for the change, and so is not promised of the segment that is given up."""
    journal, rename = open_journal(), DISK.rename
    append(journal, 1, 1)
    reserving = threading.Thread(target=lambda: journal.reserve(3 * EXTENT))

    def reserve_first(path: Path, to: Path) -> None:
        reserving.start()
        reserving.join(0.2)  # long enough for one that does not wait
        rename(path, to)

    monkeypatch.setattr(DISK, "rename", reserve_first)
    journal.roll()
    reserving.join()
    assert journal.path.stat().st_size == 4 * EXTENT


def test_what_was_reserved_is_not_given_up_for_a_segment_that_has_no_room_for_it(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, allocate, left = open_journal(), DISK.allocate, [1]
    append(journal, 1, 1)
    journal.reserve(EXTENT + 1)

    def one_extent(*arguments: int) -> None:
        if not left:
            no_room()
        left.pop()
        allocate(*arguments)

    monkeypatch.setattr(DISK, "allocate", one_extent)
    journal.roll()
    assert journal.path == segment_path(journal.folder, 1)
    journal.append([encode(Config(1, "x" * EXTENT))])


def test_a_disk_too_full_for_a_first_segment_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    monkeypatch.setattr(DISK, "open", no_room)
    with pytest.raises(ConfigError, match="no room for the journal; free some"):
        Journal(tmp_path / "journal")
    monkeypatch.undo()
    assert len(list(Path("/dev/fd").iterdir())) == before
    assert recovered(tmp_path / "journal") == []


def test_a_seal_for_which_there_is_no_room_waits_for_the_next_start(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal()
    rolled(journal)
    journal.close()
    path = segment_path(journal.folder, 1)
    os.truncate(path, path.stat().st_size - SEAL.size)
    write = DISK.write

    def full(file: int, data: bytes, offset: int) -> None:
        if data.startswith(b"FEND"):
            no_room()
        write(file, data, offset)

    monkeypatch.setattr(DISK, "write", full)
    assert recovered(journal.folder) == entries(1, 6)
    monkeypatch.undo()
    assert recovered(journal.folder) == entries(1, 6)
    assert path.read_bytes()[-24:].startswith(b"FEND")


# -- opening from a mark ------------------------------------------------------------------------


def marks(journal: Journal) -> list[Mark]:
    """Return the mark at the end of each group, from the documented form."""
    found, before = [Mark()], 0
    for number in segment_numbers(DISK, journal.folder):
        content = segment_path(journal.folder, number).read_bytes()
        offset = LINK.size if number > 1 else 0
        while content[offset : offset + 4] == b"FGRP":
            _, length, checksum, first, _ = HEADER.unpack_from(content, offset)
            offset += HEADER.size + length
            assert first == before + 1
            before += content[offset - length] & 0x0F
            found.append(Mark(before, checksum))
    return found


def test_from_a_mark_on_only_what_follows_is_read(open_journal: Open) -> None:
    journal = open_journal()
    for first in (1, 3):
        append(journal, first, first + 1)
        append(journal, first, first + 1)
        journal.roll()
    append(journal, 9, 9)
    journal.close()
    whole = recovered(journal.folder)
    assert len(marks(journal)) == 6
    for mark in marks(journal):
        assert recovered(journal.folder, mark) == whole[mark.position :]


def test_after_a_start_from_a_mark_it_goes_on_as_after_any(open_journal: Open) -> None:
    journal = open_journal()
    rolled(journal)
    append(journal, 7, 8)
    journal.close()
    again = Journal(journal.folder)
    assert list(again.recover(marks(journal)[-2])) == entries(7, 8)
    append(again, 9, 10)
    again.roll()
    append(again, 11, 12)
    again.close()
    assert recovered(again.folder) == entries(1, 12)


def test_segments_before_a_mark_are_not_read_and_what_lies_before_it_is_not_decoded(
    open_journal: Open,
) -> None:
    journal = open_journal()
    rolled(journal)
    append(journal, 7, 8)
    journal.close()
    mark = marks(journal)[-2]
    for number, place in ((1, HEADER.size + 3), (3, LINK.size + HEADER.size + 3)):
        path = segment_path(journal.folder, number)
        content = bytearray(path.read_bytes())
        content[place] ^= 0x55
        path.write_bytes(content)
    assert recovered(journal.folder, mark) == entries(7, 8)
    with pytest.raises(JournalDamagedError, match=r"00000001.journal is damaged"):
        recovered(journal.folder)


@pytest.mark.parametrize("mark", [Mark(2, 5), Mark(3, 5), Mark(5, 5), Mark(6, 5)])
def test_a_mark_that_is_not_in_the_journal_is_refused(open_journal: Open, mark: Mark) -> None:
    journal = open_journal()
    rolled(journal)
    journal.close()
    with pytest.raises(JournalDamagedError, match=f"has not the entry {mark.position}"):
        recovered(journal.folder, mark)


def test_a_mark_ahead_of_the_journal_says_that_entries_are_missing(open_journal: Open) -> None:
    journal = open_journal()
    rolled(journal)
    journal.close()
    said = "ends after entry 6, but a snapshot was made after entry 7: .* missing"
    with pytest.raises(JournalDamagedError, match=said):
        recovered(journal.folder, Mark(7, 5))


# -- after a sync that failed -------------------------------------------------------------------


def test_what_nobody_knew_durable_is_written_again_at_the_next_start(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may show it from memory though it never reached the disk."""
    journal = open_journal()
    append(journal, 1, 2)
    journal.sync()
    append(journal, 3, 4)
    synced = journal._end
    append(journal, 5, 6)
    journal.close()
    written: list[tuple[bytes, int]] = []
    write = DISK.write

    def note(file: int, data: bytes, offset: int) -> None:
        written.append((data, offset))
        write(file, data, offset)

    content = journal.path.read_bytes()
    first = synced - (len(content) - synced)
    monkeypatch.setattr(DISK, "write", note)
    assert recovered(journal.folder) == entries(1, 6)
    assert written == [(content[first:], first)]
    assert journal.path.read_bytes() == content
