"""Periods of a statement: a year, a quarter, a month, a day, or days from one to another; UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from farthing import clock
from farthing.errors import ConfigError

FORMS = "2026, 2026-Q3, 2026-09, 2026-09-15, or 2026-09-01..2026-09-15"
FORM = re.compile(r"(?P<year>20\d\d)(-Q(?P<quarter>[1-4])|-(?P<month>\d\d)(-(?P<day>\d\d))?)?")


class Period(NamedTuple):
    """A span of time, from its first nanosecond to the first that is no more in it."""

    name: str
    begins: int
    ends: int

    @property
    def words(self) -> str:
        """Its name, as people say it."""
        found = FORM.fullmatch(self.name)
        first = clock.moment(self.begins)
        if found is None:
            return self.name.replace("..", " to ")
        if found["quarter"]:
            return f"quarter {found['quarter']} of {found['year']}"
        form = "%-d %B %Y" if found["day"] else "%B %Y" if found["month"] else "%Y"
        return f"{first:{form}}"

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.ends - self.begins) // (86_400 * clock.SECOND)

    def last_day(self) -> str:
        """Return its last day, as people say it."""
        return clock.iso(self.ends - clock.SECOND)[:10]


class Slice(NamedTuple):
    """A part of a period, for a trend."""

    label: str
    begins: int
    ends: int


def period_of(text: str) -> Period:
    """Read a period as people write it.

    Raises:
        ConfigError: it is none; the message says how one is written.
    """
    first, _, last = text.partition("..")
    try:
        begins, ends = _days(first)
        if last:
            ends = _days(last)[1]
    except ValueError:
        raise ConfigError(f"{text!r} is no period; write {FORMS}") from None
    if begins >= ends:
        raise ConfigError(f"{text!r} ends before it begins; write {FORMS}")
    return Period(text, _nanoseconds(begins), _nanoseconds(ends))


def _days(text: str) -> tuple[date, date]:
    """Return a form's first day, and the day after its last."""
    found = FORM.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year = int(found["year"])
    if found["day"]:
        day = date(year, int(found["month"]), int(found["day"]))
        return day, day + timedelta(days=1)
    if found["month"]:
        return _months(year, int(found["month"]), 1)
    if found["quarter"]:
        return _months(year, 3 * int(found["quarter"]) - 2, 3)
    return _months(year, 1, 12)


def _months(year: int, month: int, count: int) -> tuple[date, date]:
    after = month + count - 1
    return date(year, month, 1), date(year + after // 12, after % 12 + 1, 1)


def _nanoseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * clock.SECOND


# The longest period that is shown in slices of so many days; longer ones are shown by months.
BY_DAYS, BY_WEEKS = 35, 190


def slices_of(period: Period, until: int) -> tuple[str, list[Slice]]:
    """Return what a period's slices are called, and those that have begun by a moment."""
    first = clock.moment(period.begins).date()
    if period.days > BY_WEEKS:
        word, edges = "month", _month_edges(period)
    else:
        step = 1 if period.days <= BY_DAYS else 7
        word = "day" if step == 1 else "week"
        edges = [first + timedelta(days=n) for n in range(0, period.days, step)]
    moments = [*map(_nanoseconds, edges), period.ends]
    form = "%b %Y" if word == "month" else "%-d %b"
    found = [
        Slice(f"{day:{form}}", begins, ends)
        for day, begins, ends in zip(edges, moments, moments[1:], strict=False)
        if begins < until
    ]
    return word, found


def _month_edges(period: Period) -> list[date]:
    edges, day = [], clock.moment(period.begins).date()
    while _nanoseconds(day) < period.ends:
        edges.append(day)
        day = _months(day.year, day.month, 1)[1]
    return edges
