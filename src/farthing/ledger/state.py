"""The ledger's state machine: pure, deterministic, with the time as part of each entry.

`apply` takes an entry wholly or not at all. What it takes is then journaled, and applying the
journal again gives the same state. The model is TigerBeetle's two-phase transfer: a hold is a
pending debit on every limit of a query's path, and one ending posts or voids it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from farthing.ledger.entry import (
    Config,
    Ending,
    Entry,
    Genesis,
    Hold,
    Key,
    Limit,
    Overrun,
    PriceBookInForce,
    Refusal,
    Revoke,
    Settle,
    Unresolved,
    Void,
)

UNITS = ("usd", "tokens")


class Account(msgspec.Struct):
    """One unit of one scope: what is spent, what open queries hold, and what may be."""

    posted: int = 0
    held: int = 0
    limit: int | None = None


class KeyState(msgspec.Struct):
    """A key and whether it still opens."""

    key: Key
    revoked_at: int | None = None


class State:
    """All accounts, keys and open holds. Changed by `apply` alone."""

    def __init__(self) -> None:
        self.position = 0
        """How many entries were applied."""
        self.ledger = ""
        self.config = ""
        self.price_book = ""
        self.accounts: dict[tuple[str, str], Account] = {}
        self.keys: dict[str, KeyState] = {}
        self.holds: dict[str, Hold] = {}
        """Holds that no settlement or void has ended, by query id."""
        self.unresolved: set[str] = set()
        """Those of them whose worker gave up finding their cost."""
        self._apply: dict[type, Callable[[Any], Refusal | None]] = {
            Genesis: self._genesis,
            Key: self._key,
            Revoke: self._revoke,
            Limit: self._limit,
            Hold: self._hold,
            Settle: self._settle,
            Void: self._void,
            Unresolved: self._unresolved,
            Overrun: lambda _: None,
            Config: self._config,
            PriceBookInForce: self._book,
        }

    def apply(self, entry: Entry) -> Refusal | None:
        """Take an entry, or say why not; then nothing has changed."""
        refusal = self._apply[type(entry)](entry)
        if refusal is None:
            self.position += 1
        return refusal

    def account(self, scope: str, unit: str) -> Account:
        """Return an account; one that nothing has touched is empty and without limit."""
        found = self.accounts.get((scope, unit))
        if found is None:
            found = self.accounts[scope, unit] = Account()
        return found

    def open_holds(self, worker: str) -> list[Hold]:
        """Return the holds whose ending a worker's run still owes."""
        return [
            h for h in self.holds.values() if h.worker == worker and h.id not in self.unresolved
        ]

    def _genesis(self, entry: Genesis) -> None:
        assert self.position == 0, "a journal has one genesis, its first entry"
        self.ledger = entry.ledger

    def _key(self, entry: Key) -> Refusal | None:
        if entry.id in self.keys:
            return Refusal("duplicate")
        self.keys[entry.id] = KeyState(entry)
        return None

    def _revoke(self, entry: Revoke) -> Refusal | None:
        if entry.id not in self.keys:
            return Refusal("unknown_key")
        if self.keys[entry.id].revoked_at is None:
            self.keys[entry.id].revoked_at = entry.at
        return None

    def _limit(self, entry: Limit) -> None:
        assert entry.unit in UNITS, "a limit of an unknown unit would limit nothing"
        self.account(entry.scope, entry.unit).limit = entry.amount

    def _hold(self, entry: Hold) -> Refusal | None:
        assert len(set(entry.path)) == len(entry.path), "a scope twice would be checked once"
        if entry.id in self.holds:
            return Refusal("duplicate")
        refusal = self._check_key(entry) or self._check_limits(entry)
        if refusal is None:
            self.holds[entry.id] = entry
            for scope in entry.path:
                self.account(scope, "usd").held += entry.usd
                self.account(scope, "tokens").held += entry.tokens
        return refusal

    def _check_key(self, entry: Hold) -> Refusal | None:
        known = self.keys.get(entry.key)
        if known is None:
            return Refusal("unknown_key")
        if known.revoked_at is not None:
            return Refusal("revoked_key")
        if known.key.expires is not None and known.key.expires <= entry.at:
            return Refusal("expired_key")
        return None

    def _check_limits(self, entry: Hold) -> Refusal | None:
        for scope in entry.path:
            for unit, wanted in (("usd", entry.usd), ("tokens", entry.tokens)):
                a = self.accounts.get((scope, unit))
                if entry.unpriced and a is not None and a.limit is not None:
                    return Refusal("unpriced_under_limit", scope, unit, a.limit, a.posted, a.held)
                if a is not None and a.limit is not None and a.posted + a.held + wanted > a.limit:
                    return Refusal("limit_reached", scope, unit, a.limit, a.posted, a.held, wanted)
        return None

    def _settle(self, entry: Settle) -> Refusal | None:
        return self._end(entry, entry.usd, entry.usage.tokens())

    def _void(self, entry: Void) -> Refusal | None:
        return self._end(entry, 0, 0)

    def _end(self, entry: Ending, usd: int, tokens: int) -> Refusal | None:
        """Release a hold and post what it came to, once for ever."""
        hold = self.holds.pop(entry.id, None)
        if hold is None:
            return Refusal("not_open")
        self.unresolved.discard(entry.id)
        for scope in hold.path:
            for unit, held, spent in (("usd", hold.usd, usd), ("tokens", hold.tokens, tokens)):
                account = self.account(scope, unit)
                account.held -= held
                account.posted += spent
                assert account.held >= 0, "more was released than was held"
        return None

    def _unresolved(self, entry: Unresolved) -> Refusal | None:
        if entry.id not in self.holds or entry.id in self.unresolved:
            return Refusal("not_open")
        self.unresolved.add(entry.id)
        return None

    def _config(self, entry: Config) -> None:
        self.config = entry.digest

    def _book(self, entry: PriceBookInForce) -> None:
        self.price_book = entry.digest
