"""Read the records for a command, brought up to the journal first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa

from farthing.ledger.database import speaking
from farthing.ledger.project import catch_up
from farthing.ledger.records import (
    committing,
    ended_after,
    entered_as,
    find,
    last_position,
    on_path,
    open_records,
    recent,
)
from farthing.ledger.search import ledger_in
from farthing.paths import DataFolder

T = TypeVar("T")


class Reader:
    """The records of a data folder, whether a gateway runs on it or not."""

    def __init__(self, folder: DataFolder, database: str | None = None) -> None:
        """Open them.

        Raises:
            ConfigError: the database cannot be reached, or its URL is none.
        """
        self._journal = folder.journal
        self._database = database
        with speaking(database):
            self._engine = open_records(folder, database)

    def recent(self, lines: int, key: str | None = None) -> list[dict[str, Any]]:
        """Return the latest queries, the oldest first."""
        return self._ask(lambda connection, ledger: recent(connection, ledger, lines, key))

    def ended_after(self, position: int, key: str | None = None) -> list[dict[str, Any]]:
        """Return the queries whose endings stand after a position of the journal, in order."""
        return self._ask(lambda connection, ledger: ended_after(connection, ledger, position, key))

    def find(self, query: str) -> dict[str, Any] | None:
        """Return one query's record."""
        return self._ask(lambda connection, ledger: find(connection, ledger, query))

    def on_path(self, scope: str) -> list[str]:
        """Return the queries that had a scope on their path, in their order."""
        return self._ask(lambda connection, ledger: on_path(connection, ledger, scope))

    def committing(self, ids: list[str]) -> dict[str, int]:
        """Return which entry holds the commitments of each of some queries, where it is known."""
        return self._ask(lambda connection, ledger: committing(connection, ledger, ids))

    def entered_as(self, kind: str) -> list[dict[str, Any]]:
        """Return one kind of what administrators and the gateway entered, the oldest first."""
        return self._ask(lambda connection, ledger: entered_as(connection, ledger, kind))

    def position(self) -> int:
        """Return how many entries of the journal were read so far."""
        return self._ask(last_position, current=False)

    def _ask(self, question: Callable[[sa.Connection, str], T], *, current: bool = True) -> T:
        with speaking(self._database):
            if current:
                catch_up(self._engine, self._journal)
            with self._engine.connect() as connection:
                return question(connection, ledger_in(self._journal))

    def close(self) -> None:
        """Close the records."""
        self._engine.dispose()
