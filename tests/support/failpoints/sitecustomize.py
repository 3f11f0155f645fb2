"""Kill the gateway's processes at chosen places: imported by Python itself, from PYTHONPATH.

Each process draws one of its places and how often it is passed first, and dies there, before or
after the call. While the file that FARTHING_TEST_KILLS names exists; each death writes a line to
it first. The supervisor lives, and starts the dead again without the pauses it makes for others.
"""

from __future__ import annotations

import importlib
import os
import random
import signal
import sys
from collections.abc import Callable
from typing import Any

# The module a process runs → the places it can die at: module, class, method.
PLACES = {
    "farthing.ledger.process": [
        ("farthing.ledger.journal", "Journal", "append"),
        ("farthing.ledger.journal", "Journal", "sync"),
        ("farthing.ledger.ledger", "Ledger", "hold"),
        ("farthing.ledger.ledger", "Ledger", "end"),
        ("farthing.ledger.frames", "FrameProtocol", "_flush"),
    ],
    "farthing.proxy.worker": [
        ("farthing.ledger.client", "RemoteLedger", "hold"),
        ("farthing.ledger.client", "RemoteLedger", "end"),
        ("farthing.ledger.client", "RemoteLedger", "received"),
        ("farthing.ledger.journal", "Journal", "append"),
        ("farthing.ledger.journal", "Journal", "sync"),
        ("farthing.ledger.ledger", "Ledger", "hold"),
        ("farthing.ledger.ledger", "Ledger", "end"),
        ("farthing.proxy.upstream", "UpstreamConnection", "send"),
        ("farthing.proxy.relay", "Relay", "head"),
        ("farthing.proxy.relay", "Relay", "complete"),
        ("farthing.proxy.server", "ClientConnection", "respond"),
        ("farthing.proxy.server", "ClientConnection", "end_stream"),
    ],
    "farthing.ledger.follow": [
        ("farthing.ledger.follow", "Follower", "_find"),
        ("farthing.ledger.project", "_Batch", "write"),
    ],
}
PASSES_MOST = 30


def dying(call: Callable[..., Any], name: str, passes: int, *, after: bool) -> Callable[..., Any]:
    """Return a call that ends the process when it was passed that often."""
    left = [passes]

    def wrapper(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        dies = left[0] == 0
        if dies and not after:
            die(f"before {name}")
        result = call(*arguments, **named)
        if dies and after:
            die(f"after {name}")
        return result

    return wrapper


def die(where: str) -> None:
    """End this process at once, as kill -9 does, if it still may."""
    try:
        log = os.open(os.environ["FARTHING_TEST_KILLS"], os.O_WRONLY | os.O_APPEND)
    except FileNotFoundError:
        return
    os.write(log, f"{where}\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)


def prepare(program: str) -> None:
    """Choose where this process dies; the supervisor does not, and is told to be quick."""
    if program == "farthing":
        child = importlib.import_module("farthing.supervisor.child")
        child.LONGEST_PAUSE = child.FIRST_PAUSE  # type: ignore[attr-defined]
        return
    chance = random.Random(f"{os.environ.get('FARTHING_TEST_SEED')}-{os.getpid()}")
    for module, kind, method in PLACES.get(program, []):
        owner = getattr(importlib.import_module(module), kind)
        passes, after = chance.randrange(1, PASSES_MOST), chance.random() < 0.5
        call = getattr(owner, method)
        setattr(owner, method, dying(call, f"{kind}.{method}", passes, after=after))


if "FARTHING_TEST_KILLS" in os.environ and "-m" in sys.orig_argv:
    prepare(sys.orig_argv[sys.orig_argv.index("-m") + 1])
