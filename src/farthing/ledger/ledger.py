"""The ledger: the state machine with its journal behind it.

`Ledger` keeps both in this process. `RemoteLedger` (client.py) is the same to its user, and
speaks to a ledger process. What they share is `LedgerPort`.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Protocol

from farthing import clock
from farthing.errors import ConfigError
from farthing.flow import OneShot, ready
from farthing.ledger.commit import Committer
from farthing.ledger.entry import (
    ChangeKey,
    Commitment,
    Config,
    Ending,
    Entry,
    Expire,
    Genesis,
    Hold,
    Key,
    PriceBookInForce,
    Refusal,
    Revoke,
    Unresolved,
    Warned,
    encode,
)
from farthing.ledger.groups import GROUP_MOST
from farthing.ledger.journal import NO_ROOM, Journal, JournalFullError
from farthing.ledger.refusals import RefusalCounts
from farthing.ledger.registry import KeyState
from farthing.ledger.segments import START
from farthing.ledger.snapshot import restore
from farthing.ledger.state import State

# Room kept in the journal for the ending of every open hold: the largest one, in its own group,
# with what follows from the two (warnings, an overrun, draws on several lots).
# A settlement's texts are cut to TEXT_MOST characters of at most four bytes each.
ENDING_MOST = 4096
# What is asked of the disk beyond what is needed, so that it is not asked at every hold.
AHEAD = 512 * 1024
TEXT_MOST = 128

# How often refusals are summed up: what a kill can lose of them.
TOLD_SECONDS = 60.0

# None: it counts. A hold that passed a soft limit counts too, and says so.
Outcome = OneShot[Refusal | Warned | None]


class LedgerPort(Protocol):
    """What a worker needs of a ledger, wherever it runs."""

    @property
    def keys(self) -> Mapping[str, KeyState]:
        """All keys, as they are now."""

    @property
    def commitments(self) -> Mapping[str, Commitment]:
        """All commitments, whose discounts settlements are made with."""

    @property
    def ready(self) -> bool:
        """Whether it can answer. While it cannot, nothing may be sent."""

    def hold(self, entry: Hold) -> Outcome:
        """Ask for a hold; None when it is durable, else why not."""

    def end(self, entry: Ending) -> Outcome:
        """Record a query's ending; set when it counts. It is never lost while the process lives."""


