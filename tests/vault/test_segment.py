"""The vault's files: frames in their order, whatever is torn; what is erased is gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.vault import LEDGER, MASTER, all_bytes, frames, queries, records, write

from farthing.ledger.disk import DISK
from farthing.vault.keys import Keys
from farthing.vault.segment import (
    BEGINS,
    HEAD,
    end_of,
    erase,
    is_dead,
    run_of,
    segment_id,
    segments,
    walk,
)
from farthing.vault.writer import Writer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "vault", records("q1", b"ask one", b"tell one"), records("q2", b"ask two"))
    return tmp_path / "vault"


@pytest.fixture
def path(folder: Path) -> Path:
    (found,) = segments(DISK, folder)
    return found


def test_frames_come_in_their_order_with_their_labels(folder: Path, path: Path) -> None:
    labels = [frame.label for frame in frames(folder)]
    told = [(label.query, label.field, label.part) for label in labels if label]
    of_one = [("prompt", 0), ("answer", 0), ("seal", 0)]
    assert told == [(query, *each) for query in ("q1", "q2") for each in of_one]
    assert {label.lineage[-1] for label in labels if label} == {"org:acme"}
    assert run_of(path) == "w-1" and len(segment_id(DISK, path)) == 16


def test_what_is_erased_is_zeros_and_the_rest_is_as_it_was(folder: Path, path: Path) -> None:
    mine = [frame for frame in frames(folder) if frame.label and frame.label.query == "q1"]
    held = path.read_bytes()
    erase(DISK, mine)
    assert queries(folder) == ["q2"]
    left = path.read_bytes()
    assert len(left) == len(held) and b"q1" not in left
    for frame in mine:
        was = held[frame.offset + HEAD.size : frame.offset + frame.size]
        now = left[frame.offset : frame.offset + frame.size]
        assert now == HEAD.pack(len(was), 0, 0) + bytes(len(was))
        sealed = was[HEAD.unpack_from(held, frame.offset)[1] :]
        assert not any(sealed[at : at + 8] in left for at in range(len(sealed) - 8))
    other = [f for f in frames(folder) if f.label]
    assert [left[f.offset : f.offset + f.size] == held[f.offset : f.offset + f.size] for f in other]
    erase(DISK, mine)  # again, after a crash
    assert path.read_bytes() == left


def test_a_frame_whose_label_is_damaged_hides_no_other(folder: Path, path: Path) -> None:
    first = frames(folder)[0]
    data = bytearray(path.read_bytes())
    data[first.offset + HEAD.size + 2] ^= 1
    path.write_bytes(data)
    found = frames(folder)
    assert found[0].label is None and all(frame.label for frame in found[1:]) and len(found) == 6


@pytest.mark.parametrize("kept", [0, 5, HEAD.size, HEAD.size + 20])
def test_a_torn_end_is_no_frame(folder: Path, path: Path, kept: int) -> None:
    whole = frames(folder)
    last = whole[-1]
    path.write_bytes(path.read_bytes()[: last.offset + kept])
    assert frames(folder) == whole[:-1]
    assert end_of(DISK, path) == last.offset
    path.write_bytes(path.read_bytes() + bytes(100))  # as a power cut leaves a file
    assert len(frames(folder)) >= 5


def test_a_segment_that_was_never_begun_is_empty(tmp_path: Path) -> None:
    path = tmp_path / f"{1:016x}-w-1.vault"
    path.touch()
    assert segments(DISK, tmp_path) == [path] and list(walk(DISK, path)) == []
    assert segment_id(DISK, path) == b"" and end_of(DISK, path) == BEGINS
    assert segments(DISK, tmp_path / "none") == []
    assert list(walk(DISK, tmp_path / "gone.vault")) == []


def test_a_label_longer_than_a_piece_is_read_whole(tmp_path: Path) -> None:
    lineage = ("key:k1", *(f"team:{'t' * 200}{n}" for n in range(8)), "org:acme")
    write(tmp_path, records("q1", b"ask", lineage=lineage))
    assert all(frame.label and frame.label.lineage == lineage for frame in frames(tmp_path))


def test_a_segment_is_dead_when_its_writer_is(tmp_path: Path) -> None:
    writer = Writer(tmp_path, "w-1", LEDGER, Keys(tmp_path, MASTER))
    writer.write(records("q1"))
    (path,) = segments(DISK, tmp_path)
    assert not is_dead(DISK, path)
    writer.close()
    assert is_dead(DISK, path)


def test_no_content_is_there_in_plain(folder: Path) -> None:
    assert b"ask" not in all_bytes(folder) and b"tell" not in all_bytes(folder)
