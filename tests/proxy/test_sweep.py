"""The sweeper: a deadline that has passed is called out, and no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.support.loopback import jump, run

from farthing.proxy.sweep import EVERY_SECONDS, NEVER, PARTS, Sweeper


class Member:
    """What has a deadline, and remembers when it was told that it passed."""

    def __init__(self, deadline: float, then: Callable[[], None] = lambda: None) -> None:
        self.deadline = deadline
        self.told = 0
        self._then = then

    def expired(self) -> None:
        self.told += 1
        self.deadline = NEVER
        self._then()


def test_only_a_deadline_that_has_passed_is_called_out_and_once() -> None:
    async def scene() -> None:
        sweeper = Sweeper()
        soon, later, never = (Member(sweeper.now + s) for s in (5, 60, NEVER))
        for member in (soon, later, never):
            sweeper.add(member)
        await jump(4)
        assert soon.told == 0
        await jump(2)
        assert (soon.told, later.told) == (1, 0)
        await jump(60)
        assert (soon.told, later.told, never.told) == (1, 1, 0)
        sweeper.stop()

    run(scene())


def test_a_deadline_that_was_moved_counts_as_it_is_now() -> None:
    async def scene() -> None:
        sweeper = Sweeper()
        member = Member(sweeper.now + 5)
        sweeper.add(member)
        await jump(4)
        member.deadline = sweeper.now + 5
        await jump(4)
        assert member.told == 0
        await jump(2)
        assert member.told == 1
        sweeper.stop()

    run(scene())


def test_whoever_was_removed_is_left_alone() -> None:
    async def scene() -> None:
        sweeper = Sweeper()
        member = Member(0)
        sweeper.add(member)
        sweeper.remove(member)
        sweeper.remove(member)  # a connection may be forgotten twice
        await jump(60)
        assert member.told == 0
        sweeper.stop()

    run(scene())


def test_members_may_come_and_go_while_others_are_called() -> None:
    async def scene() -> None:
        sweeper = Sweeper()
        new = Member(0)

        def swap() -> None:
            sweeper.remove(first)
            sweeper.add(new)
            sweeper.add(Member(NEVER))

        first = Member(0, swap)
        sweeper.add(first)
        await jump(1)
        assert first.told == 1
        await jump(1)
        assert first.told == 1 and new.told, "in the same turn, if its part came later, or the next"
        sweeper.stop()

    run(scene())


def test_the_time_is_that_of_the_last_sweep() -> None:
    async def scene() -> None:
        sweeper, loop = Sweeper(), asyncio.get_running_loop()
        assert loop.time() - sweeper.now < 1
        await jump(100)
        assert loop.time() - sweeper.now < EVERY_SECONDS
        sweeper.stop()

    run(scene())


def test_a_sweeper_that_stopped_calls_nobody() -> None:
    async def scene() -> None:
        sweeper = Sweeper()
        member = Member(0)
        sweeper.add(member)
        sweeper.stop()
        await jump(60)
        assert member.told == 0

    run(scene())


def test_a_member_that_fails_does_not_end_the_sweeps() -> None:
    def fail() -> None:
        raise RuntimeError("a defect")

    async def scene() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        sweeper = Sweeper()
        other = Member(sweeper.now + 10)
        sweeper.add(Member(0, fail))
        sweeper.add(other)
        await jump(1)
        await jump(60)
        assert other.told == 1
        sweeper.stop()

    run(scene())


class Looked(Member):
    """Remembers how often it was looked at."""

    looks = 0

    @property
    def deadline(self) -> float:
        self.looks += 1
        return NEVER

    @deadline.setter
    def deadline(self, _: float) -> None:
        """It has none."""


def test_each_turn_looks_at_a_part_and_all_turns_at_everyone() -> None:
    async def scene() -> None:
        sweeper, members = Sweeper(), [Looked(NEVER) for _ in range(100 * PARTS)]
        for member in members:
            sweeper.add(member)
        for turn in range(1, PARTS + 1):
            await jump(EVERY_SECONDS / PARTS + 0.001)
            seen = sum(member.looks for member in members)
            assert seen == len(members) if turn == PARTS else 0 < seen < len(members)
        sweeper.stop()

    run(scene())
