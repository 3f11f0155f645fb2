"""What a ledger stands at, for those who administer it."""

from __future__ import annotations

import msgspec

from farthing.ledger.account import Balance
from farthing.ledger.commitment import CommitmentState
from farthing.ledger.credit import Lot
from farthing.ledger.entry import Hold, Limit
from farthing.ledger.registry import KeyState
from farthing.ledger.state import State


class Standing(msgspec.Struct, array_like=True, tag="standing"):
    """All balances, keys, scopes, credits and commitments, and what needs a hand."""

    balances: list[Balance]
    keys: list[KeyState]
    parents: dict[str, str]
    """Each made scope → the one it belongs to, or nothing."""
    limits: list[Limit]
    lots: list[Lot]
    commitments: list[CommitmentState]
    unresolved: list[tuple[Hold, int]]
    """With the moment each was given up."""
    tripped: list[tuple[str, str, int]]
    """Provider, model, and when it billed more than its bound."""


def standing(state: State, now: int) -> Standing:
    """Return what a state stands at, at a moment."""
    accounts = state.accounts
    return Standing(
        balances=[b for account in accounts.by_scope.values() for b in account.balances(now)],
        keys=list(state.keys.values()),
        parents=state.registry.parents,
        limits=[limit for terms in accounts.limits.values() for limit in terms.values()],
        lots=[lot for a in accounts.by_scope.values() if a.credit for lot in a.credit.lots],
        commitments=list(state.commitments.by_id.values()),
        unresolved=[(state.holds[query], at) for query, at in state.unresolved.items()],
        tripped=[(*route, at) for route, at in state.tripped.items()],
    )
