"""Intervals: against their definitions, and whether they cover what they should."""

from __future__ import annotations

from fractions import Fraction
from math import comb, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.report.intervals import MEAN_LEAST, Z, mean, rank, ranks, wilson


def binomial(count: int, of: int, percent: int) -> Fraction:
    """P(B ≤ count), exactly."""
    ways = (comb(of, k) * percent**k * (100 - percent) ** (of - k) for k in range(count + 1))
    return Fraction(sum(ways), 100**of)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 400), st.sampled_from([50, 95, 99]))
def test_two_order_statistics_cover_a_percentile_whatever_is_measured(
    of: int, percent: int
) -> None:
    found = ranks(of, percent)
    if found is None:
        # Even the least and the greatest of them leave more than 2.5 % outside on a side.
        least, most = binomial(0, of, percent), 1 - binomial(of - 1, of, percent)
        assert least > Fraction(25, 1000) or most > Fraction(25, 1000)
        return
    low, high = found
    assert 1 <= low <= rank(of, percent) <= high <= of
    covered = binomial(high - 1, of, percent) - binomial(low - 1, of, percent)
    assert covered >= Fraction(95, 100)
    # Neither side can be moved inwards.
    assert binomial(low, of, percent) > Fraction(25, 1000)
    assert binomial(high - 2, of, percent) < Fraction(975, 1000)


@pytest.mark.parametrize(
    ("of", "percent", "expected"),
    [
        (1, 50, None), (5, 50, None), (6, 50, (1, 6)), (100, 50, (40, 61)), (71, 95, None),
        (367, 99, None), (368, 99, (360, 368)),
    ],
)  # fmt: skip
def test_how_many_are_too_few(of: int, percent: int, expected: tuple[int, int] | None) -> None:
    assert ranks(of, percent) == expected


def test_a_percentile_is_the_least_value_that_so_many_reach() -> None:
    for of in (1, 2, 19, 20, 21, 100, 101):
        values = np.arange(of) * 7
        for percent in (50, 95, 99):
            expected = np.percentile(values, percent, method="inverted_cdf")
            assert values[rank(of, percent) - 1] == expected, (of, percent)


def test_intervals_of_percentiles_cover_in_fact() -> None:
    """A thousand samples of 200 of a skewed distribution, whose percentiles are known."""
    draw = np.random.default_rng(1)
    samples = np.sort(draw.exponential(size=(1_000, 200)), axis=1)
    for percent in (50, 95):
        low, high = ranks(200, percent) or (0, 0)
        true = -np.log(1 - percent / 100)
        covered = (samples[:, low - 1] <= true) & (true <= samples[:, high - 1])
        assert 0.94 <= covered.mean() <= 0.985


def test_wilsons_interval_is_what_others_calculate() -> None:
    assert wilson(0, 0) is None
    assert wilson(0, 10) == pytest.approx((0.0, 0.277533), abs=1e-6)
    assert wilson(10, 10) == pytest.approx((0.722467, 1.0), abs=1e-6)
    # Newcombe, Statistics in Medicine 17 (1998), table I.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)


@settings(deadline=None)
@given(st.integers(1, 10**7).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_wilsons_bounds_are_where_a_score_test_begins_to_refuse(told: tuple[int, int]) -> None:
    count, of = told
    low, high = wilson(count, of) or (0, 0)
    assert 0 <= low <= count / of <= high <= 1
    for bound in (low, high):
        if 0 < bound < 1:
            score = (count / of - bound) / sqrt(bound * (1 - bound) / of)
            assert abs(score) == pytest.approx(Z, rel=1e-3)


def test_wilsons_interval_covers_in_fact() -> None:
    draw = np.random.default_rng(2)
    for true in (0.003, 0.1, 0.5, 0.98):
        counts = draw.binomial(1_000, true, size=2_000)
        bounds = [wilson(int(count), 1_000) or (1, 0) for count in counts]
        assert 0.93 <= np.mean([low <= true <= high for low, high in bounds]) <= 0.98


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 2**62), min_size=MEAN_LEAST, max_size=80))
def test_a_mean_of_amounts_is_exact_and_its_interval_holds_it(values: list[int]) -> None:
    of, total = len(values), sum(values)
    middle, between = mean(total, sum(v * v for v in values), of)
    assert middle - 1 < Fraction(total, of) <= middle
    assert between is not None and between[0] <= Fraction(total, of) <= between[1]
    deviation = float(np.std([float(v) for v in values], ddof=1))
    if deviation > 10**6:
        half = pytest.approx(Z * deviation / sqrt(of), rel=1e-6, abs=2)  # bounds are whole
        assert between[1] - middle == half


def test_a_mean_of_few_has_no_interval_and_one_of_equals_has_no_width() -> None:
    assert mean(29 * 5, 29 * 25, 29) == (5, None)
    assert mean(40 * 5, 40 * 25, 40) == (5, (5, 5))


def test_intervals_of_means_cover_in_fact() -> None:
    draw = np.random.default_rng(3)
    samples = (draw.exponential(10**6, size=(1_000, 200))).astype(np.int64)
    hits = 0
    for row in samples.tolist():
        _, between = mean(sum(row), sum(v * v for v in row), len(row))
        hits += between is not None and between[0] <= 10**6 <= between[1]
    assert 0.92 <= hits / 1_000 <= 0.97
