"""Performance, against a second calculation that reads leaf by leaf and knows nothing of numpy."""

from __future__ import annotations

import statistics
from collections import Counter
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.report.conftest import BEGIN, END, SECOND, Told, facts_in
from tests.support.evidence import make_log

from farthing import clock
from farthing.ledger.entry import Genesis, Hold, Settle
from farthing.report.performance import CLASSES, DIMENSIONS, Performance, performance
from farthing.wire.dialect import Usage

SINCE, UNTIL = clock.iso(BEGIN), clock.iso(END)
SENT = ("settle", "unresolved")


def class_of(leaf: dict[str, Any]) -> str | None:
    """What an ending was, in the order in which a person would ask."""
    status, reason = leaf.get("http_status", 0), leaf.get("reason", "")
    if leaf["kind"] == "void":
        return "unreached" if reason == "upstream_unreachable" else None
    if leaf["kind"] == "settle":
        if 200 <= status < 300:
            return "answered"
        if status == 429:
            return "rate_limited"
        return "server_error" if status >= 500 else "rejected"
    if reason in ("usage_missing", "usage_encoded", "unpriced"):
        return "answered_without_usage"
    return {"upstream_timeout": "timed_out", "upstream_lost": "server_error",
            "worker_lost": "gateway", "interrupted": "gateway"}.get(reason, "broken")  # fmt: skip


def counted(told: Told) -> list[tuple[str, dict[str, Any], int]]:
    """Each query of the period once: its class, its leaf, and the leaf's index."""
    last: dict[int, tuple[str, dict[str, Any], int]] = {}
    for index, leaf in enumerate(told.leaves):
        if "held_usd" in leaf and SINCE <= leaf["at"] < UNTIL and leaf["kind"] in (*SENT, "void"):
            kind = class_of(leaf)
            last.pop(leaf["hold"], None)
            if kind is not None:
                last[leaf["hold"]] = (kind, leaf, index)
    return list(last.values())


@pytest.fixture(scope="module")
def made(told: Told) -> Performance:
    return performance(told.facts)


def test_every_query_is_of_one_class_and_counts_once(told: Told, made: Performance) -> None:
    expected = Counter(kind for kind, _, _ in counted(told))
    assert {kind: rate.count for kind, rate in made.whole.classes.items()} == expected
    assert set(expected) == set(CLASSES)
    assert made.whole.queries == sum(expected.values()) > 2_400
    assert all(rate.of == made.whole.queries for rate in made.whole.classes.values())
    good, quiet = expected["answered"], expected["answered_without_usage"]
    able = made.whole.queries - expected["rejected"] - expected["gateway"]
    availability, success = made.whole.availability, made.whole.success
    assert (availability.count, availability.of) == (good + quiet, able)
    assert (success.count, success.of) == (good, made.whole.queries)
    assert availability.rate == round((good + quiet) / able, 9)


@pytest.mark.parametrize("by", DIMENSIONS)
def test_groups_divide_the_whole(told: Told, by: str) -> None:
    made = performance(told.facts, by)
    queries: Counter[str] = Counter()
    for _, leaf, _ in counted(told):
        scopes = dict(scope.split(":", 1) for scope in leaf["path"])
        queries[scopes.get(by, "") if by in ("team", "project", "org") else leaf.get(by, "")] += 1
    assert {group.name: group.queries for group in made.groups} == queries
    for kind in CLASSES:
        assert sum(g.classes[kind].count for g in made.groups) == made.whole.classes[kind].count
    total = sum(Decimal(group.cost.total_usd) for group in made.groups)
    assert total == Decimal(made.whole.cost.total_usd)


