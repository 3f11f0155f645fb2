"""The journal against itself: each kind of contradiction is found, and named by its entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.support.everything import everything

from farthing.clock import SECOND
from farthing.ledger.account import Account, Charge
from farthing.ledger.audit import CONSEQUENCES, Audit, Contradiction
from farthing.ledger.entry import (
    Draw,
    Entry,
    Expire,
    Genesis,
    Hold,
    Overrun,
    Resolve,
    Settle,
    Unresolved,
    Void,
    Warned,
    WriteOff,
)
from farthing.ledger.meter import Meter
from farthing.ledger.seen import Seen
from farthing.ledger.state import State

Build = Callable[..., Any]

GENESIS = Genesis(at=1, ledger="ledger-one")


def audited(entries: list[Entry]) -> Audit:
    """Take entries from the first one on, to the end."""
    audit = Audit("ledger-one")
    for number, entry in enumerate(entries, start=1):
        audit.take(entry, number)
    audit.end()
    return audit


def contradiction(entries: list[Entry]) -> tuple[int, str, str]:
    with pytest.raises(Contradiction) as found:
        audited(entries)
    return found.value.entry, found.value.id, found.value.what


def flat(seed: int) -> list[Entry]:
    return [entry for group in everything(seed, 300) for entry in group]


def kinds(entries: list[Entry], *of: type) -> int:
    return sum(isinstance(entry, of) for entry in entries)


def test_what_a_state_took_stands() -> None:
    entries = flat(3)
    audit = audited(entries)
    counts = audit.counts
    assert counts.entries == len(entries)
    assert counts.holds == kinds(entries, Hold)
    assert counts.endings == kinds(entries, Settle, Void, Resolve, Expire, WriteOff)
    assert counts.overruns == kinds(entries, Overrun) > 0
    assert counts.draws == kinds(entries, Draw) > 0
    assert counts.warnings == kinds(entries, Warned) > 0
    assert counts.limits > counts.holds
    assert audit.balances() == 4 * len(audit.state.accounts.by_scope)


def test_an_ending_without_a_hold_and_a_second_one(key: Build, hold: Build, settle: Build) -> None:
    begin = [GENESIS, key(), hold("q1")]
    assert contradiction([*begin, settle("q2")]) == (4, "q2", "ends without a hold")
    again = [*begin, settle("q1"), Void(9, "q1", "upstream_unreachable")]
    assert contradiction(again) == (5, "q1", "ends a second time")
    lost = [*begin, Unresolved(8, "q1", "worker_lost"), settle("q1"), settle("q1")]
    assert contradiction(lost) == (6, "q1", "ends a second time")


def test_an_id_that_is_held_again_after_it_ended(
    monkeypatch: pytest.MonkeyPatch, key: Build, hold: Build, settle: Build
) -> None:
    """Also if the state machine let it pass."""
    entries = [GENESIS, key(), hold("q1"), settle("q1"), hold("q1")]
    expected = (5, "q1", "is held a second time, after it had ended")
    assert contradiction(entries) == expected
    monkeypatch.setattr(Seen, "__contains__", lambda *_: False)
    assert contradiction(entries) == expected


# -- limits and balances ------------------------------------------------------------------------


def test_a_limit_that_a_hold_passed(key: Build, hold: Build, limit: Build) -> None:
    entries = [GENESIS, key(), limit(150), hold("q1", usd=100), hold("q2", usd=51)]
    entry, id_, what = contradiction(entries)
    assert (entry, id_) == (5, "q2")
    assert "limit of usd on key:k1" in what


def admit_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state machine that neither refuses nor asserts anything."""
    monkeypatch.setattr(Account, "refusal", lambda *_: None)
    monkeypatch.setattr(State, "_warn", lambda *_: None)


@pytest.mark.parametrize("scope", ["key:k1", "user:ann", "user:*"])
def test_a_limit_is_checked_beside_the_state_machine(
    monkeypatch: pytest.MonkeyPatch, key: Build, hold: Build, limit: Build, scope: str
) -> None:
    admit_all(monkeypatch)
    path = ("key:k1", "user:ann")
    some = [hold("q1", tokens=20, path=path), hold("q2", tokens=6, path=path)]
    on = path[0] if scope == path[0] else path[1]
    assert contradiction([GENESIS, key(), limit(25, "tokens", scope), *some]) == (
        5,
        "q2",
        f"passes the limit of tokens on {on}: 0 posted and 26 held are more than 25",
    )
    audited([GENESIS, key(), limit(26, "tokens", scope), *some])


