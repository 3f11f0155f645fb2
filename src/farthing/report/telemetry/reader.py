"""Reads the queries that ended off the journal, from a place that is kept over restarts.

The place is moved only when the collector has what was read: after a crash some are read again, and
none is left out. It holds the queries that are open there, whose endings will come.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

import msgspec

from farthing.ledger.cursor import Cursor
from farthing.ledger.entry import Hold, Settle, Unresolved, Void
from farthing.ledger.search import ledger_in
from farthing.ledger.segments import START, JournalDamagedError, Mark
from farthing.paths import write_private

log = logging.getLogger("farthing")

FirstEnding = Settle | Void | Unresolved


class Place(msgspec.Struct, frozen=True):
    """How far a ledger's journal has been told."""

    ledger: str = ""
    """"" before there was a journal."""
    position: int = 0
    checksum: int = 0
    open: list[Hold] = []


class Ended(NamedTuple):
    """A query that ended. One that is settled from evidence later is not told again."""

    position: int
    """Of its ending, from 1."""
    hold: Hold
    ending: FirstEnding


class Reader:
    """Follows one journal. To be closed."""

    def __init__(self, journal: Path, place: Path) -> None:
        """Find the place. Where there is none, what ended before is not told: it begins here.

        Raises:
            JournalDamagedError: the journal cannot be read.
        """
        self._journal = journal
        self._path = place
        self._cursor: Cursor | None = None
        self._open: dict[str, Hold] = {}
        self._place = _read(place)
        self.ledger = ledger_in(journal)
        if self.ledger:
            self._begin()
        elif self._place is None:
            self._place = Place()
            self._write()

    def _begin(self) -> None:
        self._cursor = cursor = Cursor(self._journal)
        place = self._place
        if place is not None and place.ledger in ("", self.ledger):
            try:
                cursor.go_to(Mark(place.position, place.checksum) if place.position else START)
                self._open = {hold.id: hold for hold in place.open}
                return
            except JournalDamagedError:
                log.warning("telemetry: the journal is another than the one told so far")
        cursor.go_to_end()
        self.keep()

    def read(self) -> list[Ended]:
        """Return the next queries that ended, some thousand at most.

        Raises:
            JournalDamagedError: the journal cannot be read on.
        """
        if self._cursor is None:
            self.ledger = ledger_in(self._journal)
            if not self.ledger:
                return []
            self._begin()
        assert self._cursor is not None, "it was begun"
        before, ended = self._cursor.position, list[Ended]()
        entries = self._cursor.read()
        for position, entry in enumerate(entries, before + 1):
            if isinstance(entry, Hold):
                self._open[entry.id] = entry
            elif isinstance(entry, FirstEnding):
                hold = self._open.pop(entry.id, None)
                if hold is not None:  # else it began before the first place
                    ended.append(Ended(position, hold, entry))
        if entries:
            self._cursor.sync()  # what is told cannot be cut off with a torn tail
        return ended

    @property
    def moved(self) -> bool:
        """Whether something was read since the place was kept."""
        cursor, place = self._cursor, self._place
        return cursor is not None and (place is None or cursor.position != place.position)

    def keep(self) -> None:
        """Keep this place: what was read has been told."""
        assert self._cursor is not None, "something was read"
        self._place = Place(self.ledger, *self._cursor.mark, list(self._open.values()))
        self._write()

    def _write(self) -> None:
        write_private(self._path, msgspec.json.encode(self._place).decode())

    def close(self) -> None:
        """Close the journal."""
        if self._cursor is not None:
            self._cursor.close()


def _read(path: Path) -> Place | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Place)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as problem:
        log.warning(
            "telemetry: %s cannot be read (%s); it begins at the journal's end", path, problem
        )
        return None