class Ledger:
    """State machine and journal in one process."""

    def __init__(self, journal: Journal, state: State, committer: Committer) -> None:
        """`state` must be what the journal's entries make."""
        self.state = state
        self.keys = state.keys
        self.ready = True
        self.commitments: dict[str, Commitment] = {
            name: known.terms for name, known in state.commitments.by_id.items()
        }
        self.on_change: list[Callable[[KeyState | Commitment], None]] = []
        """Called for every key that is made or changed, and every commitment."""
        self._journal = journal
        self._committer = committer
        self._ahead = 0
        """Bytes that are reserved beyond the endings of all open holds."""
        self._refusals = RefusalCounts()
        self._telling: asyncio.TimerHandle | None = None

    def hold(self, entry: Hold) -> Outcome:
        """Admit a query, if every limit on its path and the journal's disk allow it."""
        encoded = encode(entry)
        if not self._room(len(encoded)):
            return self._refuse(entry, Refusal("journal_full"))
        refusal = self.state.apply(entry)
        if refusal is not None:
            return self._refuse(entry, refusal)
        return self._taken(encoded, self.state.warning)

    def end(self, entry: Ending) -> Outcome:
        """End a query. One that is not open has ended already: that is no error of the caller's."""
        return self._take(entry, encode(entry))  # in the room that was kept for it

    def record(self, entry: Entry) -> Outcome:
        """Record an administrator's or the gateway's own entry."""
        encoded = encode(entry)
        if not self._room(len(encoded)):
            return ready(Refusal("journal_full"))
        outcome = self._take(entry, encoded)
        if not (outcome.done and outcome.result()):
            self._tell(entry)
        return outcome

    def expire(self, before: int) -> int:
        """Post the queries that were left unresolved before a moment; return how many.

        Those whose cost has no bound wait for evidence: posting what is held would make it zero.
        """
        unresolved, holds = self.state.unresolved.items(), self.state.holds
        old = [query for query, at in unresolved if at < before and not holds[query].unpriced]
        now = clock.wall()
        for query in old:
            self.record(Expire(now, query))
        return len(old)

    def give_up(self, holds: Iterable[Hold], reason: str) -> None:
        """Mark holds whose worker is gone; they stay held."""
        for hold in holds:
            self.end(Unresolved(at=clock.wall(), id=hold.id, reason=reason))

    async def close(self) -> None:
        """Write what is left and close the journal."""
        self.ready = False
        self.tell_refusals()
        await self._committer.close()

    def _refuse(self, entry: Hold, refusal: Refusal) -> Outcome:
        self._refusals.count(refusal, entry.at)
        if self._telling is None:
            self._tell_later()
        return ready(refusal)

    def _tell_later(self) -> None:
        self._telling = asyncio.get_running_loop().call_later(TOLD_SECONDS, self.tell_refusals)

    def tell_refusals(self) -> None:
        """Record how many queries were refused; what the disk does not take now, it takes later."""
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        entries = self._refusals.take(clock.wall())
        for number, entry in enumerate(entries):
            outcome = self.record(entry)
            if outcome.done and outcome.result():
                self._refusals.put_back(entries[number:])
                if self.ready:
                    self._tell_later()
                break

    def _take(self, entry: Entry, encoded: bytes) -> Outcome:
        refusal = self.state.apply(entry)
        return self._taken(encoded, None) if refusal is None else ready(refusal)

    def _taken(self, encoded: bytes, told: Warned | None) -> Outcome:
        state = self.state
        outcome: Outcome = OneShot()
        self._committer.append(encoded, partial(outcome.set, told))
        if state.consequences:
            for consequence in state.consequences:
                self._committer.append(encode(consequence), _nothing)
                state.apply(consequence)
        return outcome

    def _tell(self, entry: Entry) -> None:
        """Tell whoever listens of a key or a commitment that is not as it was."""
        changed: KeyState | Commitment
        if isinstance(entry, Commitment):
            changed = self.commitments[entry.id] = entry
        elif isinstance(entry, Key | ChangeKey | Revoke):
            changed = self.keys[entry.id]
        else:
            return
        for tell in self.on_change:
            tell(changed)

    def _room(self, size: int) -> bool:
        """Whether the journal can take an entry and still the ending of every open hold."""
        needed = size + GROUP_MOST + ENDING_MOST
        self._ahead -= needed
        if self._ahead >= 0:
            return True
        needed += len(self.state.holds) * ENDING_MOST + self._committer.pending_bytes
        for ahead in (AHEAD, 0):
            with contextlib.suppress(JournalFullError):
                self._journal.reserve(needed + ahead)
                self._ahead = ahead
                return True
        return False


def replay(journal: Journal) -> State:
    """Read a journal into a state, from its newest snapshot on; a new one gets its first entry.

    Raises:
        JournalDamagedError: acknowledged entries cannot be read.
        ConfigError: the disk has no room for the first entry.
    """
    state, mark = restore(journal.disk, journal.folder, State) or (State(), START)
    for entry in journal.recover(mark):
        refusal = state.apply(entry)
        assert refusal is None, (
            f"entry {state.position + 1} was journaled and is not valid: {refusal}"
        )
    if state.position == 0:
        genesis = Genesis(at=clock.wall(), ledger=secrets.token_hex(16))
        state.apply(genesis)
        append_now(journal, [encode(genesis)])
    return state


def _nothing() -> None:
    """Whoever waits, waits for the entry that this one follows from: both are in one group."""


def append_now(journal: Journal, entries: list[bytes]) -> None:
    """Append entries and put them on the disk.

    Raises:
        ConfigError: the disk has no room for them.
    """
    try:
        journal.append(entries)
    except JournalFullError:
        raise ConfigError(NO_ROOM) from None
    journal.sync()


def put_in_force(ledger: Ledger, config: str, price_book: str, source: str) -> None:
    """Record the digests of the configuration and the price book, where they changed.

    Raises:
        ConfigError: the disk is full, so nobody could tell later what was in force.
    """
    now, state = clock.wall(), ledger.state
    outcomes: list[Outcome] = []
    if state.config != config:
        outcomes.append(ledger.record(Config(at=now, digest=config)))
    if state.price_book != price_book:
        entry = PriceBookInForce(at=now, digest=price_book, source=source)
        outcomes.append(ledger.record(entry))
    if any(outcome.done and outcome.result() for outcome in outcomes):
        raise ConfigError(NO_ROOM)
