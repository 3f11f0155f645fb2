"""Accounts: what each scope has spent, what open queries hold of it, its limits and its credit."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from farthing.ledger.credit import Credit, Lot, Reserved
from farthing.ledger.entry import Limit, Refusal, TopUp
from farthing.ledger.meter import UNITS, AnyMeter, new_meter
from farthing.ledger.window import EVER

# What a query counts in each of UNITS.
Quantities = tuple[int, int, int, int]

# Kinds of scopes whose accounts are kept from their beginning. Of the others (end users, models,
# tags …) there is no end: theirs are kept where a limit or a credit names them, from then on.
KEPT = frozenset({"org", "team", "project", "key"})
REMEMBERED = 4096


def _zeros() -> list[int]:
    return [0] * len(UNITS)


class Balance(msgspec.Struct, frozen=True):
    """What one scope has spent, holds and may spend, of one unit in one window."""

    scope: str
    unit: str
    posted: int
    held: int
    limit: int | None
    window: str = "ever"
    soft: bool = False
    refills: int | None = None
    """When the window ends, in nanoseconds since 1970."""


class Account(msgspec.Struct):
    """One scope's totals, its meters and its prepaid credit."""

    scope: str
    posted: list[int] = msgspec.field(default_factory=_zeros)
    """What was spent, in each of UNITS."""
    held: list[int] = msgspec.field(default_factory=_zeros)
    meters: list[AnyMeter] = []
    credit: Credit | None = None

    def refusal(self, wanted: Quantities, now: int) -> Refusal | None:
        """Return why a query is not admitted, or None."""
        for meter in self.meters:
            posted, held = meter.used(now)
            quantity = wanted[meter.unit]
            if posted + held + quantity > meter.amount and not meter.soft:
                return Refusal(
                    "limit_reached", self.scope, UNITS[meter.unit], meter.amount, posted, held,
                    quantity, meter.window, meter.refills(quantity, now),
                )  # fmt: skip
        if self.credit is not None and (free := self.credit.free(now)) < wanted[0]:
            return Refusal("credit_exhausted", self.scope, "usd", free, wanted=wanted[0])
        return None

    def bounding(self, now: int) -> Refusal | None:
        """Return why a query whose cost has no bound is not admitted: whatever bounds costs here
        would leak. None where nothing does."""
        for meter in self.meters:
            if UNITS[meter.unit] in ("usd", "tokens") and not meter.soft:
                return Refusal(
                    "unpriced_under_limit", self.scope, UNITS[meter.unit], meter.amount,
                    *meter.used(now), window=meter.window,
                )  # fmt: skip
        if self.credit is not None:
            return Refusal("unpriced_under_limit", self.scope, "usd", self.credit.free(now))
        return None

    def balance(self, unit: str) -> Balance:
        """Return the totals of a unit, with the limit that has no window."""
        number = UNITS.index(unit)
        limits = [m for m in self.meters if m.unit == number and m.window == "ever"]
        limit, soft = (limits[0].amount, limits[0].soft) if limits else (None, False)
        return Balance(self.scope, unit, self.posted[number], self.held[number], limit, soft=soft)

    def balances(self, now: int) -> list[Balance]:
        """Return the totals of each unit, and what counts in each window that has a limit."""
        totals = [self.balance(unit) for unit in UNITS]
        for meter in self.meters:
            if meter.window != "ever":
                posted, held = meter.used(now)
                totals.append(
                    Balance(
                        self.scope, UNITS[meter.unit], posted, held, meter.amount, meter.window,
                        meter.soft, meter.refills(0, now),
                    )
                )  # fmt: skip
        return totals


class Charge(msgspec.Struct, gc=False):
    """Where one open query is counted."""

    quantities: Quantities
    accounts: tuple[Account, ...]
    meters: list[tuple[AnyMeter, int]] = []
    """Each meter, with the slot that the query was held in."""
    credits: tuple[tuple[Credit, Reserved], ...] = ()
    passed: tuple[tuple[Account, AnyMeter], ...] = ()
    """The soft limits that are passed with it."""

    def end(self, spent: Quantities, now: int) -> list[tuple[Lot, int]]:
        """Release it and post what was spent; return what each credit's lots paid."""
        quantities = self.quantities
        for account in self.accounts:
            _move(account, quantities, spent)
        for meter, slot in self.meters:
            meter.end(slot, quantities[meter.unit], spent[meter.unit])
        drawn: list[tuple[Lot, int]] = []
        if not self.credits:
            return drawn
        for credit, reserved in self.credits:
            drawn += credit.draw(reserved, spent[0], now)
        return drawn

    def stop(self) -> None:
        """Count it as no longer running: nobody waits for its end."""
        running = UNITS.index("concurrent")
        for account in self.accounts:
            account.held[running] -= 1
        for meter, slot in self.meters:
            if meter.unit == running:
                meter.end(slot, 1, 0)
        self.quantities = (*self.quantities[:running], 0)  # type: ignore[assignment]


