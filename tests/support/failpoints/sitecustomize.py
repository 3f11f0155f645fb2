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

LEDGER = [
    ("farthing.ledger.journal", "Journal", "append"),
    ("farthing.ledger.journal", "Journal", "sync"),
    ("farthing.ledger.ledger", "Ledger", "hold"),
    ("farthing.ledger.ledger", "Ledger", "end"),
]
SOCKET = [("farthing.ledger.frames", "FrameProtocol", "_flush")]
REMOTE = [
    ("farthing.ledger.client", "RemoteLedger", "hold"),
    ("farthing.ledger.client", "RemoteLedger", "end"),
    ("farthing.ledger.client", "RemoteLedger", "received"),
]
WORKER = [
    ("farthing.proxy.upstream", "UpstreamConnection", "send"),
    ("farthing.proxy.relay", "Relay", "head"),
    ("farthing.proxy.relay", "Relay", "complete"),
    ("farthing.proxy.server", "ClientConnection", "respond"),
    ("farthing.proxy.server", "ClientConnection", "end_stream"),
]

# The module a process runs → the places it can die at: module, class, method. With one worker the
# ledger is in its process.
ALONE = os.environ.get("FARTHING_TEST_WORKERS") == "1"
PLACES = {
    "farthing.ledger.process": [*LEDGER, *SOCKET],
    "farthing.proxy.worker": [*WORKER, *(LEDGER if ALONE else REMOTE)],
    "farthing.ledger.follow": [("farthing.ledger.project", "Batch", "write")],
}
PASSES_MOST = 30


def dying(call: Callable[..., Any], name: str, passes: int, *, after: bool) -> Callable[..., Any]:
    """Return a call that ends the process when it was passed that often."""
    left = [passes]

    def wrapper(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        dies = left[0] <= 0
        if dies:
            left[0] = passes  # for when it may not die yet
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
    if program in PLACES:
        module, kind, method = chance.choice(PLACES[program])
        owner = getattr(importlib.import_module(module), kind)
        passes, after = chance.randrange(1, PASSES_MOST), chance.random() < 0.5
        call = getattr(owner, method)
        setattr(owner, method, dying(call, f"{kind}.{method}", passes, after=after))


if "FARTHING_TEST_KILLS" in os.environ and "-m" in sys.orig_argv:
    prepare(sys.orig_argv[sys.orig_argv.index("-m") + 1])
