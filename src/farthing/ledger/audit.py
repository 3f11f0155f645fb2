"""Hold a journal against itself: every entry through the state machine, and what must follow.

What can be checked beside the state machine is not taken on its word: that an id is held and ended
once for ever, that a hold left every limit on its path kept, that an overrun says what it must.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from farthing import money
from farthing.ledger.entry import Entry, Hold, Overrun, Settle
from farthing.ledger.groups import Group, JournalGroups
from farthing.ledger.project import Batch
from farthing.ledger.records import queries
from farthing.ledger.rows import Row
from farthing.ledger.state import State

COLUMNS = tuple(column.name for column in queries.columns)


class Contradiction(Exception):
    """Two things that must agree and do not: at which entry, of what, and how they differ."""

    def __init__(self, entry: int, id_: str, what: str) -> None:
        super().__init__(what)
        self.entry = entry
        self.id = id_
        self.what = what


class Counts(msgspec.Struct):
    """How much was checked."""

    groups: int = 0
    entries: int = 0
    holds: int = 0
    endings: int = 0
    limits: int = 0
    overruns: int = 0


class Audit:
    """A journal's entries, one after the other, and the rows that they must have made."""

    def __init__(self, ledger: str) -> None:
        self.state = State()
        self.counts = Counts()
        self.rows = Batch(ledger)
        """The rows of the queries that are not ended, and of all keys."""
        self.ended: dict[str, int] = {}
        """The digest of the row of each query that is."""
        self._over: dict[str, Row] = {}
        """Rows of queries that cost more than was held, until an overrun says so."""

    def take(self, entry: Entry, number: int) -> None:
        """Check one entry.

        Raises:
            Contradiction: it cannot stand where it stands.
        """
        id_ = str(getattr(entry, "id", ""))
        if isinstance(entry, Hold) and id_ in self.ended:
            raise Contradiction(number, id_, "is held a second time, after it had ended")
        held = self.state.holds.get(id_)
        self._apply(entry, number, id_)
        self.counts.entries += 1
        if isinstance(entry, Overrun):
            self._overrun(entry, number)
            return
        self.rows.take(entry, number)
        if isinstance(entry, Hold):
            self._limits(entry, number)
        elif held is not None and id_ not in self.state.holds:
            self._ended(entry, held)

    def _apply(self, entry: Entry, number: int, id_: str) -> None:
        try:
            refusal = self.state.apply(entry)
        except AssertionError as error:
            raise Contradiction(number, id_, f"is impossible: {error}") from None
        if refusal is not None:
            why = refusal.code
            if refusal.code == "not_open":
                why = "ends a second time" if id_ in self.ended else "ends without a hold"
            elif refusal.scope:
                why = f"passes the limit of {refusal.unit} on {refusal.scope}"
            raise Contradiction(number, id_, why)

    def _limits(self, hold: Hold, number: int) -> None:
        """After a hold, every limit on its path is kept: posted + held ≤ limit."""
        self.counts.holds += 1
        for scope in hold.path:
            for unit in ("usd", "tokens"):
                account = self.state.account(scope, unit)
                self.counts.limits += account.limit is not None
                if account.limit is not None and account.posted + account.held > account.limit:
                    raise Contradiction(
                        number,
                        hold.id,
                        f"passes the limit of {unit} on {scope}: {account.posted} posted and "
                        f"{account.held} held are more than {account.limit}",
                    )

    def _ended(self, entry: Entry, hold: Hold) -> None:
        self.counts.endings += 1
        row = self.rows.queries.pop(hold.id)
        self.ended[hold.id] = digest(row)
        if isinstance(entry, Settle) and entry.usd > hold.usd:
            self._over[hold.id] = row

    def _overrun(self, entry: Overrun, number: int) -> None:
        row = self._over.pop(entry.id, None)
        if row is None or row["cost"] - row["held"] != entry.usd:
            what = f"is an overrun of ${money.dollars(entry.usd)} that its ending does not show"
            raise Contradiction(number, entry.id, what)
        self.counts.overruns += 1
        self.ended[entry.id] = digest(row | {"overrun": entry.usd})

    def end(self) -> None:
        """Check what only the end of the journal tells."""
        for id_, row in self._over.items():
            what = f"cost ${money.dollars(row['cost'] - row['held'])} more than held, unsaid"
            raise Contradiction(row["end_position"], id_, what)


def digest(row: Row) -> int:
    """Return a number that differs where rows do; good for as long as this process runs."""
    return hash(tuple([row[name] for name in COLUMNS]))


def checked_groups(groups: JournalGroups) -> Iterator[Group]:
    """Yield every group, while the ledger may be writing more.

    Raises:
        Contradiction: a group cannot be read and was acknowledged, or says what is no entry.
    """
    offset = position = 0
    while True:
        try:
            for group in groups.read(offset, position):
                yield group
                offset, position = group.end, position + len(group.entries)
        except msgspec.MsgspecError as error:
            raise Contradiction(position + 1, "", f"byte {offset}: no entry: {error}") from None
        intact = groups.damage(offset, position)
        if intact is None:
            return
        if not groups.piece(offset, position):  # else it was being written when it was read
            raise Contradiction(
                position + 1,
                "",
                f"cannot be read: the journal is damaged at byte {offset}, and intact entries "
                f"that knew it to be on the disk follow at byte {intact}",
            )