class Accounts:
    """All accounts by scope, and the limits that make their meters."""

    def __init__(self) -> None:
        self.by_scope: dict[str, Account] = {}
        self.limits: dict[str, dict[tuple[str, str], Limit]] = {}
        """By scope, then by unit and window; "user:*" stands for each user that has no own."""
        self._paths: dict[tuple[str, ...], tuple[Account, ...]] = {}

    def on(self, path: tuple[str, ...]) -> tuple[Account, ...]:
        """Return the accounts of a path; of a scope that needs none there is none."""
        found = self._paths.get(path)
        if found is None:
            assert len(set(path)) == len(path), "a scope twice would be checked once"
            accounts = (self.by_scope.get(scope) or self._new(scope) for scope in path)
            found = tuple(account for account in accounts if account is not None)
            if all(account.scope in self.by_scope for account in found):
                if len(self._paths) >= REMEMBERED:
                    self._paths.clear()
                self._paths[path] = found
        return found

    def keep(self, scope: str) -> Account:
        """Return a scope's account, kept from now on."""
        self._paths.clear()
        return self.by_scope.setdefault(scope, self._new(scope) or Account(scope))

    def charge(self, accounts: tuple[Account, ...], wanted: Quantities, now: int) -> Charge:
        """Count an admitted query; from now on its accounts are kept."""
        charge = Charge(wanted, accounts)
        usd, tokens, requests, running = wanted
        for account in accounts:
            # A loop over four units costs more than their sums.
            a, b, c, d = account.held
            account.held = [a + usd, b + tokens, c + requests, d + running]
            if account.scope not in self.by_scope:
                self.by_scope[account.scope] = account
            for meter in account.meters:
                charge.meters.append((meter, meter.hold(wanted[meter.unit], now)))
                if meter.posted + meter.held > meter.amount:
                    charge.passed += ((account, meter),)
            if account.credit is not None:
                charge.credits += ((account.credit, account.credit.reserve(usd, now)),)
        return charge

    def limit(self, entry: Limit, open_queries: Iterable[Charge], now: int) -> None:
        """Set, change or lift a limit. One without a window counts what was spent before it."""
        terms = self.limits.setdefault(entry.scope, {})
        where = (entry.unit, entry.window)
        if entry.amount is not None:
            terms[where] = entry
        else:
            terms.pop(where, None)
            if not terms:
                del self.limits[entry.scope]
        kind, _, name = entry.scope.partition(":")
        if name != "*":
            self.keep(entry.scope)
        queries = list(open_queries)
        for scope, account in self.by_scope.items():
            if scope == entry.scope or (name == "*" and scope.startswith(f"{kind}:")):
                self._measure(account, where, queries, now)
        self._paths.clear()

    def top_up(self, entry: TopUp) -> None:
        """Add a lot to a scope's credit."""
        account = self.keep(entry.scope)
        if account.credit is None:
            account.credit = Credit()
        expires = EVER if entry.expires is None else entry.expires
        account.credit.add(Lot(entry.id, entry.scope, entry.usd, expires, entry.usd))

    def _terms(self, scope: str) -> dict[tuple[str, str], Limit]:
        """Return a scope's limits: its own, before those of its kind."""
        kind = scope.partition(":")[0]
        return {**self.limits.get(f"{kind}:*", {}), **self.limits.get(scope, {})}

    def _new(self, scope: str) -> Account | None:
        terms = self._terms(scope)
        if not terms and scope.partition(":")[0] not in KEPT:
            return None
        return Account(scope, meters=[_meter(limit) for limit in terms.values()])

    def _measure(
        self, account: Account, where: tuple[str, str], queries: list[Charge], now: int
    ) -> None:
        """Bring an account's meter for a unit and a window to what the limits say."""
        limit, known = self._terms(account.scope).get(where), None
        for meter in account.meters:
            if (UNITS[meter.unit], meter.window) == where:
                known = meter
        if limit is None or limit.amount is None:
            account.meters = [meter for meter in account.meters if meter is not known]
        elif known is not None:
            if known.amount != limit.amount:
                known.warned = -1
            known.amount, known.soft = limit.amount, limit.soft
        else:
            account.meters = [*account.meters, _measured(account, _meter(limit), queries, now)]


def _move(account: Account, held: Quantities, spent: Quantities) -> None:
    """Release in an account's totals what was held, and post what was spent."""
    usd, tokens, requests, running = account.held
    less_usd, less_tokens, less_requests, less_running = held
    holding = [
        usd - less_usd, tokens - less_tokens, requests - less_requests, running - less_running,
    ]  # fmt: skip
    assert min(holding) >= 0, "more was released than was held"
    account.held = holding
    usd, tokens, requests, running = account.posted
    account.posted = [usd + spent[0], tokens + spent[1], requests + spent[2], running]


def _meter(limit: Limit) -> AnyMeter:
    assert limit.amount is not None, "a lifted limit has no meter"
    return new_meter(limit.unit, limit.window, limit.amount, limit.soft)


def _measured(account: Account, meter: AnyMeter, queries: list[Charge], now: int) -> AnyMeter:
    """Return a new meter that counts what its account has spent and holds, if it has no window."""
    if meter.window == "ever":
        meter.hold(0, now)
        meter.posted = account.posted[meter.unit]
        for charge in queries:
            if any(each is account for each in charge.accounts):
                slot = meter.hold(charge.quantities[meter.unit], now)
                charge.meters.append((meter, slot))
    return meter
