"""Segments: linked, sealed, and refused by name when one is missing, cut off or exchanged."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.journal import groups

from farthing.ledger.disk import DISK
from farthing.ledger.entry import Entry, Genesis, Overrun, encode
from farthing.ledger.journal import Journal, JournalDamagedError
from farthing.ledger.segments import (
    LINK,
    SEAL,
    first_entry,
    read_chain,
    read_link,
    segment_numbers,
    segment_path,
)

Change = Callable[[Path], None]


def entry(number: int) -> Entry:
    return Genesis(1, "one") if number == 1 else Overrun(number, f"q{number}", number)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four segments, of three groups and then of two, each of two entries."""
    return write(tmp_path / "journal")


def write(folder: Path, shift: int = 0) -> Path:
    journal = Journal(folder)
    list(journal.recover())
    for first in range(1, 19, 2):
        if first in (7, 11, 15):
            journal.roll()
        taken = [entry(first), Overrun(first + shift, "other", 1)]
        journal.append([encode(e) for e in taken])
        journal.sync()
    journal.close()
    return folder


def recovered(folder: Path) -> list[Entry]:
    journal = Journal(folder)
    try:
        return list(journal.recover())
    finally:
        journal.close()


def test_the_segments_hold_everything_in_order(folder: Path) -> None:
    assert segment_numbers(DISK, folder) == [1, 2, 3, 4]
    assert [len(read_chain(DISK, folder)), len(recovered(folder))] == [4, 18]
    assert recovered(folder)[::2] == [entry(n) for n in range(1, 19, 2)]


def test_links_and_seals_have_the_form_that_is_documented(folder: Path) -> None:
    before, first = 0, segment_path(folder, 1).read_bytes()
    content, sums = first, hashlib.sha256()
    for number in (1, 2, 3):
        link_size = 64 if number > 1 else 0
        sums = hashlib.sha256(content[:link_size])
        offset, sealed = link_size, content[:-24]
        while offset < len(sealed):
            length, count = struct.unpack_from("<I", content, offset + 4)[0], 2
            sums.update(content[offset : offset + 28])
            offset, before = offset + 28 + length, before + count
        assert content[-24:] == checked(b"FEND", struct.pack("<QQ", number, before))
        following = segment_path(folder, number + 1).read_bytes()
        fields = struct.pack("<QQQ32s", number + 1, before, len(sealed), sums.digest())
        assert following[:64] == checked(b"FSEG", fields)
        content = following
    assert (LINK.size, SEAL.size) == (64, 24)


def checked(magic: bytes, fields: bytes) -> bytes:
    return magic + struct.pack("<I", zlib.crc32(fields)) + fields


def test_files_of_another_name_are_left_alone(folder: Path) -> None:
    others = {"notes.txt", "00000002.journal.bak", "2.journal", "000000003.journal"}
    for name in others:
        (folder / name).write_text("mine")
    assert len(recovered(folder)) == 18
    assert all((folder / name).read_text() == "mine" for name in others)


# -- damage ---------------------------------------------------------------------------------------


def remove(number: int) -> Change:
    return lambda folder: segment_path(folder, number).unlink()


def cut(number: int, bytes_: int) -> Change:
    def change(folder: Path) -> None:
        path = segment_path(folder, number)
        path.write_bytes(path.read_bytes()[:-bytes_])

    return change


def exchange(one: int, other: int) -> Change:
    def change(folder: Path) -> None:
        a, b = segment_path(folder, one), segment_path(folder, other)
        (a_bytes, b_bytes) = a.read_bytes(), b.read_bytes()
        a.write_bytes(b_bytes)
        b.write_bytes(a_bytes)

    return change


def from_another_journal(number: int) -> Change:
    """Put a segment of the same entries' numbers and size in its place, intact in itself."""

    def change(folder: Path) -> None:
        other = write(folder.parent / "other", shift=1)
        path, replaced = segment_path(other, number), segment_path(folder, number)
        assert path.stat().st_size == replaced.stat().st_size
        replaced.write_bytes(path.read_bytes())

    return change


def flip(number: int, place: int) -> Change:
    def change(folder: Path) -> None:
        path = segment_path(folder, number)
        content = bytearray(path.read_bytes())
        content[place] ^= 0x55
        path.write_bytes(content)

    return change


def append_to(number: int) -> Change:
    def change(folder: Path) -> None:
        path = segment_path(folder, number)
        path.write_bytes(path.read_bytes() + b"more")

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (remove(1), "00000001.journal is missing"),
        (remove(2), "00000002.journal is missing"),
        (remove(4), "00000004.journal is missing"),
        (cut(1, 25), "00000001.journal is cut off at byte"),
        (cut(3, 60), "00000003.journal is cut off at byte"),
        (exchange(1, 2), "00000001.journal is a later segment"),
        (exchange(2, 3), "00000002.journal is segment 3 of a journal, and not 2"),
        (exchange(3, 4), "00000003.journal is segment 4 of a journal, and not 3"),
        (from_another_journal(1), "00000001.journal has other entries than those 00000002"),
        (from_another_journal(2), "00000001.journal has other entries|00000002.journal has other"),
        (from_another_journal(4), "00000003.journal has other entries than those 00000004"),
        (flip(2, 3), "00000002.journal is damaged in its first bytes"),
        (flip(2, 40), "00000002.journal is damaged in its first bytes"),
        (flip(4, 63), "00000004.journal is damaged in its first bytes"),
        (flip(2, 70), "00000002.journal is damaged at byte 64: entry 7 was acknowledged"),
        (flip(2, -30), "00000002.journal is damaged at byte .*: entry 9 was acknowledged"),
        (flip(3, -1), "00000003.journal has other bytes than its seal"),
        (append_to(1), "00000001.journal has other bytes than its seal"),
    ],
)  # fmt: skip
def test_a_journal_that_is_not_whole_is_refused_by_the_files_name_and_left_as_it_is(
    folder: Path, change: Change, said: str
) -> None:
    change(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(JournalDamagedError, match=rf"({said}).*Put back an intact copy"):
        recovered(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_torn_tail_is_cut_off_only_in_the_last_segment(folder: Path) -> None:
    cut(4, 5)(folder)
    assert len(recovered(folder)) == 16
    assert len(recovered(folder)) == 16


@pytest.mark.parametrize("left", [0, 1, 23])
@pytest.mark.parametrize("zeros", [0, 1_000])
def test_a_seal_that_a_crash_kept_from_being_written_is_written(
    folder: Path, left: int, zeros: int
) -> None:
    path = segment_path(folder, 2)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 24 + left] + bytes(zeros))
    assert len(recovered(folder)) == 18
    assert path.read_bytes() == whole
    assert sum(map(len, groups(folder))) == 18


def test_the_first_entry_is_found(folder: Path, tmp_path: Path) -> None:
    assert first_entry(DISK, folder) == entry(1)
    assert first_entry(DISK, tmp_path) is None
    (tmp_path / "00000001.journal").write_bytes(bytes(100))
    assert first_entry(DISK, tmp_path) is None


def test_a_segment_says_what_its_link_says(folder: Path) -> None:
    segment = read_link(DISK, folder, 3)
    assert (segment.number, segment.before) == (3, 10)
    assert segment.previous_size == segment_path(folder, 2).stat().st_size - SEAL.size
    with pytest.raises(FileNotFoundError):
        read_link(DISK, folder, 5)
