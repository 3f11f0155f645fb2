"""The state machine, alone: against an independent model, and sentence by sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from farthing.clock import SECOND
from farthing.ledger.account import Balance
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
    Tranche,
    Unresolved,
    Void,
    Warned,
    WriteOff,
    decode,
    encode,
)
from farthing.ledger.meter import UNITS
from farthing.ledger.state import State
from farthing.wire.dialect import Usage

Build = Callable[..., Any]


def state_of(*entries: Entry) -> State:
    state = State()
    for entry in entries:
        assert state.apply(entry) is None
    return state


def totals(state: State, scope: str, unit: str = "usd") -> tuple[int, int]:
    """Return what a scope has posted and holds."""
    balance = state.balance(scope, unit)
    return balance.posted, balance.held


# -- the model ----------------------------------------------------------------------------------


class Model:
    """What the ledger must say: sums over a list of all queries that were ever admitted."""

    def __init__(self) -> None:
        self.limits: dict[tuple[str, str, str], tuple[int, bool, int]] = {}
        self.queries: dict[str, list[Any]] = {}  # id → [hold, quantities, state]
        self.lots: dict[str, tuple[str, int, int]] = {}
        self.revoked: set[str] = set()
        self.tripped: set[str] = set()

    def used(self, scope: str, unit: str, window: str, since: int, now: int) -> int:
        """Return what counts: every query of the scope and window, since the limit was set."""
        return sum(
            quantities[UNITS.index(unit)]
            for number, (hold, quantities, _) in enumerate(self.queries.values())
            if scope in hold.path and same_window(window, hold.at, now)
            and ((window == "ever" and kept(scope)) or number >= since)
        )  # fmt: skip

    def refuses(self, hold: Hold) -> str | None:
        if hold.id in self.queries:
            return "duplicate"
        if hold.key in self.revoked:
            return "revoked_key"
        if hold.model in self.tripped:
            return "route_tripped"
        for (scope, unit, window), (amount, soft, since) in self.limits.items():
            wanted = (hold.usd, hold.tokens, 1, 1)[UNITS.index(unit)]
            used = self.used(scope, unit, window, since, hold.at)
            if scope in hold.path and used + wanted > amount and not soft:
                return "limit_reached"
        return None


def kept(scope: str) -> bool:
    return scope.startswith(("key:", "team:", "org:"))


def same_window(window: str, one: int, other: int) -> bool:
    """Whether a moment's spending still counts at another, by whole units of the window."""
    if window == "minute":
        return other // SECOND - one // SECOND <= 60
    length = {"ever": 10**30, "day": 86_400 * SECOND, "hour": 3600 * SECOND}[window]
    return one // length == other // length


PATHS = {
    "a": ("key:a", "team:t", "org:o"),
    "b": ("key:b", "org:o"),
    "c": ("key:c",),
}
SERVED = ("model:p/m", "provider:p")
SCOPES = (*dict.fromkeys(scope for path in PATHS.values() for scope in path), *SERVED)
KINDS = st.sampled_from(
    [(u, w) for u in UNITS[:3] for w in ("ever", "day", "hour", "minute")]
    + [("concurrent", "ever")]
)
amounts = st.integers(0, 120)


