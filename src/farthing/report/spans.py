"""Periods of a statement, from one named period up to another, and their slices; UTC."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import NamedTuple

from farthing import clock
from farthing.errors import ConfigError
from farthing.report import period

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
    """Read a period as people write it: a name, or one name up to another.

    Raises:
        ConfigError: it is none; the message says how one is written.
    """
    first, _, last = text.partition("..")
    found = period.period_of(first)
    until = period.period_of(last).until if last else found.until
    if found.since >= until:
        raise ConfigError(f"{text!r} ends before it begins; write {FORMS}")
    return Period(text, found.since, until)


# The longest period that is shown in slices of so many days; longer ones are shown by months.
BY_DAYS, BY_WEEKS = 35, 190


def slices_of(whole: Period, until: int) -> tuple[str, list[Slice]]:
    """Return what a period's slices are called, and those that have begun by a moment."""
    first = clock.moment(whole.begins).date()
    if whole.days > BY_WEEKS:
        word, edges = "month", _month_edges(whole)
    else:
        step = 1 if whole.days <= BY_DAYS else 7
        word = "day" if step == 1 else "week"
        edges = [first + timedelta(days=n) for n in range(0, whole.days, step)]
    moments = [whole.begins, *map(_beginning, edges[1:]), whole.ends]
    form = "%b %Y" if word == "month" else "%-d %b"
    found = [
        Slice(f"{day:{form}}", begins, ends)
        for day, begins, ends in zip(edges, moments, moments[1:], strict=False)
        if begins < until
    ]
    return word, found


def _month_edges(whole: Period) -> list[date]:
    edges, begins = [], whole.begins
    while begins < whole.ends:
        edges.append(clock.moment(begins).date())
        begins = period.month_of(begins).until
    return edges


def _beginning(day: date) -> int:
    return period.period_of(day.isoformat()).since
