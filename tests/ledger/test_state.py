"""The state machine, alone: against an independent model, and sentence by sentence."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from farthing.ledger.entry import (
    Config,
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
    decode,
    encode,
)
from farthing.ledger.state import Account, State
from farthing.wire.dialect import Usage

Build = Callable[..., Any]
Where = tuple[str, str]


def contents(state: State) -> dict[str, Any]:
    """Return everything a state knows; an account that nothing touched is like none."""
    known = {name: value for name, value in vars(state).items() if name != "_apply"}
    touched = {at: account for at, account in state.accounts.items() if account != Account()}
    return copy.deepcopy({**known, "accounts": touched})


def state_of(*entries: Entry) -> State:
    state = State()
    for entry in entries:
        assert state.apply(entry) is None
    return state


# -- the model: what is spent is a list, what is held is a sum over the open queries -----------


class Model:
    """What the ledger must say and know, with nothing in common with it but the entries."""

    def __init__(self) -> None:
        self.limits: dict[Where, int] = {}
        self.spent: dict[Where, list[int]] = defaultdict(list)
        self.open: dict[str, Hold] = {}
        self.unresolved: set[str] = set()
        self.keys: dict[str, Key] = {}
        self.revoked: dict[str, int] = {}

    def posted(self, where: Where) -> int:
        return sum(self.spent[where])

    def held(self, where: Where) -> int:
        scope, unit = where
        return sum(wants(h)[unit] for h in self.open.values() if scope in h.path)

    def refuses(self, hold: Hold) -> str | None:
        if hold.id in self.open:
            return "duplicate"
        key = self.keys.get(hold.key)
        if key is None:
            return "unknown_key"
        if hold.key in self.revoked:
            return "revoked_key"
        if key.expires is not None and hold.at >= key.expires:
            return "expired_key"
        for where in [(scope, unit) for scope in hold.path for unit in ("usd", "tokens")]:
            if where in self.limits:
                left = self.limits[where] - self.posted(where) - self.held(where)
                if wants(hold)[where[1]] > left:
                    return "limit_reached"
        return None

    def end(self, query: str, spent: dict[str, int]) -> None:
        hold = self.open.pop(query)
        self.unresolved.discard(query)
        for scope in hold.path:
            for unit, amount in spent.items():
                self.spent[scope, unit].append(amount)


def wants(hold: Hold) -> dict[str, int]:
    return {"usd": hold.usd, "tokens": hold.tokens}


SCOPES = ("key:a", "team:t", "org:o")
UNITS = ("usd", "tokens")
KEYS = {"a": None, "b": None, "late": 60}  # each key's end, on a clock that a test draws
amounts = st.integers(0, 120)
paths = st.lists(st.sampled_from(SCOPES), min_size=1, max_size=3, unique=True).map(tuple)


class Queries(RuleBasedStateMachine):
    """Everything that can be entered, in any order; the model predicts each answer."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.model = State(), Model()
        self.taken: list[Entry] = []
        self.count = 0
        self.ended: list[str] = []
        # What may go beyond a limit: what was there when it was set, and bills above their holds.
        self.excess: dict[Where, int] = defaultdict(int)
        self.enter(Genesis(0, "ledger"), None)
        for name, expires in KEYS.items():
            key = Key(0, "ann", name, name, b"", expires)
            self.model.keys[name] = key
            self.enter(key, None)

    def enter(self, entry: Entry, expected: str | None) -> bool:
        before = contents(self.state)
        refusal = self.state.apply(entry)
        assert (refusal.code if refusal else None) == expected
        if refusal is not None:
            assert contents(self.state) == before, "a refused entry changed something"
            return False
        self.taken.append(entry)
        return True

    def within(self, where: Where) -> int:
        return self.model.posted(where) + self.model.held(where)

    @rule(
        key=st.sampled_from([*KEYS, "nobody"]),
        path=paths,
        usd=amounts,
        tokens=amounts,
        at=st.integers(1, 100),
    )
    def hold(self, key: str, path: tuple[str, ...], usd: int, tokens: int, at: int) -> None:
        self.count += 1
        query = f"q{self.count}"
        entry = Hold(at, query, key, path, "p", "m", "m", "chat", False, usd, tokens, 1, 1, "", "w")
        if self.enter(entry, self.model.refuses(entry)):
            self.model.open[query] = entry
            for where in [(scope, unit) for scope in path for unit in UNITS]:
                assert self.within(where) <= self.model.limits.get(where, self.within(where))

    @precondition(lambda self: self.model.open)
    @rule(data=st.data(), usd=amounts)
    def hold_again(self, data: st.DataObject, usd: int) -> None:
        old = self.model.open[data.draw(st.sampled_from(sorted(self.model.open)))]
        again = Hold(1, old.id, "b", old.path, "p", "m", "m", "chat", False, usd, 1, 1, 1, "", "w")
        self.enter(again, "duplicate")

    @precondition(lambda self: self.model.open)
    @rule(data=st.data(), usd=st.integers(-3, 3), tokens=st.integers(-3, 3), exactly=st.booleans())
    def settle(self, data: st.DataObject, usd: int, tokens: int, exactly: bool) -> None:
        """At, just below, just above its hold, or for nothing."""
        hold = self.model.open[data.draw(st.sampled_from(sorted(self.model.open)))]
        spent = {
            "usd": hold.usd if exactly else max(0, hold.usd + usd),
            "tokens": hold.tokens if exactly else max(0, hold.tokens + tokens),
        }
        half = spent["tokens"] // 2
        usage = Usage(input=half, output=spent["tokens"] - half, reasoning=half)
        self.enter(Settle(1, hold.id, spent["usd"], usage, 200, 1, 1), None)
        self.model.end(hold.id, spent)
        self.ended.append(hold.id)
        for scope in hold.path:
            for unit in UNITS:
                self.excess[scope, unit] += max(0, spent[unit] - wants(hold)[unit])

    @precondition(lambda self: self.model.open)
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        query = data.draw(st.sampled_from(sorted(self.model.open)))
        self.enter(Void(1, query, "not_sent"), None)
        self.model.end(query, {})
        self.ended.append(query)

    @precondition(lambda self: self.model.open)
    @rule(data=st.data())
    def unresolved(self, data: st.DataObject) -> None:
        query = data.draw(st.sampled_from(sorted(self.model.open)))
        known = query in self.model.unresolved
        self.enter(Unresolved(1, query, "lost"), "not_open" if known else None)
        self.model.unresolved.add(query)

    @rule(data=st.data(), kind=st.integers(0, 2))
    def end_what_is_not_open(self, data: st.DataObject, kind: int) -> None:
        query = data.draw(st.sampled_from(["never", *self.ended]))
        endings = (
            Settle(1, query, 5, Usage(input=5), 200, 1, 1),
            Void(1, query, "not_sent"),
            Unresolved(1, query, "lost"),
        )
        self.enter(endings[kind], "not_open")

    @rule(scope=st.sampled_from(SCOPES), unit=st.sampled_from(UNITS), amount=st.integers(0, 400))
    def set_limit(self, scope: str, unit: str, amount: int) -> None:
        self.enter(Limit(1, "ann", scope, unit, amount), None)
        self.model.limits[scope, unit] = amount
        self.excess[scope, unit] = max(0, self.within((scope, unit)) - amount)

    @rule(scope=st.sampled_from(SCOPES), unit=st.sampled_from(UNITS))
    def lift_limit(self, scope: str, unit: str) -> None:
        self.enter(Limit(1, "ann", scope, unit, None), None)
        self.model.limits.pop((scope, unit), None)

    @rule(key=st.sampled_from(["b", "nobody"]), at=st.integers(1, 100))
    def revoke(self, key: str, at: int) -> None:
        self.enter(Revoke(at, "ann", key), None if key in self.model.keys else "unknown_key")
        if key in self.model.keys:
            self.model.revoked.setdefault(key, at)

    @rule(key=st.sampled_from([*KEYS]))
    def make_a_key_twice(self, key: str) -> None:
        self.enter(Key(1, "eve", key, "other", b"other"), "duplicate")

    @rule(digest=st.sampled_from("xyz"))
    def put_in_force(self, digest: str) -> None:
        self.enter(Config(1, digest), None)
        self.enter(PriceBookInForce(1, digest, ""), None)
        self.enter(Overrun(1, "q1", 5), None)

    @invariant()
    def no_limit_is_passed_but_by_overruns_and_by_being_lowered(self) -> None:
        for where, limit in self.model.limits.items():
            account = self.state.accounts[where]
            assert account.posted + account.held <= limit + self.excess[where]

    @invariant()
    def every_account_is_what_the_model_adds_up(self) -> None:
        for where in {*self.state.accounts, *self.model.spent, *self.model.limits}:
            account = self.state.accounts.get(where, Account())
            assert account.held >= 0
            told = Account(
                self.model.posted(where), self.model.held(where), self.model.limits.get(where)
            )
            assert account == told

    @invariant()
    def the_open_queries_are_the_models(self) -> None:
        assert self.state.holds == self.model.open
        assert self.state.unresolved == self.model.unresolved

    @invariant()
    def each_hold_ended_at_most_once(self) -> None:
        ended = [e.id for e in self.taken if isinstance(e, Settle | Void)]
        assert len(ended) == len(set(ended))
        assert not set(ended) & set(self.state.holds)

    @invariant()
    def its_position_counts_what_it_took(self) -> None:
        assert self.state.position == len(self.taken)

    @invariant()
    def the_same_entries_make_the_same_state(self) -> None:
        again = state_of(*(decode(encode(entry)) for entry in self.taken))
        assert contents(again) == contents(self.state)


