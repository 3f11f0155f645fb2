"""The journal's file: what a crash, a full disk, damage and a second process do to it."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.errors import ConfigError
from farthing.ledger import disk as disk_module
from farthing.ledger.entry import Config, Entry, Genesis, Overrun, encode
from farthing.ledger.journal import (
    EXTENT,
    FIRST_SEGMENT,
    ZEROED,
    Journal,
    JournalDamagedError,
    JournalFullError,
    read_groups,
)

Open = Callable[..., Journal]
Write = Callable[..., Path]
Groups = Callable[[Path], list[list[Entry]]]

HEAD = 28


def entries(first: int, count: int) -> list[Entry]:
    return [Overrun(at=n, id=f"q{n}", usd=n) for n in range(first, first + count)]


THREE = [entries(1, 2), entries(3, 1), entries(4, 3)]


def group(group_entries: list[Entry], first: int, durable: int) -> bytes:
    """Make a group by the journal's documented form, with nothing of the journal's."""
    payload = msgspec.msgpack.encode(group_entries)
    counters = struct.pack("<QQ", first, durable)
    checksum = zlib.crc32(counters + payload)
    return b"FGRP" + struct.pack("<II", len(payload), checksum) + counters + payload


def recovered(folder: Path) -> list[Entry]:
    journal = Journal(folder)
    found = list(journal.recover())
    journal.close()
    return found


def flat(groups: list[list[Entry]]) -> list[Entry]:
    return [entry for group_entries in groups for entry in group_entries]


def test_a_new_journal_is_empty(tmp_path: Path) -> None:
    assert recovered(tmp_path / "journal") == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=5), max_size=5))
def test_what_was_appended_is_read_again_in_order(groups: list[list[int]]) -> None:
    written: list[list[Entry]] = [[Overrun(1, "é", usd) for usd in usds] for usds in groups]
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder))
        assert list(journal.recover()) == []
        for group_entries in written:
            journal.append([encode(entry) for entry in group_entries])
        journal.close()
        assert recovered(Path(folder)) == flat(written)


@pytest.mark.parametrize("count", [1, 15, 16, 65_535, 65_536])
def test_a_group_holds_any_number_of_entries(count: int, write_journal: Write) -> None:
    written: list[Entry] = [Config(at=n, digest="") for n in range(count)]
    assert recovered(write_journal([written])) == written


def test_a_group_has_the_form_that_is_documented(open_journal: Open) -> None:
    journal = open_journal()
    journal.append([encode(e) for e in THREE[0]])
    journal.sync()
    journal.append([encode(e) for e in THREE[1]])
    journal.append([encode(e) for e in THREE[2]])
    journal.close()
    assert journal.path.read_bytes() == (
        group(THREE[0], 1, 0) + group(THREE[1], 3, 2) + group(THREE[2], 4, 2)
    )


def test_groups_of_the_documented_form_are_read(tmp_path: Path) -> None:
    (tmp_path / FIRST_SEGMENT).write_bytes(group(THREE[0], 1, 0) + group(THREE[1], 3, 2))
    assert recovered(tmp_path) == THREE[0] + THREE[1]


def test_a_gap_in_the_numbers_ends_the_reading(tmp_path: Path) -> None:
    (tmp_path / FIRST_SEGMENT).write_bytes(group(THREE[0], 1, 0) + group(THREE[2], 4, 2))
    assert recovered(tmp_path) == THREE[0]


def test_the_counters_are_under_the_checksum(tmp_path: Path) -> None:
    forged = bytearray(group(THREE[0], 1, 0) + group(THREE[1], 3, 0))
    forged[len(group(THREE[0], 1, 0)) + 20] = 2  # its durable entries
    (tmp_path / FIRST_SEGMENT).write_bytes(forged)
    assert recovered(tmp_path) == THREE[0]


def test_written_and_durable_entries_are_counted_apart(open_journal: Open) -> None:
    journal = open_journal()
    journal.append([encode(e) for e in THREE[0]])
    assert (journal.position, journal.durable) == (2, 0)
    journal.sync()
    journal.append([encode(e) for e in THREE[1]])
    assert (journal.position, journal.durable) == (3, 2)


def test_what_was_recovered_is_durable(open_journal: Open, write_journal: Write) -> None:
    journal = open_journal(write_journal(THREE))
    assert (journal.position, journal.durable) == (6, 6)


def test_a_sync_vouches_only_for_what_was_written_before_it(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal()
    journal.append([encode(e) for e in THREE[0]])
    monkeypatch.setattr(os, "fdatasync", lambda _: journal.append([encode(THREE[1][0])]))
    journal.sync()
    monkeypatch.undo()
    assert (journal.position, journal.durable) == (3, 2)


def test_a_sync_that_fails_vouches_for_nothing(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "broken")

    journal = open_journal()
    journal.append([encode(e) for e in THREE[0]])
    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(OSError, match="broken"):
        journal.sync()
    monkeypatch.undo()
    assert journal.durable == 0


def test_a_sync_that_ends_while_a_group_is_made_does_no_harm_to_it(tmp_path: Path) -> None:
    """The thread that syncs counts on; the group's checksum must be of the count it carries."""

    class Counting(Journal):
        reads = 0

        @property
        def durable(self) -> int:
            self.reads += 1
            return self.reads

        @durable.setter
        def durable(self, _: int) -> None:
            pass

    journal = Counting(tmp_path)
    assert list(journal.recover()) == []
    journal.append([encode(e) for e in THREE[0]])
    journal.close()
    assert recovered(tmp_path) == THREE[0]