def nearest(values: list[int], percent: int) -> int:
    return sorted(values)[max(1, -(-len(values) * percent // 100)) - 1]


def test_times_are_percentiles_of_what_was_answered(told: Told, made: Performance) -> None:
    answered = [leaf for kind, leaf, _ in counted(told) if kind == "answered"]
    streams = [leaf for leaf in answered if leaf.get("stream")]
    totals = [leaf["total_us"] for leaf in answered]
    firsts = [leaf["first_byte_us"] for leaf in streams]
    paces = [
        leaf["usage"]["output"] * 10**9 // (leaf["total_us"] - leaf["first_byte_us"])
        for leaf in streams
        if leaf["total_us"] > leaf["first_byte_us"] and leaf["usage"].get("output")
    ]
    for figure, values in (
        (made.whole.latency, totals),
        (made.whole.first_event, firsts),
        (made.whole.throughput, paces),
    ):
        assert figure.n == len(values)
        for percent in (50, 95, 99):
            found = getattr(figure, f"p{percent}")
            assert found.value == nearest(values, percent)
            assert found.low <= found.value <= found.high
    assert made.whole.latency.p50 is not None
    assert made.whole.latency.p50.value == statistics.median_low(totals)


def test_truncation_is_of_the_answers_that_say_why_they_ended(
    told: Told, made: Performance
) -> None:
    words = Counter(leaf.get("finish", "") for k, leaf, _ in counted(told) if k == "answered")
    assert made.whole.finishes == words and words[""] > 0
    assert made.whole.truncated.count == words["length"] > 0
    assert made.whole.truncated.of == sum(words.values()) - words[""]


def test_costs_are_exact(told: Told, made: Performance) -> None:
    costs = [Decimal(leaf["cost_usd"]) for kind, leaf, _ in counted(told) if kind == "answered"]
    cost = made.whole.cost
    assert (cost.n, cost.unknown) == (len(costs), 0)
    assert Decimal(cost.total_usd) == sum(costs)
    mean = statistics.mean(costs)
    nano = Decimal("0.000000001")
    assert cost.mean_usd is not None and 0 <= Decimal(cost.mean_usd) - mean < nano
    half = statistics.stdev(costs) * Decimal("1.959963984540054") / Decimal(len(costs)).sqrt()
    assert cost.mean_low_usd is not None and cost.mean_high_usd is not None
    assert abs(Decimal(cost.mean_high_usd) - (mean + half)) < 3 * nano
    assert abs(Decimal(cost.mean_low_usd) - (mean - half)) < 3 * nano
    values = [int(c * SECOND) for c in costs]
    assert cost.nanodollars.p50 is not None and cost.nanodollars.p95 is not None
    assert cost.nanodollars.p50.value == nearest(values, 50)
    assert cost.nanodollars.p95.value == nearest(values, 95)


def test_refusals_are_summed_by_why(told: Told, made: Performance) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for leaf in told.leaves:
        if leaf["kind"] == "refused" and SINCE <= leaf["at"] < UNTIL:
            expected[leaf["code"], leaf.get("scope", "")] += leaf["count"]
    assert {(each.code, each.scope): each.count for each in made.refusals} == expected
    assert len(expected) == 2
    assert made.refused.count == sum(expected.values())
    assert made.refused.of == made.refused.count + made.whole.queries


def test_every_figure_says_between_which_leaves_it_is(told: Told, made: Performance) -> None:
    found = counted(told)
    indices = [index for kind, _, index in found if kind == "answered"]
    assert made.whole.latency.leaves is not None
    leaves = made.whole.latency.leaves
    assert (leaves.first, leaves.last) == (min(indices), max(indices))
    assert made.leaves is not None and made.tree_size == told.log.head.size
    for group in [made.whole, *made.groups]:
        for figure in (group.availability, group.latency, group.truncated, group.cost):
            assert figure.leaves is not None
            assert made.leaves.first <= figure.leaves.first <= figure.leaves.last
            assert figure.leaves.last <= made.leaves.last


def test_nothing_is_sent_twice(told: Told, made: Performance) -> None:
    sent = made.attempts
    assert (sent.attempts, sent.retries, sent.fallbacks) == (sent.queries, 0, 0)
    assert sent.queries == made.whole.queries


def test_attempts_at_one_query_would_be_seen(told: Told) -> None:
    """Were a query to end at two providers, that is a fallback; twice at one, a retry."""
    facts = told.facts
    rows = facts.of("settled").nonzero()[0]
    hold, provider = facts.hold.copy(), facts.provider
    other = next(row for row in rows[1:] if provider[row] != provider[rows[0]])
    same = next(row for row in rows[1:] if provider[row] == provider[rows[0]])
    hold[other] = hold[same] = hold[rows[0]]
    sent = performance(msgspec.structs.replace(facts, hold=hold)).attempts
    assert (sent.attempts - sent.queries, sent.retries, sent.fallbacks) == (2, 1, 1)


def test_the_same_facts_make_the_same_bytes(told: Told, made: Performance) -> None:
    again = performance(facts_in(told.log))
    assert msgspec.json.encode(again) == msgspec.json.encode(made)


def test_a_period_without_queries_has_figures_of_nothing(told: Told) -> None:
    made = performance(facts_in(told.log, END + 10**18, END + 2 * 10**18))
    assert (made.whole.queries, made.groups, made.leaves) == (0, [], None)
    assert made.whole.availability.rate is None and made.whole.latency.p50 is None
    assert (made.whole.cost.total_usd, made.whole.cost.mean_usd) == ("0", None)
    msgspec.json.encode(made)


def test_too_few_have_no_interval(tmp_path: Any) -> None:
    def query(number: int) -> list[Any]:
        hold = Hold(BEGIN, f"q{number}", "k", ("key:k",), "p", "m", "m", "chat", True, 9, 9, 1, 1,
                    "b", "w")  # fmt: skip
        return [hold, Settle(BEGIN, f"q{number}", 5, Usage(output=1), 200, 10, 20, finish="length")]

    entries = [Genesis(BEGIN, "one"), *query(1), *query(2), *query(3)]
    made = performance(facts_in(make_log(tmp_path, entries)))
    latency = made.whole.latency.p50
    assert latency is not None and (latency.value, latency.low, latency.high) == (20, None, None)
    assert (made.whole.cost.mean_usd, made.whole.cost.mean_low_usd) == ("0.000000005", None)
    assert made.whole.truncated.low is not None and 0.4 < made.whole.truncated.low < 0.5
