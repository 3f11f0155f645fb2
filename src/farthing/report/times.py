"""Times as leaves write them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from farthing.clock import SECOND


@lru_cache
def _hour(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}:00:00Z").timestamp()) * SECOND


def moment(text: str) -> int:
    """Return a time as leaves write it, in nanoseconds since 1970."""
    # "2026-11-23T18:05:09.250Z": the hours are few, and so they are known.
    seconds = int(text[14:16]) * 60 + int(text[17:19])
    return _hour(text[:13]) + seconds * SECOND + int(text[20:23]) * 1_000_000
