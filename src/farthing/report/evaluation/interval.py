"""How sure a figure is: 95 % confidence intervals.

A mean of scores between 0 and 1 has Wilson's interval (E. B. Wilson, JASA 22, 1927), by samples: of
all such scores those that are 0 or 1 vary most, so it is wide enough for what lies between as well.
Of any other figure it is 1.96 of the standard errors that the framework computed, if it did.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

# The standard normal's 97.5 % point.
Z = 1.959963984540054
PLACES = Decimal("0.000001")
# A framework sums in another order than we do.
SAME = 1e-9

WILSON, NORMAL = "wilson-95", "normal-95"


class Interval(NamedTuple):
    """An interval's ends, rounded outwards, and how it was made."""

    low: str = ""
    high: str = ""
    method: str = ""


def interval(value: float, scores: Sequence[float], stderr: float | None) -> Interval:
    """Return the interval of a figure; `scores` are the samples', where they are numbers."""
    if scores and _is_mean(value, scores) and all(0 <= score <= 1 for score in scores):
        return Interval(*_outwards(*wilson(value, len(scores))), WILSON)
    if stderr is not None and math.isfinite(stderr) and math.isfinite(value):
        return Interval(*_outwards(value - Z * stderr, value + Z * stderr), NORMAL)
    return Interval()


def wilson(share: float, n: int) -> tuple[float, float]:
    """Return Wilson's interval of a share of n."""
    spread = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    middle, whole = share + Z * Z / (2 * n), 1 + Z * Z / n
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def _is_mean(value: float, scores: Sequence[float]) -> bool:
    return abs(math.fsum(scores) / len(scores) - value) < SAME


def _outwards(low: float, high: float) -> tuple[str, str]:
    return (
        str(Decimal(low).quantize(PLACES, ROUND_FLOOR)),
        str(Decimal(high).quantize(PLACES, ROUND_CEILING)),
    )
