"""Snapshots: whole or not used, of this journal or not used, and never a reason not to start."""

from __future__ import annotations

import errno
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.support.counting import Counting

from farthing.ledger.disk import DISK
from farthing.ledger.entry import Genesis
from farthing.ledger.segments import Mark
from farthing.ledger.snapshot import (
    Snapshot,
    SnapshotDamagedError,
    read_snapshot,
    restore,
    snapshot_paths,
    snapshots,
    write_snapshot,
)

Write = Callable[..., Path]
Said = list[str]


@pytest.fixture
def folder(write_journal: Write) -> Path:
    """A journal of one entry."""
    return write_journal([[Genesis(1, "one")]])


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Said]:
    """What was logged until now."""
    monkeypatch.setattr(logging.getLogger("farthing"), "propagate", True)
    return lambda: [record.getMessage() for record in caplog.records]


def made(position: int, ledger: str = "one", state: bytes | None = None) -> Snapshot:
    encoded = Counting(position, 7).encoded() if state is None else state
    return Snapshot(ledger, position, 1_000 + position, encoded)


def put(folder: Path, *positions: int) -> list[Path]:
    return [write_snapshot(DISK, folder, made(position)) for position in positions]


def restored(folder: Path) -> int | None:
    found = restore(DISK, folder, Counting)
    return found and found[0].position


def test_what_was_written_is_read(folder: Path) -> None:
    (path,) = put(folder, 5)
    assert path == folder / "00000000000000000005.snapshot"
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_snapshot(DISK, path) == made(5)
    found = restore(DISK, folder, Counting)
    assert found is not None
    assert (found[0].encoded(), found[1]) == (made(5).state, Mark(5, 1_005))


def test_a_file_has_the_form_that_is_documented(folder: Path) -> None:
    (path,) = put(folder, 5)
    payload = msgspec.msgpack.encode(["one", 5, 1_005, made(5).state])
    assert path.read_bytes() == b"FSNP" + hashlib.sha256(payload).digest() + payload


def test_the_last_two_are_kept(folder: Path) -> None:
    put(folder, 5, 50, 9, 400)
    assert [path.name[-12:] for path in snapshot_paths(DISK, folder)] == [
        "400.snapshot",
        "050.snapshot",
    ]
    assert restored(folder) == 400


def test_files_of_another_name_are_left_alone(folder: Path) -> None:
    (folder / "5.snapshot").write_text("mine")
    put(folder, 5, 6, 7)
    assert (folder / "5.snapshot").read_text() == "mine"


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_with_any_byte_changed_or_lost_it_is_not_used(
    folder: Path, said: Callable[[], Said]
) -> None:
    (path,) = put(folder, 5)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place])
        assert restored(folder) is None
        path.write_bytes(whole)
        flip(path, place)
        assert restored(folder) is None
        path.write_bytes(whole)
    assert restored(folder) == 5
    assert len(said()) == 2 * len(whole)
    assert (
        said()[0] == f"the snapshot {path} is not used: its bytes are not those that were written"
    )


def test_the_older_one_takes_the_place_of_one_that_is_damaged(folder: Path) -> None:
    older, newer = put(folder, 5, 9)
    flip(newer, 40)
    assert restored(folder) == 5
    flip(older, 40)
    assert restored(folder) is None


def test_one_under_another_name_is_not_used(folder: Path) -> None:
    (path,) = put(folder, 5)
    path.rename(folder / "00000000000000000006.snapshot")
    assert restored(folder) is None


def test_one_of_another_journal_is_not_used(folder: Path, said: Callable[[], Said]) -> None:
    write_snapshot(DISK, folder, made(5, ledger="two"))
    assert restored(folder) is None
    assert said()[-1].endswith("is not used: it is another journal's")


def test_where_the_journal_is_gone_each_is_taken_for_its_own(folder: Path) -> None:
    put(folder, 5)
    (folder / "00000001.journal").write_bytes(b"")
    assert [snapshot.position for snapshot in snapshots(DISK, folder)] == [5]


@pytest.mark.parametrize("state", [b"\x93another version", Counting(4, 0).encoded(), b""])
def test_one_whose_state_cannot_be_read_is_not_used(
    folder: Path, said: Callable[[], Said], state: bytes
) -> None:
    put(folder, 3)
    write_snapshot(DISK, folder, made(5, state=state))
    assert restored(folder) == 3
    assert "the snapshot at entry 5 is not used" in said()[0]


def test_one_that_another_version_wrote_is_not_used(folder: Path) -> None:
    (path,) = put(folder, 5)
    payload = msgspec.msgpack.encode(["one", "five"])
    path.write_bytes(b"FSNP" + hashlib.sha256(payload).digest() + payload)
    with pytest.raises(SnapshotDamagedError, match="of another version"):
        read_snapshot(DISK, path)


@pytest.mark.parametrize("call", ["open", "write", "sync", "rename"])
def test_where_there_is_no_room_the_ones_that_are_there_stay(
    folder: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    put(folder, 5, 9)
    before = sorted(path.name for path in folder.iterdir())
    monkeypatch.setattr(DISK, call, full)
    with pytest.raises(OSError, match="No space left"):
        write_snapshot(DISK, folder, made(12))
    monkeypatch.undo()
    assert sorted(path.name for path in folder.iterdir()) == before
    assert restored(folder) == 9


def test_it_has_its_name_only_when_all_of_it_is_on_the_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    for name in ("write", "sync", "rename", "sync_folder", "remove"):
        act = getattr(DISK, name)

        def note(*arguments: Any, name: str = name, act: Callable[..., Any] = act) -> Any:
            done.append(name)
            return act(*arguments)

        monkeypatch.setattr(DISK, name, note)
    put(folder, 1, 2, 3)
    assert done == ["write", "sync", "rename", "sync_folder"] * 3 + ["remove"]


def test_nothing_is_left_open(folder: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    put(folder, 5)
    assert restored(folder) == 5
    assert len(list(Path("/dev/fd").iterdir())) == before
