"""What leaves outside of a period say: sums made of all leaves before it, by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from tests.report.conftest import BEGIN, END, Told, facts_in

from farthing import clock, money
from farthing.report.columns import Facts
from farthing.report.facts import ENDED
from farthing.report.outside import Held, Whose, chosen, is_of

SINCE, UNTIL = BEGIN + (END - BEGIN) // 3, BEGIN + (END - BEGIN) // 2


@pytest.fixture(scope="module")
def facts(told: Told) -> Facts:
    return facts_in(told.log, SINCE, UNTIL)


def endings(told: Told, since: int, until: int) -> list[dict[str, Any]]:
    first, last = clock.iso(since), clock.iso(until)
    return [leaf for leaf in told.leaves if leaf["kind"] in ENDED and first <= leaf["at"] < last]


def test_what_was_spent_before_is_told_of_each_scope(told: Told, facts: Facts) -> None:
    spent, requests, leaves = Counter[Whose](), Counter[Whose](), Counter[Whose]()
    for leaf in endings(told, 0, SINCE):
        if leaf["kind"] != "unresolved":
            scopes = dict(scope.split(":") for scope in leaf["path"])
            org, team, project = (scopes.get(kind, "") for kind in ("org", "team", "project"))
            whose = Whose(leaf["key"], org, team, project, leaf["provider"])
            spent[whose] += money.nanodollars(leaf.get("cost_usd", "0"))
            requests[whose] += leaf["kind"] != "void"
            leaves[whose] += 1
    assert {whose: each.usd for whose, each in facts.spent.items()} == spent
    assert {whose: each.requests for whose, each in facts.spent.items()} == requests
    assert {whose: each.n for whose, each in facts.spent.items()} == leaves


def test_carried_is_what_no_leaf_up_to_the_end_settles(told: Told, facts: Facts) -> None:
    lost = {leaf["id"]: leaf for leaf in endings(told, 0, SINCE) if leaf["kind"] == "unresolved"}
    for leaf in endings(told, 0, UNTIL):
        if leaf["kind"] != "unresolved":
            lost.pop(leaf["id"], None)
    assert lost
    assert [told.leaves[each.leaf]["id"] for each in facts.carried] == list(lost)
    assert [each.usd for each in facts.carried] == [
        money.nanodollars(leaf["held_usd"]) for leaf in lost.values()
    ]


def test_running_is_what_began_before_the_end_and_ended_after(told: Told, facts: Facts) -> None:
    known = {leaf["id"] for leaf in endings(told, 0, UNTIL)}
    late = {
        leaf["id"]: None for leaf in endings(told, UNTIL, 2**62)
        if leaf["began"] < clock.iso(UNTIL) and leaf["id"] not in known
    }  # fmt: skip
    assert [told.leaves[each.leaf]["id"] for each in facts.running] == list(late)


def test_a_condition_chooses_by_scopes_and_nothing_else() -> None:
    whose = Whose("k", "o", "t", "p", "north")
    assert is_of(whose, {}) and is_of(whose, {"team": ["s", "t"], "provider": ["north"]})
    assert not is_of(whose, {"team": ["t"], "provider": ["south"]})
    held = Held(whose, 1, 2, 3, 4)
    assert chosen([held], {"key": ["k"]}) == [held] and chosen([held], {"key": ["x"]}) == []
    with pytest.raises(AttributeError):
        is_of(whose, {"model": ["m"]})
