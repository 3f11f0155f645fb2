"""Time as integers, so that a ledger entry never holds a float and tests can pass their own."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

SECOND = 1_000_000_000

# A clock returns nanoseconds since the Unix epoch (UTC).
Clock = Callable[[], int]

wall: Clock = time.time_ns
monotonic: Clock = time.monotonic_ns


def moment(nanoseconds: int) -> datetime:
    """Return a clock's reading as an aware datetime, to the second."""
    return datetime.fromtimestamp(nanoseconds // SECOND, UTC)


def iso(nanoseconds: int) -> str:
    """Return a clock's reading as ISO 8601 in UTC with milliseconds."""
    millis = nanoseconds // 1_000_000 % 1000
    return f"{moment(nanoseconds):%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"
