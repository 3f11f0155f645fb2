"""Which models were in use: what the leaves say, summed here by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from tests.report.conftest import BEGIN, END, Told

from farthing import clock, money
from farthing.report.inuse import in_use


def within(told: Told) -> list[dict[str, Any]]:
    """The leaves of the period."""
    since, until = clock.iso(BEGIN), clock.iso(END)
    return [leaf for leaf in told.leaves if since <= leaf["at"] < until]


def test_every_version_that_answered_is_there_once(told: Told) -> None:
    uses = in_use(told.facts)
    names = [(use.provider, use.model, use.version) for use in uses]
    wanted = {
        (leaf["provider"], leaf["model"], leaf["answered_model"])
        for leaf in within(told) if leaf.get("answered_model")
    }  # fmt: skip
    assert names == sorted(set(names)) and {name for name in names if name[2]} == wanted


def test_counts_and_costs_are_the_leaves(told: Told) -> None:
    counts, spent = Counter[str](), Counter[str]()
    for leaf in within(told):
        if leaf["kind"] == "settle" and leaf.get("answered_model"):
            name = f"{leaf['provider']}/{leaf['model']}@{leaf['answered_model']}"
            counts[name] += 1
            spent[name] += money.nanodollars(leaf["cost_usd"])
    for use in in_use(told.facts):
        if use.version:
            name = f"{use.name}@{use.version}"
            assert use.queries >= counts[name] > 0
            assert money.nanodollars(use.cost) == spent[name]
            assert use.leaves.first <= use.leaves.last


def test_metrics_have_intervals_and_numbers(told: Told) -> None:
    (first, *_) = in_use(told.facts)
    kinds = [metric.type for metric in first.metrics]
    assert kinds[0] == "availability" and "time to the whole answer, p95, microseconds" in kinds
    for metric in first.metrics:
        assert metric.n > 0
        if metric.low:  # of few there is no interval of a high percentile
            assert float(metric.low) <= float(metric.value) <= float(metric.high)


def test_an_evaluation_of_one_model_alone_is_its(told: Told) -> None:
    use = in_use(told.facts)[0]
    leaf = {"kind": "evaluation", "served": [use.name], "task": "arithmetic"}
    shared = {**leaf, "served": [use.name, "p/other"]}
    facts = msgspec.structs.replace(told.facts, others=[(3, leaf), (4, shared)])
    assert in_use(facts)[0].evaluations == ((3, leaf),)
