"""Intervals against SciPy's, and what has none."""

from __future__ import annotations

import math

import pytest
from scipy.stats import binomtest

from farthing.report.evaluation.interval import NORMAL, WILSON, Z, interval, wilson


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (0, 9), (9, 9), (2, 3), (37, 400)])
def test_wilsons_interval_is_scipys(right: int, n: int) -> None:
    theirs = binomtest(right, n).proportion_ci(method="wilson")
    assert wilson(right / n, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    low, high, method = interval(right / n, [1.0] * right + [0.0] * (n - right), stderr=9.0)
    assert method == WILSON
    assert 0 <= theirs.low - float(low) < 1.1e-6 and 0 <= float(high) - theirs.high < 1.1e-6


def test_scores_between_nothing_and_one_have_it_as_well() -> None:
    assert interval(0.5, [0.25, 0.75, 0.5], None) == interval(0.5, [0, 1, 0.5], None)


@pytest.mark.parametrize(
    ("value", "scores"),
    [(3.0, [2.0, 4.0]), (0.9, [0.0, 1.0]), (0.5, [])],
    ids=["beyond one", "no mean", "no numbers"],
)
def test_of_another_figure_it_is_the_frameworks_standard_error(
    value: float, scores: list[float]
) -> None:
    low, high, method = interval(value, scores, stderr=0.1)
    assert method == NORMAL
    assert float(low) == pytest.approx(value - Z * 0.1, abs=1e-6)
    assert float(high) == pytest.approx(value + Z * 0.1, abs=1e-6)
    for unknown in (None, math.nan):
        assert interval(value, scores, unknown) == ("", "", "")
