"""Prepaid credits: against a simple model, and edge by edge."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from farthing.ledger.credit import Credit, Lot, Reserved
from farthing.ledger.window import EVER


def lot(name: str, usd: int, expires: int = EVER) -> Lot:
    return Lot(name, "team:a", usd, expires, usd)


def credit(*lots: Lot) -> Credit:
    made = Credit()
    for each in lots:
        made.add(each)
    return made


def named(parts: list[tuple[Lot, int]]) -> list[tuple[str, int]]:
    return [(each.id, usd) for each, usd in parts]


# -- reserving --------------------------------------------------------------------------------


def test_what_expires_first_is_reserved_first_whenever_it_was_bought() -> None:
    some = credit(lot("never", 5), lot("late", 5, 200), lot("soon", 5, 100), lot("later", 5))
    assert named(some.reserve(13, 99)) == [("soon", 5), ("late", 5), ("never", 3)]
    assert named(some.reserve(7, 99)) == [("never", 2), ("later", 5)], "the older one of two"
    assert some.free(99) == 0


@pytest.mark.parametrize(("now", "free"), [(98, 8), (99, 8), (100, 3), (101, 3)])
def test_a_lot_can_be_reserved_until_it_expires(now: int, free: int) -> None:
    some = credit(lot("a", 5, 100), lot("b", 3))
    assert some.free(now) == free
    assert sum(part for _, part in some.reserve(free, now)) == free


def test_nothing_is_promised_twice() -> None:
    some = credit(lot("a", 10))
    some.reserve(6, 0)
    assert some.free(0) == 4
    with pytest.raises(AssertionError, match="more was reserved than was free"):
        some.reserve(5, 0)


def test_a_query_that_costs_nothing_reserves_nothing() -> None:
    some = credit(lot("a", 10))
    assert some.reserve(0, 0) == []
    assert some.draw([], 0, 0) == []
    assert some.free(0) == 10


# -- drawing ----------------------------------------------------------------------------------


def test_what_was_not_spent_is_given_back() -> None:
    some = credit(lot("a", 5, 100), lot("b", 10))
    reserved = some.reserve(9, 0)
    assert named(some.draw(reserved, 6, 0)) == [("a", 5), ("b", 1)]
    assert some.free(0) == 9
    assert [(each.left, each.reserved) for each in some.lots] == [(0, 0), (9, 0)]


def test_a_query_that_ended_for_nothing_draws_nothing() -> None:
    some = credit(lot("a", 5))
    assert some.draw(some.reserve(5, 0), 0, 0) == []
    assert some.free(0) == 5


def test_credit_that_expires_while_a_query_runs_still_pays_for_it_and_the_rest_is_gone() -> None:
    some = credit(lot("a", 10, 100))
    reserved = some.reserve(8, 99)
    assert some.free(100) == 0
    assert named(some.draw(reserved, 5, 1000)) == [("a", 5)]
    assert some.free(1000) == 0


def test_a_bill_above_its_hold_draws_what_is_free() -> None:
    some = credit(lot("a", 10, 100), lot("b", 10))
    mine, other = some.reserve(4, 0), some.reserve(4, 0)
    assert named(some.draw(mine, 7, 0)) == [("a", 4), ("a", 2), ("b", 1)]
    assert some.owed == 0
    assert named(some.draw(other, 4, 0)) == [("a", 4)], "which it had been promised"


def test_a_bill_above_its_hold_draws_nothing_that_has_expired() -> None:
    some = credit(lot("a", 10, 100), lot("b", 1))
    reserved = some.reserve(4, 99)
    assert named(some.draw(reserved, 7, 100)) == [("a", 4), ("b", 1)]
    assert some.owed == 2


def test_what_no_lot_can_pay_is_owed_and_new_credit_pays_it_first() -> None:
    some = credit(lot("a", 10))
    assert named(some.draw(some.reserve(10, 0), 25, 0)) == [("a", 10)]
    assert (some.owed, some.free(0)) == (15, -15)
    some.add(lot("b", 5))
    assert (some.owed, some.free(0)) == (10, -10)
    some.add(lot("c", 12))
    assert (some.owed, some.free(0)) == (0, 2)
    assert [each.left for each in some.lots] == [0, 0, 2]


def test_what_is_owed_cannot_be_spent_by_the_next_query() -> None:
    some = credit(lot("a", 10))
    mine, other = some.reserve(4, 0), some.reserve(6, 0)
    some.draw(mine, 7, 0)
    assert some.owed == 3
    some.draw(other, 0, 0)
    assert some.free(0) == 3, "six came back, and three of them are owed"


# -- the model: every nanodollar is in one place ----------------------------------------------


class Purse:
    """What a lot can be: free, promised, drawn by name, paid to a debt, or expired."""

    def __init__(self, usd: int, expires: int) -> None:
        self.usd, self.expires = usd, expires
        self.promised = self.drawn = self.repaid = 0

    def spare(self, now: int) -> int:
        gone = now >= self.expires
        return 0 if gone else self.usd - self.promised - self.drawn - self.repaid


class Credits(RuleBasedStateMachine):
    """Top-ups, holds and endings in any order, on a clock that goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.credit = Credit()
        self.purses: dict[str, Purse] = {}
        self.open: list[tuple[Reserved, list[tuple[str, int]]]] = []
        self.spent = self.owed = 0

    def spare(self) -> int:
        return sum(purse.spare(self.now) for purse in self.purses.values())

    def by_end(self) -> list[str]:
        return sorted(self.purses, key=lambda name: self.purses[name].expires)

    @rule(usd=st.integers(1, 50), lasts=st.one_of(st.none(), st.integers(-5, 40)))
    def top_up(self, usd: int, lasts: int | None) -> None:
        expires = EVER if lasts is None else self.now + lasts
        name = f"lot{len(self.purses):03d}"
        self.credit.add(Lot(name, "team:a", usd, expires, usd))
        purse = self.purses[name] = Purse(usd, expires)
        purse.repaid = min(self.owed, usd)
        self.owed -= purse.repaid

    @precondition(lambda self: self.spare() > self.owed)
    @rule(data=st.data())
    def hold(self, data: st.DataObject) -> None:
        usd = data.draw(st.integers(0, self.spare() - self.owed))
        expected = []
        rest = usd
        for name in self.by_end():
            purse = self.purses[name]
            if part := min(rest, purse.spare(self.now)):
                purse.promised += part
                rest -= part
                expected.append((name, part))
        reserved = self.credit.reserve(usd, self.now)
        assert named(reserved) == expected
        self.open.append((reserved, expected))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), over=st.integers(0, 15), exactly=st.booleans())
    def end(self, data: st.DataObject, over: int, exactly: bool) -> None:
        reserved, promised = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        held = sum(part for _, part in promised)
        usd = held if exactly else data.draw(st.integers(0, held)) + (over if over > 10 else 0)
        paid = self.credit.draw(reserved, usd, self.now)
        assert self.pay(promised, usd) == named(paid)
        self.spent += usd

    def pay(self, promised: list[tuple[str, int]], usd: int) -> list[tuple[str, int]]:
        """What was promised pays first; then what is free, first-expiring first; then a debt."""
        expected = []
        for name, part in promised:
            self.purses[name].promised -= part
            expected.append((name, min(usd, part)))
            self.purses[name].drawn += expected[-1][1]
            usd -= expected[-1][1]
        for name in self.by_end() if usd else ():
            expected.append((name, min(usd, self.purses[name].spare(self.now))))
            self.purses[name].drawn += expected[-1][1]
            usd -= expected[-1][1]
        self.owed += usd
        return [(name, part) for name, part in expected if part]

    @rule(step=st.integers(1, 20))
    def wait(self, step: int) -> None:
        self.now += step

    @invariant()
    def every_lot_is_as_the_model_says(self) -> None:
        for each in self.credit.lots:
            purse = self.purses[each.id]
            assert (each.usd, each.reserved) == (purse.usd, purse.promised)
            assert each.left == purse.usd - purse.drawn - purse.repaid
            assert 0 <= each.reserved <= each.left <= each.usd
        assert [each.id for each in self.credit.lots] == self.by_end()
        assert self.credit.owed == self.owed >= 0
        assert self.credit.free(self.now) == self.spare() - self.owed

    @invariant()
    def what_was_bought_and_is_owed_is_what_was_spent_and_is_left(self) -> None:
        bought = sum(purse.usd for purse in self.purses.values())
        left = sum(each.left for each in self.credit.lots)
        assert bought + self.credit.owed == self.spent + left


TestCredits = Credits.TestCase
TestCredits.settings = settings(deadline=None, max_examples=60, stateful_step_count=40)
