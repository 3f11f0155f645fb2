"""G3 on a simulated disk: whatever it does, what was acknowledged as durable is there, in order.

Each seed is one history of a journal: it is appended to, synced and rolled, snapshots are made of
it, the disk fills up, a sync fails, the process is killed, the power is cut at any call; then it is
opened again, and again. A seed that fails is printed, and run alone with FARTHING_SEED=n.
"""

from __future__ import annotations

import errno
import logging
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.counting import Counting
from tests.support.disk import PowerCutError, SimulatedDisk

from farthing.ledger import journal as journal_module
from farthing.ledger.cursor import Cursor
from farthing.ledger.entry import Config, Entry, Genesis, encode
from farthing.ledger.journal import Journal, JournalFullError
from farthing.ledger.segments import Mark
from farthing.ledger.snapshot import restore
from farthing.ledger.snapshotter import Snapshotter, contradictions

FOLDER = Path("/data/journal")
EXTENT = 512
LIVES = 6


class History:
    """One journal through several lives of its process."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.disk = SimulatedDisk(self.draw)
        self.segment = self.draw.choice((200, 1_000, 4_000))
        self.written: list[Entry] = []
        self.durable = 0
        """How many of them no power cut may take."""
        self.seen = 0
        """How many of them the next process must see, unless the power is cut before."""
        self.reserved = 0

    def run(self) -> None:
        for _ in range(LIVES):
            power_lost = self.draw.random() < 0.4
            try:
                self._live()
            except PowerCutError:
                power_lost = True
            except OSError as error:
                assert error.errno == errno.EIO, "a sync that failed ends the process"
            self.seen = self.durable if power_lost else len(self.written)
            self.disk.restart(power_lost)
        self._open().close()
        assert contradictions(FOLDER, Counting, self.disk) == []

    def _live(self) -> None:
        if self.draw.random() < 0.5:
            self.disk.calls_left = self.draw.randrange(1, 120)
        journal = self._open()
        if self.draw.random() < 0.3:
            self.disk.syncs_left = self.draw.randrange(10)
        snapshotter = Snapshotter(FOLDER, Counting, self.draw.choice((3, 20)), self.disk)
        for _ in range(self.draw.randrange(60)):
            self._step(journal, snapshotter)
        if self.draw.random() < 0.3:
            journal.close()
            self.durable = len(self.written)

    def _open(self) -> Journal:
        """Open the journal, from a snapshot or whole, and check what is there."""
        journal = Journal(FOLDER, self.segment, self.disk)
        self.disk.full = self.draw.choice((0.0, 0.5))  # there is its first file, if no more
        found = restore(self.disk, FOLDER, Counting)
        state, mark = found or (Counting(), Mark())
        if self.draw.random() < 0.3:
            state, mark = Counting(), Mark()
        assert state.position <= len(self.written), "a snapshot of what never was"
        assert state.sum == Counting.of(self.written[: state.position]).sum
        entries = list(journal.recover(mark))
        kept = mark.position + len(entries)
        assert entries == self.written[mark.position : kept], "lost from the middle, or invented"
        assert kept >= self.durable, f"{self.durable} were durable, {kept} are left"
        assert kept >= self.seen, f"{self.seen} were written, {kept} are left"
        assert journal.position == journal.durable == kept
        del self.written[kept:]
        self.durable = self.seen = kept
        self.reserved = 0
        if self.draw.random() < 0.3:
            assert list(self._read()) == self.written
        return journal

    def _read(self) -> Iterator[Entry]:
        cursor = Cursor(FOLDER, self.disk)
        while entries := cursor.read(most=self.draw.choice((0, 300))):
            yield from entries
        cursor.check_tail()
        cursor.close()

    def _step(self, journal: Journal, snapshotter: Snapshotter[Counting]) -> None:
        step = self.draw.randrange(12)
        if step < 6:
            self._append(journal)
        elif step < 8:
            journal.sync()
            self.durable = journal.durable
        elif step < 9:
            self.disk.full = self.draw.choice((0.0, 0.5, 1.0))
        elif step < 10:
            self._reserve(journal)
        else:
            snapshotter.follow()

    def _append(self, journal: Journal) -> None:
        """Append a group, as the committer does."""
        if journal.roll_due:
            journal.roll()
            self.durable = journal.durable
        made: list[Entry] = []
        for _ in range(self.draw.randint(1, 4)):
            number = len(self.written) + len(made) + 1
            text = "x" * self.draw.choice((0, 10, 300))
            made.append(Config(number, text) if number > 1 else Genesis(1, "simulated"))
        self.written += made  # also where the power is cut meanwhile: it may be there
        size = 33 + sum(len(encode(entry)) for entry in made)
        try:
            journal.append([encode(entry) for entry in made])
        except JournalFullError:
            assert self.disk.full and size > self.reserved
            del self.written[-len(made) :]
        else:
            self.reserved -= size

    def _reserve(self, journal: Journal) -> None:
        size = self.draw.randrange(3_000)
        try:
            journal.reserve(size)
        except JournalFullError:
            assert self.disk.full
        else:
            self.reserved = size


def run(first: int, last: int) -> None:
    for seed in range(first, last):
        try:
            History(seed).run()
        except BaseException as problem:
            problem.add_note(f"run it alone with FARTHING_SEED={seed}")
            raise


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "EXTENT", EXTENT)
    monkeypatch.setattr(logging.getLogger("farthing"), "disabled", True)


def test_what_was_acknowledged_is_there_whatever_the_disk_does() -> None:
    if seed := os.environ.get("FARTHING_SEED"):
        run(int(seed), int(seed) + 1)
    else:
        run(0, 200)


@pytest.mark.soak
@pytest.mark.parametrize("thousand", range(10))
def test_what_was_acknowledged_is_there_in_ten_thousand_histories(thousand: int) -> None:
    run(1_000 * thousand, 1_000 * (thousand + 1))
