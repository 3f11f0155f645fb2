"""What a run's queries came to, by the journal, read from where the run began."""

from __future__ import annotations

from farthing.ledger.cursor import Cursor
from farthing.ledger.entry import Entry, Expire, Hold, Resolve, Settle, Unresolved, Void, WriteOff

Final = Settle | Void | Resolve | Expire | WriteOff


class Queries:
    """The queries of one key, from a moment on."""

    def __init__(self, cursor: Cursor, key: str) -> None:
        """`cursor` must stand before the key was made."""
        self._cursor = cursor
        self._key = key
        self._holds: dict[str, Hold] = {}
        self._costs: dict[str, int] = {}
        self._given_up: set[str] = set()
        self.first = 0
        self.last = 0

    def catch_up(self) -> None:
        """Read what is new.

        Raises:
            JournalDamagedError: the journal cannot be read on.
        """
        before = self._cursor.position
        while entries := self._cursor.read():
            for position, entry in enumerate(entries, before + 1):
                self._take(entry, position)
            before = self._cursor.position

    def _take(self, entry: Entry, position: int) -> None:
        if isinstance(entry, Hold):
            if entry.key != self._key:
                return
            self._holds[entry.id] = entry
            self.first = self.first or position
        elif isinstance(entry, Final | Unresolved) and entry.id in self._holds:
            if isinstance(entry, Unresolved):
                self._given_up.add(entry.id)
            else:
                self._costs[entry.id] = _cost(entry, self._holds[entry.id])
        else:
            return
        self.last = position

    def __len__(self) -> int:
        return len(self._holds)

    @property
    def open(self) -> int:
        """How many have not ended in any way."""
        return len(self._holds.keys() - self._costs.keys() - self._given_up)

    @property
    def usd(self) -> int:
        """What they cost, as far as that is known, in nanodollars."""
        return sum(self._costs.values())

    @property
    def unknown(self) -> list[Hold]:
        """Those whose cost is not known."""
        return [hold for query, hold in self._holds.items() if query not in self._costs]

    @property
    def served(self) -> tuple[str, ...]:
        """The "provider/model" that they went to, each once."""
        return tuple(sorted({f"{hold.provider}/{hold.model}" for hold in self._holds.values()}))


def _cost(entry: Final, hold: Hold) -> int:
    if isinstance(entry, Settle | Resolve):
        return entry.usd
    return hold.usd if isinstance(entry, Expire) else 0