Queries.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestQueriesAgainstTheModel = Queries.TestCase


# -- sentence by sentence -----------------------------------------------------------------------


def test_a_query_that_fits_exactly_is_admitted(key: Build, hold: Build, limit: Build) -> None:
    state = state_of(key("k1"), limit(100))
    assert state.apply(hold(usd=100)) is None


def test_a_nanodollar_more_is_refused_with_all_the_numbers(
    key: Build, hold: Build, settle: Build, limit: Build
) -> None:
    state = state_of(key("k1"), limit(100), hold("q1", usd=50), settle("q1", usd=30))
    assert state.apply(hold("q2", usd=20)) is None
    refusal = state.apply(hold("q3", usd=51))
    assert refusal == Refusal("limit_reached", "key:k1", "usd", 100, posted=30, held=20, wanted=51)


def test_tokens_are_limited_as_dollars_are(key: Build, hold: Build, limit: Build) -> None:
    state = state_of(key("k1"), limit(10, "tokens"), hold("q1", usd=10**12, tokens=10))
    refusal = state.apply(hold("q2", usd=0, tokens=1))
    assert refusal == Refusal("limit_reached", "key:k1", "tokens", 10, 0, 10, 1)


@pytest.mark.parametrize("unit", ["usd", "tokens"])
@pytest.mark.parametrize("scope", ["key:k1", "team:t1"])
def test_what_has_no_bound_passes_where_no_limit_is_and_nowhere_else(
    key: Build, hold: Build, limit: Build, scope: str, unit: str
) -> None:
    state = state_of(key())
    path = ("key:k1", "team:t1")
    unpriced = msgspec.structs.replace(hold("q1", 0, 0, path=path), unpriced=True)
    assert state.apply(unpriced) is None
    assert state.apply(limit(10**12, unit, scope)) is None
    refusal = state.apply(msgspec.structs.replace(unpriced, id="q2"))
    assert refusal == Refusal("unpriced_under_limit", scope, unit, 10**12)
    assert state.apply(limit(None, unit, scope)) is None
    assert state.apply(msgspec.structs.replace(unpriced, id="q2")) is None


