"""Windows of limits: how long what was spent counts. Calendar windows turn at UTC.

A minute slides: what was admitted in its last sixty seconds counts, by whole seconds, so that
no sixty seconds ever admit more than the limit. The others begin at midnight, on the hour or on
the first of the month, when people expect their budgets back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from farthing.clock import SECOND, moment

WINDOWS = ("ever", "month", "day", "hour", "minute")
EVER = 2**63 - 1


def bounds(window: str, at: int) -> tuple[int, int]:
    """Return the start and the end of the calendar window around a moment, in nanoseconds."""
    if window == "ever":
        return 0, EVER
    start = moment(at).replace(minute=0, second=0)
    if window == "hour":
        return _between(start, start + timedelta(hours=1))
    start = start.replace(hour=0)
    if window == "day":
        return _between(start, start + timedelta(days=1))
    assert window == "month", f"{window} is no calendar window"
    start = start.replace(day=1)
    return _between(start, (start + timedelta(days=32)).replace(day=1))


def _between(start: datetime, end: datetime) -> tuple[int, int]:
    return int(start.timestamp()) * SECOND, int(end.timestamp()) * SECOND
