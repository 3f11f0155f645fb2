"""Periods as people write them, and their slices."""

from __future__ import annotations

from itertools import pairwise

import pytest

from farthing import clock
from farthing.errors import ConfigError
from farthing.report.spans import period_of, slices_of


@pytest.mark.parametrize(
    ("text", "begins", "ends", "words"),
    [
        ("2026", "2026-01-01", "2027-01-01", "2026"),
        ("2026-Q1", "2026-01-01", "2026-04-01", "quarter 1 of 2026"),
        ("2026-Q4", "2026-10-01", "2027-01-01", "quarter 4 of 2026"),
        ("2026-12", "2026-12-01", "2027-01-01", "December 2026"),
        ("2028-02", "2028-02-01", "2028-03-01", "February 2028"),
        ("2026-09-15", "2026-09-15", "2026-09-16", "15 September 2026"),
        ("2026-09-01..2026-09-15", "2026-09-01", "2026-09-16", "2026-09-01 to 2026-09-15"),
        ("2026-07..2026-09", "2026-07-01", "2026-10-01", "2026-07 to 2026-09"),
    ],
)
def test_what_can_be_written(text: str, begins: str, ends: str, words: str) -> None:
    found = period_of(text)
    assert (clock.iso(found.begins)[:10], clock.iso(found.ends)[:10]) == (begins, ends)
    assert found.words == words


@pytest.mark.parametrize(
    "text", ["", "last month", "2026-Q5", "2026-13", "2026-02-30", "26", "2026-09-02..2026-09-01"]
)
def test_what_cannot_says_how_it_is_written(text: str) -> None:
    with pytest.raises(ConfigError, match="2026-Q3"):
        period_of(text)


@pytest.mark.parametrize(
    ("text", "word", "count", "first", "last"),
    [
        ("2026-09", "day", 30, "1 Sep", "30 Sep"),
        ("2026-Q3", "week", 14, "1 Jul", "30 Sep"),
        ("2026", "month", 12, "Jan 2026", "Dec 2026"),
    ],
)
def test_slices_cover_the_period_and_no_more(
    text: str, word: str, count: int, first: str, last: str
) -> None:
    period = period_of(text)
    named, slices = slices_of(period, period.ends)
    assert (named, len(slices), slices[0].label, slices[-1].label) == (word, count, first, last)
    assert slices[0].begins == period.begins and slices[-1].ends == period.ends
    assert all(one.ends == other.begins for one, other in pairwise(slices))


def test_slices_that_have_not_begun_are_left_out() -> None:
    period = period_of("2026-09")
    assert len(slices_of(period, period.begins + 1)[1]) == 1
