"""The ledger's state machine: pure, deterministic, with the time as part of each entry.

`apply` takes an entry wholly or not at all. What it takes is then journaled, and applying the
journal again gives the same state. The model is TigerBeetle's two-phase transfer: a hold is a
pending debit on every limit of a query's path, and one ending posts or voids it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from farthing.ledger.account import Account, Accounts, Balance, Charge, Quantities
from farthing.ledger.commitment import Commitments
from farthing.ledger.entry import (
    ChangeKey,
    Commitment,
    Config,
    Draw,
    Entry,
    Exercise,
    Expire,
    Genesis,
    Hold,
    Key,
    Limit,
    Overrun,
    PriceBookInForce,
    Refusal,
    Reset,
    Resolve,
    Revoke,
    Scope,
    Settle,
    TopUp,
    Unresolved,
    Void,
    Warned,
    WriteOff,
)
from farthing.ledger.evaluation import Evaluation, contradiction
from farthing.ledger.image import encoded, restore
from farthing.ledger.meter import UNITS
from farthing.ledger.registry import KeyState, Registry, invalid
from farthing.ledger.reported import Erasure, LogKey, Refusals, Statement
from farthing.ledger.seen import Seen
from farthing.ledger.window import WINDOWS
from farthing.money import MOST

NOTHING: Quantities = (0, 0, 0, 0)


class State:
    """All accounts, keys, commitments and open holds. Changed by `apply` alone."""

    def __init__(self) -> None:
        self.position = 0
        """How many entries were applied."""
        self.ledger = ""
        self.config = ""
        self.price_book = ""
        self.registry = Registry()
        self.accounts = Accounts()
        self.commitments = Commitments()
        self.credits: set[str] = set()
        """The ids of all top-ups."""
        self.seen = Seen()
        self.holds: dict[str, Hold] = {}
        """Holds that nothing has ended, by query id."""
        self.charges: dict[str, Charge] = {}
        """Where each of them is counted."""
        self.unresolved: dict[str, int] = {}
        """Those whose worker gave up finding their cost, and when."""
        self.tripped: dict[tuple[str, str], int] = {}
        """Models that billed more than their bound, by provider and priced name, and when."""
        self.consequences: list[Entry] = []
        """The entries that follow from the last one applied, to be applied next."""
        self.warning: Warned | None = None
        """The soft limit that the last hold applied passed, if any."""
        self._apply: dict[type, Callable[[Any], Refusal | None]] = {
            Genesis: self._genesis,
            Key: self._key,
            ChangeKey: self.registry.change_key,
            Revoke: self.registry.revoke,
            Scope: self._scope,
            Limit: self._limit,
            TopUp: self._top_up,
            Commitment: self.commitments.add,
            Exercise: self.commitments.exercise,
            Hold: self._hold,
            Settle: self._settle,
            Void: self._void,
            Unresolved: self._unresolved,
            Resolve: self._resolve,
            Expire: self._expire,
            WriteOff: self._write_off,
            Overrun: lambda _: None,
            Reset: self._reset,
            Draw: lambda _: None,
            Warned: lambda _: None,
            Config: self._config,
            PriceBookInForce: self._book,
            Refusals: lambda _: None,
            Statement: lambda _: None,
            LogKey: lambda _: None,
            Erasure: lambda _: None,
            Evaluation: self._evaluation,
        }

    @property
    def keys(self) -> dict[str, KeyState]:
        """All keys by id."""
        return self.registry.keys

    def apply(self, entry: Entry) -> Refusal | None:
        """Take an entry, or say why not; then nothing has changed."""
        if self.consequences:
            self.consequences = []
        refusal = self._apply[type(entry)](entry)
        if refusal is None:
            self.position += 1
        return refusal

    def encoded(self) -> bytes:
        """Return all of it as bytes, for a snapshot."""
        return encoded(self)

    @classmethod
    def decoded(cls, image: bytes) -> State:
        """Return the state that `encoded` was called on.

        Raises:
            msgspec.DecodeError: the bytes are not a state's, or another version's.
        """
        state = cls()
        restore(state, image)
        return state

    def balance(self, scope: str, unit: str) -> Balance:
        """Return a scope's totals; of one that nothing has touched they are nothing."""
        return (self.accounts.by_scope.get(scope) or Account(scope)).balance(unit)

    def enter(self, entry: Entry) -> tuple[Refusal | None, list[Entry]]:
        """Apply an entry and what follows from it; return why not, or all that was applied."""
        refusal = self.apply(entry)
        if refusal is not None:
            return refusal, []
        follows = self.consequences
        for consequence in follows:
            self.apply(consequence)
        return None, [entry, *follows]

    def open_holds(self, worker: str) -> list[Hold]:
        """Return the holds whose ending a worker's run still owes."""
        return [
            h for h in self.holds.values() if h.worker == worker and h.id not in self.unresolved
        ]

    # -- what administrators enter ------------------------------------------------------------

    def _genesis(self, entry: Genesis) -> None:
        assert self.position == 0, "a journal has one genesis, its first entry"
        self.ledger = entry.ledger

    def _key(self, entry: Key) -> Refusal | None:
        refusal = self.registry.make_key(entry)
        if refusal is None:
            self.accounts.keep(f"key:{entry.id}")
        return refusal

    def _scope(self, entry: Scope) -> Refusal | None:
        refusal = self.registry.make_scope(entry)
        if refusal is None:
            self.accounts.keep(entry.scope)
        return refusal

    def _limit(self, entry: Limit) -> Refusal | None:
        refusal = self.registry.unknown(entry.scope) or _shape(entry)
        if refusal is None:
            self.accounts.limit(entry, self.charges.values(), entry.at)
        return refusal

    def _top_up(self, entry: TopUp) -> Refusal | None:
        if entry.id in self.credits:
            return Refusal("duplicate")
        if not 0 < entry.usd <= MOST:
            return invalid("a top-up is an amount above nothing")
        if entry.scope.endswith(":*"):
            return invalid("credit belongs to one scope; name it")
        refusal = self.registry.unknown(entry.scope)
        if refusal is None:
            self.credits.add(entry.id)
            self.accounts.top_up(entry)
        return refusal

    def _reset(self, entry: Reset) -> Refusal | None:
        if self.tripped.pop((entry.provider, entry.model), None) is None:
            return Refusal("not_tripped")
        return None

    def _config(self, entry: Config) -> None:
        self.config = entry.digest

    def _book(self, entry: PriceBookInForce) -> None:
        self.price_book = entry.digest

    def _evaluation(self, entry: Evaluation) -> Refusal | None:
        wrong = contradiction(entry)
        return invalid(wrong) if wrong else None

    # -- queries ------------------------------------------------------------------------------

    def _hold(self, entry: Hold) -> Refusal | None:
        if entry.id in self.seen:
            return Refusal("duplicate")
        now = entry.at
        refusal = self.registry.check(entry.key, entry.path, now)
        if refusal is not None:
            return refusal
        if self.tripped and (route := _served(entry)) in self.tripped:
            return Refusal("route_tripped", f"model:{'/'.join(route)}")
        wanted = (entry.usd, entry.tokens, 1, 1)
        accounts = self.accounts.on(entry.path)
        for account in accounts:
            if account.meters or account.credit is not None:
                refusal = account.refusal(wanted, now)
                if refusal is None and entry.unpriced:
                    refusal = account.bounding(now)
                if refusal is not None:
                    return refusal
        self.seen.add(entry.id)
        self.holds[entry.id] = entry
        charge = self.charges[entry.id] = self.accounts.charge(accounts, wanted, now)
        self.warning = None
        if charge.passed:
            self._warn(entry, charge)
        return None

    def _warn(self, entry: Hold, charge: Charge) -> None:
        """Tell of the soft limits that are passed, once in each of their windows."""
        for account, meter in charge.passed:
            assert meter.soft, "a query was admitted beyond a limit"
            unit, window, total = UNITS[meter.unit], meter.window, meter.posted + meter.held
            self.warning = Warned(
                entry.at, entry.id, account.scope, unit, window, meter.amount, total
            )
            if meter.warned != meter.period():
                meter.warned = meter.period()
                self.consequences.append(self.warning)

    def _settle(self, entry: Settle) -> Refusal | None:
        hold = self.holds.get(entry.id)
        spent = (entry.usd, entry.usage.tokens(), 1, 0)
        refusal = self._post(entry.id, spent, entry.at)
        if hold is not None and refusal is None and entry.usd > hold.usd:
            self.consequences.append(Overrun(entry.at, entry.id, entry.usd - hold.usd))
            self.tripped[_served(hold)] = entry.at
        return refusal

    def _void(self, entry: Void) -> Refusal | None:
        return self._end(entry.id, NOTHING, entry.at)

    def _unresolved(self, entry: Unresolved) -> Refusal | None:
        if entry.id not in self.holds or entry.id in self.unresolved:
            return Refusal("not_open")
        self.unresolved[entry.id] = entry.at
        self.charges[entry.id].stop()
        return None

    def _resolve(self, entry: Resolve) -> Refusal | None:
        if entry.id not in self.unresolved:
            return Refusal("not_unresolved")
        if not 0 <= entry.usd <= MOST:
            return invalid("evidence tells an amount, or nothing was billed: then it is 0")
        if not entry.evidence.strip() or (entry.tokens is not None and entry.tokens < 0):
            return invalid("say what tells the cost; its tokens are 0 or more")
        hold = self.holds[entry.id]
        tokens = hold.tokens if entry.tokens is None else entry.tokens
        return self._post(entry.id, (entry.usd, tokens, 1, 0), entry.at)

    def _expire(self, entry: Expire) -> Refusal | None:
        if entry.id not in self.unresolved:
            return Refusal("not_unresolved")
        hold = self.holds[entry.id]
        if hold.unpriced:
            return invalid("the most it can cost is not known; resolve it, or write it off")
        return self._post(entry.id, (hold.usd, hold.tokens, 1, 0), entry.at)

    def _write_off(self, entry: WriteOff) -> Refusal | None:
        if entry.id not in self.unresolved:
            return Refusal("not_unresolved")
        if not entry.reason.strip():
            return invalid("a write-off needs its reason")
        return self._end(entry.id, (0, 0, 1, 0), entry.at)

    def _post(self, query: str, spent: Quantities, at: int) -> Refusal | None:
        """End a query at a cost, and draw that from the commitments with its provider."""
        hold = self.holds.get(query)
        refusal = self._end(query, spent, at)
        if hold is not None and refusal is None and self.commitments.by_id:
            self.consequences += self.commitments.draw(hold.provider, spent[0], at, query)
        return refusal

    def _end(self, query: str, spent: Quantities, at: int) -> Refusal | None:
        """Release a hold and post what it came to, once for ever."""
        if self.holds.pop(query, None) is None:
            return Refusal("not_open")
        self.unresolved.pop(query, None)
        for lot, usd in self.charges.pop(query).end(spent, at):
            self.consequences.append(Draw(at, query, f"credit:{lot.id}", usd, usd))
        return None


def _served(hold: Hold) -> tuple[str, str]:
    """Return the provider and the model that serve a query: all names of one price are one."""
    for scope in hold.path:
        if scope.startswith("model:"):
            provider, _, model = scope.removeprefix("model:").partition("/")
            return provider, model
    return hold.provider, hold.model


def _shape(entry: Limit) -> Refusal | None:
    """Return what is wrong with a limit in itself: one of a wrong shape would limit nothing."""
    if entry.unit not in UNITS:
        return invalid(f"{entry.unit!r} is no unit; write one of {', '.join(UNITS)}")
    if entry.window not in WINDOWS:
        return invalid(f"{entry.window!r} is no window; write one of {', '.join(WINDOWS)}")
    if entry.unit == "concurrent" and entry.window != "ever":
        return invalid("concurrent requests are counted as they are open: leave the window out")
    amount = entry.amount
    if amount is not None and (isinstance(amount, bool) or not 0 <= amount <= MOST):
        return invalid("a limit's amount is a whole number, 0 or more")
    return None
