"""The system calls of the journal: each does on a real disk what the simulated one says it does."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.disk import PowerCutError, SimulatedDisk

from farthing.errors import ConfigError
from farthing.ledger.disk import DISK, Disk


@pytest.fixture(params=["real", "simulated"])
def disk(request: pytest.FixtureRequest) -> Disk:
    return DISK if request.param == "real" else SimulatedDisk(random.Random(0))


MAKE = os.O_CREAT | os.O_RDWR


def test_files_are_made_written_cut_and_read(disk: Disk, tmp_path: Path) -> None:
    file = disk.open(tmp_path / "a", MAKE)
    disk.write(file, b"hello", 3)
    assert disk.read(file, 99, 0) == b"\0\0\0hello"
    disk.allocate(file, 8, 4)
    assert disk.size(file) == 12
    with disk.map(file) as buffer:
        assert buffer[:] == b"\0\0\0hello\0\0\0\0"
    disk.truncate(file, 5)
    disk.sync(file)
    assert disk.read(file, 99, 2) == b"\0he"
    disk.close(file)


def test_an_empty_file_can_be_mapped(disk: Disk, tmp_path: Path) -> None:
    file = disk.open(tmp_path / "a", MAKE)
    with disk.map(file) as buffer:
        assert len(buffer) == 0
    disk.close(file)


def test_names_are_made_changed_and_removed(disk: Disk, tmp_path: Path) -> None:
    for name in ("a", "b"):
        file = disk.open(tmp_path / name, MAKE)
        disk.write(file, name.encode(), 0)
        disk.close(file)
    disk.rename(tmp_path / "a", tmp_path / "b")
    assert disk.names(tmp_path) == ["b"]
    file = disk.open(tmp_path / "b", os.O_RDONLY)
    assert disk.read(file, 9, 0) == b"a"
    disk.remove(tmp_path / "b")
    disk.remove(tmp_path / "b")
    disk.make_folder(tmp_path / "c")
    disk.remove_folder(tmp_path / "c")
    assert not (tmp_path / "c").exists()
    assert disk.read(file, 9, 0) == b"a", "who has it open goes on reading it"
    disk.close(file)
    disk.sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        disk.open(tmp_path / "b", os.O_RDWR)


def test_a_lock_is_of_one(tmp_path: Path) -> None:
    held = DISK.lock(tmp_path / "lock", "busy")
    with pytest.raises(ConfigError, match="busy"):
        DISK.lock(tmp_path / "lock", "busy")
    DISK.close(held)


def test_a_write_of_which_the_disk_took_a_part_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = DISK.open(tmp_path / "a", MAKE)
    monkeypatch.setattr(os, "pwrite", lambda *_: 4)
    with pytest.raises(OSError, match="only a part"):
        DISK.write(file, b"hello", 0)
    DISK.close(file)


# -- the simulated disk -------------------------------------------------------------------------


def left(seed: int, act: Callable[[SimulatedDisk, int], None]) -> bytes | None:
    """Return what a power cut leaves of a file after something was done to it."""
    disk, path = SimulatedDisk(random.Random(seed)), Path("/d/a")
    file = disk.open(path, MAKE)
    act(disk, file)
    disk.restart(power_lost=True)
    try:
        return disk.read(disk.open(path, os.O_RDONLY), 99, 0)
    except FileNotFoundError:
        return None


def test_what_was_synced_with_its_name_survives_every_power_cut() -> None:
    def act(disk: SimulatedDisk, file: int) -> None:
        disk.write(file, b"hello", 0)
        disk.sync(file)
        disk.sync_folder(Path("/d"))

    assert {left(seed, act) for seed in range(20)} == {b"hello"}


def test_what_was_not_synced_may_be_lost_kept_or_torn() -> None:
    def act(disk: SimulatedDisk, file: int) -> None:
        disk.sync_folder(Path("/d"))
        disk.write(file, b"hello", 0)

    found = {left(seed, act) for seed in range(200)}
    assert {b"", b"hello", b"hel", b"\0\0llo"} <= found
    assert None not in found


def test_a_name_that_was_not_synced_may_be_lost() -> None:
    def act(disk: SimulatedDisk, file: int) -> None:
        disk.write(file, b"hello", 0)
        disk.sync(file)

    assert {left(seed, act) for seed in range(20)} == {b"hello", None}


def test_a_sync_that_fails_leaves_in_memory_what_is_not_on_the_disk() -> None:
    disk = SimulatedDisk(random.Random(0))
    file = disk.open(Path("/d/a"), MAKE)
    disk.sync_folder(Path("/d"))
    disk.write(file, b"hello", 0)
    disk.syncs_left = 0
    with pytest.raises(OSError, match="Input/output") as failed:
        disk.sync(file)
    assert failed.value.errno == errno.EIO
    disk.restart(power_lost=False)
    file = disk.open(Path("/d/a"), MAKE)
    assert disk.read(file, 99, 0) == b"hello"
    disk.sync(file)
    disk.restart(power_lost=True)
    assert disk.read(disk.open(Path("/d/a"), MAKE), 99, 0) == b""


def test_a_full_disk_takes_what_was_allocated_and_nothing_more() -> None:
    disk = SimulatedDisk(random.Random(0))
    file = disk.open(Path("/d/a"), MAKE)
    disk.allocate(file, 0, 5)
    disk.full = 1.0
    disk.write(file, b"hello", 0)
    for refused in (
        lambda: disk.write(file, b"!", 5),
        lambda: disk.allocate(file, 5, 1),
        lambda: disk.open(Path("/d/b"), MAKE),
        lambda: disk.rename(Path("/d/a"), Path("/d/b")),
    ):
        with pytest.raises(OSError, match="No space"):
            refused()


def test_after_the_power_is_cut_nothing_more_happens() -> None:
    disk = SimulatedDisk(random.Random(0))
    file = disk.open(Path("/d/a"), MAKE)
    disk.calls_left = 1
    disk.write(file, b"one", 0)
    with pytest.raises(PowerCutError):
        disk.sync(file)
    with pytest.raises(PowerCutError):
        disk.sync_folder(Path("/d"))
