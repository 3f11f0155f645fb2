"""A provider of our own on a loopback port: real HTTP, scripted by the model's name.

It logs every request it gets: what a provider saw, and so could bill, is the tests' oracle.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

PROMPT_TOKENS, COMPLETION_TOKENS, EVENTS = 20, 7, 5

Script = Callable[["FakeProvider", "Seen", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Seen:
    """One request as the provider saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    json: dict[str, Any] = field(default_factory=dict)

    @property
    def stream(self) -> bool:
        return bool(self.json.get("stream"))


class FakeProvider:
    """Runs in a thread of its own. `gate` holds back the scripts that wait for it."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.gate = threading.Event()
        self.reached = threading.Event()
        """Set when a script has come to the gate."""
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._started.wait(10)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def close(self) -> None:
        if not self._thread.is_alive():
            return
        self.gate.set()
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)

    def toml(self, name: str = "fake") -> str:
        """The settings that make this a provider of a gateway: its queries cost 1 µ$ a token."""
        models = json.dumps(sorted(SCRIPTS))
        prices = "".join(
            f'[[prices]]\nprovider = "{name}"\nmodel = "{model}"\ninput = "1"\noutput = "1"\n'
            for model in SCRIPTS
            if model != "unpriced"
        )
        return (
            f'[providers.{name}]\nbase_url = "{self.base_url}"\nauth = "none"\n'
            'dialects = { chat = "/chat/completions", messages = "/messages" }\n'
            f"allow_private_address = true\nquery_tokens = 1024\nmodels = {models}\n{prices}"
        )

    async def wait_at_gate(self) -> None:
        self.reached.set()
        await asyncio.to_thread(self.gate.wait, 30)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stopped = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=2**27)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stopped.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while not writer.is_closing():
                seen = await self._read(reader)
                self.seen.append(seen)
                await SCRIPTS.get(seen.json.get("model", ""), answer)(self, seen, writer)
                await writer.drain()
        except (EOFError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Seen:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        method, path, _ = lines[0].split(" ")
        pairs = (line.split(": ", 1) for line in lines[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Seen(method, path, headers, body, json.loads(body) if body else {})


def head(status: int = 200, **headers: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status} Something",
        *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def whole(value: object, status: int = 200, **headers: str) -> bytes:
    body = json.dumps(value).encode()
    return (
        head(status, content_type="application/json", content_length=str(len(body)), **headers)
        + body
    )


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def chat_answer(seen: Seen) -> dict[str, Any]:
    usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": COMPLETION_TOKENS,
             "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS}  # fmt: skip
    message = {"role": "assistant", "content": "four farthings make a penny"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "fake-2026",
            "choices": [choice], "usage": usage}  # fmt: skip


def messages_answer(seen: Seen) -> dict[str, Any]:
    usage = {"input_tokens": PROMPT_TOKENS, "output_tokens": COMPLETION_TOKENS}
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "fake-2026",
            "content": [{"type": "text", "text": "four farthings make a penny"}],
            "stop_reason": "end_turn", "stop_sequence": None, "usage": usage}  # fmt: skip


def chat_events(seen: Seen, *, usage: bool = True) -> list[bytes]:
    base = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "fake-2026",
    }
    events = [
        {**base, "choices": [{"index": 0, "delta": {"content": f"w{n} "}, "finish_reason": None}]}
        for n in range(EVENTS)
    ]
    events.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    asked = (seen.json.get("stream_options") or {}).get("include_usage")
    if asked and usage:
        events.append({**base, "choices": [], "usage": chat_answer(seen)["usage"]})
    return [b"data: %s\n\n" % json.dumps(e).encode() for e in events] + [b"data: [DONE]\n\n"]


def messages_events(seen: Seen, *, usage: bool = True) -> list[bytes]:
    message = {**messages_answer(seen), "content": [], "stop_reason": None}
    message["usage"] = {"input_tokens": PROMPT_TOKENS, "output_tokens": 1}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    for n in range(EVENTS):
        delta = {"type": "text_delta", "text": f"w{n} "}
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
    events.append({"type": "content_block_stop", "index": 0})
    end: dict[str, Any] = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    if usage:
        end["usage"] = {"output_tokens": COMPLETION_TOKENS}
    events += [end, {"type": "message_stop"}]
    return [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events]


def events(seen: Seen, *, usage: bool = True) -> list[bytes]:
    make = messages_events if seen.path.endswith("/messages") else chat_events
    return make(seen, usage=usage)


STREAM_HEAD = head(content_type="text/event-stream", transfer_encoding="chunked")


async def answer(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Answers as asked, whole or streamed, in the dialect of the path."""
    if seen.stream:
        writer.write(STREAM_HEAD + b"".join(map(chunk, events(seen))) + b"0\r\n\r\n")
        return
    make = messages_answer if seen.path.endswith("/messages") else chat_answer
    writer.write(whole(make(seen), x_request_id="req-1", x_ratelimit_remaining_tokens="99"))


