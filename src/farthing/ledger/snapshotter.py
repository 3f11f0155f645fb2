"""Makes snapshots behind the ledger, which is never asked and never waits.

It applies the journal to a state of its own, as the ledger does when it starts, and writes that
state down after every so many entries.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Generic

from farthing.ledger.cursor import Cursor
from farthing.ledger.disk import DISK, Disk
from farthing.ledger.entry import Entry, Genesis
from farthing.ledger.segments import START, JournalDamagedError, first_entry
from farthing.ledger.snapshot import (
    Restorable,
    S,
    Snapshot,
    SnapshotDamagedError,
    read_snapshot,
    restore,
    snapshot_name,
    snapshot_paths,
    write_snapshot,
)

log = logging.getLogger("farthing")

# Read in a second or two at the next start; written some minutes apart by a busy gateway.
EVERY = 500_000
# How much is taken in at once: about 80,000 entries, a third of a second.
PIECES = 20


class Snapshotter(Generic[S]):
    """Follows one journal."""

    def __init__(self, folder: Path, kind: type[S], every: int = EVERY, disk: Disk = DISK) -> None:
        """`kind()` must make the state of an empty journal."""
        self._folder = folder
        self._kind = kind
        self._every = every
        self._disk = disk
        self._cursor: Cursor | None = None
        self._state = kind()
        self._tried = 0
        self._given_up = False

    def follow(self) -> bool:
        """Take in what is new, and write what is due; true where there may be more to take in.

        What goes wrong is a line in the log. No snapshot is better than a wrong one: a journal that
        cannot be followed gets none until this process is started again.
        """
        try:
            for _ in range(PIECES):
                if self._given_up or not self._take_some():
                    return False
                if self._state.position - self._tried >= self._every:
                    self._write()
            return True
        except OSError as error:
            log.warning("the journal cannot be read for a snapshot (%s); trying again", error)
        except (JournalDamagedError, AssertionError) as error:
            self._given_up = True
            log.error("no more snapshots are made: %s", error)
        return False

    def _take_some(self) -> bool:
        cursor = self._cursor or self._begin()
        entries = cursor.read() if cursor else []
        for entry in entries:
            _apply(self._state, entry)
        return bool(entries)

    def _begin(self) -> Cursor | None:
        """Go on from the newest snapshot; None while there is no journal."""
        if first_entry(self._disk, self._folder) is None:
            return None
        cursor = Cursor(self._folder, self._disk)
        state, mark = restore(self._disk, self._folder, self._kind) or (self._kind(), START)
        try:
            cursor.go_to(mark)
        except BaseException:
            cursor.close()
            raise
        self._cursor, self._state, self._tried = cursor, state, mark.position
        return cursor

    def _write(self) -> None:
        assert self._cursor is not None
        genesis = first_entry(self._disk, self._folder)
        assert isinstance(genesis, Genesis), "a journal begins with its genesis"
        self._tried, mark = self._state.position, self._cursor.mark
        self._cursor.sync()  # a snapshot may not know more than the disk does
        try:
            state = self._state.encoded()
            write_snapshot(self._disk, self._folder, Snapshot(genesis.ledger, *mark, state))
        except OSError as error:
            log.warning(
                "no snapshot at entry %d (%s); the next start reads more of the journal",
                mark.position,
                error.strerror,
            )

    def close(self) -> None:
        """Close the journal."""
        if self._cursor is not None:
            self._cursor.close()


def contradictions(folder: Path, kind: type[S], disk: Disk = DISK) -> list[str]:
    """Read a whole journal and return what is wrong with its snapshots, a sentence for each.

    A gateway may run on it meanwhile. `kind()` makes the state of an empty journal.

    Raises:
        JournalDamagedError: the journal cannot be read to its end.
        FileNotFoundError: there is no journal.
    """
    wrong, found = list[str](), list[Snapshot]()
    for path in snapshot_paths(disk, folder):
        try:
            found.append(read_snapshot(disk, path))
        except SnapshotDamagedError as problem:
            if path.name in disk.names(folder):  # else a newer one has just taken its place
                wrong.append(f"{path.name}: {problem}")
    genesis, state, cursor = first_entry(disk, folder), kind(), Cursor(folder, disk)
    try:
        for snapshot in reversed(found):
            while state.position < snapshot.position and _apply_group(state, cursor):
                pass
            mine = isinstance(genesis, Genesis) and genesis.ledger == snapshot.ledger
            if not mine or cursor.mark != snapshot.mark or state.encoded() != snapshot.state:
                wrong.append(f"{snapshot_name(snapshot.position)}: the journal says otherwise")
        while cursor.read():
            pass
        cursor.check_tail()
    finally:
        cursor.close()
    return wrong


def _apply_group(state: Restorable, cursor: Cursor) -> bool:
    """Apply one group's entries; false at the journal's end."""
    entries = cursor.read(most=0)
    for entry in entries:
        _apply(state, entry)
    return bool(entries)


def _apply(state: Restorable, entry: Entry) -> None:
    refusal = state.apply(entry)
    assert refusal is None, f"entry {state.position + 1} was journaled and is not valid: {refusal}"
