"""Files of the log: whole or not at all, and never two of one."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

from tests.support.disk import PowerCutError, SimulatedDisk

from farthing.evidence.store import Store
from farthing.evidence.tiles import Tile

ROOT = Path("/data/log")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.read("checkpoint") is None
    for data in (b"one", b"another, longer", b"3"):
        store.replace("tile/0/x001/000", data)
        assert store.read("tile/0/x001/000") == data
        assert [p.name for p in (tmp_path / "tile/0/x001").iterdir()] == ["000"]
    assert (tmp_path / "tile/0/x001/000").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "tile").stat().st_mode & 0o777 == 0o700


def test_what_was_replaced_is_there_after_a_power_cut_at_any_call() -> None:
    for calls in range(12):
        for seed in range(5):
            disk = SimulatedDisk(random.Random(seed))
            store = Store(ROOT, disk)
            store.replace("checkpoint", b"old")
            disk.calls_left = calls
            durable = b"old"
            try:
                store.replace("checkpoint", b"new")
                durable = b"new"
            except PowerCutError:
                pass
            disk.restart(power_lost=True)
            found = Store(ROOT, disk).read("checkpoint")
            assert found == durable or (durable == b"old" and found == b"new")


def test_names_are_durable_once_synced(tmp_path: Path) -> None:
    disk = SimulatedDisk(random.Random(1))
    store = Store(ROOT, disk)
    for number in range(3):
        store.write(f"tile/0/00{number}", b"x")
    store.write("tile/1/000", b"x")
    store.sync()
    disk.restart(power_lost=True)
    names = ["tile/0/000", "tile/0/001", "tile/0/002", "tile/1/000"]
    assert [Store(ROOT, disk).read(name) for name in names] == [b"x"] * 4


def test_a_file_that_was_there_is_made_durable_as_well() -> None:
    """A process that was killed may have renamed it, and not more."""
    for calls in range(12):
        disk = SimulatedDisk(random.Random(calls))
        disk.calls_left = calls
        with contextlib.suppress(PowerCutError):
            Store(ROOT, disk).replace("tile/0/000", b"x")
        disk.restart(power_lost=False)
        store = Store(ROOT, disk)
        store.ensure("tile/0/000", b"x")
        store.sync()
        disk.restart(power_lost=True)
        assert Store(ROOT, disk).read("tile/0/000") == b"x"


def test_parts_of_a_complete_tile_go(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.remove_parts(Tile(0, 1000))
    for width in (1, 7, 256):
        store.write(Tile(0, 1000, width).path, b"x")
    store.write(Tile(0, 1001, 1).path, b"x")
    store.remove_parts(Tile(0, 1000))
    store.sync()
    left = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted(left) == ["tile/0/x001/000", "tile/0/x001/001.p/1"]
    assert not (tmp_path / "tile/0/x001/000.p").exists()
    store.write(Tile(0, 1000, 3).path, b"x")  # the folder is made again


def test_a_renamed_or_removed_file_is_so_after_a_power_cut() -> None:
    for seed in range(8):
        disk = SimulatedDisk(random.Random(seed))
        store = Store(ROOT, disk)
        for name in ("a", "b", "c"):
            store.replace(name, name.encode())
        store.rename("a", "b")
        store.remove("c")
        store.remove("none")
        disk.restart(power_lost=True)
        found = Store(ROOT, disk)
        assert [found.read(name) for name in ("a", "b", "c")] == [None, b"a", None]