class Queries(RuleBasedStateMachine):
    """Everything that can be entered, in any order; the model predicts each answer."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.model = State(), Model()
        self.taken: list[Entry] = []
        self.at = 1_000_000 * SECOND
        self.enter(Genesis(0, "ledger"), None)
        self.enter(Scope(0, "ann", "org:o"), None)
        self.enter(Scope(0, "ann", "team:t", "org:o"), None)
        for name, path in PATHS.items():
            parent = path[1] if len(path) > 1 else ""
            self.enter(Key(0, "ann", name, name, b"", parent=parent), None)

    def enter(self, entry: Entry, expected: str | None) -> bool:
        before = self.state.encoded()
        refusal, entered = self.state.enter(entry)
        assert (refusal.code if refusal else None) == expected
        self.taken += entered
        if refusal is not None:
            assert self.state.encoded() == before, "a refused entry changed something"
        return refusal is None

    def one_of(self, data: st.DataObject, *states: str) -> list[Any]:
        some = sorted(q for q, known in self.model.queries.items() if known[2] in states)
        return self.model.queries[data.draw(st.sampled_from(some))]

    def has(self, *states: str) -> bool:
        return any(known[2] in states for known in self.model.queries.values())

    @rule(seconds=st.sampled_from([0, 0, 1, 30, 61, 3600, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.at += seconds * SECOND

    @rule(key=st.sampled_from([*PATHS]), usd=amounts, tokens=amounts)
    def hold(self, key: str, usd: int, tokens: int) -> None:
        query, path = f"q{len(self.taken)}", PATHS[key] + SERVED
        entry = Hold(
            self.at, query, key, path, "p", "m", "m", "chat", False, usd, tokens, 1, 1, "", "w"
        )
        if self.enter(entry, self.model.refuses(entry)):
            self.model.queries[query] = [entry, [usd, tokens, 1, 1], "open"]

    @precondition(lambda self: self.model.queries)
    @rule(data=st.data())
    def hold_again(self, data: st.DataObject) -> None:
        """Whatever became of the first."""
        old = self.one_of(data, "open", "unresolved", "ended")[0]
        self.enter(msgspec.structs.replace(old, at=self.at, usd=0, tokens=0), "duplicate")

    @precondition(lambda self: self.has("open", "unresolved"))
    @rule(data=st.data(), less=st.integers(0, 60), more=st.sampled_from([0, 0, 0, 7]))
    def settle(self, data: st.DataObject, less: int, more: int) -> None:
        """At most for what was held; now and then for more."""
        known = self.one_of(data, "open", "unresolved")
        hold = known[0]
        usd, tokens = max(0, hold.usd - less) + more, max(0, hold.tokens - less)
        usage = Usage(input=tokens // 2, output=tokens - tokens // 2, reasoning=tokens // 3)
        self.enter(Settle(self.at, hold.id, usd, usage, 200, 1, 1), None)
        if usd > hold.usd:
            self.model.tripped.add("m")
            assert self.taken[-1] == Overrun(self.at, hold.id, usd - hold.usd)
        known[1:] = [[usd, tokens, 1, 0], "ended"]

    @precondition(lambda self: self.has("open", "unresolved"))
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        known = self.one_of(data, "open", "unresolved")
        self.enter(Void(self.at, known[0].id, "not_sent"), None)
        known[1:] = [[0, 0, 0, 0], "ended"]

    @precondition(lambda self: self.has("open"))
    @rule(data=st.data())
    def unresolved(self, data: st.DataObject) -> None:
        known = self.one_of(data, "open")
        self.enter(Unresolved(self.at, known[0].id, "lost"), None)
        known[1][3], known[2] = 0, "unresolved"

    @precondition(lambda self: self.has("unresolved"))
    @rule(data=st.data(), how=st.integers(0, 2), usd=amounts)
    def clear(self, data: st.DataObject, how: int, usd: int) -> None:
        """From evidence, by time, or by an administrator's word."""
        known = self.one_of(data, "unresolved")
        hold = known[0]
        entries = (
            (Resolve(self.at, "ann", hold.id, usd, "invoice 7"), [usd, hold.tokens, 1, 0]),
            (Expire(self.at, hold.id), [hold.usd, hold.tokens, 1, 0]),
            (WriteOff(self.at, "ann", hold.id, "never billed"), [0, 0, 1, 0]),
        )
        self.enter(entries[how][0], None)
        known[1:] = [entries[how][1], "ended"]

    @rule(data=st.data(), kind=st.integers(0, 5))
    def end_what_is_not_open(self, data: st.DataObject, kind: int) -> None:
        ended = [q for q, known in self.model.queries.items() if known[2] == "ended"]
        query = data.draw(st.sampled_from(["never", *ended]))
        endings = (
            (Settle(self.at, query, 5, Usage(input=5), 200, 1, 1), "not_open"),
            (Void(self.at, query, "not_sent"), "not_open"),
            (Unresolved(self.at, query, "lost"), "not_open"),
            (Resolve(self.at, "ann", query, 1, "invoice"), "not_unresolved"),
            (Expire(self.at, query), "not_unresolved"),
            (WriteOff(self.at, "ann", query, "why"), "not_unresolved"),
        )
        self.enter(*endings[kind])

    @rule(scope=st.sampled_from(SCOPES), kind=KINDS, amount=st.integers(0, 400), soft=st.booleans())
    def set_limit(self, scope: str, kind: tuple[str, str], amount: int, soft: bool) -> None:
        where = (scope, *kind)
        self.enter(Limit(self.at, "ann", scope, kind[0], amount, kind[1], soft), None)
        since = self.model.limits.get(where, (0, False, len(self.model.queries)))[2]
        self.model.limits[where] = (amount, soft, since)

    @precondition(lambda self: self.model.limits)
    @rule(data=st.data())
    def lift_limit(self, data: st.DataObject) -> None:
        where = data.draw(st.sampled_from(sorted(self.model.limits)))
        self.enter(Limit(self.at, "ann", where[0], where[1], None, where[2]), None)
        del self.model.limits[where]

    @precondition(lambda self: self.model.tripped)
    @rule()
    def reset(self) -> None:
        self.enter(Reset(self.at, "ann", "p", "m"), None)
        self.model.tripped.clear()

    @rule()
    def revoke(self) -> None:
        self.enter(Revoke(self.at, "ann", "c"), None)
        self.model.revoked.add("c")

    @invariant()
    def every_balance_is_what_the_model_adds_up(self) -> None:
        for scope in SCOPES[:5]:
            for number, unit in enumerate(UNITS[:3]):
                mine = [k for k in self.model.queries.values() if scope in k[0].path]
                posted = sum(k[1][number] for k in mine if k[2] == "ended")
                held = sum(k[1][number] for k in mine if k[2] != "ended")
                assert totals(self.state, scope, unit) == (posted, held)

    @invariant()
    def what_is_open_is_what_the_model_has_open(self) -> None:
        queries = self.model.queries
        assert set(self.state.holds) == {q for q, k in queries.items() if k[2] != "ended"}
        assert set(self.state.unresolved) == {q for q, k in queries.items() if k[2] == "unresolved"}

    @invariant()
    def the_same_entries_make_the_same_state(self) -> None:
        again = state_of(*(decode(encode(entry)) for entry in self.taken))
        assert again.encoded() == self.state.encoded()

    def teardown(self) -> None:
        """A snapshot taken at the end is the state."""
        assert State.decoded(self.state.encoded()).encoded() == self.state.encoded()


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
@pytest.mark.parametrize("scope", ["key:k1", "user:u"])
def test_what_has_no_bound_passes_where_no_limit_is_and_nowhere_else(
    key: Build, hold: Build, limit: Build, scope: str, unit: str
) -> None:
    state = state_of(key())
    path = ("key:k1", "user:u")
    unpriced = msgspec.structs.replace(hold("q1", 0, 0, path=path), unpriced=True)
    assert state.apply(unpriced) is None
    assert state.apply(limit(10**12, unit, scope)) is None
    refusal = state.apply(msgspec.structs.replace(unpriced, id="q2"))
    assert refusal == Refusal("unpriced_under_limit", scope, unit, 10**12)
    assert state.apply(limit(None, unit, scope)) is None
    assert state.apply(msgspec.structs.replace(unpriced, id="q2")) is None


