"""The ids of queries."""

from __future__ import annotations

import itertools
import secrets

from farthing import clock

_counter = itertools.count()
_run = secrets.token_hex(5)


def new_id() -> str:
    """Return a query id: time, this process's run and a count, so that ids sort and never meet."""
    return f"q{clock.wall() // 1_000_000:012x}{_run}{next(_counter) & 0xFFFFFFFF:08x}"
