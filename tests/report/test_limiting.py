"""Limits: which are shown to whom, each as it was last set."""

from __future__ import annotations

from typing import Any

from tests.support.statements import draft, figures, statement

from farthing.report.limiting import limits_of


def rows(edition: str, scope: str = "") -> list[list[Any]]:
    section = next(s for s in statement(edition, scope)["sections"] if s["id"] == "limits")
    tables = [block for block in section["blocks"] if block["type"] == "table"]
    return tables[0]["rows"] if tables[0]["title"].startswith("Limits") else []


def test_a_regulator_sees_all_of_them_as_last_set() -> None:
    found = figures(statement())
    amounts = {row[0]: found[row[2]["figure"]]["value"] for row in rows("regulator")}
    assert amounts["team:support"] == "7500" and amounts["org:acme"] == "900"
    assert len(amounts) == 8


def test_a_shareholder_sees_no_tenants_limits() -> None:
    assert [row[0] for row in rows("shareholder")] == ["provider:anthropic"]


def test_a_customer_sees_its_own_alone() -> None:
    assert [row[0] for row in rows("customer", "team:search")] == ["team:search"]


def test_a_limit_that_was_lifted_is_in_force_no_more() -> None:
    made = draft()
    index = made.facts.range.last
    lifted = {"kind": "limit", "scope": "org:acme", "unit": "usd", "window": "day", "entry": 1}
    made.facts.others.append((index, lifted))
    try:
        assert ("org:acme", "usd", "day") not in limits_of(made)
    finally:
        made.facts.others.pop()
    assert ("org:acme", "usd", "day") in limits_of(made)


def test_refusals_are_counted_by_why() -> None:
    made = draft()
    refused = {"kind": "refused", "code": "limit_reached", "scope": "team:search", "count": 7}
    made.facts.others.append((made.facts.range.last, refused))
    try:
        cell = made.figure("n", "queries", "tally", where={"kind": "refused"}, of="count")
    finally:
        made.facts.others.pop()
    assert made.value(cell) == 7
    assert figures(statement())["refused.limit_reached"]["value"] == 0