def test_macos_is_asked_to_get_past_the_drives_cache(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    journal = open_journal()
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda _, what: asked.append(what))
    journal.sync()
    monkeypatch.undo()
    assert asked == [51]


def test_groups_can_be_read_from_any_groups_end(write_journal: Write) -> None:
    content = (write_journal(THREE) / FIRST_SEGMENT).read_bytes()
    ends = [end for _, end in read_groups(content, 0, 0)]
    assert [found for found, _ in read_groups(content, ends[0], 2)] == THREE[1:]
    assert list(read_groups(content, ends[0], 1)) == []
    assert list(read_groups(content, ends[0] + 1, 2)) == []


# -- a crash ------------------------------------------------------------------------------------


def survives(content: bytes, folder: Path, intact: list[list[Entry]]) -> None:
    """Check that exactly the intact groups are recovered, and that appending goes on."""
    folder.mkdir()
    (folder / FIRST_SEGMENT).write_bytes(content)
    journal = Journal(folder)
    assert list(journal.recover()) == flat(intact)
    journal.append([encode(Config(9, "after"))])
    journal.close()
    assert recovered(folder) == [*flat(intact), Config(9, "after")]


@pytest.fixture
def last_group(write_journal: Write) -> tuple[bytes, int]:
    """A journal's content, and where its last group begins."""
    content = (write_journal(THREE) / FIRST_SEGMENT).read_bytes()
    return content, len(content) - len(group(THREE[2], 4, 3))


def test_a_tail_torn_anywhere_is_cut_off(tmp_path: Path, last_group: tuple[bytes, int]) -> None:
    content, start = last_group
    for length in range(start, len(content)):
        survives(content[:length], tmp_path / f"{length}", THREE[:2])


def test_a_tail_of_which_only_a_part_reached_the_extent_is_cut_off(
    tmp_path: Path, last_group: tuple[bytes, int]
) -> None:
    content, start = last_group
    for length in range(start, len(content)):
        torn = content[:length] + bytes(len(content) - length) + bytes(512)
        whole = torn.startswith(content)  # what is lost was zeros
        survives(torn, tmp_path / f"{length}", THREE if whole else THREE[:2])


def test_a_tail_whose_beginning_never_reached_the_disk_is_cut_off(
    tmp_path: Path, last_group: tuple[bytes, int]
) -> None:
    content, start = last_group
    for first in range(start + 1, len(content)):
        torn = content[:start] + bytes(first - start) + content[first:]
        survives(torn, tmp_path / f"{first}", THREE[:2])


