"""Flows: coroutines that wait for OneShots, and are run on by whoever sets them."""

from __future__ import annotations

import asyncio
import logging

import pytest

from farthing.flow import OneShot, ready, start


class Problem(Exception):
    """An error of these tests' own."""


def test_a_flow_runs_at_once_until_it_waits_and_on_when_the_value_is_set() -> None:
    shot: OneShot[str] = OneShot()
    seen: list[str] = []

    async def flow() -> None:
        seen.append("before")
        seen.append(await shot)

    start(flow())
    assert seen == ["before"]
    shot.set("value")
    assert seen == ["before", "value"]


def test_whoever_sets_a_value_goes_on_after_the_flow_has_waited_again() -> None:
    first: OneShot[int] = OneShot()
    second: OneShot[int] = OneShot()
    seen: list[object] = []

    async def flow() -> None:
        seen.append(await first)
        seen.append(await second)

    start(flow())
    first.set(1)
    seen.append("setter")
    second.set(2)
    assert seen == [1, "setter", 2]


def test_a_value_that_is_there_is_not_waited_for() -> None:
    total: list[int] = []

    async def flow() -> None:
        # Far more than the stack would hold, if each took a frame of it.
        total.append(sum([await ready(number) for number in range(20_000)]))

    start(flow())
    assert total == [199_990_000]


def test_the_first_of_two_values_wins() -> None:
    shot: OneShot[str] = OneShot()
    shot.set("first")
    shot.set("second")
    shot.fail(Problem())
    assert shot.result() == "first"


def test_an_error_that_came_first_wins_over_a_value() -> None:
    shot: OneShot[str] = OneShot()
    shot.fail(Problem("first"))
    shot.set("second")
    with pytest.raises(Problem, match="first"):
        shot.result()


def test_a_second_ending_does_not_run_the_flow_on_again() -> None:
    shot: OneShot[int] = OneShot()
    later: OneShot[int] = OneShot()
    seen: list[int] = []

    async def flow() -> None:
        seen.append(await shot)
        seen.append(await later)

    start(flow())
    shot.set(1)
    shot.set(2)
    assert seen == [1]


def test_an_error_is_raised_where_the_value_is_awaited() -> None:
    shot: OneShot[str] = OneShot()
    seen: list[str] = []

    async def flow() -> None:
        try:
            await shot
        except Problem as problem:
            seen.append(str(problem))

    start(flow())
    shot.fail(Problem("late"))
    assert seen == ["late"]


def test_a_callback_comes_at_once_when_the_value_is_there_and_else_once_it_is() -> None:
    seen: list[str] = []
    ready("x").then(lambda: seen.append("at once"))
    assert seen == ["at once"]
    shot: OneShot[str] = OneShot()
    shot.then(lambda: seen.append("later"))
    assert seen == ["at once"]
    shot.set("x")
    assert seen == ["at once", "later"]


def test_a_oneshot_is_awaited_by_at_most_one_flow() -> None:
    shot: OneShot[str] = OneShot()
    shot.then(lambda: None)
    with pytest.raises(AssertionError, match="at most one flow"):
        shot.then(lambda: None)


def test_none_is_a_value() -> None:
    shot: OneShot[None] = ready(None)
    shot.fail(Problem())
    assert shot.done
    shot.result()  # raises if the second ending had counted


def test_an_error_that_nobody_handled_is_logged_and_does_not_reach_the_setter() -> None:
    shot: OneShot[str] = OneShot()
    told: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record)

    async def flow() -> None:
        await shot
        raise Problem("a defect")

    logger, handler = logging.getLogger("farthing"), Keep()
    logger.addHandler(handler)
    try:
        start(flow())
        shot.set("x")
    finally:
        logger.removeHandler(handler)
    assert [record.levelno for record in told] == [logging.ERROR]
    assert told[0].exc_info is not None
    assert isinstance(told[0].exc_info[1], Problem)


def test_a_task_can_await_a_oneshot_through_in_task() -> None:
    async def main() -> str:
        shot: OneShot[str] = OneShot()
        asyncio.get_running_loop().call_soon(shot.set, "value")
        return await shot.in_task()

    assert asyncio.run(main()) == "value"


def test_a_task_gets_the_error_of_a_oneshot() -> None:
    async def main() -> None:
        shot: OneShot[str] = OneShot()
        asyncio.get_running_loop().call_soon(shot.fail, Problem("late"))
        await shot.in_task()

    with pytest.raises(Problem, match="late"):
        asyncio.run(main())


def test_a_value_that_comes_after_its_task_was_cancelled_disturbs_nobody() -> None:
    async def main() -> bool:
        shot: OneShot[str] = OneShot()
        task = asyncio.ensure_future(shot.in_task())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        shot.set("too late")  # raises InvalidStateError if the future is set regardless
        return task.cancelled()

    assert asyncio.run(main())