async def gated(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Streams two events, then waits at the gate before it goes on; a whole answer waits too."""
    if not seen.stream:
        await provider.wait_at_gate()
        await answer(provider, seen, writer)
        return
    pieces = events(seen)
    writer.write(STREAM_HEAD + chunk(pieces[0]) + chunk(pieces[1]))
    await writer.drain()
    await provider.wait_at_gate()
    writer.write(b"".join(map(chunk, pieces[2:])) + b"0\r\n\r\n")


async def resets_mid_stream(
    provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter
) -> None:
    writer.write(STREAM_HEAD + chunk(events(seen)[0]))
    await writer.drain()
    await provider.wait_at_gate()
    _reset(writer)


async def resets(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    _reset(writer)


async def closes_mid_body(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(whole(chat_answer(seen))[:-30])
    await writer.drain()
    writer.close()


async def no_usage(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    if seen.stream:
        pieces = events(seen, usage=False)
        writer.write(STREAM_HEAD + b"".join(map(chunk, pieces)) + b"0\r\n\r\n")
        return
    told = chat_answer(seen)
    del told["usage"]
    writer.write(whole(told))


async def rate_limited(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    problem = {
        "error": {"message": "slow down", "type": "rate_limit", "code": "rate_limit_exceeded"}
    }
    writer.write(whole(problem, 429, retry_after="7"))


async def bad_gateway(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(whole({"error": {"message": "lost"}}, 502))


async def overruns(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    told = chat_answer(seen)
    told["usage"]["completion_tokens"] = 1_000_000
    told["usage"]["total_tokens"] = 1_000_000 + PROMPT_TOKENS
    writer.write(whole(told))


async def without_length(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    body = json.dumps(chat_answer(seen)).encode()
    writer.write(head(content_type="application/json", connection="close") + body)
    await writer.drain()
    writer.close()


async def not_http(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.com ESMTP\r\n")


async def endless_head(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n" + b"x-filler: 0123456789\r\n" * 10_000)


async def too_large(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(whole({"filler": "x" * 3_000_000}))


async def in_bytes(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Streams one byte a chunk."""
    raw = b"".join(events(seen))
    writer.write(
        STREAM_HEAD + b"".join(chunk(raw[i : i + 1]) for i in range(len(raw))) + b"0\r\n\r\n"
    )


async def silent(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    await provider.wait_at_gate()


async def flood(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Streams 20 MB before it ends as usual."""
    pieces = events(seen)
    filler = chunk(pieces[0] * 600)
    writer.write(STREAM_HEAD)
    for _ in range(200):
        writer.write(filler)
        await writer.drain()
    writer.write(b"".join(map(chunk, pieces)) + b"0\r\n\r\n")


async def early_hints(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
    await answer(provider, seen, writer)


async def truncated(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Answers in chat, cut off by its cap."""
    if seen.stream:
        pieces = [piece.replace(b'"stop"', b'"length"') for piece in events(seen)]
        writer.write(STREAM_HEAD + b"".join(map(chunk, pieces)) + b"0\r\n\r\n")
        return
    told = chat_answer(seen)
    told["choices"][0]["finish_reason"] = "length"
    writer.write(whole(told))


async def changing(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Answers in chat as another version from the third query on."""
    asked = sum(other.json.get("model") == "changing" for other in provider.seen)
    writer.write(whole(chat_answer(seen) | {"model": f"changing-{1 + (asked > 2)}"}))


async def fails(provider: FakeProvider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(whole({"error": {"message": "no"}}, 500))


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST rather than FIN."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


SCRIPTS: dict[str, Script] = {
    "echo": answer,
    "gated": gated,
    "resets-mid-stream": resets_mid_stream,
    "resets": resets,
    "closes-mid-body": closes_mid_body,
    "no-usage": no_usage,
    "rate-limited": rate_limited,
    "bad-gateway": bad_gateway,
    "overruns": overruns,
    "without-length": without_length,
    "not-http": not_http,
    "endless-head": endless_head,
    "too-large": too_large,
    "in-bytes": in_bytes,
    "silent": silent,
    "flood": flood,
    "early-hints": early_hints,
    "truncated": truncated,
    "changing": changing,
    "fails": fails,
    "unpriced": answer,
}
