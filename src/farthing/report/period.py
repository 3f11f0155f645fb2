"""Periods as people name them, in UTC: a year, a quarter, a month or a day."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import NamedTuple

from farthing.clock import SECOND
from farthing.errors import ConfigError

_NAMES = re.compile(r"(?P<year>[1-9][0-9]{3})(?:-Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2])"
                    r"(?:-(?P<day>[0-9]{2}))?)?")  # fmt: skip


class Period(NamedTuple):
    """From a moment up to another, in nanoseconds since 1970."""

    since: int
    until: int


def period_of(name: str) -> Period:
    """Return the period of a name: 2026, 2026-Q3, 2026-07 or 2026-07-15.

    Raises:
        ConfigError: it is none of these.
    """
    found = _NAMES.fullmatch(name)
    if found is None:
        raise _unreadable(name)
    year, quarter, month, day = (int(part) if part else 0 for part in found.groups())
    try:
        if day:
            first = date(year, month, day)
            return Period(_start(first), _start(date.fromordinal(first.toordinal() + 1)))
        begin = 3 * quarter - 2 if quarter else month or 1
        months = 3 if quarter else 1 if month else 12
        return Period(_month(year, begin), _month(year, begin + months))
    except ValueError:
        raise _unreadable(name) from None


def month_of(moment: int) -> Period:
    """Return the month that a moment is in."""
    now = datetime.fromtimestamp(moment // SECOND, UTC)
    return Period(_month(now.year, now.month), _month(now.year, now.month + 1))


def moment_of(text: str) -> int:
    """Return a moment: a date (its beginning), or a date with a time, in UTC unless it says else.

    Raises:
        ConfigError: it is neither.
    """
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is no time; write 2026-07-15 or 2026-07-15T12:00Z") from None
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    whole = int(told.replace(microsecond=0).timestamp())
    return whole * SECOND + told.microsecond * 1000


def _unreadable(name: str) -> ConfigError:
    return ConfigError(f"{name!r} is no period; write 2026, 2026-Q3, 2026-07 or 2026-07-15")


def _month(year: int, month: int) -> int:
    """Return when a month begins, counted on into the next year."""
    return _start(date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1))


def _start(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND
