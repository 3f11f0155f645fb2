"""Has the path that every query takes grown? Counts what a worker executes, without a clock.

A real application answers real bytes; only the sockets are pretended, and what is recorded is safe
at once. Instructions of the interpreter and calls are counted, so the figures are the same on every
machine and under every load, and a few percent more is a change of the code, not noise. They do not
see what compiled code costs inside of a call: that is what `make bench` is for.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, cast

import msgspec
from rich.console import Console
from rich.table import Table

from farthing.ledger.commit import Committer
from farthing.ledger.entry import Limit
from farthing.ledger.journal import Journal
from farthing.ledger.ledger import Ledger, replay
from farthing.paths import DataFolder
from farthing.policy.keys import make_key
from farthing.providers import load_providers
from farthing.proxy.app import App
from farthing.proxy.server import ClientConnection
from farthing.proxy.upstream import UpstreamConnection
from farthing.route.plan import Router
from farthing.supervisor.prepare import price_book_for

# The most instructions and calls that each path may take, with CPython 3.11. After a change that
# is worth what it costs, or that saves some, put here what `python bench/guard.py` prints.
CEILINGS = {
    "whole": (4915, 326),
    "event": (109, 9),
    "crossing whole": (10118, 787),
    "crossing event": (728, 58),
}
VERSION = (3, 11)
TOLERANCE = 0.03
# The first rounds fill caches, and a timer may fire in some: the median of the others counts.
WARM, ROUNDS, EVENTS = 5, 15, 20

CONFIG = """\
listen = "127.0.0.1:0"
[providers.bench]
base_url = "http://127.0.0.1:9/v1"
auth = "none"
dialects = { chat = "/chat/completions" }
models = ["bench-1"]
allow_private_address = true
[[prices]]
provider = "bench"
model = "bench-1"
input = 2.5
output = 10
"""
WORDS = "A farthing was a quarter of a penny, and bought little. " * 12
HEADERS = (
    "Host: 127.0.0.1:1960\r\nAccept-Encoding: identity\r\nAccept: application/json\r\n"
    "Content-Type: application/json\r\nUser-Agent: OpenAI/Python 2.6.1\r\n"
    "X-Stainless-Lang: python\r\nX-Stainless-Package-Version: 2.6.1\r\n"
    "X-Stainless-OS: Linux\r\nX-Stainless-Runtime: CPython\r\n"
)
PROVIDER = "HTTP/1.1 200 OK\r\nDate: x\r\nX-Request-Id: req_1\r\nOpenai-Processing-Ms: 9\r\n"
ANSWER = {"id": "chatcmpl-1", "created": 1_790_000_000, "model": "bench-1"}
USAGE = {"prompt_tokens": 200, "completion_tokens": 100, "total_tokens": 300}

Count = tuple[float, float]


def main() -> int:
    """Print what each path takes; return 1 if one takes more than it may."""
    counted = asyncio.run(count_paths())
    table = Table(box=None, title="What a worker executes", title_justify="left")
    for heading in ("path", "instructions", "at most", "calls", "at most"):
        table.add_column(heading, justify="left" if heading == "path" else "right")
    for path, (instructions, calls) in counted.items():
        most, most_calls = CEILINGS[path]
        table.add_row(path, f"{instructions:g}", str(most), f"{calls:g}", str(most_calls))
    Console(highlight=False).print(table)
    if sys.version_info[:2] != VERSION:
        print("The limits are of CPython 3.11; another version counts otherwise.")
        return 0
    grown = excess(counted)
    for line in grown:
        print(line, file=sys.stderr)
    return 1 if grown else 0


def excess(counted: dict[str, Count], tolerance: float = TOLERANCE) -> list[str]:
    """Return a sentence for each count that is above its limit by more than the tolerance."""
    told = []
    for path, found in counted.items():
        for kind, number, most in zip(
            ("instructions", "calls"), found, CEILINGS[path], strict=True
        ):
            if number > most * (1 + tolerance):
                more = number / most - 1
                told.append(
                    f"{path}: {number:g} {kind}, {more:.0%} more than {most}. Find out what came "
                    "into the path of every query; if it is worth that, write the new figure into "
                    "CEILINGS in bench/guard.py."
                )
    return told


class Counting:
    """Counts instructions and calls of what runs inside of it."""

    def __init__(self) -> None:
        self.instructions = self.calls = 0

    def __enter__(self) -> Counting:
        sys.setprofile(self._profile)
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        sys.setprofile(None)

    def _trace(self, frame: FrameType, event: str, _: Any) -> Callable[..., Any]:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.instructions += event == "opcode"
        return self._trace

    def _profile(self, _: FrameType, event: str, __: Any) -> None:
        self.calls += event in ("call", "c_call")


# -- a worker without sockets ---------------------------------------------------------------------


class Safe:
    """A committer for which everything is on the disk at once."""

    pending_bytes = 0

    def append(self, _: bytes, done: Callable[[], None]) -> None:
        """Take an entry."""
        done()


class Socket(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Keep it."""
        self.written += data

    def is_closing(self) -> bool:
        """It never is."""
        return False

    def pause_reading(self) -> None:
        """Nothing is read."""

    def resume_reading(self) -> None:
        """Nothing is read."""


