"""Sums beside the state machine: what counts on what, and when it no longer does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from farthing.ledger.entry import (
    Entry,
    Expire,
    Limit,
    Resolve,
    Unresolved,
    Void,
    WriteOff,
)
from farthing.ledger.tally import Tally

Build = Callable[..., Any]

LOST = Unresolved(5, "q1", "worker_lost")


@pytest.fixture
def tally(hold: Build) -> Tally:
    """One open query of 100 nanodollars and 10 tokens on two scopes."""
    made = Tally()
    made.hold(hold("q1", usd=100, tokens=10), ["key:k1", "user:ann"])
    return made


def test_a_hold_counts_on_each_of_its_scopes(tally: Tally, hold: Build) -> None:
    tally.hold(hold("q2", usd=5, tokens=1), ["key:k1"])
    assert tally.of("key:k1") == ([0, 0, 0, 0], [105, 11, 2, 2])
    assert tally.of("user:ann") == ([0, 0, 0, 0], [100, 10, 1, 1])


@pytest.mark.parametrize(
    ("endings", "posted"),
    [
        ([Void(9, "q1", "x")], [0, 0, 0, 0]),
        ([LOST, Resolve(9, "a", "q1", 7, "e", 3)], [7, 3, 1, 0]),
        ([LOST, Resolve(9, "a", "q1", 7, "e")], [7, 10, 1, 0]),
        ([LOST, Expire(9, "q1")], [100, 10, 1, 0]),
        ([LOST, WriteOff(9, "a", "q1", "r")], [0, 0, 1, 0]),
    ],
)
def test_each_ending_posts_what_it_comes_to_and_releases_all(
    tally: Tally, endings: list[Entry], posted: list[int]
) -> None:
    for entry in endings:
        tally.take(entry)
    for scope in ("key:k1", "user:ann"):
        assert tally.of(scope) == (posted, [0, 0, 0, 0])


def test_a_settlement_posts_what_it_cost(tally: Tally, settle: Build) -> None:
    tally.take(settle("q1", usd=60))
    assert tally.of("user:ann") == ([60, 5, 1, 0], [0, 0, 0, 0])


def test_an_unresolved_query_is_held_and_not_running(tally: Tally) -> None:
    tally.take(LOST)
    assert tally.of("key:k1") == ([0, 0, 0, 0], [100, 10, 1, 0])


def test_limits_are_those_in_force_that_are_hard_and_for_ever(tally: Tally) -> None:
    def set_(scope: str, amount: int | None, **more: Any) -> None:
        tally.take(Limit(1, "ann", scope, "usd", amount, **more))

    set_("user:*", 900)
    assert list(tally.limits("user:ann")) == [("usd", 900, 0, 100)]
    set_("user:ann", 500, soft=True)
    assert list(tally.limits("user:ann")) == []
    set_("user:ann", 400)
    assert list(tally.limits("user:ann")) == [("usd", 400, 0, 100)]
    set_("user:ann", 1, window="day")
    assert list(tally.limits("user:ann")) == [("usd", 400, 0, 100)]
    set_("user:ann", None)
    assert list(tally.limits("user:ann")) == [("usd", 900, 0, 100)]
    set_("user:*", None)
    assert list(tally.limits("user:ann")) == []
