"""Time as integers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing import clock

# Until the year 2262, where 64 signed bits of nanoseconds end.
readings = st.integers(0, 2**63 - 1)


@pytest.mark.parametrize(
    ("reading", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (999_999, "1970-01-01T00:00:00.000Z"),
        (1_000_000, "1970-01-01T00:00:00.001Z"),
        (1_999_999_999, "1970-01-01T00:00:01.999Z"),
        (1_767_225_599_999_999_999, "2025-12-31T23:59:59.999Z"),
        (1_767_225_600_000_000_000, "2026-01-01T00:00:00.000Z"),
    ],
)
def test_a_reading_is_written_in_utc_and_never_rounded_into_the_future(
    reading: int, text: str
) -> None:
    assert clock.iso(reading) == text


@settings(deadline=None)
@given(readings)
def test_what_is_written_is_less_than_a_millisecond_behind(reading: int) -> None:
    written = datetime.fromisoformat(clock.iso(reading)) - datetime(1970, 1, 1, tzinfo=UTC)
    behind = reading - (written // timedelta(milliseconds=1)) * 1_000_000
    assert 0 <= behind < 1_000_000


@settings(deadline=None)
@given(readings)
def test_a_moment_is_the_whole_second_in_utc(reading: int) -> None:
    found = clock.moment(reading)
    assert found.tzinfo is UTC
    assert found.microsecond == 0
    assert int(found.timestamp()) == reading // clock.SECOND


def test_clocks_read_integers() -> None:
    assert type(clock.wall()) is int
    assert type(clock.monotonic()) is int
    assert clock.monotonic() <= clock.monotonic()
    assert clock.moment(clock.wall()).year >= 2026
