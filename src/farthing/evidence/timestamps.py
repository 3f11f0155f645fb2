"""The log's side of time stamps: has an authority stamp the checkpoint, now and then.

It is in no way of publishing. `timestamps/SIZE.tsr` in the log's folder is the authority's whole
answer, and `timestamps/SIZE.checkpoint` the bytes that it stamped; a stamp is there once its answer
is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from farthing import clock
from farthing.clock import SECOND, Clock
from farthing.evidence.note import read_note
from farthing.evidence.post import Answer, Target, post
from farthing.evidence.store import NEW, Store
from farthing.evidence.timestamp import QUERY, Stamp, TimestampError, query
from farthing.evidence.witness import CHECKPOINT
from farthing.ledger.disk import DISK, Disk
from farthing.paths import write_private
from farthing.settings import Settings

log = logging.getLogger("farthing")

FOLDER = "timestamps"
ANSWER, STAMPED = ".tsr", ".checkpoint"

HOUR = 3600
# An authority that gave none is asked again after so long: public ones dislike to be asked often.
AGAIN_SECONDS = 900.0
# So often it is looked whether the log grew, or whether the clock was put forward.
LOOK_SECONDS = 60.0

Post = Callable[[Target, bytes, str], Answer]


class Last(NamedTuple):
    """The last stamp of a log."""

    size: int = 0
    """Of how many entries it is; 0 if there is none."""
    at: int = 0
    """When, by the authority's clock, in nanoseconds since 1970; 0 if that cannot be read."""
    problem: str = ""
    """Why it cannot be."""


class Timestamps:
    """Has the checkpoints of one log stamped."""

    def __init__(
        self,
        folder: Path,
        state: Path,
        settings: Settings,
        ask: Post = post,
        now: Clock = clock.wall,
        disk: Disk = DISK,
    ) -> None:
        """`folder` is the log's; `state` is where a problem is kept for the doctor to tell."""
        self._log, self._state, self._post, self._now, self._disk = folder, state, ask, now, disk
        self._store = Store(folder / FOLDER, disk)
        allowed = settings.timestamp_allow_private_address
        self._target = Target(settings.timestamp_url, allowed, "timestamp_allow_private_address")
        self._period = settings.timestamp_hours * HOUR
        self._problem = problem_of(state, settings.timestamp_url)

    def round(self) -> float:
        """Have the checkpoint stamped if it is time; return in how many seconds to come again.

        Raises:
            NoteError: the checkpoint is none.
            OSError: the stamp cannot be kept.
        """
        last = last_stamp(self._log, self._disk)
        # Either clock may be put back; then a stamp that seems to be of later does not stop it.
        left = self._period - abs(self._now() - last.at) / SECOND
        if left > 0:
            return min(left, LOOK_SECONDS)
        checkpoint = Store(self._log, self._disk).read(CHECKPOINT)
        if checkpoint is None or (size := read_note(checkpoint).head.size) <= last.size:
            return min(self._period, LOOK_SECONDS)
        try:
            answer = self._ask(checkpoint)
        except (TimestampError, OSError) as problem:
            self._tell(str(problem))
            return min(self._period, AGAIN_SECONDS)
        self._keep(size, checkpoint, answer)
        self._tell("")
        return min(self._period, LOOK_SECONDS)

    def _ask(self, checkpoint: bytes) -> bytes:
        asked = query(checkpoint)
        answer = self._post(self._target, asked.body, QUERY)
        if answer.status != 200:
            raise TimestampError(f"the authority answered {answer.status}")
        Stamp.of(answer.body, checkpoint, asked.nonce)
        return answer.body

    def _keep(self, size: int, checkpoint: bytes, answer: bytes) -> None:
        """Keep a stamp: what was stamped is durable before there is an answer to it."""
        self._clear()
        self._store.replace(f"{size}{STAMPED}", checkpoint)
        self._store.replace(f"{size}{ANSWER}", answer)

    def _clear(self) -> None:
        """Remove what a crash left of a stamp that was never whole."""
        names = set(_names(self._log, self._disk))
        for name in names:
            whole = name.removesuffix(STAMPED) + ANSWER in names
            if name == NEW or (name.endswith(STAMPED) and not whole):
                self._store.remove(name)

    def _tell(self, problem: str) -> None:
        if problem == self._problem:
            return
        if problem:
            log.warning("the log has no new time stamp from %s: %s", self._target.url, problem)
        self._problem = problem
        write_private(self._state, msgspec.json.encode([self._target.url, problem]).decode())


def last_stamp(folder: Path, disk: Disk = DISK) -> Last:
    """Return the last stamp in a log's folder. Its time is what it says; nothing is verified."""
    stamped = [name.removesuffix(ANSWER) for name in _names(folder, disk) if name.endswith(ANSWER)]
    size = max((int(number) for number in stamped if number.isdecimal()), default=0)
    if not size:
        return Last()
    store = Store(folder / FOLDER, disk)
    answer, checkpoint = (store.read(f"{size}{kind}") or b"" for kind in (ANSWER, STAMPED))
    try:
        return Last(size, Stamp.of(answer, checkpoint).at)
    except TimestampError as problem:
        return Last(size, 0, f"{folder / FOLDER / str(size)}{ANSWER}: {problem}")


def _names(folder: Path, disk: Disk) -> list[str]:
    try:
        return disk.names(folder / FOLDER)
    except FileNotFoundError:
        return []


def problem_of(state: Path, url: str) -> str:
    """Return why the authority at an address gave no stamp when it was asked last; empty if it did.

    What another address answered is not said of this one.
    """
    try:
        told, problem = msgspec.json.decode(state.read_bytes(), type=tuple[str, str])
    except (FileNotFoundError, msgspec.DecodeError):
        return ""
    return problem if told == url else ""
