"""States as bytes: what is read back goes on as if it had never been written."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.clock import SECOND
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
    PriceBookInForce,
    Refusal,
    Refusals,
    Reset,
    Resolve,
    Revoke,
    Scope,
    Settle,
    Statement,
    TopUp,
    Tranche,
    Unresolved,
    Void,
    WriteOff,
    encode,
)
from farthing.ledger.image import FORMAT
from farthing.ledger.seen import LIVE
from farthing.ledger.state import State
from farthing.wire.dialect import Usage

START = 1_800_000_000 * SECOND
SCOPES = ("org:o", "team:t", "project:p")
LIMITED = (*SCOPES, "key:a", "key:b", "user:*", "user:u1", "model:acme/m", "tag:*", "team:*")
SHAPES = [
    ("usd", "ever"),
    ("usd", "month"),
    ("usd", "day"),
    ("tokens", "hour"),
    ("tokens", "minute"),
    ("requests", "minute"),
    ("requests", "ever"),
    ("concurrent", "ever"),
]


class Work:
    """Random entries that suit a state: mostly queries, and everything else that can be."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.now, self.count = START, 0

    def entry(self, state: State) -> Entry:
        jumps = (0, 1, SECOND, 9 * SECOND, 70 * SECOND, 3600 * SECOND, -SECOND, -90 * SECOND)
        self.now += self.draw.choice((*jumps, 0, 1, SECOND, SECOND, 30 * 3600 * SECOND))
        self.now -= self.draw.choice((0,) * 40 + (60 * 3600 * SECOND,))
        self.count += 1
        makers = (self.hold,) * 12 + (self.settle,) * 3 + (self.end,) * 3 + (self.rule,) * 2
        return self.draw.choice((*makers, self.agree, self.keep))(state)

    def some(self, known: Any) -> str:
        """One of what is known, mostly."""
        names: list[str] = [*known] * 9
        return self.draw.choice([*names, "nothing"])

    def hold(self, state: State) -> Entry:
        draw = self.draw
        key = self.some(state.keys)
        lineage = state.keys[key].lineage if key in state.keys else ("key:nothing",)
        model = draw.choice("mno")
        served = f"model:acme/{model}"
        path = (*lineage, f"user:u{draw.randrange(4)}", served, f"tag:{draw.randrange(3)}")
        run, shape = draw.randrange(LIVE + 20), draw.randrange(9)
        query = f"q{0:012x}{run:010x}{draw.randrange(40):08x}" if shape else f"odd{self.count}"
        usd, tokens = draw.choice((0, 5, 40, 300)), draw.randrange(30)
        return Hold(
            self.now,
            query,
            key,
            path,
            "acme",
            model,
            model,
            "chat",
            False,
            usd,
            tokens,
            1,
            1,
            "",
            "w",
        )

    def settle(self, state: State) -> Entry:
        query = self.some(state.holds)
        held = state.holds[query].usd if query in state.holds else 0
        usd = self.draw.choice((0, *[held // 2] * 4, *[held] * 4, held + 3))
        return Settle(self.now, query, usd, Usage(self.draw.randrange(9), output=3), 200, 1, 1)

    def end(self, state: State) -> Entry:
        query, now, draw = self.some(state.holds), self.now, self.draw
        open_ = self.some(state.unresolved)
        return draw.choice(
            (
                Void(now, query, "why"),
                Unresolved(now, query, "why"),
                Unresolved(now, query, "why"),
                Resolve(now, "ada", open_, draw.randrange(50), "invoice", draw.choice((None, 3))),
                Expire(now, open_),
                WriteOff(now, "ada", open_, "why"),
                Reset(now, "ada", "acme", draw.choice("mno")),
                Reset(now, "ada", "acme", draw.choice("mno")),
            )
        )

    def rule(self, state: State) -> Entry:
        unit, window = self.draw.choice(SHAPES)
        amount = self.draw.choice((None, None, None, 20, 2_000, 9_000))
        soft = self.draw.random() < 0.3
        scope = self.draw.choice(LIMITED)
        return Limit(self.now, "ada", scope, unit, amount, window, soft)

    def agree(self, state: State) -> Entry:
        now, name = self.now, f"c{self.count}"
        parts = (
            Tranche(500, 400, now, now + 9_000 * SECOND),
            Tranche(300, 200, now, now + 3_000_000 * SECOND, after_ppm=500_000),
            Tranche(300, 200, now, now + 3_000_000 * SECOND, on_call=True),
        )
        ends = self.draw.choice((None, now + 5 * SECOND, now + 8_000 * SECOND))
        scope = self.draw.choice(("project:p", "key:b", "user:u2"))
        return self.draw.choice(
            (
                Commitment(now, "ada", name, "acme", now, now + 10**17, parts, 100_000),
                Exercise(now, "ada", self.some(state.commitments.by_id), 3, 50),
                TopUp(now, "ada", f"t{self.count}", scope, self.draw.choice((50, 9_000)), ends),
            )
        )

    def keep(self, state: State) -> Entry:
        now, name = self.now, self.draw.choice(("a", "b", f"k{self.count}"))
        parent = self.draw.choice(("", *SCOPES, "team:later"))
        return self.draw.choice(
            (
                Key(now, "ada", name, "key", b"d", None, None, parent),
                ChangeKey(now, "ada", name, "another", None, 5, parent),
                Revoke(now, "ada", self.draw.choice((*["nothing"] * 9, "b"))),
                Scope(now, "ada", "team:later", "org:o"),
                Config(now, f"c{self.count}"),
                PriceBookInForce(now, f"b{self.count}", "test"),
                Refusals(now, now, now, "limit_reached", "org:o", "usd", "day", 3),
                Statement(now, "ada", "shareholder", "2026", "", "j", "h", "p", 3, "r"),
            )
        )


def founded() -> State:
    """Return a state with an organisation, and two keys in it."""
    state = State()
    for entry in (
        Genesis(START, "one"),
        Scope(START, "ada", "org:o"),
        Scope(START, "ada", "team:t", "org:o"),
        Scope(START, "ada", "project:p", "team:t"),
        Key(START, "ada", "a", "key", b"d", None, None, "project:p"),
        Key(START, "ada", "b", "key", b"d"),
    ):
        assert state.apply(entry) is None
    return state


def again(state: State) -> State:
    return State.decoded(state.encoded())


def enter(state: State, entry: Entry) -> tuple[Refusal | None, list[bytes]]:
    refusal, applied = state.enter(entry)
    return refusal, [encode(each) for each in applied]


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32), before=st.integers(0, 250))
def test_what_was_read_back_goes_on_as_what_was_written(seed: int, before: int) -> None:
    work, state = Work(seed), founded()
    for _ in range(before):
        state.enter(work.entry(state))
    other = again(state)
    assert other.encoded() == state.encoded()
    for _ in range(120):
        entry = work.entry(state)
        assert enter(other, entry) == enter(state, entry)
        assert other.encoded() == state.encoded()
        assert other.balance("key:a", "usd") == state.balance("key:a", "usd")
        assert other.open_holds("w") == state.open_holds("w")


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_reading_back_after_every_entry_changes_nothing(seed: int) -> None:
    work, state = Work(seed), founded()
    other = again(state)
    for _ in range(200):
        entry = work.entry(state)
        other = again(other)
        assert enter(other, entry) == enter(state, entry)
    assert other.encoded() == state.encoded()


def test_the_random_work_does_everything_that_there_is() -> None:
    """Else the tests above would show little."""
    done: set[str] = set()
    for seed in range(12):
        work, state = Work(seed), founded()
        for _ in range(400):
            refusal, applied = state.enter(work.entry(state))
            done |= {type(each).__name__ for each in applied}
            done |= {refusal.code} if refusal is not None else set()
            done |= {"reserved" for c in state.charges.values() if any(p for _, p in c.credits)}
    kinds = {kind.__name__ for kind in State()._apply}
    assert kinds - {"Genesis"} <= done | {Genesis.__name__}
    codes = {"limit_reached", "credit_exhausted", "duplicate", "not_open", "not_unresolved"}
    assert codes | {"route_tripped", "revoked_key", "unknown_key", "invalid", "reserved"} <= done


# -- one by one -------------------------------------------------------------------------------


def hold(query: str, usd: int = 10, at: int = START, key: str = "b") -> Hold:
    path = {"b": ("key:b",), "a": ("key:a", "project:p", "team:t", "org:o")}[key]
    return Hold(at, query, key, path, "acme", "m", "m", "chat", False, usd, 1, 1, 1, "", "w")


def limit(
    amount: int | None, unit: str = "usd", window: str = "ever", scope: str = "key:b"
) -> Limit:
    return Limit(START, "ada", scope, unit, amount, window)


def settle(query: str, usd: int, at: int = START) -> Settle:
    return Settle(at, query, usd, Usage(), 200, 1, 1)


def drawn(applied: list[Entry]) -> list[tuple[str, int]]:
    return [(each.source, each.usd) for each in applied if isinstance(each, Draw)]


def state_of(*entries: Entry) -> State:
    state = founded()
    for entry in entries:
        assert state.enter(entry)[0] is None
    return state


def test_a_limit_that_was_lifted_while_a_query_was_open_is_gone() -> None:
    state = again(state_of(limit(10), hold("q1"), limit(None)))
    assert state.enter(hold("q2", 500))[0] is None
    assert state.enter(settle("q1", 10))[0] is None
    assert state.balance("key:b", "usd").limit is None


def test_a_limit_that_was_lifted_and_set_again_counts_the_open_query_once() -> None:
    state = again(state_of(limit(10), hold("q1"), limit(None), limit(15)))
    refusal = state.enter(hold("q2", 6))[0]
    assert refusal is not None
    assert (refusal.posted, refusal.held) == (0, 10)
    assert state.enter(settle("q1", 4))[0] is None
    assert state.enter(hold("q2", 11))[0] is None


def test_a_query_in_the_minute_ends_in_its_own_second() -> None:
    state = state_of(limit(20, window="minute"), hold("q1", 12), hold("q2", 5, START + 9 * SECOND))
    state = again(state)
    state.enter(settle("q1", 3, START + 10 * SECOND))
    refusal = again(state).enter(hold("q3", 13, START + 60 * SECOND))[0]
    assert refusal is not None
    assert (refusal.posted, refusal.held) == (3, 5)
    assert refusal.refills == START + 61 * SECOND


def test_what_is_reserved_stays_reserved_in_its_own_lots() -> None:
    state = state_of(
        TopUp(START, "ada", "soon", "key:b", 6, START + 5),
        TopUp(START, "ada", "never", "key:b", 10),
        hold("q1", 10),
    )
    state = again(state)
    refusal = state.enter(hold("q2", 7))[0]
    assert refusal is not None
    assert refusal.limit == 6, "what is free"
    _, applied = state.enter(settle("q1", 8, START + 9))
    assert drawn(applied) == [("credit:soon", 6), ("credit:never", 2)]


def test_a_query_that_reserved_nothing_still_pays_from_its_credit() -> None:
    state = again(state_of(TopUp(START, "ada", "t1", "key:b", 9), hold("q1", 0)))
    _, applied = state.enter(settle("q1", 4))
    assert drawn(applied) == [("credit:t1", 4)]


def test_runs_of_processes_stay_in_their_order() -> None:
    """Of the oldest ones nothing is expected any more, so it must be known which those are."""
    state = founded()
    for run in range(LIVE, 0, -1):
        state.enter(hold(f"q{0:012x}{run:010x}{5:08x}"))
    state = again(state)
    state.enter(hold(f"q{0:012x}{0:010x}{5:08x}"))
    late = {run: state.enter(hold(f"q{0:012x}{run:010x}{4:08x}"))[0] for run in (1, LIVE)}
    assert late[1] is None
    assert late[LIVE] == Refusal("duplicate")


def test_a_state_of_nothing_is_a_state() -> None:
    assert again(State()).encoded() == State().encoded()
    assert again(State()).position == 0


# -- bytes that are none ----------------------------------------------------------------------


def rich() -> State:
    work, state = Work(7), founded()
    for _ in range(300):
        state.enter(work.entry(state))
    assert len(state.holds) > 5
    return state


RICH = rich().encoded()


def changed(change: Callable[[list[Any]], None]) -> bytes:
    told = msgspec.msgpack.decode(RICH)
    change(told)
    return msgspec.msgpack.encode(told)


@pytest.mark.parametrize("number", [FORMAT + 1, FORMAT - 1, -1, "1", None, [FORMAT]])
def test_another_format_is_not_read_as_this_one(number: object) -> None:
    def other(told: list[Any]) -> None:
        told[0] = number

    with pytest.raises(msgspec.DecodeError):
        State.decoded(changed(other))


def test_an_image_s_first_item_is_its_format() -> None:
    assert msgspec.msgpack.decode(RICH)[0] == FORMAT == 1


# A field that a later version added at the end, and that nests deeper than can be read.
DEEPER = b"\xdc" + bytes([0, RICH[2] + 1]) + RICH[3:] + b"\x91" * 100_000 + b"\xc0"


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"\x00",
        b"\xa1\xff",
        b"\x91" * 100_000,
        b"\xdd\xff\xff\xff\xff",
        RICH[:-1],
        RICH + b"\0",
        DEEPER,
    ],
    ids=["empty", "a number", "no text", "deep", "long", "cut", "more", "deeper"],
)
def test_bytes_that_are_no_image_are_told_by_one_error(image: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        State.decoded(image)


@pytest.mark.parametrize("field", ["accounts", "meters", "credits"])
def test_a_query_that_is_counted_where_there_is_nothing_is_told_as_damage(field: str) -> None:
    state = state_of(
        limit(90), TopUp(START, "ada", "t1", "key:b", 90), hold("q1", 5), hold("q2", 0, key="a")
    )
    told = msgspec.msgpack.decode(state.encoded())
    open_ = {"accounts": 2, "meters": 3, "credits": 4}[field]
    known = {
        "accounts": ["key:nobody"],
        "meters": [["key:a", 0, "ever", 1]],
        "credits": [["key:b", [["nothing", 5]]]],
    }
    for wrong in (known[field], [["key:a", []]] if field == "credits" else known[field]):
        (place,) = [n for n, item in enumerate(told) if item and is_open(item)]
        told[place][0][open_] = wrong
        with pytest.raises(msgspec.DecodeError, match="q1 is counted nowhere"):
            State.decoded(msgspec.msgpack.encode(told))


def is_open(item: Any) -> bool:
    """Whether an item of an image is its list of open queries."""
    return isinstance(item, list) and isinstance(item[0], list) and item[0][0][0] == "hold"


@settings(deadline=None, max_examples=300)
@given(
    place=st.integers(0, len(RICH) - 1), new=st.binary(min_size=1, max_size=4), cut=st.booleans()
)
def test_damaged_bytes_are_read_or_refused_and_break_nothing_else(
    place: int, new: bytes, cut: bool
) -> None:
    image = RICH[:place] + new + RICH[place + (0 if cut else len(new)) :]
    try:
        State.decoded(image)
    except msgspec.DecodeError:
        return


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_refused(image: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        State.decoded(image)