def test_a_soft_limit_or_one_of_requests_does_not_forbid_what_has_no_bound(
    key: Build, hold: Build, limit: Build
) -> None:
    soft = msgspec.structs.replace(limit(1), soft=True)
    state = state_of(key(), soft, limit(2, "requests"), limit(2, "concurrent"))
    unpriced = msgspec.structs.replace(hold("q1", 0, 0), unpriced=True)
    assert state.apply(unpriced) is None
    day = msgspec.structs.replace(limit(9), window="day")
    assert state.apply(day) is None
    refusal = state.apply(msgspec.structs.replace(unpriced, id="q2"))
    assert refusal == Refusal("unpriced_under_limit", "key:k1", "usd", 9, window="day")


def test_prepaid_credit_does_not_pay_for_what_has_no_bound(key: Build, hold: Build) -> None:
    state = state_of(key(), TopUp(1, "ann", "c1", "key:k1", 100))
    refusal = state.apply(msgspec.structs.replace(hold("q1", 0, 0), unpriced=True))
    assert refusal == Refusal("unpriced_under_limit", "key:k1", "usd", 100)
    assert state.apply(hold("q1", 100)) is None


def test_what_has_no_bound_is_never_posted_at_what_was_held_of_it(key: Build, hold: Build) -> None:
    unpriced = msgspec.structs.replace(hold("q1", 0, 0), unpriced=True)
    state = state_of(key(), unpriced, Unresolved(2_000, "q1", "unpriced"))
    refusal = state.apply(Expire(3_000, "q1"))
    assert refusal is not None and refusal.code == "invalid"
    assert state.apply(Resolve(3_000, "ann", "q1", 5, "the invoice")) is None
    assert totals(state, "key:k1") == (5, 0)
    assert not state.tripped, "it was held at nothing, which says nothing of its bound"