def test_a_wrong_sum_of_the_state_machines_keeps_no_limit(
    monkeypatch: pytest.MonkeyPatch, key: Build, hold: Build, limit: Build, settle: Build
) -> None:
    """It forgets what was posted, and so admits too much: the sums beside it tell."""
    end = Meter.end
    monkeypatch.setattr(Meter, "end", lambda meter, slot, held, _: end(meter, slot, held, 0))
    entries = [GENESIS, key(), limit(150), hold("q1", usd=100), settle("q1", usd=60)]
    audited([*entries, hold("q2", usd=90)])
    what = "passes the limit of usd on key:k1: 60 posted and 100 held are more than 150"
    assert contradiction([*entries, hold("q2", usd=100)]) == (6, "q2", what)


@pytest.mark.parametrize("window", ["minute", "hour", "day", "month"])
def test_a_limit_in_a_window_is_kept_in_it(
    monkeypatch: pytest.MonkeyPatch, key: Build, hold: Build, limit: Build, window: str
) -> None:
    admit_all(monkeypatch)
    set_ = msgspec.structs.replace(limit(150), window=window)
    begin = [GENESIS, key(), set_, hold("q1", usd=100)]
    later = 40 * 86_400 * SECOND
    audited([*begin, hold("q2", usd=51, at=later)])
    entry, id_, what = contradiction([*begin, hold("q2", usd=51)])
    assert (entry, id_) == (5, "q2")
    assert what.startswith(f"passes the limit of usd in one {window} on key:k1")


def test_a_soft_limit_can_be_passed(key: Build, hold: Build, limit: Build) -> None:
    soft = msgspec.structs.replace(limit(50), soft=True)
    held = hold("q1", usd=100)
    warned = Warned(held.at, "q1", "key:k1", "usd", "ever", 50, 100)
    audited([GENESIS, key(), soft, held, warned])


def test_an_account_that_is_wrong_is_found_by_the_sums_beside_it(
    monkeypatch: pytest.MonkeyPatch, key: Build, hold: Build, settle: Build
) -> None:
    end = Charge.end
    monkeypatch.setattr(Charge, "end", lambda charge, spent, now: end(charge, (1, *spent[1:]), now))
    audit = audited([GENESIS, key(), hold("q1"), settle("q1", usd=60)])
    with pytest.raises(Contradiction, match="1 posted and 0 held, the entries sum to 60 and 0"):
        audit.balances()


# -- what follows from an entry -----------------------------------------------------------------


@pytest.mark.parametrize("usd", [19, 21])
def test_an_overrun_says_how_much_more_it_was(
    key: Build, hold: Build, settle: Build, usd: int
) -> None:
    entries = [GENESIS, key(), hold("q1", usd=100), settle("q1", usd=120, at=9)]
    audited([*entries, Overrun(9, "q1", 20)])
    assert contradiction([*entries, Overrun(9, "q1", usd)])[:2] == (5, "q1")
    what = "ends where an overrun of $0.00000002 must follow"
    assert contradiction(entries) == (4, "q1", what)


FOLLOWS = [(place, entry) for place, entry in enumerate(flat(4)) if isinstance(entry, CONSEQUENCES)]


@pytest.mark.parametrize("kind", CONSEQUENCES)
def test_what_must_follow_is_missed_wherever_it_is_left_out(kind: type) -> None:
    entries = flat(4)
    place = next(place for place, entry in FOLLOWS if isinstance(entry, kind))
    number, _, what = contradiction(entries[:place] + entries[place + 1 :])
    assert number == place + 1
    assert "must follow" in what


@pytest.mark.parametrize("kind", CONSEQUENCES)
def test_what_follows_from_nothing_is_named(kind: type) -> None:
    """Said twice, or where nothing makes it."""
    entries = flat(4)
    place, again = next((place, entry) for place, entry in FOLLOWS if isinstance(entry, kind))
    for at in (place + 1, 16, len(entries)):
        number, _, what = contradiction([*entries[:at], again, *entries[at:]])
        assert number == at + 1
        assert "follows from nothing" in what or "must follow" in what


@pytest.mark.parametrize("field", ["usd", "effective", "source"])
def test_a_draw_that_was_changed_is_named(field: str) -> None:
    entries = flat(4)
    place, draw = next((place, entry) for place, entry in FOLLOWS if isinstance(entry, Draw))
    value: Any = getattr(draw, field)
    other = value + 1 if isinstance(value, int) else "credit:other"
    entries[place] = msgspec.structs.replace(draw, **{field: other})
    number, _, what = contradiction(entries)
    assert number == place + 1
    assert "is a draw" in what


def test_a_genesis_in_the_middle_is_impossible(key: Build) -> None:
    entry, _, what = contradiction([GENESIS, key(), GENESIS])
    assert entry == 3
    assert "is impossible" in what


def test_what_the_state_machine_refuses_is_told_with_its_reason(limit: Build) -> None:
    entry, _, what = contradiction([GENESIS, limit(5, scope="team:search")])
    assert entry == 2
    assert "there is no team:search" in what
