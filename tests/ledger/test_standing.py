"""What a ledger stands at: everything that an administrator can see or must mend."""

from __future__ import annotations

import msgspec

from farthing.clock import SECOND
from farthing.ledger.account import Balance
from farthing.ledger.credit import Lot
from farthing.ledger.entry import (
    Commitment,
    Entry,
    Genesis,
    Hold,
    Key,
    Limit,
    Revoke,
    Scope,
    Settle,
    TopUp,
    Tranche,
    Unresolved,
)
from farthing.ledger.standing import Standing, standing
from farthing.ledger.state import State
from farthing.ledger.window import EVER
from farthing.wire.dialect import Usage

NOW = 1_800_000_000 * SECOND
KEY = Key(1, "ada", "k", "an app", b"d", None, None, "team:t")


def hold(query: str, usd: int = 100) -> Hold:
    return Hold(
        *(NOW, query, "k", ("key:k", "team:t"), "acme", "m", "m", "chat", False, usd, 10, 1, 1),
        price_book="",
        worker="w",
    )


def limit(amount: int | None, window: str, scope: str = "team:t") -> Limit:
    return Limit(2, "ada", scope, "usd", amount, window)


def state_of(*entries: Entry) -> State:
    state = State()
    for entry in (Genesis(0, "one"), Scope(1, "ada", "team:t"), KEY, *entries):
        assert state.enter(entry)[0] is None
    return state


def test_a_new_ledger_stands_at_nothing() -> None:
    assert standing(State(), NOW) == Standing([], [], {}, [], [], [], [], [])


def test_keys_scopes_and_limits_are_all_there_as_they_are_now() -> None:
    ever, day = limit(900, "ever"), limit(500, "day", "user:*")
    state = state_of(limit(5, "ever"), ever, limit(7, "month"), limit(None, "month"), day)
    state.enter(Revoke(9, "ada", "k"))
    told = standing(state, NOW)
    assert [(key.key, key.revoked_at, key.lineage) for key in told.keys] == [
        (KEY, 9, ("key:k", "team:t"))
    ]
    assert told.parents == {"team:t": ""}
    assert told.limits == [ever, day]


def test_balances_are_those_of_every_account_in_the_windows_around_the_moment() -> None:
    state = state_of(limit(900, "ever"), limit(700, "minute"), hold("q1"), hold("q2"))
    state.enter(Settle(NOW, "q1", 60, Usage(), 200, 1, 1))
    told = [b for b in standing(state, NOW).balances if b.unit == "usd"]
    assert told == [
        Balance("team:t", "usd", 60, 100, 900),
        Balance("team:t", "usd", 60, 100, 700, "minute", False, NOW + 61 * SECOND),
        Balance("key:k", "usd", 60, 100, None),
    ]
    later = [b for b in standing(state, NOW + 61 * SECOND).balances if b.window == "minute"]
    assert later == [Balance("team:t", "usd", 0, 0, 700, "minute")]


def test_credits_and_commitments_tell_what_is_left_of_them() -> None:
    agreed = Commitment(3, "ada", "c", "acme", 0, EVER, (Tranche(50, 40, 0, EVER),))
    state = state_of(TopUp(3, "ada", "t1", "team:t", 500), agreed, hold("q1"), hold("q2"))
    state.enter(Settle(NOW, "q1", 60, Usage(), 200, 1, 1))
    told = standing(state, NOW)
    assert told.lots == [Lot("t1", "team:t", 500, EVER, left=440, reserved=100)]
    (commitment,) = told.commitments
    assert commitment.terms == agreed
    assert [(t.usd, t.drawn) for t in commitment.tranches] == [(50, 50)]


def test_what_needs_a_hand_is_told_with_its_moment() -> None:
    state = state_of(hold("q1"), hold("q2"), hold("q3"))
    state.enter(Unresolved(NOW + 5, "q2", "lost"))
    state.enter(Settle(NOW + 7, "q1", 101, Usage(), 200, 1, 1))
    told = standing(state, NOW)
    assert told.unresolved == [(hold("q2"), NOW + 5)]
    assert told.tripped == [("acme", "m", NOW + 7)]


def test_a_standing_can_be_sent() -> None:
    state = state_of(limit(900, "day"), TopUp(3, "ada", "t1", "team:t", 500), hold("q1"))
    state.enter(Unresolved(NOW, "q1", "lost"))
    told = standing(state, NOW)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=Standing) == told