def test_a_limit_of_nothing_admits_nothing_that_costs(
    key: Build, hold: Build, limit: Build
) -> None:
    state = state_of(key("k1"), limit(0))
    refusal = state.apply(hold(usd=1))
    assert refusal is not None and refusal.code == "limit_reached"


def test_one_limit_of_the_path_that_refuses_leaves_the_others_untouched(
    key: Build, hold: Build, limit: Build
) -> None:
    state = state_of(key("k1"), limit(500), limit(99, scope="org:o"))
    refusal = state.apply(hold(usd=100, path=("key:k1", "org:o")))
    assert refusal is not None and refusal.scope == "org:o"
    assert state.account("key:k1", "usd").held == 0


def test_a_hold_is_held_on_every_scope_of_its_path_until_it_ends(key: Build, hold: Build) -> None:
    state = state_of(key("k1"), hold(usd=100, tokens=10, path=("key:k1", "org:o")))
    held = {at: account.held for at, account in state.accounts.items()}
    assert held == {
        ("key:k1", "usd"): 100,
        ("key:k1", "tokens"): 10,
        ("org:o", "usd"): 100,
        ("org:o", "tokens"): 10,
    }


def test_a_settlement_posts_the_cost_and_all_tokens_and_releases_the_rest(
    key: Build, hold: Build, settle: Build
) -> None:
    usage = Usage(1, 2, 4, 8, 16, reasoning=7, input_audio=32, output_audio=64, web_searches=9)
    state = state_of(key("k1"), hold(usd=100, tokens=500), settle(usd=60, usage=usage))
    assert state.account("key:k1", "usd") == Account(posted=60, held=0)
    assert state.account("key:k1", "tokens") == Account(posted=127, held=0)


