"""Coroutines without tasks: a query's way as one readable function, at the price of callbacks.

A query waits about four times (hold, connection, answer, settlement). An asyncio task would cost
more than the rest of the pipeline's bookkeeping (measured in docs/decisions/002), so the data
plane drives its coroutines itself: `start` runs one until it awaits a `OneShot`, and setting that
OneShot runs it on, at once, in the caller's stack.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
log = logging.getLogger("farthing")


class OneShot(Generic[T]):
    """A value that is set once and awaited by at most one flow.

    Setting it again is ignored: the first ending of a race (answer, time-out, reset) wins.
    """

    __slots__ = ("_error", "_resume", "_value", "done")

    _value: T

    def __init__(self) -> None:
        self.done = False
        self._error: BaseException | None = None
        self._resume: Callable[[], None] | None = None

    def set(self, value: T) -> None:
        """Deliver the value and run on whoever waits."""
        if not self.done:
            self.done = True
            self._value = value
            if self._resume is not None:
                self._resume()

    def fail(self, error: BaseException) -> None:
        """Deliver an error: it is raised where the value is awaited."""
        if not self.done:
            self.done = True
            self._error = error
            if self._resume is not None:
                self._resume()

    def then(self, callback: Callable[[], None]) -> None:
        """Call back once the value is there; at once if it is."""
        if self.done:
            callback()
        else:
            assert self._resume is None, "a OneShot is awaited by at most one flow"
            self._resume = callback

    def result(self) -> T:
        """Return the value, or raise the error, that was set."""
        if self._error is not None:
            raise self._error
        return self._value

    def __await__(self) -> Generator[OneShot[T], None, T]:
        if not self.done:
            yield self
        if self._error is not None:
            raise self._error
        return self._value

    async def in_task(self) -> T:
        """Await from an asyncio task, which cannot await a OneShot itself."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.then(lambda: None if future.done() else future.set_result(None))
        await future
        return self.result()


def ready(value: T) -> OneShot[T]:
    """Return a OneShot that is already set."""
    shot: OneShot[T] = OneShot()
    shot.set(value)
    return shot


class _Flow:
    """A coroutine that is run on by whatever it waits for."""

    __slots__ = ("_done", "_send")

    def __init__(self, flow: Coroutine[Any, Any, object], done: Callable[[], None] | None) -> None:
        self._send = flow.send
        self._done = done

    def __call__(self) -> None:
        try:
            waiting: OneShot[Any] = self._send(None)
        except StopIteration:
            pass
        except Exception:
            log.exception("a flow ended with an error that nobody handled")
        else:
            waiting.then(self)
            return
        if self._done is not None:
            self._done()


def start(flow: Coroutine[Any, Any, object], done: Callable[[], None] | None = None) -> None:
    """Run a coroutine that awaits nothing but OneShots, until it ends; then call `done`.

    Its errors are its own business: one that gets out is a defect and is logged.
    """
    _Flow(flow, done)()
