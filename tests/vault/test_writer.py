"""Writing the vault: on the disk when it returns, nothing of it where it fails, nobody else's."""

from __future__ import annotations

import errno
import random
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from tests.support.disk import SimulatedDisk
from tests.support.vault import LEDGER, MASTER, frames, queries, records, write

from farthing import clock
from farthing.ledger.disk import DISK, Disk
from farthing.vault import writer as module
from farthing.vault.keys import Keys
from farthing.vault.rules import DAY
from farthing.vault.segment import Frame, segment_id, segments
from farthing.vault.writer import Writer, opened


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path, MASTER)


def read(frame: Frame, keys: Keys, ledger: str = LEDGER, path: Path | None = None) -> bytes:
    assert frame.label is not None
    label, sealed = frame.read(DISK)
    segment = segment_id(DISK, path or frame.path)
    return opened(keys.all()[frame.label.key], segment, ledger, label, sealed)


def test_what_was_written_can_be_read(tmp_path: Path, keys: Keys) -> None:
    write(tmp_path, records("q1", b"ask", b"tell"), keys=keys)
    prompt, answer, _ = frames(tmp_path)
    assert (read(prompt, keys), read(answer, keys)) == (b"ask", b"tell")


def test_a_record_in_anothers_place_is_found_out(tmp_path: Path, keys: Keys) -> None:
    write(tmp_path, records("q1", b"ask", b"tell"), keys=keys, run="a")
    write(tmp_path, records("q2", b"ask", b"tell"), keys=keys, run="b")
    first, second = frames(tmp_path)[0], frames(tmp_path)[3]
    one, other = first.read(DISK), second.read(DISK)
    segment = segment_id(DISK, first.path)
    (key,) = keys.all().values()
    assert opened(key, segment, LEDGER, *one) == b"ask"
    changed = bytes([one[1][-1] ^ 1])
    for label, sealed, where, whose in (
        (other[0], one[1], segment, LEDGER),  # another query's label
        (one[0], other[1], segment, LEDGER),  # another query's contents
        (*one, segment_id(DISK, second.path), LEDGER),  # another segment
        (*one, segment, "ledger-two"),  # another ledger
        (one[0], one[1][:-1] + changed, segment, LEDGER),  # a changed bit
    ):
        with pytest.raises(InvalidTag):
            opened(key, where, whose, label, sealed)


def test_a_segment_ends_with_its_day_or_when_it_is_full(
    tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, now = Writer(tmp_path, "w", LEDGER, keys), clock.wall()
    for after in (0, 1, DAY, DAY + 1):
        monkeypatch.setattr(clock, "wall", lambda after=after: now + after)
        writer.write(records(f"q{after}"))
    assert len(segments(DISK, tmp_path)) == 2
    monkeypatch.setattr(module, "SEGMENT_BYTES", 100)
    writer.write(records("q5"))
    assert len(segments(DISK, tmp_path)) == 3 and len(queries(tmp_path)) == 5


class FullDisk(Disk):
    """A disk that takes only a part of a write, when it is told so."""

    full = False

    def write(self, file: int, data: bytes, offset: int) -> None:
        super().write(file, data[: len(data) // 2] if self.full else data, offset)
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")

    def allocate(self, file: int, offset: int, size: int) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().allocate(file, offset, size)


def test_a_full_disk_is_an_error_and_leaves_nothing_behind(tmp_path: Path, keys: Keys) -> None:
    disk = FullDisk()
    writer = Writer(tmp_path, "w", LEDGER, keys, disk)
    writer.write(records("q1"))
    size = segments(DISK, tmp_path)[0].stat().st_size
    disk.full = True
    with pytest.raises(OSError, match="No space"):
        writer.write(records("q2"))
    with pytest.raises(OSError, match="No space"):
        writer.probe()
    assert segments(DISK, tmp_path)[0].stat().st_size == size
    disk.full = False
    writer.probe()
    writer.write(records("q3"))
    assert queries(tmp_path) == ["q1", "q3"]
    writer.close()


@pytest.mark.parametrize("seed", range(60))
def test_what_was_written_outlives_a_power_cut_at_any_step(
    tmp_path: Path, keys: Keys, seed: int
) -> None:
    draw = random.Random(seed)
    disk, done = SimulatedDisk(draw), []
    disk.calls_left = draw.randrange(40)
    try:
        writer = Writer(tmp_path, "w", LEDGER, keys, disk)
        for number in range(12):
            writer.write(records(f"q{number:02}"))
            done.append(f"q{number:02}")
    except BaseException as stopped:  # noqa: BLE001
        assert "PowerCut" in type(stopped).__name__
    disk.restart(power_lost=True)
    found = queries(tmp_path, disk)
    assert set(done) <= set(found)
    sealed = {f.label.query for f in frames(tmp_path, disk) if f.label and f.label.field == "seal"}
    assert set(done) <= sealed
