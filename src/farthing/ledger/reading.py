"""Read the records for a command, brought up to the journal first."""

from __future__ import annotations

from typing import Any

from farthing.ledger.project import catch_up
from farthing.ledger.records import ended_after, find, last_position, open_records, recent
from farthing.paths import DataFolder


class Reader:
    """The records of a data folder, whether a gateway runs on it or not."""

    def __init__(self, folder: DataFolder) -> None:
        self._journal = folder.journal
        self._engine = open_records(folder.records)

    def recent(self, lines: int, key: str | None = None) -> list[dict[str, Any]]:
        """Return the latest queries, the oldest first."""
        catch_up(self._engine, self._journal)
        with self._engine.connect() as connection:
            return recent(connection, lines, key=key)

    def ended_after(self, position: int, key: str | None = None) -> list[dict[str, Any]]:
        """Return the queries whose endings stand after a position of the journal, in order."""
        catch_up(self._engine, self._journal)
        with self._engine.connect() as connection:
            return ended_after(connection, position, key)

    def find(self, query: str) -> dict[str, Any] | None:
        """Return one query's record."""
        catch_up(self._engine, self._journal)
        with self._engine.connect() as connection:
            return find(connection, query)

    def position(self) -> int:
        """Return how many entries of the journal were read so far."""
        with self._engine.connect() as connection:
            return last_position(connection)

    def close(self) -> None:
        """Close the records."""
        self._engine.dispose()
