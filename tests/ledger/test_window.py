"""Windows: where each begins and ends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.clock import SECOND
from farthing.ledger.window import EVER, WINDOWS, bounds

CALENDAR = ("month", "day", "hour")
# The last moment that 64 bits can tell is in April 2262; its month has no end that they can.
moments = st.integers(0, int(datetime(2262, 3, 1, tzinfo=UTC).timestamp()) * SECOND)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text + "+00:00").timestamp()) * SECOND


@pytest.mark.parametrize(
    ("window", "moment", "start", "end"),
    [
        ("hour", "2026-11-23T14:59:59", "2026-11-23T14:00:00", "2026-11-23T15:00:00"),
        ("hour", "2026-12-31T23:30:00", "2026-12-31T23:00:00", "2027-01-01T00:00:00"),
        ("day", "2026-11-23T14:59:59", "2026-11-23T00:00:00", "2026-11-24T00:00:00"),
        ("day", "2028-02-28T12:00:00", "2028-02-28T00:00:00", "2028-02-29T00:00:00"),
        ("day", "2028-02-29T12:00:00", "2028-02-29T00:00:00", "2028-03-01T00:00:00"),
        ("day", "2027-02-28T12:00:00", "2027-02-28T00:00:00", "2027-03-01T00:00:00"),
        ("month", "2026-11-23T14:59:59", "2026-11-01T00:00:00", "2026-12-01T00:00:00"),
        ("month", "2026-12-31T23:59:59", "2026-12-01T00:00:00", "2027-01-01T00:00:00"),
        ("month", "2027-01-31T00:00:00", "2027-01-01T00:00:00", "2027-02-01T00:00:00"),
        ("month", "2027-02-01T00:00:00", "2027-02-01T00:00:00", "2027-03-01T00:00:00"),
        ("month", "2028-02-29T23:59:59", "2028-02-01T00:00:00", "2028-03-01T00:00:00"),
        ("month", "2100-02-28T23:59:59", "2100-02-01T00:00:00", "2100-03-01T00:00:00"),
        # Clocks of people change on this day; those of limits do not.
        ("day", "2027-03-28T01:30:00", "2027-03-28T00:00:00", "2027-03-29T00:00:00"),
        ("hour", "1970-01-01T00:00:00", "1970-01-01T00:00:00", "1970-01-01T01:00:00"),
    ],
)
def test_a_window_of_the_calendar(window: str, moment: str, start: str, end: str) -> None:
    assert bounds(window, at(moment)) == (at(start), at(end))
    assert bounds(window, at(moment) + SECOND - 1) == (at(start), at(end)), "its last nanosecond"


@pytest.mark.parametrize("window", CALENDAR)
@given(moment=moments)
def test_a_moment_is_in_its_window_and_windows_meet(window: str, moment: int) -> None:
    start, end = bounds(window, moment)
    assert start <= moment < end
    assert bounds(window, start) == bounds(window, end - 1) == (start, end)
    assert bounds(window, end)[0] == end, "the next one begins where this one ends"
    if start:
        assert bounds(window, start - 1)[1] == start


@given(moments)
def test_every_hour_is_in_one_day_and_every_day_in_one_month(moment: int) -> None:
    (hour, hour_end), (day, day_end) = bounds("hour", moment), bounds("day", moment)
    month, month_end = bounds("month", moment)
    assert month <= day <= hour < hour_end <= day_end <= month_end
    assert hour_end - hour == 3600 * SECOND
    assert day_end - day == 24 * 3600 * SECOND
    assert (month_end - month) // (24 * 3600 * SECOND) in (28, 29, 30, 31)


@given(st.integers(0, EVER - 1))
def test_ever_has_no_end_that_a_journal_can_tell(moment: int) -> None:
    assert bounds("ever", moment) == (0, 2**63 - 1)


def test_a_minute_slides_and_is_no_window_of_the_calendar() -> None:
    assert set(WINDOWS) == {*CALENDAR, "ever", "minute"}
    with pytest.raises(AssertionError, match="minute is no calendar window"):
        bounds("minute", 0)