def test_a_bill_above_the_hold_is_posted_whole(key: Build, hold: Build, settle: Build) -> None:
    state = state_of(key("k1"), hold(usd=100), settle(usd=101))
    assert state.account("key:k1", "usd") == Account(posted=101, held=0)


def test_an_unresolved_query_stays_held(key: Build, hold: Build, limit: Build) -> None:
    state = state_of(key("k1"), limit(100), hold("q1", usd=100), Unresolved(5, "q1", "lost"))
    refusal = state.apply(hold("q2", usd=1))
    assert refusal is not None and refusal.held == 100


def test_evidence_settles_an_unresolved_query_later(key: Build, hold: Build, settle: Build) -> None:
    state = state_of(key("k1"), hold(), Unresolved(5, "q1", "lost"), settle(usd=60))
    assert state.account("key:k1", "usd") == Account(posted=60, held=0)
    assert not state.unresolved and not state.holds


@pytest.mark.parametrize("first", ["settle", "void"])
@pytest.mark.parametrize("second", ["settle", "void", "unresolved"])
def test_a_query_ends_once_for_ever(
    first: str, second: str, key: Build, hold: Build, settle: Build
) -> None:
    endings = {
        "settle": settle(usd=60),
        "void": Void(2, "q1", "not_sent"),
        "unresolved": Unresolved(2, "q1", "lost"),
    }
    state = state_of(key("k1"), hold(), endings[first])
    before = contents(state)
    assert state.apply(endings[second]) == Refusal("not_open")
    assert contents(state) == before


def test_a_limit_below_what_is_spent_refuses_everything_and_lifting_it_admits_again(
    key: Build, hold: Build, settle: Build, limit: Build
) -> None:
    state = state_of(key("k1"), hold("q1", usd=100), settle("q1", usd=100), limit(40))
    assert state.apply(hold("q2", usd=0)) is not None
    state = state_of(key("k1"), hold("q1", usd=100), settle("q1", usd=100), limit(40), limit(None))
    assert state.apply(hold("q2", usd=100)) is None