def test_a_limit_of_nothing_admits_nothing_that_costs(
    key: Build, hold: Build, limit: Build
) -> None:
    state = state_of(key("k1"), limit(0))
    refusal = state.apply(hold(usd=1))
    assert refusal is not None and refusal.code == "limit_reached"


def test_one_limit_of_the_path_that_refuses_leaves_the_others_untouched(
    key: Build, hold: Build, limit: Build
) -> None:
    state = state_of(
        Scope(1, "ann", "org:o"), key("k1", parent="org:o"), limit(500), limit(99, scope="org:o")
    )
    refusal = state.apply(hold(usd=100, path=("key:k1", "org:o")))
    assert refusal is not None and refusal.scope == "org:o"
    assert state.balance("key:k1", "usd").held == 0


def test_a_hold_is_held_on_every_scope_of_its_path_until_it_ends(key: Build, hold: Build) -> None:
    state = state_of(
        Scope(1, "ann", "org:o"),
        key("k1", parent="org:o"),
        hold(usd=100, tokens=10, path=("key:k1", "org:o")),
    )
    for scope in ("key:k1", "org:o"):
        assert [totals(state, scope, unit) for unit in UNITS] == [(0, 100), (0, 10), (0, 1), (0, 1)]


def test_a_settlement_posts_the_cost_and_all_tokens_and_releases_the_rest(
    key: Build, hold: Build, settle: Build
) -> None:
    usage = Usage(1, 2, 4, 8, 16, reasoning=7, input_audio=32, output_audio=64, web_searches=9)
    state = state_of(key("k1"), hold(usd=100, tokens=500), settle(usd=60, usage=usage))
    assert totals(state, "key:k1") == (60, 0)
    assert totals(state, "key:k1", "tokens") == (127, 0)


def test_a_bill_above_the_hold_is_posted_whole(key: Build, hold: Build, settle: Build) -> None:
    state = state_of(key("k1"), hold(usd=100), settle(usd=101))
    assert totals(state, "key:k1") == (101, 0)


def test_an_unresolved_query_stays_held(key: Build, hold: Build, limit: Build) -> None:
    state = state_of(key("k1"), limit(100), hold("q1", usd=100), Unresolved(5, "q1", "lost"))
    refusal = state.apply(hold("q2", usd=1))
    assert refusal is not None and refusal.held == 100


def test_evidence_settles_an_unresolved_query_later(key: Build, hold: Build, settle: Build) -> None:
    state = state_of(key("k1"), hold(), Unresolved(5, "q1", "lost"), settle(usd=60))
    assert totals(state, "key:k1") == (60, 0)
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
    before = state.encoded()
    assert state.apply(endings[second]) == Refusal("not_open")
    assert state.encoded() == before


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


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (Limit(1, "ann", "key:k1", "roubles", 5), "no unit"),
        (Limit(1, "ann", "key:k1", "usd", 5, "week"), "no window"),
        (Limit(1, "ann", "key:k1", "usd", -1), "whole number"),
        (Limit(1, "ann", "key:k1", "usd", 2**63), "whole number"),
        (Limit(1, "ann", "key:k1", "concurrent", 5, "day"), "leave the window out"),
        (Limit(1, "ann", "team:serach", "usd", 5), "there is no team:serach"),
        (Limit(1, "ann", "key:", "usd", 5), "no scope"),
        (Limit(1, "ann", "planet:earth", "usd", 5), "no scope"),
        (Limit(1, "ann", "", "usd", 5), "no scope"),
    ],
)
def test_a_limit_of_a_wrong_shape_is_refused_when_it_is_made(wrong: Limit, words: str) -> None:
    state = State()
    before = state.encoded()
    refusal = state.apply(wrong)
    assert refusal is not None and refusal.code == "invalid" and words in refusal.detail
    assert state.encoded() == before


@pytest.mark.parametrize("unit", UNITS)
def test_releasing_more_than_was_held_stops_the_ledger(
    unit: str, key: Build, hold: Build, settle: Build
) -> None:
    state = state_of(key("k1"), hold())
    state.accounts.by_scope["key:k1"].held[UNITS.index(unit)] -= 1
    with pytest.raises(AssertionError, match="released"):
        state.apply(settle())


def test_an_account_that_nothing_has_touched_is_empty_and_without_limit() -> None:
    assert State().balance("key:k1", "usd") == Balance("key:k1", "usd", 0, 0, None)


