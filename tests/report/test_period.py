"""Periods: their edges, to the nanosecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing import clock
from farthing.errors import ConfigError
from farthing.report.period import moment_of, month_of, period_of


@pytest.mark.parametrize(
    ("name", "since", "until"),
    [
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-Q1", "2026-01-01", "2026-04-01"),
        ("2026-Q3", "2026-07-01", "2026-10-01"),
        ("2026-Q4", "2026-10-01", "2027-01-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2024-02", "2024-02-01", "2024-03-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("2016-12-31", "2016-12-31", "2017-01-01"),  # a leap second's day: as long as any other
    ],
)
def test_a_period_is_from_midnight_to_midnight_in_utc(name: str, since: str, until: str) -> None:
    period = period_of(name)
    told = (clock.iso(period.since), clock.iso(period.until))
    assert told == (f"{since}T00:00:00.000Z", f"{until}T00:00:00.000Z")


@pytest.mark.parametrize(
    "name", ["", "26", "2026-Q5", "2026-13", "2026-00", "2026-02-29", "2026-Q1-01", "2026-7", "x"]
)
def test_what_is_no_period_is_refused_with_what_to_write(name: str) -> None:
    with pytest.raises(ConfigError, match="write 2026, 2026-Q3, 2026-07 or 2026-07-15"):
        period_of(name)


@given(st.integers(1970, 9998), st.integers(1, 12))
def test_months_follow_one_another_without_a_gap(year: int, month: int) -> None:
    period = period_of(f"{year}-{month:02d}")
    assert month_of(period.since) == month_of(period.until - 1) == period
    assert month_of(period.until).since == period.until


def test_a_moment_is_a_date_or_a_time() -> None:
    day = int(datetime(2026, 7, 15, tzinfo=UTC).timestamp()) * clock.SECOND
    assert moment_of("2026-07-15") == day
    assert moment_of("2026-07-15T02:00+02:00") == day
    assert moment_of("2026-07-15T00:00:00.000001Z") == day + 1000
    noon = datetime(2026, 7, 15, tzinfo=UTC) + timedelta(hours=12)
    assert clock.moment(moment_of("2026-07-15T12:00")) == noon
    with pytest.raises(ConfigError, match="is no time"):
        moment_of("yesterday")