def test_a_key_opens_until_the_moment_it_expires(key: Build, hold: Build) -> None:
    state = state_of(key("k1", expires=1_000))
    assert state.apply(hold("q1", at=999)) is None
    assert state.apply(hold("q2", at=1_000)) == Refusal("expired_key")


def test_a_revoked_key_admits_nothing_but_its_open_queries_end_as_they_would(
    key: Build, hold: Build, settle: Build
) -> None:
    state = state_of(key("k1"), hold("q1"), Revoke(5, "ann", "k1"))
    assert state.apply(hold("q2")) == Refusal("revoked_key")
    assert state.apply(settle("q1", usd=60)) is None


def test_revoking_again_does_not_move_the_moment_it_was_revoked(key: Build) -> None:
    state = state_of(key("k1"), Revoke(5, "ann", "k1"), Revoke(9, "bob", "k1"))
    assert state.keys["k1"].revoked_at == 5


def test_a_second_key_of_the_same_id_does_not_replace_the_first(key: Build) -> None:
    state = state_of(key("k1"))
    assert state.apply(Key(9, "eve", "k1", "other", b"other")) == Refusal("duplicate")
    assert state.keys["k1"].key == key("k1")


def test_a_worker_owes_the_endings_of_its_own_open_queries_alone(
    key: Build, hold: Build, settle: Build
) -> None:
    state = state_of(
        key("k1"),
        *(hold(f"q{n}", worker="w1") for n in range(4)),
        hold("other", worker="w2"),
        settle("q1"),
        Unresolved(5, "q2", "lost"),
    )
    assert [h.id for h in state.open_holds("w1")] == ["q0", "q3"]


def test_the_digests_in_force_are_the_last_ones() -> None:
    state = state_of(
        Genesis(1, "ledger"),
        Config(2, "c1"),
        PriceBookInForce(2, "b1", ""),
        Config(3, "c2"),
        PriceBookInForce(3, "b2", ""),
    )
    assert (state.ledger, state.config, state.price_book) == ("ledger", "c2", "b2")


def test_a_journal_has_one_genesis() -> None:
    state = state_of(Genesis(1, "ledger"))
    with pytest.raises(AssertionError, match="genesis"):
        state.apply(Genesis(2, "other"))
    assert state.ledger == "ledger"


def test_a_limit_of_an_unknown_unit_is_not_taken_silently(limit: Build) -> None:
    with pytest.raises(AssertionError, match="unit"):
        State().apply(limit(5, "roubles"))


@pytest.mark.parametrize("unit", UNITS)
def test_releasing_more_than_was_held_stops_the_ledger(
    unit: str, key: Build, hold: Build, settle: Build
) -> None:
    state = state_of(key("k1"), hold())
    state.account("key:k1", unit).held -= 1
    with pytest.raises(AssertionError, match="released"):
        state.apply(settle())


def test_an_account_that_nothing_has_touched_is_empty_and_without_limit() -> None:
    assert State().account("key:k1", "usd") == Account(posted=0, held=0, limit=None)


def test_a_refused_hold_makes_no_accounts(key: Build, hold: Build, limit: Build) -> None:
    state = state_of(key("k1"), limit(5, scope="org:o"))
    before = copy.deepcopy(state.accounts)
    assert state.apply(hold(usd=6, path=("key:k1", "org:o"))) is not None
    assert state.accounts == before


def test_a_path_that_names_a_scope_twice_does_not_pass_its_limit(
    key: Build, hold: Build, limit: Build
) -> None:
    state = state_of(key("k1"), limit(100))
    try:
        state.apply(hold(usd=60, path=("key:k1", "key:k1")))
    except AssertionError:
        return
    assert state.account("key:k1", "usd").held <= 100
