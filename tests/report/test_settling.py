"""What is settled and what is not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.report.conftest import BEGIN, END, Told, facts_in
from tests.report.test_asking import endings
from tests.report.test_recorded import leaves
from tests.support.statements import figures, inputs, statement

from farthing import clock
from farthing.report.asking import Asking
from farthing.report.draft import Draft
from farthing.report.settling import settling


def test_what_is_open_is_what_nothing_ended_later() -> None:
    found = figures(statement())
    lost = {leaf["id"]: leaf for leaf in endings() if leaf["kind"] == "unresolved"}
    for leaf in endings():
        if leaf["kind"] in ("resolve", "write-off", "expire-posted"):
            del lost[leaf["id"]]
    assert found["open.queries"]["value"] == len(lost)
    held = sum((Decimal(leaf["held_usd"]) for leaf in lost.values()), Decimal(0))
    assert Decimal(found["open.held"]["value"]) == held


def test_each_ending_is_counted_and_they_make_all_queries() -> None:
    found = figures(statement())
    kinds = ("settled", "void", "unresolved")
    total = sum(found[f"ended.{kind}"]["value"] for kind in kinds)
    assert total == found["bought.queries"]["value"]


def test_overruns_are_told_with_what_they_were_beyond() -> None:
    found = figures(statement())
    overruns = [leaf for leaf in leaves() if leaf["kind"] == "overrun"]
    assert found["overruns"]["value"] == len(overruns)
    assert Decimal(found["overruns.usd"]["value"]) == sum(
        (Decimal(leaf["usd"]) for leaf in overruns), Decimal(0)
    )
    assert "overruns" not in figures(statement("customer", "team:search"))


@pytest.mark.parametrize("scope", ["", "team:a"])
def test_what_is_open_is_carried_over_from_earlier_periods(told: Told, scope: str) -> None:
    since, until = BEGIN + (END - BEGIN) // 3, BEGIN + (END - BEGIN) // 2
    edition = "customer" if scope else "regulator"
    made = Draft(Asking(facts_in(told.log, since, until)), inputs(edition, scope))
    settling(made)
    lost: dict[str, dict[str, Any]] = {}
    for leaf in told.leaves:
        mine = not scope or scope in leaf.get("path", ())
        if leaf["at"] < clock.iso(until) and "held_usd" in leaf and mine:
            lost.pop(leaf["id"], None)
            if leaf["kind"] == "unresolved":
                lost[leaf["id"]] = leaf
    early = [leaf for leaf in lost.values() if leaf["at"] < clock.iso(since)]
    for name, of in (("open", list(lost.values())), ("carried", early)):
        held = sum((Decimal(leaf["held_usd"]) for leaf in of), Decimal(0))
        assert made.figures[f"{name}.queries"]["value"] == len(of) > 0
        assert Decimal(made.figures[f"{name}.held"]["value"]) == held
    recent = made.figures["recent.queries"]["value"]
    assert recent == len(lost) - len(early) > 0


def test_what_evidence_settled_is_told_with_what_it_released(told: Told) -> None:
    made = Draft(Asking(told.facts), inputs())
    settling(made)
    found = made.figures
    within = [leaf for leaf in told.leaves if clock.iso(BEGIN) <= leaf["at"] < clock.iso(END)]
    settled = [leaf for leaf in within if leaf["kind"] == "resolve"]
    held, cost = (
        sum((Decimal(leaf[name]) for leaf in settled), Decimal(0))
        for name in ("held_usd", "cost_usd")
    )
    assert found["later.resolved.queries"]["value"] == len(settled) > 0
    assert Decimal(found["later.resolved.posted"]["value"]) == cost > 0
    assert Decimal(found["later.resolved.released"]["value"]) == held - cost != 0
    words = made.sections[0]["blocks"][0]["text"]
    assert "farthing ledger reconcile" in words and "not in the log" in words
