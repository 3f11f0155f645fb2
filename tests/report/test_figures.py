"""Figures of a handful of rows, by hand."""

from __future__ import annotations

import numpy as np
from tests.report.conftest import Told

from farthing.report.figures import Leaves, costs, leaves_of, percentiles, rate, rate_of


def test_a_rate_counts_only_what_it_is_of(told: Told) -> None:
    facts = told.facts
    of = np.zeros(len(facts), bool)
    of[[3, 5, 8, 9]] = True
    counted = np.zeros(len(facts), bool)
    counted[[5, 9, 11]] = True
    found = rate(facts, counted, of)
    assert (found.count, found.of, found.rate) == (2, 4, 0.5)
    assert found.leaves == Leaves(int(facts.index[3]), int(facts.index[9]))
    assert found.low is not None and found.high is not None and found.low < 0.5 < found.high


def test_a_rate_of_nothing_is_unknown(told: Told) -> None:
    nothing = np.zeros(len(told.facts), bool)
    assert leaves_of(told.facts, nothing) is None
    assert rate_of(0, 0, None).rate is None


def test_percentiles_say_where_they_are_from(told: Told) -> None:
    rows = np.zeros(len(told.facts), bool)
    rows[10:110] = True
    values = np.arange(len(told.facts))[::-1].copy()
    found = percentiles(told.facts, rows, values, "things")
    assert (found.n, found.unit) == (100, "things") and found.p50 is not None
    low = int(values[109])
    assert found.p50.value - low == 49 and found.p50.low == low + 39 and found.p50.high == low + 60
    assert found.p99 is not None and found.p99.low is None


def test_an_unknown_cost_is_not_nothing(told: Told) -> None:
    facts = told.facts
    everything = np.ones(len(facts), bool)
    found = costs(facts, everything)
    assert found.unknown == int((facts.cost < 0).sum()) > 0
    assert found.n + found.unknown == len(facts)
