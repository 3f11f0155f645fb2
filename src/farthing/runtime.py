"""What a supervisor tells its child processes, and how they live and die together.

A child reads one line of JSON on its standard input: secrets travel there, not in arguments or
in the environment, where others could read them. The pipe then stays open as a lifeline: when
it closes, because the supervisor wants the child to stop or because it is no more, the child
ends its work and stops.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from typing import TypeVar

import msgspec

from farthing.errors import ConfigError
from farthing.settings import Settings

T = TypeVar("T")

# Of the system's politeness, where the system knows no process that runs only when others rest.
NICENESS = 19

# Cycles are rare here and few objects live long: collect the young often enough to stay small,
# the old hardly ever, as each pass over them would stall every open query.
COLLECT_AFTER = (10_000, 50, 1000)


def give_way() -> None:
    """Let every process that serves queries go first: whoever follows the journal can wait.

    Where cores are few it then works when they rest, and no query waits for it.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except (AttributeError, OSError):
        os.nice(NICENESS)


class LocalModel(msgspec.Struct, frozen=True):
    """Where the embedded model listens."""

    base_url: str
    secret: str


class Runtime(msgspec.Struct, frozen=True):
    """Everything a worker, a ledger or a follower needs to know."""

    name: str
    """What the process is called in logs."""
    data: str
    settings: Settings
    config_digest: str
    price_book: str = ""
    """Path of the price book in force."""
    price_source: str = ""
    """Where its rows come from."""
    host: str = ""
    port: int = 0
    worker: str = ""
    """The id of this run of this worker."""
    own_ledger: bool = False
    """Whether the worker keeps the ledger in its own process."""
    local: LocalModel | None = None


class Ready(msgspec.Struct):
    """A child's only line on standard output: it serves now."""

    ready: bool = True


def read_told(kind: type[T]) -> T:
    """Read what the supervisor says to a child at its start; one that it drops instead ends."""
    line = sys.stdin.buffer.readline()
    if not line:
        raise SystemExit(0)
    return msgspec.json.decode(line, type=kind)


def say_ready() -> None:
    """Tell the supervisor that this child serves."""
    sys.stdout.buffer.write(msgspec.json.encode(Ready()) + b"\n")
    sys.stdout.buffer.flush()


def stop_event() -> asyncio.Event:
    """Return an event that is set when this process must stop: lifeline closed, or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    # Ctrl-C reaches every process of the terminal; the supervisor alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lifeline = sys.stdin.fileno()
    os.set_blocking(lifeline, False)

    def readable() -> None:
        if not os.read(lifeline, 4096):
            loop.remove_reader(lifeline)
            stop.set()

    loop.add_reader(lifeline, readable)
    return stop


class _LineFormatter(logging.Formatter):
    """One line an event: time, level, process, message; line breaks never split an event."""

    def __init__(self, process: str) -> None:
        super().__init__(f"time=%(asctime)s level=%(levelname)s process={process} %(message)s")
        self.converter = time.gmtime
        self.default_time_format = "%Y-%m-%dT%H:%M:%S"
        self.default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        return " | ".join(super().format(record).splitlines())


def log_as(process: str) -> None:
    """Send this process's log to standard error under a name.

    Raises:
        ConfigError: FARTHING_LOG is no level.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_LineFormatter(process))
    root = logging.getLogger("farthing")
    root.handlers[:] = [handler]
    level = os.environ.get("FARTHING_LOG", "INFO").upper()
    if level not in logging.getLevelNamesMapping():
        raise ConfigError(f"FARTHING_LOG={level}: write DEBUG, INFO, WARNING or ERROR")
    root.setLevel(level)
    root.propagate = False


def spare_collections() -> None:
    """Keep the garbage collector from what was made up to now, and from long pauses later."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
