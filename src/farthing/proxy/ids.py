"""The ids of queries."""

from __future__ import annotations

import itertools
import secrets

from farthing import clock

# Eight digits of the count; after that many queries a process begins another run.
RUN_MOST = 16**8

_counter = itertools.count(1)
_run = secrets.token_hex(5)


def new_id() -> str:
    """Return a query id: time, this process's run and a count, so that ids sort and never meet.

    The ledger knows by the count which queries it has seen (ledger/seen.py).
    """
    count = next(_counter)
    if count >= RUN_MOST:
        _begin_run()
        count = next(_counter)
    return f"q{clock.wall() // 1_000_000:012x}{_run}{count:08x}"


def _begin_run() -> None:
    global _counter, _run
    _counter, _run = itertools.count(1), secrets.token_hex(5)