def test_a_tail_with_any_byte_changed_is_cut_off(
    tmp_path: Path, last_group: tuple[bytes, int]
) -> None:
    content, start = last_group
    for place in range(start, len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 0xFF
        survives(bytes(flipped), tmp_path / f"{place}", THREE[:2])


def test_a_whole_tail_is_kept(tmp_path: Path, last_group: tuple[bytes, int]) -> None:
    survives(last_group[0], tmp_path / "whole", THREE)


def test_groups_after_a_torn_one_that_nobody_knew_durable_never_come_back(
    tmp_path: Path,
) -> None:
    torn = bytearray(group(THREE[1], 3, 2))
    torn[-1] ^= 1
    content = group(THREE[0], 1, 0) + torn + group(THREE[2], 4, 2)
    survives(bytes(content), tmp_path / "journal", THREE[:1])


def test_zeros_after_the_end_are_no_entries(
    tmp_path: Path, open_journal: Open, groups_in: Groups
) -> None:
    journal = open_journal()
    journal.append([encode(e) for e in THREE[0]])
    assert journal.path.stat().st_size == EXTENT
    assert groups_in(journal.path.parent) == THREE[:1]
    survives(journal.path.read_bytes(), tmp_path / "killed", THREE[:1])


def test_closing_gives_back_the_extent(open_journal: Open) -> None:
    journal = open_journal()
    journal.append([encode(e) for e in THREE[0]])
    journal.close()
    assert journal.path.stat().st_size == len(group(THREE[0], 1, 0))


# -- damage -------------------------------------------------------------------------------------


def damaged(write_journal: Write, place: int) -> bytes:
    """Write three groups with one byte changed; return what is in the file."""
    path = write_journal(THREE) / FIRST_SEGMENT
    content = bytearray(path.read_bytes())
    content[place] ^= 0x55
    path.write_bytes(content)
    return bytes(content)


@pytest.mark.parametrize("place", range(len(group(THREE[0], 1, 0) + group(THREE[1], 3, 2))))
def test_damage_to_what_was_acknowledged_is_refused_and_changes_nothing(
    place: int, tmp_path: Path, write_journal: Write
) -> None:
    content = damaged(write_journal, place)
    journal = Journal(tmp_path / "journal")
    with pytest.raises(JournalDamagedError):
        list(journal.recover())
    assert journal.path.read_bytes() == content
    journal.close()


def test_a_lost_group_that_a_later_one_knew_durable_is_damage(tmp_path: Path) -> None:
    lost = bytes(len(group(THREE[1], 3, 2)))
    content = group(THREE[0], 1, 0) + lost + group(THREE[2], 4, 3) + bytes(100)
    (tmp_path / FIRST_SEGMENT).write_bytes(content)
    journal = Journal(tmp_path)
    with pytest.raises(JournalDamagedError):
        list(journal.recover())
    assert journal.path.read_bytes() == content
    journal.close()


def test_the_refusal_says_what_is_lost_and_what_to_do(tmp_path: Path, write_journal: Write) -> None:
    first = len(group(THREE[0], 1, 0))
    damaged(write_journal, first + HEAD)
    journal = Journal(tmp_path / "journal")
    with pytest.raises(ConfigError, match=f"byte {first}: entry 3 .*Put back an intact copy"):
        list(journal.recover())
    journal.close()


def test_closing_a_damaged_journal_changes_nothing(tmp_path: Path, write_journal: Write) -> None:
    content = damaged(write_journal, 0)
    journal = Journal(tmp_path / "journal")
    with pytest.raises(JournalDamagedError):
        list(journal.recover())
    journal.close()
    assert journal.path.read_bytes() == content


def test_closing_in_the_middle_of_recovery_changes_nothing(
    tmp_path: Path, write_journal: Write
) -> None:
    content = (write_journal(THREE) / FIRST_SEGMENT).read_bytes()
    journal = Journal(tmp_path / "journal")
    reading = journal.recover()
    assert next(reading) == THREE[0][0]
    assert isinstance(reading, Generator)
    reading.close()  # as Ctrl-C does
    journal.close()
    assert journal.path.read_bytes() == content


# -- one process at a time ----------------------------------------------------------------------


def test_a_second_journal_in_the_folder_is_refused(tmp_path: Path, open_journal: Open) -> None:
    open_journal()
    with pytest.raises(ConfigError, match="already open in another process"):
        Journal(tmp_path / "journal")


OPEN_ELSEWHERE = """
import sys, pathlib
from farthing.errors import ConfigError
from farthing.ledger.journal import Journal
try:
    Journal(pathlib.Path(sys.argv[1]))
    print("opened")
except ConfigError as error:
    print(error)
"""


def test_a_second_process_is_refused_until_the_first_is_done(
    open_journal: Open, python: Callable[..., str]
) -> None:
    journal = open_journal()
    assert "already open in another process" in python(OPEN_ELSEWHERE, journal.path.parent)
    journal.close()
    assert python(OPEN_ELSEWHERE, journal.path.parent) == "opened\n"


def test_nobody_else_may_read_it(open_journal: Open) -> None:
    before = os.umask(0)
    try:
        path = open_journal().path
    finally:
        os.umask(before)
    modes = {p.name: p.stat().st_mode & 0o777 for p in (path.parent, path, path.parent / "lock")}
    assert modes == {"journal": 0o700, FIRST_SEGMENT: 0o600, "lock": 0o600}


def test_a_new_journals_name_is_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(disk_module, "sync_folder", synced.append)
    recovered(tmp_path / "journal")
    assert tmp_path / "journal" in synced


def test_a_new_journal_folders_name_is_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(disk_module, "sync_folder", synced.append)
    recovered(tmp_path / "journal")
    assert tmp_path in synced


def test_a_crash_between_making_the_file_and_syncing_its_name_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FIRST_SEGMENT).touch()  # what such a crash leaves
    synced: list[Path] = []
    monkeypatch.setattr(disk_module, "sync_folder", synced.append)
    recovered(tmp_path)
    assert tmp_path in synced


