"""Which queries were seen: for good, whatever their order, in little memory."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.ledger.seen import COUNT, LATE, LENGTH, LIVE, RUN, Seen
from farthing.proxy.ids import new_id


def name(count: int, run: int = 1, at: int = 0) -> str:
    return f"q{at:012x}{run:010x}{count:08x}"


def kept(seen: Seen) -> int:
    """How many ids are remembered one by one."""
    return len(seen.others) + sum(len(run.latest) for run in seen.runs.values())


def take(seen: Seen, query: str) -> bool:
    """Remember an id if it is new."""
    if query in seen:
        return False
    seen.add(query)
    return True


def test_the_parts_of_an_id_are_where_the_gateway_puts_them() -> None:
    one, next_ = new_id(), new_id()
    assert len(one) == len(next_) == LENGTH
    assert one[RUN] == next_[RUN]
    assert int(next_[COUNT], 16) == int(one[COUNT], 16) + 1


def test_an_id_is_seen_once_it_was_added() -> None:
    seen = Seen()
    assert name(5) not in seen
    seen.add(name(5))
    assert name(5) in seen
    assert name(4) not in seen, "that one may still come"
    assert name(6) not in seen
    assert name(5, run=2) not in seen


def test_the_run_and_the_count_make_an_id_and_not_its_time() -> None:
    seen = Seen()
    seen.add(name(5, at=1))
    assert name(5, at=2) in seen, "a process gives no count twice"


@given(st.permutations(range(1, 40)))
def test_ids_come_in_any_order(order: list[int]) -> None:
    seen = Seen()
    assert all(take(seen, name(count)) for count in order)
    assert not any(take(seen, name(count)) for count in order)
    assert name(0) not in seen
    assert name(40) not in seen


def test_a_query_that_is_a_little_late_is_held_and_one_that_is_later_is_refused() -> None:
    seen, newest = Seen(), 30_000
    late = set(range(1, newest, 7))
    for count in range(1, newest + 1):
        if count not in late:
            assert take(seen, name(count))
        # What is at most LATE behind the newest is never taken for one that was seen.
        behind = count - LATE
        if behind in late:
            assert take(seen, name(behind))
            late.discard(behind)
    assert all(count > newest - LATE for count in late)
    assert name(1) in seen
    assert all(name(count) in seen for count in range(1, newest - 2 * LATE, 97))


def test_what_comes_too_late_is_taken_as_seen_and_never_held_twice() -> None:
    seen = Seen()
    for count in range(2, 2 * LATE + 4):
        seen.add(name(count))
    assert name(1) in seen, "it never came; now it is too late"
    newest = 2 * LATE + 3
    assert name(newest - LATE) in seen
    assert name(newest + 1) not in seen


def test_the_latest_query_that_is_not_too_late_is_held_when_older_ones_are_forgotten() -> None:
    seen, newest = Seen(), 2 * LATE + 1
    counts = [count for count in range(newest + 1) if count != newest - LATE]
    for count in counts:
        seen.add(name(count))
    assert kept(seen) == LATE, "they were forgotten just now"
    assert name(newest - LATE) not in seen
    assert all(name(count) in seen for count in counts)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32), late=st.integers(1, LATE))
def test_ids_that_are_late_by_no_more_than_what_is_allowed_are_all_held_once(
    seed: int, late: int
) -> None:
    draw, seen = random.Random(seed), Seen()
    order = sorted(range(12_000), key=lambda count: count + draw.randrange(late))
    assert all(take(seen, name(count)) for count in order)
    assert not any(take(seen, name(count)) for count in draw.choices(order, k=2_000))


def test_memory_does_not_grow_with_a_million_queries() -> None:
    seen, most = Seen(), 0
    for count in range(1_000_000):
        seen.add(name(count))
        if not count % 997:
            most = max(most, kept(seen))
    assert LATE < most <= 2 * LATE
    assert kept(seen) <= 2 * LATE
    assert list(seen.runs) == [f"{1:010x}"]
    for count in (0, 1, 500_000, 999_999):
        assert name(count) in seen
    assert name(1_000_000) not in seen


def test_memory_does_not_grow_with_a_thousand_runs() -> None:
    seen = Seen()
    for run in range(1_000):
        for count in range(100):
            seen.add(name(count, run))
    assert kept(seen) == LIVE * 100
    assert len(seen.runs) == 1_000
    closed = [run for run in seen.runs.values() if not run.latest]
    assert len(closed) == 1_000 - LIVE
    for run in (0, 1, 500, 999):
        assert name(99, run) in seen
        assert name(100, run) not in seen


def test_the_newest_runs_stay_open_and_the_oldest_is_closed_at_its_last_count() -> None:
    seen = Seen()
    for run in range(LIVE):
        seen.add(name(10, run))
    assert name(9, 0) not in seen
    seen.add(name(10, LIVE))
    assert name(9, 0) in seen, "of a run that has long ended nothing comes any more"
    assert name(10, 0) in seen
    assert name(11, 0) not in seen
    assert name(9, 1) not in seen
    seen.add(name(10, LIVE))
    assert name(9, 1) not in seen, "a run that is known closes no other one"


def test_a_run_that_is_closed_after_it_forgot_keeps_its_last_count() -> None:
    seen = Seen()
    for count in range(2 * LATE + 1):
        seen.add(name(count, 0))
    for run in range(1, LIVE + 1):
        seen.add(name(0, run))
    assert seen.runs[f"{0:010x}"].latest == set()
    assert name(2 * LATE, 0) in seen
    assert name(2 * LATE + 1, 0) not in seen


@pytest.mark.parametrize("query", ["q1", "", "x" * (LENGTH - 1), "x" * (LENGTH + 1), "q" * 200])
def test_ids_of_another_shape_are_all_remembered(query: str) -> None:
    seen = Seen()
    seen.add("another")
    assert query not in seen
    seen.add(query)
    assert query in seen
    assert seen.runs == {}


def test_an_id_of_the_shape_that_is_no_number_is_seen_as_well() -> None:
    seen = Seen()
    for query in ("é" * LENGTH, "q" * LENGTH, name(1).upper(), " " * LENGTH):
        assert take(seen, query)
        assert not take(seen, query)