class Worker:
    """A worker's application, with one client and one connection to the provider."""

    def __init__(self, folder: Path) -> None:
        """Must be made in a running event loop."""
        config = folder / "farthing.toml"
        config.write_text(CONFIG)
        data = DataFolder(folder / "data")
        settings, book = price_book_for(data, config)
        providers = load_providers(settings, {})
        router = Router(providers, book, settings.models)
        self._journal = Journal(data.journal)
        ledger = Ledger(self._journal, replay(self._journal), cast(Committer, Safe()))
        pepper = b"p" * 32
        key = make_key("guard", pepper, 1, "guard")
        ledger.record(key.entry)
        ledger.record(Limit(1, "guard", f"key:{key.entry.id}", "usd", 10**16))
        self.key = key.text
        self.app = App(settings, ledger, router, book, _NoRecords(), pepper, "worker-1-0a0b0c0d")
        self.client, self.to_client = ClientConnection(self.app), Socket()
        self.client.connection_made(self.to_client)
        self.provider = UpstreamConnection(self.app.pool, providers["bench"])
        self.to_provider = Socket()
        self.provider.connection_made(self.to_provider)
        self.app.pool.give_back(self.provider)

    def close(self) -> None:
        """Stop its timers and close its journal."""
        self.app.sweeper.stop()
        self._journal.close()

    def request(self, path: str, body: dict[str, Any]) -> bytes:
        """Return a request's bytes."""
        told = json.dumps(body, separators=(",", ":")).encode()
        head = f"POST {path} HTTP/1.1\r\n{HEADERS}Authorization: Bearer {self.key}\r\n"
        return f"{head}Content-Length: {len(told)}\r\n\r\n".encode() + told


class _NoRecords:
    async def look_up(self, query: str, key: str) -> dict[str, Any] | None:
        return None


# -- what is counted ------------------------------------------------------------------------------


async def count_paths() -> dict[str, Count]:
    """Return the instructions and calls of each path: of a query, or of one event of a stream."""
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(Path(folder))
        gc.disable()  # its work comes whenever it likes
        try:
            return {
                "whole": await _median(worker, "/v1/chat/completions", streamed=False),
                "event": await _median(worker, "/v1/chat/completions", streamed=True),
                "crossing whole": await _median(worker, "/v1/messages", streamed=False),
                "crossing event": await _median(worker, "/v1/messages", streamed=True),
            }
        finally:
            gc.enable()
            worker.close()


async def _median(worker: Worker, path: str, *, streamed: bool) -> Count:
    body: dict[str, Any] = {"model": "bench-1", "max_tokens": 256}
    if streamed:
        body["stream"] = True
        if "chat" in path:
            body["stream_options"] = {"include_usage": True}
    body["messages"] = [{"role": "user", "content": WORDS}]
    request = worker.request(path, body)
    measure = _stream if streamed else _whole
    counts = [await measure(worker, request) for _ in range(WARM + ROUNDS)][WARM:]
    instructions, calls = zip(*counts, strict=True)
    return statistics.median(instructions), statistics.median(calls)


async def _whole(worker: Worker, request: bytes) -> Count:
    answer = _whole_answer()
    worker.to_client.written.clear()
    with Counting() as counted:
        worker.client.data_received(request)
        await asyncio.sleep(0)
        worker.provider.data_received(answer)
        await asyncio.sleep(0)
    _check(worker, WORDS[-9:].strip().encode())
    return counted.instructions, counted.calls


async def _stream(worker: Worker, request: bytes) -> Count:
    head, *events = _stream_pieces()
    end = events.pop()
    worker.to_client.written.clear()
    worker.client.data_received(request)
    await asyncio.sleep(0)
    worker.provider.data_received(head)
    with Counting() as counted:
        for event in events:
            worker.provider.data_received(event)
        await asyncio.sleep(0)
    worker.provider.data_received(end)
    await asyncio.sleep(0)
    _check(worker, b"w20 ", b"0\r\n\r\n")
    return counted.instructions / len(events), counted.calls / len(events)


def _check(worker: Worker, *wanted: bytes) -> None:
    """A path that fails early is short, and must not pass for a fast one."""
    told = bytes(worker.to_client.written)
    assert told.startswith(b"HTTP/1.1 200"), told[:2000]
    assert all(part in told for part in wanted), told[-2000:]


def _whole_answer() -> bytes:
    message = {"role": "assistant", "content": WORDS, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    body = {**ANSWER, "object": "chat.completion", "choices": [choice], "usage": USAGE}
    told = msgspec.json.encode(body)
    head = f"{PROVIDER}Content-Type: application/json\r\nContent-Length: {len(told)}\r\n\r\n"
    return head.encode() + told


def _stream_pieces() -> list[bytes]:
    """Return the head with the first event, the events, and the end, as they come in."""
    head = f"{PROVIDER}Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    words = [_event([_delta({"content": f"w{n} {'word ' * 9}"})]) for n in range(1, EVENTS + 1)]
    end = [_event([_delta({}, "stop")]), _event([], USAGE), _chunk(b"data: [DONE]\n\n")]
    first = _event([_delta({"role": "assistant", "content": ""})])
    return [head.encode() + first, *words, b"".join([*end, b"0\r\n\r\n"])]


def _delta(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _event(choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> bytes:
    told = {**ANSWER, "object": "chat.completion.chunk", "choices": choices}
    if usage:
        told["usage"] = usage
    return _chunk(b"data: " + msgspec.json.encode(told) + b"\n\n")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


if __name__ == "__main__":
    sys.exit(main())
