"""What is settled and what is not."""

from __future__ import annotations

from decimal import Decimal

from tests.report.test_asking import endings
from tests.report.test_recorded import leaves
from tests.support.statements import figures, statement


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
