"""Questions of entries: limits, credit, and what was drawn of a commitment."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from tests.support.statements import asking, month

from farthing.report.measure import answer
from farthing.report.recorded import chosen_entries


def value(measure: str, **query: Any) -> Any:
    return answer(asking(), {"measure": measure, **query}).value


def leaves() -> list[dict[str, Any]]:
    reader = month().log.reader
    return [json.loads(reader.entry(index)) for index in range(reader.size)]


def test_entries_before_the_period_count_only_where_it_is_said() -> None:
    assert value("entries", where={"kind": "limit"}) == 1
    limits = [leaf for leaf in leaves() if leaf["kind"] == "limit"]
    assert value("entries", where={"kind": "limit"}, before=True) == len(limits) > 1


def test_the_last_of_them_is_what_is_stated() -> None:
    which = {"kind": "limit", "scope": "team:support", "unit": "usd", "window": "month"}
    assert value("stated", where=which, of="amount") == "7500"
    assert value("stated", where={**which, "scope": "team:none"}, of="amount") is None
    commitment = {"kind": "commitment", "id": "cmt-a"}
    assert value("stated", where=commitment, of="tranches/1/usd") == "9000"


def test_a_field_at_its_default_is_the_empty_string() -> None:
    found = chosen_entries(month().facts, {"kind": "limit", "soft": [True]}, before=True)
    assert [entry["scope"] for _, entry in found] == ["key:k-app"]


def test_totals_are_of_dollars_and_tallies_of_numbers() -> None:
    assert value("total", where={"kind": "top-up"}, of="usd") == "100"
    assert value("total", where={"kind": "top-up"}, of="usd", before=True) == "250"
    assert value("tally", where={"kind": "limit"}, of="entry") > 0


def test_what_paid_is_told_by_its_draws() -> None:
    draws = [leaf for leaf in leaves() if leaf["kind"] == "draw"]
    for source in ("commitment:cmt-a", "credit"):
        mine = [leaf for leaf in draws if leaf["source"].startswith(source)]
        summed = sum(Decimal(leaf["usd"]) for leaf in mine)
        assert Decimal(value("paid", source=source, of="usd", where={})) == summed > 0
    first = value("paid", source="commitment:cmt-a/1", of="usd", where={})
    assert value("paid-ever", source="commitment:cmt-a/1", of="usd") == first


def test_what_is_left_of_a_commitment_is_what_was_not_drawn() -> None:
    until = "2026-10-01T00:00:00.000Z"
    left = Decimal(value("left", commitment="cmt-a", until=until))
    drawn = Decimal(value("paid", source="commitment:cmt-a", of="usd", where={}))
    assert left == 15_000 - drawn
    early = Decimal(value("left", commitment="cmt-a", until="2026-09-02T00:00:00.000Z"))
    assert 15_000 > early > left