def test_a_path_that_names_a_scope_twice_does_not_pass_its_limit(
    key: Build, hold: Build, limit: Build
) -> None:
    state = state_of(key("k1"), limit(100))
    with pytest.raises(AssertionError, match="twice"):
        state.apply(hold(usd=60, path=("key:k1", "key:k1")))
    assert totals(state, "key:k1") == (0, 0)


def test_a_path_must_be_the_one_its_key_has_now(key: Build, hold: Build, limit: Build) -> None:
    state = state_of(Scope(1, "ann", "team:t"), key("k1"), limit(0, scope="team:t"))
    assert state.apply(hold("q1")) is None
    moved = ChangeKey(2, "ann", "k1", "name", parent="team:t")
    assert state.apply(moved) is None
    assert state.apply(hold("q2")) == Refusal("stale_path")
    refusal = state.apply(hold("q3", path=("key:k1", "team:t")))
    assert refusal is not None and refusal.scope == "team:t"


def test_a_limit_for_each_user_counts_each_by_itself(key: Build, hold: Build, limit: Build) -> None:
    state = state_of(key("k1"), limit(100, scope="user:*"), limit(300, scope="user:vip"))
    for user, usd, admitted in (
        ("a", 60, True),
        ("b", 60, True),
        ("a", 60, False),
        ("vip", 300, True),
    ):
        path = ("key:k1", f"user:{user}")
        refusal = state.apply(hold(f"q-{state.position}", usd=usd, path=path))
        assert (refusal is None) == admitted, user


def test_changing_the_limit_for_each_user_changes_it_for_those_already_seen(
    key: Build, hold: Build, limit: Build
) -> None:
    path = ("key:k1", "user:a")
    state = state_of(key("k1"), limit(100, scope="user:*"), hold("q1", usd=60, path=path))
    assert state.apply(limit(110, scope="user:*")) is None
    refusal = state.apply(hold("q2", usd=60, path=path))
    assert refusal is not None and (refusal.limit, refusal.held) == (110, 60)
    assert state.apply(limit(None, scope="user:*")) is None
    assert state.apply(hold("q3", usd=60, path=path)) is None


def test_a_soft_limit_warns_with_every_query_and_is_entered_once_in_its_window(
    key: Build, hold: Build
) -> None:
    soft = Limit(1, "ann", "key:k1", "usd", 100, "day", soft=True)
    state = state_of(key("k1"), soft)
    day = 86_400 * SECOND
    told = []
    for number, at in enumerate((10, 20, 30, day + 10, day + 20, day + 30)):
        refusal, entered = state.enter(hold(f"q{number}", usd=60, at=at))
        assert refusal is None
        told.append((state.warning is not None, len(entered) - 1))
    assert told == [(False, 0), (True, 1), (True, 0), (False, 0), (True, 1), (True, 0)]
    assert state.warning == Warned(day + 30, "q5", "key:k1", "usd", "day", 100, 180)


def test_open_requests_are_limited_and_one_that_nobody_waits_for_is_not_open(
    key: Build, hold: Build, settle: Build, limit: Build
) -> None:
    state = state_of(key("k1"), limit(2, "concurrent"), hold("q1"), hold("q2"))
    refusal = state.apply(hold("q3"))
    assert refusal is not None and (refusal.unit, refusal.held) == ("concurrent", 2)
    assert state.apply(settle("q1")) is None
    assert state.apply(hold("q4")) is None
    assert state.apply(Unresolved(5, "q2", "lost")) is None
    assert state.apply(hold("q5")) is None
    assert state.apply(hold("q6")) is not None


def test_prepaid_credit_is_spent_or_nothing(key: Build, hold: Build, settle: Build) -> None:
    state = state_of(key("k1"), TopUp(1, "ann", "c1", "key:k1", 100, 5_000))
    assert state.apply(hold("q1", usd=70)) is None
    assert state.apply(hold("q2", usd=31)) == Refusal(
        "credit_exhausted", "key:k1", "usd", 30, wanted=31
    )
    _, entered = state.enter(settle("q1", usd=60, at=6_000))
    assert entered[1:] == [Draw(6_000, "q1", "credit:c1", 60, 60)]
    refusal = state.apply(hold("q3", usd=1, at=6_000))
    assert refusal is not None and refusal.limit == 0, "the credit has expired"


