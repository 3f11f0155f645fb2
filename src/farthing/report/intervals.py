"""How sure a figure is: intervals of 95 % that assume as little as can be.

A rate's is Wilson's (1927). A percentile's is two order statistics: which ones follows from the
binomial distribution alone, whatever the values' own is (David, Nagaraja: Order Statistics, §7.1).
A mean's is the normal approximation of the central limit theorem, in whole numbers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from fractions import Fraction
from functools import lru_cache
from math import isqrt, sqrt

from scipy.special import bdtr

TAIL = 0.025
Z = 1.959963984540054
"""The normal distribution's 97.5th percentile."""
_Z_SQUARED = Fraction(Z) ** 2

# Below it, a mean's distribution is too far from normal to say anything by it.
MEAN_LEAST = 30


def wilson(count: int, of: int) -> tuple[float, float] | None:
    """Return the interval of a rate; None of nothing."""
    if of == 0:
        return None
    rate, spread = count / of, Z * Z / of
    middle = (rate + spread / 2) / (1 + spread)
    half = sqrt(rate * (1 - rate) * spread + spread * spread / 4) / (1 + spread)
    # At the ends rounding must not cut off what was seen.
    low = 0.0 if count == 0 else max(0.0, middle - half)
    return low, 1.0 if count == of else min(1.0, middle + half)


def rank(of: int, percent: int) -> int:
    """Return which of so many values, from 1, a percentile is: the least that so many reach."""
    return max(1, -(-of * percent // 100))


@lru_cache(4096)
def ranks(of: int, percent: int) -> tuple[int, int] | None:
    """Return the values, from 1, between which a percentile is; None where they are too few."""

    def at_most(count: int) -> float:
        return float(bdtr(count, of, percent / 100))

    low = bisect_right(range(of), TAIL, key=at_most)
    high = bisect_left(range(of), 1 - TAIL, key=at_most) + 1
    return (low, high) if low >= 1 and high <= of else None


def mean(total: int, squares: int, of: int) -> tuple[int, tuple[int, int] | None]:
    """Return a mean and its interval, from the sum of so many whole numbers and of their squares.

    Rounded outwards, the mean itself upwards; of fewer than `MEAN_LEAST` there is no interval.
    """
    middle = -(-total // of)
    if of < MEAN_LEAST:
        return middle, None
    variance = Fraction(of * squares - total * total, of * (of - 1))
    squared = _Z_SQUARED * variance / of
    half = isqrt(-(-squared.numerator // squared.denominator) - 1) + 1 if squared else 0
    return middle, (max(0, total // of - half), middle + half)
