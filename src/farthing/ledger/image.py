"""A state as bytes: what a snapshot keeps of it.

Open queries point to the meters and lots they are counted in; here they name them instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from farthing.ledger.account import Account, Charge, Quantities
from farthing.ledger.commitment import CommitmentState
from farthing.ledger.entry import Hold, Limit
from farthing.ledger.registry import KeyState
from farthing.ledger.seen import Run

if TYPE_CHECKING:
    from farthing.ledger.state import State

# Raised when the same state is written differently.
FORMAT = 1


class _Open(msgspec.Struct, array_like=True):
    """An open query and where it is counted."""

    hold: Hold
    quantities: Quantities
    accounts: list[str]
    meters: list[tuple[str, int, str, int]]
    """Scope, unit, window and slot."""
    credits: list[tuple[str, list[tuple[str, int]]]]
    """Scope; and of each lot its id, with how much of it is reserved."""


class _Image(msgspec.Struct, array_like=True):
    format: int
    position: int
    ledger: str
    config: str
    price_book: str
    keys: list[KeyState]
    parents: dict[str, str]
    limits: list[Limit]
    accounts: list[Account]
    commitments: list[CommitmentState]
    credits: set[str]
    runs: list[tuple[str, Run]]
    """The oldest first: which are the latest decides what is still kept of them."""
    others: set[str]
    open: list[_Open]
    unresolved: dict[str, int]
    tripped: list[tuple[str, str, int]]


_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(_Image).decode


def encoded(state: State) -> bytes:
    """Return a state as bytes, the same ones for the same state."""
    return _encode(
        _Image(
            format=FORMAT,
            position=state.position,
            ledger=state.ledger,
            config=state.config,
            price_book=state.price_book,
            keys=list(state.keys.values()),
            parents=state.registry.parents,
            limits=[limit for terms in state.accounts.limits.values() for limit in terms.values()],
            accounts=list(state.accounts.by_scope.values()),
            commitments=list(state.commitments.by_id.values()),
            credits=state.credits,
            runs=list(state.seen.runs.items()),
            others=state.seen.others,
            open=[_open(hold, state.charges[query]) for query, hold in state.holds.items()],
            unresolved=state.unresolved,
            tripped=[(*route, at) for route, at in state.tripped.items()],
        )
    )


def restore(state: State, image: bytes) -> None:
    """Fill an empty state with what an image says."""
    try:
        told = _decode(image)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from None
    if told.format != FORMAT:
        raise msgspec.DecodeError(f"format {told.format}, not {FORMAT}")
    for name in ("position", "ledger", "config", "price_book", "unresolved"):
        setattr(state, name, getattr(told, name))
    state.registry.keys.update({key.key.id: key for key in told.keys})
    state.registry.parents.update(told.parents)
    for limit in told.limits:
        state.accounts.limits.setdefault(limit.scope, {})[limit.unit, limit.window] = limit
    state.accounts.by_scope.update({account.scope: account for account in told.accounts})
    state.commitments.by_id.update({each.terms.id: each for each in told.commitments})
    state.credits.update(told.credits)
    state.seen.runs.update(told.runs)
    state.seen.others.update(told.others)
    state.tripped.update({(provider, model): at for provider, model, at in told.tripped})
    for each in told.open:
        state.holds[each.hold.id] = each.hold
        try:
            state.charges[each.hold.id] = _charge(each, state.accounts.by_scope)
        except (LookupError, StopIteration) as error:
            raise msgspec.DecodeError(f"{each.hold.id} is counted nowhere: {error!r}") from None


def _open(hold: Hold, charge: Charge) -> _Open:
    scopes = {id(m): account.scope for account in charge.accounts for m in account.meters}
    scopes |= {id(account.credit): account.scope for account in charge.accounts}
    return _Open(
        hold,
        charge.quantities,
        [account.scope for account in charge.accounts],
        # A meter that is in no account any more was lifted: nothing reads it again.
        [(scopes[id(m)], m.unit, m.window, s) for m, s in charge.meters if id(m) in scopes],
        # One in which nothing is reserved, too: it pays if the bill is above the hold.
        [(scopes[id(c)], [(lot.id, part) for lot, part in parts]) for c, parts in charge.credits],
    )


def _charge(told: _Open, accounts: dict[str, Account]) -> Charge:
    charge = Charge(told.quantities, tuple(accounts[scope] for scope in told.accounts))
    for scope, unit, window, slot in told.meters:
        meter = next(m for m in accounts[scope].meters if (m.unit, m.window) == (unit, window))
        charge.meters.append((meter, slot))
    for scope, parts in told.credits:
        credit = accounts[scope].credit
        if credit is None:
            raise LookupError(scope)
        lots = {lot.id: lot for lot in credit.lots}
        charge.credits += ((credit, [(lots[lot], part) for lot, part in parts]),)
    return charge