def test_what_a_query_cost_is_drawn_from_the_commitments_with_its_provider(
    key: Build, hold: Build, settle: Build
) -> None:
    tranches = (Tranche(50, 40, 0, 9_000), Tranche(100, 100, 0, 8_000, on_call=True))
    terms = Commitment(1, "ann", "m1", "openai", 0, 9_000, tranches)
    state = state_of(key("k1"), terms, Exercise(2, "ann", "m1", 2, 30), hold("q1"))
    _, entered = state.enter(settle("q1", usd=60))
    assert entered[1:] == [
        Draw(2_000, "q1", "commitment:m1/2", 30, 30),
        Draw(2_000, "q1", "commitment:m1/1", 30, 24),
    ]


def test_a_model_that_billed_above_its_bound_is_tripped_until_it_is_reset(
    key: Build, hold: Build, settle: Build
) -> None:
    state = state_of(key("k1"), hold("q1", usd=100), hold("q2", usd=100))
    _, entered = state.enter(settle("q1", usd=101))
    assert entered[1:] == [Overrun(2_000, "q1", 1)]
    refusal = state.apply(hold("q3"))
    assert refusal == Refusal("route_tripped", "model:openai/gpt-x-2026")
    assert state.apply(settle("q2", usd=5)) is None, "what is open ends as it would"
    assert state.apply(Reset(3, "ann", "openai", "gpt-x-2026")) is None
    assert state.apply(hold("q3")) is None
    assert state.apply(Reset(4, "ann", "openai", "gpt-x-2026")) == Refusal("not_tripped")


def test_a_tripped_model_is_tripped_under_all_its_names(
    key: Build, hold: Build, settle: Build
) -> None:
    path = ("key:k1", "model:openai/gpt-x", "provider:openai")
    state = state_of(key("k1"), hold("q1", path=path), settle("q1", usd=101))
    other = msgspec.structs.replace(hold("q2", path=path), model="gpt-x-latest")
    assert state.apply(other) == Refusal("route_tripped", "model:openai/gpt-x")
    assert state.apply(Reset(3, "ann", "openai", "gpt-x")) is None
    assert state.apply(other) is None


def test_evidence_time_and_an_administrators_word_end_what_is_unresolved_alone(
    key: Build, hold: Build
) -> None:
    clearing = (
        (Resolve(9, "ann", "q1", 40, "invoice 7, line 3", tokens=5), (40, 5)),
        (Resolve(9, "ann", "q1", 40, "invoice 7, line 3"), (40, 10)),
        (Expire(9, "q1"), (100, 10)),
        (WriteOff(9, "ann", "q1", "the provider never got it"), (0, 0)),
    )
    for entry, posted in clearing:
        state = state_of(key("k1"), hold("q1"))
        assert state.apply(entry) == Refusal("not_unresolved")
        assert state.apply(Unresolved(5, "q1", "lost")) is None
        assert state.apply(entry) is None
        assert totals(state, "key:k1") == (posted[0], 0)
        assert totals(state, "key:k1", "tokens") == (posted[1], 0)
        assert state.apply(entry) == Refusal("not_unresolved")


def test_a_query_that_has_ended_is_never_held_again(key: Build, hold: Build, settle: Build) -> None:
    state = state_of(key("k1"), hold("q1"), settle("q1"))
    assert state.apply(hold("q1")) == Refusal("duplicate")


def test_a_write_off_says_why_and_evidence_tells_an_amount(key: Build, hold: Build) -> None:
    state = state_of(key("k1"), hold("q1"), Unresolved(5, "q1", "lost"))
    for wrong in (
        WriteOff(9, "ann", "q1", " "),
        Resolve(9, "ann", "q1", -1, "invoice"),
        Resolve(9, "ann", "q1", 1, " "),
        Resolve(9, "ann", "q1", 1, "invoice", tokens=-1),
    ):
        refusal = state.apply(wrong)
        assert refusal is not None and refusal.code == "invalid"


@pytest.mark.parametrize(
    "wrong",
    [
        TopUp(1, "ann", "c2", "key:k1", 0),
        TopUp(1, "ann", "c2", "user:*", 5),
        TopUp(1, "ann", "c2", "team:nobody", 5),
    ],
)
def test_credit_is_an_amount_for_one_scope_that_exists(wrong: TopUp, key: Build) -> None:
    refusal = state_of(key("k1")).apply(wrong)
    assert refusal is not None and refusal.code == "invalid"


def test_a_top_up_counts_once(key: Build) -> None:
    credit = TopUp(1, "ann", "c1", "key:k1", 100)
    assert state_of(key("k1"), credit).apply(credit) == Refusal("duplicate")
