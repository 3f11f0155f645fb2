"""Meters: what one limit counts in its window, whatever the clock does."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.clock import SECOND
from farthing.ledger.meter import SET_BACK, SLIDING, UNITS, AnyMeter, SlidingMeter, new_meter
from farthing.ledger.window import bounds

HOUR, DAY = 3600 * SECOND, 24 * 3600 * SECOND
NOON = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()) * SECOND
NEXT = {"hour": NOON + HOUR, "day": NOON + DAY // 2, "month": NOON + DAY // 2}
calendar = pytest.mark.parametrize("window", ["hour", "day", "month"])


def meter(window: str, amount: int = 10) -> AnyMeter:
    return new_meter("usd", window, amount, False)


def fits(of: AnyMeter, wanted: int, now: int) -> bool:
    return sum(of.used(now)) + wanted <= of.amount


def again(of: AnyMeter) -> AnyMeter:
    """Return a meter as a snapshot gives it back."""
    form = msgspec.msgpack.encode(of, order="deterministic")
    meter: AnyMeter = msgspec.msgpack.decode(form, type=AnyMeter)
    return meter


@pytest.mark.parametrize(
    ("number", "unit"), [(0, "usd"), (1, "tokens"), (2, "requests"), (3, "concurrent")]
)
def test_a_new_meter_counts_nothing_yet(number: int, unit: str) -> None:
    made = new_meter(unit, "day", 7, True)
    assert (made.unit, made.window, made.amount, made.soft) == (number, "day", 7, True)
    assert UNITS[made.unit] == unit
    assert made.used(NOON) == (0, 0)


def test_a_minute_alone_slides() -> None:
    kinds = {w: type(meter(w)) is SlidingMeter for w in ("ever", "month", "day", "hour", "minute")}
    assert [window for window, slides in kinds.items() if slides] == ["minute"]


# -- windows of the calendar ------------------------------------------------------------------


def test_a_meter_without_a_window_counts_for_ever() -> None:
    ever = meter("ever")
    first = ever.hold(4, 1)
    ever.end(first, 4, 3)
    assert ever.used(2**62) == (3, 0)
    ever.end(ever.hold(5, 2**62), 5, 5)
    assert ever.used(0) == (8, 0)
    assert ever.refills(1, 5) is None


@calendar
def test_a_window_is_empty_again_from_its_end_on_and_not_a_nanosecond_before(window: str) -> None:
    some = meter(window)
    some.end(some.hold(6, NOON), 6, 4)
    some.hold(5, NOON)
    end = NEXT[window]
    assert some.used(end - 1) == (4, 5)
    assert some.used(end) == (0, 0)
    some.hold(1, end - 1)
    assert some.used(end - 1) == (4, 6)
    some.hold(2, end)
    assert some.used(end) == (0, 2)


@calendar
def test_a_query_counts_in_the_window_it_was_admitted_in_however_late_it_ends(window: str) -> None:
    some, end = meter(window), NEXT[window]
    late, gone = some.hold(6, end - 1), some.hold(3, end - 1)
    some.end(late, 6, 5)
    assert some.used(end - 1) == (5, 3)
    fresh = some.hold(7, end)
    some.end(gone, 3, 3)
    assert some.used(end) == (0, 7), "the end of a query of the window before changes nothing"
    some.end(fresh, 7, 1)
    assert some.used(end) == (1, 0)


@calendar
def test_a_clock_set_back_a_little_stays_in_the_window_that_is_open(window: str) -> None:
    some = meter(window)
    start = bounds(window, NOON)[0]
    some.end(some.hold(10, start), 10, 10)
    for back in (1, SECOND, SET_BACK):
        assert some.used(start - back) == (10, 0)
        assert not fits(some, 1, start - back)


@calendar
def test_a_clock_set_back_a_lot_opens_the_window_of_its_new_time(window: str) -> None:
    some = meter(window)
    start = bounds(window, NOON)[0]
    some.hold(10, start)
    back = start - SET_BACK - 1
    assert some.used(back) == (0, 0)
    some.hold(3, back)
    assert (some.starts, some.ends) == bounds(window, back)
    assert some.used(back) == (0, 3)


@calendar
def test_a_window_that_is_opened_twice_is_two_windows_to_the_queries_in_it(window: str) -> None:
    some = meter(window)
    first = some.hold(9, NOON)
    back = bounds(window, NOON)[0] - SET_BACK - 1
    some.hold(1, back)
    second = some.hold(2, NOON)
    some.end(first, 9, 9)
    assert some.used(NOON) == (0, 2), "the first query's end releases nothing of the second's"
    some.end(second, 2, 1)
    assert some.used(NOON) == (1, 0)


@calendar
@pytest.mark.parametrize("back", [0, 1, HOUR, SET_BACK])
def test_a_calendar_refills_at_its_end_to_the_nanosecond(window: str, back: int) -> None:
    some = meter(window)
    start = bounds(window, NOON)[0]
    some.hold(10, start)
    when = some.refills(10, start - back)
    assert when == bounds(window, start)[1]
    assert not fits(some, 1, when - 1)
    assert fits(some, 10, when)
    assert some.refills(11, start - back) is None, "it is larger than the limit itself"


@calendar
def test_a_meter_that_counts_nothing_tells_the_end_of_the_window_around_now(window: str) -> None:
    assert meter(window).refills(0, NOON) == NEXT[window]
    old = meter(window)
    old.hold(10, NOON - 40 * DAY)
    assert old.refills(0, NOON) == NEXT[window]


def test_a_period_is_told_from_others() -> None:
    for window, step in (
        ("hour", HOUR),
        ("day", DAY),
        ("month", 32 * DAY),
        ("minute", 60 * SECOND),
    ):
        some = meter(window)
        periods = []
        for now in (NOON, NOON + SECOND, NOON + step):
            some.hold(0, now)
            periods.append(some.period())
        assert periods[0] == periods[1] != periods[2], window


def test_more_is_never_released_than_was_held() -> None:
    for window in ("ever", "day", "minute"):
        some = meter(window)
        slot = some.hold(3, NOON)
        with pytest.raises(AssertionError, match="more was released than was held"):
            some.end(slot, 4, 0)


# -- the minute -------------------------------------------------------------------------------


def test_a_minute_is_sixty_whole_seconds_after_the_second_it_began_in() -> None:
    some = meter("minute")
    last = NOON + SECOND - 1
    some.hold(10, last)
    free = NOON + SLIDING * SECOND
    assert some.used(free - 1) == (0, 10)
    assert some.used(free) == (0, 0)
    assert free - last > 60 * SECOND
    assert some.refills(1, last) == some.refills(10, free - 1) == free


def test_what_a_query_of_the_minute_spends_counts_in_the_second_it_was_admitted_in() -> None:
    some = meter("minute")
    first, second = some.hold(4, NOON), some.hold(5, NOON + 30 * SECOND)
    some.end(first, 4, 3)
    assert some.used(NOON + 60 * SECOND) == (3, 5)
    assert some.used(NOON + 61 * SECOND) == (0, 5)
    some.end(second, 5, 1)
    assert some.used(NOON + 90 * SECOND) == (1, 0)
    assert some.used(NOON + 91 * SECOND) == (0, 0)


def test_a_query_that_ends_after_its_minute_changes_nothing() -> None:
    some = meter("minute")
    first = some.hold(4, NOON)
    second = some.hold(5, NOON + 61 * SECOND)
    some.end(first, 4, 4)
    assert some.used(NOON + 61 * SECOND) == (0, 5)
    some.end(second, 5, 5)
    assert some.used(NOON + 61 * SECOND) == (5, 0)


def test_a_minute_refills_as_its_seconds_grow_old() -> None:
    some = meter("minute")
    for seconds, quantity in ((0, 3), (10, 0), (20, 4), (30, 3)):
        some.hold(quantity, NOON + seconds * SECOND)
    now = NOON + 40 * SECOND
    expected = {1: 61, 3: 61, 4: 81, 7: 81, 8: 91, 10: 91}
    assert {w: (some.refills(w, now) or 0) - NOON for w in expected} == {
        w: seconds * SECOND for w, seconds in expected.items()
    }
    assert some.refills(11, now) is None


def test_a_clock_set_back_by_less_than_a_minute_goes_on_in_the_last_second() -> None:
    some = meter("minute")
    some.hold(4, NOON)
    slot = some.hold(3, NOON - 60 * SECOND)
    assert some.used(NOON - 60 * SECOND) == (0, 7)
    some.end(slot, 3, 2)
    assert some.used(NOON + 60 * SECOND) == (2, 4)
    assert some.used(NOON + 61 * SECOND) == (0, 0)


def test_a_clock_set_back_by_more_than_a_minute_does_not_lock_anybody_out() -> None:
    some = meter("minute")
    first = some.hold(10, NOON)
    back = NOON - 61 * SECOND
    assert some.used(back) == (0, 0)
    second = some.hold(6, back)
    third = some.hold(4, NOON)
    some.end(first, 10, 10)
    assert some.used(NOON) == (0, 4), "the same second, but not the first query's"
    some.end(second, 6, 6)
    some.end(third, 4, 1)
    assert some.used(NOON) == (1, 0)


def test_a_clock_set_back_between_two_seconds_that_count_keeps_both() -> None:
    some = meter("minute")
    some.hold(4, NOON)
    some.hold(6, NOON + 50 * SECOND)
    back = NOON - 15 * SECOND
    assert some.used(back) == (0, 10)
    assert some.refills(4, back) == NOON + 61 * SECOND
    assert some.refills(5, back) == NOON + 111 * SECOND


def test_a_minute_does_not_grow_with_its_queries() -> None:
    some = meter("minute", 10**9)
    assert isinstance(some, SlidingMeter)
    for tenth in range(5000):
        some.end(some.hold(3, NOON + tenth * SECOND // 10), 3, 2)
    assert len(some.seconds) <= SLIDING
    assert len(msgspec.msgpack.encode(some)) < 2000


class Minute:
    """Every query by itself: when it was admitted, and what it holds or has spent."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.counted: list[list[int]] = []

    def used(self, now: int) -> int:
        """What was admitted in this second and the sixty before it."""
        return sum(q for at, q in self.counted if at // SECOND > now // SECOND - SLIDING)

    def check(self) -> None:
        """No sixty seconds, wherever they begin, have admitted more than the limit."""
        for begins, _ in self.counted:
            within = [q for at, q in self.counted if begins <= at <= begins + 60 * SECOND]
            assert sum(within) <= self.limit


# Steps of the clock: small ones, whole seconds, and nearly or just over a minute.
waits = st.one_of(
    st.integers(0, 2 * SECOND),
    st.integers(0, 70).map(lambda seconds: seconds * SECOND),
    st.sampled_from([60 * SECOND - 1, 60 * SECOND, 61 * SECOND - 1, 61 * SECOND, SECOND - 1]),
)
steps = st.lists(
    st.tuples(waits, st.integers(0, 6), st.integers(0, 6), st.integers(0, 40)), max_size=60
)


@given(limit=st.integers(0, 12), start=st.integers(0, 3 * SECOND), steps=steps)
def test_no_sixty_seconds_ever_admit_more_than_the_limit(
    limit: int, start: int, steps: list[tuple[int, int, int, int]]
) -> None:
    """Against a model that keeps every query; with a snapshot after each step."""
    some, model = meter("minute", limit), Minute(limit)
    now, open_queries = NOON + start, list[tuple[int, list[int]]]()
    for wait, wanted, spent, which in steps:
        now += wait
        some = again(some)
        assert sum(some.used(now)) == model.used(now)
        if fits(some, wanted, now):
            counted = [now, wanted]
            model.counted.append(counted)
            open_queries.append((some.hold(wanted, now), counted))
        else:
            check_refill(some, wanted, now)
        if open_queries and which % 3:
            slot, counted = open_queries.pop(which % len(open_queries))
            held, counted[1] = counted[1], min(spent, counted[1])
            some.end(slot, held, counted[1])
        assert sum(some.used(now)) == model.used(now)
        model.check()


def check_refill(some: AnyMeter, wanted: int, now: int) -> None:
    """At the moment that is told it fits, and a nanosecond earlier it does not."""
    when = some.refills(wanted, now)
    if wanted > some.amount:
        assert when is None
        return
    assert when is not None
    assert now < when <= now + SLIDING * SECOND
    assert fits(some, wanted, when)
    assert not fits(some, wanted, when - 1)


@given(
    limit=st.integers(1, 12),
    steps=st.lists(st.tuples(st.integers(-60, 60), st.integers(1, 6)), max_size=60),
)
def test_a_clock_that_is_never_set_back_by_more_than_a_minute_admits_no_more(
    limit: int, steps: list[tuple[int, int]]
) -> None:
    some, model = meter("minute", limit), Minute(limit)
    now = latest = NOON
    for step, wanted in steps:
        now = max(now + step * SECOND, latest - 60 * SECOND)
        latest = max(latest, now)
        if fits(some, wanted, now):
            # Time that passes while a clock catches up with itself is no time of its own.
            model.counted.append([max([now, *(at for at, _ in model.counted)]), wanted])
            some.hold(wanted, now)
            model.check()
        elif wanted <= limit:
            when = some.refills(wanted, now)
            assert when is not None
            assert fits(some, wanted, when)
            assert not fits(some, wanted, when - 1)


@given(
    window=st.sampled_from(["ever", "month", "day", "hour", "minute"]),
    steps=st.lists(
        st.tuples(st.integers(-40 * DAY, 40 * DAY), st.integers(0, 9), st.integers(0, 9)),
        max_size=40,
    ),
)
def test_no_clock_at_all_makes_a_meter_lose_count(
    window: str, steps: list[tuple[int, int, int]]
) -> None:
    """However a clock jumps: nothing held is below zero, and what ends is released once."""
    some, slots = meter(window, 20), list[tuple[int, int]]()
    now = NOON
    for jump, wanted, which in steps:
        now = max(0, now + (jump if which % 2 else jump // DAY * SECOND))
        if fits(some, wanted, now):
            slots.append((some.hold(wanted, now), wanted))
            assert sum(some.used(now)) <= some.amount
        if slots:
            slot, held = slots.pop(which % len(slots))
            some.end(slot, held, held // 2)
        posted, holding = some.used(now)
        assert posted >= 0
        assert 0 <= holding <= sum(held for _, held in slots)
    for slot, held in slots:
        some.end(slot, held, 0)
    assert some.held == 0


@given(
    window=st.sampled_from(["ever", "month", "minute"]),
    holds=st.lists(st.integers(0, 9), max_size=9),
)
def test_a_snapshot_keeps_a_meter_as_it_is(window: str, holds: list[int]) -> None:
    some = meter(window, 100)
    for number, quantity in enumerate(holds):
        some.end(some.hold(quantity, NOON + number * 7 * SECOND), quantity, quantity // 2)
    assert again(some) == some
    assert type(again(some)) is type(some)