# -- a full disk --------------------------------------------------------------------------------


def no_room(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_room_is_said_and_nothing_is_written(
    code: int, open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(code, "no room")

    journal = open_journal()
    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(JournalFullError, match="no room"):
        journal.append([encode(e) for e in THREE[0]])
    assert journal.path.stat().st_size == 0
    assert journal.position == 0
    monkeypatch.undo()
    journal.append([encode(e) for e in THREE[0]])
    assert journal.position == 2


def test_another_error_of_the_disk_is_not_taken_for_a_full_one(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: int) -> None:
        raise OSError(errno.EIO, "broken")

    journal = open_journal()
    monkeypatch.setattr(os, "posix_fallocate", fail)
    with pytest.raises(OSError, match="broken"):
        journal.reserve(1)


def test_what_was_reserved_is_written_whatever_the_disk_says(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal()
    journal.reserve(EXTENT + 1)
    monkeypatch.setattr(os, "posix_fallocate", no_room)
    for _ in range(2):
        journal.append([encode(Config(1, "x" * (EXTENT - 100)))])


def test_room_is_taken_by_whole_extents(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal()
    journal.reserve(EXTENT)
    assert journal.path.stat().st_size == EXTENT
    journal.reserve(EXTENT + 1)
    assert journal.path.stat().st_size == 2 * EXTENT
    monkeypatch.setattr(os, "posix_fallocate", no_room)
    journal.reserve(2 * EXTENT)


def test_a_little_of_the_room_is_written_before_it_is_needed_and_never_more_than_there_is(
    tmp_path: Path,
) -> None:
    """So few writes go to room that was never written, which costs a sync twice as much."""
    ends: list[int] = []

    class Watched(disk_module.Disk):
        def write(self, file: int, data: bytes, offset: int) -> None:
            assert offset + len(data) <= max(self.size(file), 1000), "nothing makes a file longer"
            ends.append(offset + len(data))
            super().write(file, data, offset)

    def append(count: int) -> int:
        """Append; return how many of the writes went to where nothing was before."""
        ends.clear()
        for _ in range(count):
            journal.append([encode(Config(1, "x" * 9_000))])
        return len({max(ends[: n + 1]) for n in range(count)})

    journal = Journal(tmp_path, disk=Watched())
    list(journal.recover())
    assert append(1000) == pytest.approx(1000 * 9_060 / ZEROED, rel=0.1)
    journal.roll()
    assert append(500) == pytest.approx(500 * 9_060 / ZEROED, rel=0.1)
    journal.close()
    assert len(recovered(tmp_path)) == 1500


def test_a_group_of_which_the_disk_took_a_part_is_an_error(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    journal = open_journal()
    journal.append([encode(e) for e in THREE[0]])
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: pwrite(fd, data[:-1], at))
    with pytest.raises(OSError, match="only a part"):
        journal.append([encode(e) for e in THREE[1]])
    monkeypatch.undo()
    assert journal.position == 2
    survives(journal.path.read_bytes(), tmp_path / "killed", THREE[:1])


FULL = """
import pathlib, sys, resource
from farthing.ledger.entry import Genesis, encode
from farthing.ledger.journal import EXTENT, Journal, JournalFullError
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (2 * EXTENT, unlimited[1]))
journal = Journal(pathlib.Path(sys.argv[1]))
list(journal.recover())
entry = encode(Genesis(1, "x" * 100_000))
written = 0
try:
    while True:
        journal.append([entry])
        written += 1
except JournalFullError as error:
    print(error)
assert journal.position == written
assert written * len(entry) > 2 * EXTENT - 110_000
assert journal.path.stat().st_size == 2 * EXTENT
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
journal.append([entry])
journal.close()
again = Journal(pathlib.Path(sys.argv[1]))
assert len(list(again.recover())) == written + 1
"""


def test_a_file_at_its_size_limit_is_full_and_works_again_when_there_is_room(
    tmp_path: Path, python: Callable[..., str]
) -> None:
    assert "no room for the journal: File too large" in python(FULL, tmp_path / "journal")


def test_a_disk_that_is_really_full_works_again_when_there_is_room(
    small_disk: Path, open_journal: Open, groups_in: Groups
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(4 * 1024 * 1024))
    journal = open_journal(small_disk / "journal")
    entry = encode(Genesis(1, "x" * 500_000))
    with pytest.raises(JournalFullError, match="No space left"):
        for _ in range(9):
            journal.append([entry])
    assert journal.path.stat().st_size == EXTENT, "of the second extent nothing was written"
    assert len(groups_in(journal.path.parent)) == journal.position == 8
    ballast.unlink()
    journal.append([entry])
    journal.close()
    assert len(recovered(journal.path.parent)) == 9
