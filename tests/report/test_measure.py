"""Each measure, against the same made by hand from leaves."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from tests.report.test_asking import endings
from tests.support.statements import asking, month

from farthing.report.asking import Answer, QueryError
from farthing.report.measure import MEASURES, answer


def ask(measure: str, **query: Any) -> Answer:
    return answer(asking(), {"measure": measure, **query})


def usd(leaves: list[dict[str, Any]], field: str = "cost_usd") -> Decimal:
    return sum((Decimal(leaf[field]) for leaf in leaves if field in leaf), Decimal(0))


def test_counts_and_sums_and_their_ranges() -> None:
    mine = [leaf for leaf in endings() if leaf["provider"] == "openai" and "cost_usd" in leaf]
    where = {"provider": ["openai"], "cost": "known"}
    counted, summed = ask("count", where=where), ask("sum", of="cost", where=where)
    assert counted.value == counted.n == summed.n == len(mine)
    assert Decimal(str(summed.value)) == usd(mine) > 0
    reader = month().log.reader
    edges = [reader.entry(index or 0) for index in (summed.first, summed.last)]
    for leaf, edge in zip((mine[0], mine[-1]), edges, strict=True):
        assert f'"entry":{leaf["entry"]},'.encode() in edge


def test_what_is_unknown_is_not_summed_as_anything() -> None:
    known = ask("sum", of="cost", where={"cost": "known"})
    assert Decimal(str(known.value)) == usd(endings())
    assert ask("count", where={"cost": "unknown"}).n == sum(
        "cost_usd" not in leaf for leaf in endings()
    )


def test_a_share_and_an_average() -> None:
    known = {"cost": "known"}
    share = ask("share", of="cost", where={**known, "provider": ["openai"]}, among=known)
    mine = [leaf for leaf in endings() if leaf["provider"] == "openai"]
    assert abs(Decimal(str(share.value)) - usd(mine) / usd(endings())) <= Decimal("0.0000005")
    each = ask("average", of="cost", where=known, each={"http_status": [200, 299]})
    n = sum(200 <= leaf.get("http_status", 0) <= 299 for leaf in endings())
    difference = Decimal(str(each.value)) - usd(endings()) / n
    assert 0 <= difference < Decimal("0.000000001")


def test_concentration_is_the_sum_of_squared_shares() -> None:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for leaf in endings():
        sums[leaf["provider"]] += usd([leaf])
    whole = sum(sums.values())
    squares = sum((part / whole) ** 2 for part in sums.values()) * 10_000
    found = ask("concentration", of="cost", by="provider", where={"cost": "known"})
    assert found.value == int(squares + Decimal("0.5"))


@pytest.mark.parametrize("p", [50, 95, 99])
def test_a_quantile_is_a_value_that_occurred_within_its_interval(p: int) -> None:
    values = sorted(
        leaf["total_us"] for leaf in endings() if 200 <= leaf.get("http_status", 0) <= 299
    )
    found = ask("quantile", of="total_us", p=p, where={"http_status": [200, 299]})
    assert found.value == values[-(-len(values) * p // 100) - 1]
    assert found.low in values and found.high in values
    assert int(str(found.low)) < int(str(found.value)) < int(str(found.high))


def test_a_run_rate_is_of_the_least_or_the_most_span() -> None:
    spans = [
        ["2026-09-01T00:00:00.000Z", "2026-09-08T00:00:00.000Z"],
        ["2026-09-08T00:00:00.000Z", "2026-09-15T00:00:00.000Z"],
    ]
    sums = [usd([leaf for leaf in endings() if a <= leaf["at"] < b]) for a, b in spans]
    asked = {"of": "cost", "where": {"cost": "known"}, "spans": spans, "span_days": 7, "days": 30}
    for take, total in (("least", min(sums)), ("most", max(sums))):
        found = Decimal(str(ask("run-rate", take=take, **asked).value))
        assert 0 <= found - total * 30 / 7 < Decimal("0.000000001")


def test_no_leaf_of_the_period_is_left_out() -> None:
    assert ask("covered").value == ask("positions").value
    assert ask("size").value == month().log.head.size


def test_times_of_the_first_and_the_last() -> None:
    times = [leaf["at"] for leaf in endings() if leaf["provider"] == "local"]
    where = {"provider": ["local"]}
    assert ask("first", of="at", where=where).value == min(times)
    assert ask("last", of="at", where=where).value == max(times)


def test_of_nothing_there_is_no_ratio_no_average_and_no_time() -> None:
    nobody = {"provider": ["nobody"]}
    assert ask("share", where=nobody, among=nobody).value is None
    assert ask("average", of="cost", where=nobody, each=nobody).value is None
    assert ask("quantile", of="total_us", p=50, where=nobody).value is None
    assert ask("first", of="at", where=nobody).value is None
    assert ask("concentration", of="cost", by="provider", where=nobody).value is None
    assert ask("sum", of="cost", where=nobody) == Answer("0", 0)


@pytest.mark.parametrize(
    "query",
    [
        {}, {"measure": "guess"}, {"measure": "sum"}, {"measure": "sum", "of": "x", "where": {}},
        {"measure": "count", "where": {"colour": ["red"]}},
        {"measure": "count", "where": {"at": ["yesterday", "today"]}},
        {"measure": "count", "where": []}, {"measure": "left", "commitment": "x", "until": "2026"},
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_an_error_and_no_number(query: dict[str, Any]) -> None:
    with pytest.raises(QueryError):
        answer(asking(), query)


def test_every_measure_says_what_it_is() -> None:
    assert all(measure.__doc__ for measure in MEASURES.values())
