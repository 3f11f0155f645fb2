"""Hold a journal against itself: every entry through the state machine, and what must follow.

What can be checked beside the state machine is not taken on its word: that an id is held and ended
once for ever, that every scope's sums are its own, that a hold left every limit on its path kept.
"""

from __future__ import annotations

from collections import deque

import msgspec

from farthing import money
from farthing.ledger.batch import Batch
from farthing.ledger.entry import Draw, Entry, Hold, Overrun, Warned
from farthing.ledger.meter import UNITS
from farthing.ledger.records import queries
from farthing.ledger.rows import Row
from farthing.ledger.state import State
from farthing.ledger.tally import Tally

COLUMNS = tuple(column.name for column in queries.columns)

# What nobody enters: each follows from the entry before it.
CONSEQUENCES = (Overrun, Draw, Warned)


class Contradiction(Exception):
    """Two things that must agree and do not: at which entry, of what, and how they differ."""

    def __init__(self, entry: int, id_: str, what: str) -> None:
        super().__init__(what)
        self.entry = entry
        self.id = id_
        self.what = what


class Counts(msgspec.Struct):
    """How much was checked."""

    entries: int = 0
    holds: int = 0
    endings: int = 0
    limits: int = 0
    overruns: int = 0
    draws: int = 0
    warnings: int = 0


class Audit:
    """A journal's entries, one after the other, and the rows that they must have made."""

    def __init__(self, ledger: str) -> None:
        self.state = State()
        self.counts = Counts()
        self.rows = Batch(ledger)
        """The rows of the queries that are not ended, and of all that is no query."""
        self.ended: dict[str, int] = {}
        """The digest of the row of each query that is."""
        self._tally = Tally()
        self._ending: tuple[str, Row] | None = None
        """The query that ended last, whose row may have consequences to come."""
        self._due: deque[Entry] = deque()
        """What follows from the last entry and did not come yet."""

    def take(self, entry: Entry, number: int) -> None:
        """Check one entry.

        Raises:
            Contradiction: it cannot stand where it stands.
        """
        id_ = str(getattr(entry, "id", ""))
        if self._due or isinstance(entry, CONSEQUENCES):
            self._follows(entry, number, id_)
        else:
            self._close()
        if isinstance(entry, Hold) and id_ in self.ended:
            raise Contradiction(number, id_, "is held a second time, after it had ended")
        held = id_ in self.state.holds
        self._apply(entry, number, id_)
        self.counts.entries += 1
        self.rows.take(entry, number)
        if isinstance(entry, CONSEQUENCES):
            return
        self._due = deque(self.state.consequences)
        if isinstance(entry, Hold):
            self._held(entry, number)
            return
        self._tally.take(entry)
        if held and id_ not in self.state.holds:
            self.counts.endings += 1
            self._ending = (id_, self.rows.queries[id_])

    def _follows(self, entry: Entry, number: int, id_: str) -> None:
        """What follows from an entry stands behind it, as it must be, and nowhere else."""
        due = self._due.popleft() if self._due else None
        if entry == due:
            self.counts.overruns += isinstance(entry, Overrun)
            self.counts.draws += isinstance(entry, Draw)
            self.counts.warnings += isinstance(entry, Warned)
        elif due is None:
            raise Contradiction(number, id_, f"is {_named(entry)} that follows from nothing")
        else:
            what = f"is {_named(entry)}, where {_named(due)} must follow"
            raise Contradiction(number, str(getattr(due, "id", "")), what)

    def _close(self) -> None:
        """Of a query that has ended with all that follows, a digest is enough."""
        if self._ending is not None:
            id_, row = self._ending
            del self.rows.queries[id_]
            self.ended[id_] = digest(row)
            self._ending = None

    def _apply(self, entry: Entry, number: int, id_: str) -> None:
        try:
            refusal = self.state.apply(entry)
        except AssertionError as error:
            raise Contradiction(number, id_, f"is impossible: {error}") from None
        if refusal is not None:
            why = f"is refused by the state machine: {refusal.detail or refusal.code}"
            if refusal.code == "not_open":
                known = id_ in self.ended or id_ in self.state.unresolved
                why = "ends a second time" if known else "ends without a hold"
            elif refusal.code == "limit_reached":
                why = f"passes the limit of {refusal.unit} on {refusal.scope}"
            raise Contradiction(number, id_, why)

    def _held(self, hold: Hold, number: int) -> None:
        """After a hold, every limit on its path is kept: posted + held ≤ limit."""
        self.counts.holds += 1
        kept = self.state.accounts.by_scope
        scopes = [scope for scope in hold.path if scope in kept]
        self._tally.hold(hold, scopes)
        for scope in scopes:
            for unit, amount, posted, held in self._tally.limits(scope):
                self._within(hold, number, (scope, unit, "ever"), amount, posted, held)
            for meter in kept[scope].meters:
                if meter.window != "ever" and not meter.soft:
                    posted, held = meter.used(hold.at)
                    where = (scope, UNITS[meter.unit], meter.window)
                    self._within(hold, number, where, meter.amount, posted, held)

    def _within(
        self,
        hold: Hold,
        number: int,
        where: tuple[str, str, str],
        amount: int,
        posted: int,
        held: int,
    ) -> None:
        self.counts.limits += 1
        if posted + held > amount:
            scope, unit, window = where
            of = unit if window == "ever" else f"{unit} in one {window}"
            raise Contradiction(
                number,
                hold.id,
                f"passes the limit of {of} on {scope}: {posted} posted and {held} held are more "
                f"than {amount}",
            )

    def balances(self) -> int:
        """Hold every account of the state machine against the sums made beside it; return how many.

        Raises:
            Contradiction: one is another.
        """
        accounts = self.state.accounts.by_scope
        for scope in sorted({*accounts, *self._tally.sums}):
            for place, unit in enumerate(UNITS):
                balance, sums = self.state.balance(scope, unit), self._tally.of(scope)
                if (balance.posted, balance.held) != (sums[0][place], sums[1][place]):
                    what = (
                        f"{unit}: the state machine has {balance.posted} posted and "
                        f"{balance.held} held, the entries sum to {sums[0][place]} and "
                        f"{sums[1][place]}"
                    )
                    raise Contradiction(self.state.position, scope, what)
        return len(accounts) * len(UNITS)

    def end(self) -> None:
        """Check what only the end of the journal tells.

        Raises:
            Contradiction: what follows from the last entry is not there.
        """
        if self._due:
            due = self._due[0]
            what = f"ends where {_named(due)} must follow"
            raise Contradiction(self.state.position, str(getattr(due, "id", "")), what)


def _named(entry: Entry) -> str:
    """Return what an entry is, in words that tell two of a kind apart."""
    if isinstance(entry, Overrun):
        return f"an overrun of ${money.dollars(entry.usd)}"
    if isinstance(entry, Draw):
        return f"a draw of ${money.dollars(entry.usd)} from {entry.source}"
    if isinstance(entry, Warned):
        return f"a warning of {entry.unit} on {entry.scope}"
    return f"an entry of kind {entry.__struct_config__.tag}"


def digest(row: Row) -> int:
    """Return a number that differs where rows do; good for as long as this process runs."""
    return hash(tuple([row[name] for name in COLUMNS]))
