"""The client's side of HTTP: bad, slow and oversized input, each with a clear error."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.gateway import RunningGateway
from tests.support.provider import COMPLETION_TOKENS, FakeProvider

from farthing.proxy.request import Request
from farthing.proxy.server import ClientConnection
from farthing.settings import HttpSettings

PATHS = ["/v1/chat/completions", "/v1/messages"]


class Wire:
    """A raw connection to the gateway."""

    def __init__(self, gateway: RunningGateway) -> None:
        self.socket = socket.create_connection(("127.0.0.1", gateway.port), timeout=20)
        self._rest = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Read one answer that has a content-length."""
        while b"\r\n\r\n" not in self._rest:
            self._more()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        length = int(headers.get("content-length", "0"))
        while len(self._rest) < length:
            self._more()
        body, self._rest = self._rest[:length], self._rest[length:]
        return int(lines[0].split(" ")[1]), headers, body

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self._rest += data

    def closed(self) -> bool:
        """Whether the gateway closes without sending more."""
        return self.socket.recv(1) == b""


@pytest.fixture
def wire(shared_gateway: RunningGateway) -> Iterator[Wire]:
    """A raw connection, closed afterwards."""
    made = Wire(shared_gateway)
    yield made
    made.socket.close()


def post(key: str, body: bytes, path: str = PATHS[0], extra: str = "") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n{extra}"
        f"content-length: {len(body)}\r\n\r\n"
    ).encode() + body


ASKED = json.dumps({"model": "echo", "max_tokens": 9, "messages": []}).encode()


def error_of(path: str, body: bytes) -> tuple[str, str]:
    """Check an error's shape in the dialect of a path; return its type and code."""
    told = json.loads(body)
    if path == PATHS[1]:
        assert told["type"] == "error"
    assert told["request_id"].startswith("q")
    assert len(told["error"]["message"]) > 20
    return told["error"]["type"], told["error"]["code"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "missing_body"),
        (b"{", 400, "invalid_json"),
        (b"[1]", 400, "invalid_json"),
        (b"\xff\xfe", 400, "invalid_json"),
        (b"[" * 100_000, 400, "invalid_json"),
        (b'{"model":5}', 400, "invalid_field"),
        (b'{"model":"echo","max_tokens":"many"}', 400, "invalid_field"),
        (b'{"model":"echo","messages":{"a":1}}', 400, "invalid_field"),
        (b'{"messages":[]}', 404, "unknown_model"),
        (b'{"model":"no-such-model"}', 404, "unknown_model"),
    ],
)
def test_a_bad_body(
    shared_gateway: RunningGateway, path: str, body: bytes, status: int, code: str
) -> None:
    answer = shared_gateway.request("POST", path, body, shared_gateway.key())
    assert answer.status == status
    assert answer.headers["farthing-error"] == code
    assert error_of(path, answer.body)[1] == code


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", [None, "fk_0_0", "sk-somebody-elses", "fk_\xe9_x"])
def test_a_missing_or_unknown_key(
    shared_gateway: RunningGateway, path: str, key: str | None
) -> None:
    headers = {} if key is None else {"x_api_key": key}
    answer = shared_gateway.request("POST", path, ASKED, **headers)
    assert answer.status == 401
    kind, code = error_of(path, answer.body)
    assert kind == "authentication_error"
    assert code == ("missing_key" if key is None else "unknown_key")


@pytest.mark.parametrize("path", PATHS)
def test_a_wrong_method(shared_gateway: RunningGateway, path: str) -> None:
    answer = shared_gateway.request("GET", path)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert error_of(path, answer.body)[1] == "method_not_allowed"


def test_an_unknown_path(shared_gateway: RunningGateway) -> None:
    answer = shared_gateway.request("POST", "/v1/nowhere", b"{}")
    assert (answer.status, answer.headers["farthing-error"]) == (404, "not_found")


@pytest.mark.parametrize("path", PATHS)
def test_a_body_of_100_mb_is_refused_before_it_is_read(
    shared_gateway: RunningGateway, wire: Wire, path: str
) -> None:
    wire.send(f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n".encode())
    status, headers, body = wire.answer()  # nothing of the body was sent
    assert (status, headers["connection"]) == (413, "close")
    assert error_of(path, body)[1] == "body_too_large"


def test_a_client_that_sends_100_mb_all_the_same_gets_its_answer(
    shared_gateway: RunningGateway,
) -> None:
    answer = shared_gateway.request("POST", PATHS[0], b"x" * 100_000_000, "k")
    assert answer.status == 413


def test_a_chunked_body_is_bounded_too(shared_gateway: RunningGateway, wire: Wire) -> None:
    wire.send(f"POST {PATHS[0]} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode())
    piece = b"%x\r\n%s\r\n" % (65536, b"x" * 65536)
    for _ in range(17):  # 1.1 MB, the bound is 1 MB
        wire.send(piece)
    assert wire.answer()[0] == 413


def test_a_chunked_body_is_taken(shared_gateway: RunningGateway, wire: Wire) -> None:
    key = shared_gateway.key()
    head = post(key, b"").replace(b"content-length: 0", b"transfer-encoding: chunked")
    pieces = b"".join(b"%x\r\n%s\r\n" % (1, ASKED[i : i + 1]) for i in range(len(ASKED)))
    wire.send(head + pieces + b"0\r\n\r\n")
    assert wire.answer()[0] == 200


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400, ""),
        (
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n"
            b"transfer-encoding: chunked\r\n\r\n",
            400,
            "",
        ),
        (b"POST / HTTP/1.1\r\nhost: x\r\nx-api-key: a\r\nx-api-key: b\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 400_000, 431, "headers_too_large"),
        (b"GET /" + b"y" * 400_000, 431, "headers_too_large"),
    ],
)
def test_a_bad_head(
    shared_gateway: RunningGateway, wire: Wire, head: bytes, status: int, code: str
) -> None:
    wire.send(head)
    answered, headers, body = wire.answer()
    assert (answered, headers["connection"]) == (status, "close")
    assert error_of("", body)[1] == (code or "bad_request")


@pytest.mark.parametrize(
    "begun",
    [
        b"POST /v1/messages HTTP/1.1\r\nhost: x",
        b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{",
    ],
)
def test_a_slow_client(shared_gateway: RunningGateway, wire: Wire, begun: bytes) -> None:
    began = time.monotonic()
    wire.send(begun)
    status, _, body = wire.answer()
    assert status == 408
    assert error_of("/v1/messages" if b"length" in begun else "", body)[1] == "request_timeout"
    assert time.monotonic() - began < 5
    assert wire.closed()


def test_a_connection_that_says_nothing_is_closed(
    shared_gateway: RunningGateway, wire: Wire
) -> None:
    assert wire.closed()


def test_a_client_that_does_not_read_counts_as_gone(
    shared_gateway: RunningGateway, wire: Wire, shared_provider: FakeProvider
) -> None:
    """Its connection is cut, its query is settled, and nothing piles up for it meanwhile."""
    key = shared_gateway.key()
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    asked = json.dumps({"model": "flood", "stream": True, "max_tokens": 9, "messages": []})
    wire.send(post(key, asked.encode()))
    wire.socket.recv(100)
    query = shared_gateway.last_query()
    record = shared_gateway.record_when_ended(query, key)
    assert record["status"] == "settled"
    assert record["usage"]["output"] == COMPLETION_TOKENS


def test_requests_on_one_connection_are_answered_in_order(
    shared_gateway: RunningGateway, wire: Wire
) -> None:
    key = shared_gateway.key()
    asked = [
        post(key, ASKED),
        b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n",
        post(key, b"{"),
        post(key, ASKED),
    ]
    wire.send(b"".join(asked))
    assert [wire.answer()[0] for _ in asked] == [200, 200, 400, 200]
    wire.send(post(key, ASKED))
    assert wire.answer()[0] == 200


def test_http_1_0_gets_an_answer_that_its_end_ends(
    shared_gateway: RunningGateway, wire: Wire
) -> None:
    key = shared_gateway.key()
    body = json.dumps({"model": "echo", "stream": True, "max_tokens": 9, "messages": []}).encode()
    wire.send(post(key, body).replace(b"HTTP/1.1", b"HTTP/1.0"))
    raw = b""
    while data := wire.socket.recv(65536):
        raw += data
    assert b"transfer-encoding" not in raw
    assert raw.endswith(b"data: [DONE]\n\n")


def test_a_client_that_asks_first_is_told_to_go_on_or_not(
    shared_gateway: RunningGateway, wire: Wire
) -> None:
    key = shared_gateway.key()
    asked = post(key, ASKED, extra="expect: 100-continue\r\n")
    wire.send(asked[: -len(ASKED)])
    assert wire.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.send(ASKED)
    assert wire.answer()[0] == 200
    wire.send(
        b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 9999999\r\n\r\n"
    )
    assert wire.answer()[0] == 413


def test_the_root_answers_head(shared_gateway: RunningGateway) -> None:
    answer = shared_gateway.request("HEAD", "/")
    assert (answer.status, answer.body) == (200, b"")


def test_nothing_of_a_bad_request_reaches_the_journal(
    shared_gateway: RunningGateway, shared_provider: FakeProvider
) -> None:
    before, sent = len(shared_gateway.entries()), len(shared_provider.seen)
    for body in (b"", b"{", b'{"model":"no-such-model"}'):
        shared_gateway.request("POST", PATHS[0], body, "fk_0_0")
    assert (len(shared_gateway.entries()), len(shared_provider.seen)) == (before, sent)
    assert "Traceback" not in shared_gateway.log.read_text()


# -- streams --------------------------------------------------------------------------------------


class Writes(asyncio.Transport):
    """Keeps each write."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.told.append(bytes(data))


class Streaming:
    """Begins a stream for each request; the test goes on with it."""

    settings = HttpSettings()

    def __init__(self, version: bytes = b"1.1") -> None:
        self.sweeper: Any = SimpleNamespace(now=0.0, add=print, remove=lambda _: None)
        self.to_client, self.client = Writes(), ClientConnection(self)
        self.client.connection_made(self.to_client)
        self.client.data_received(b"GET / HTTP/%s\r\nhost: h\r\n\r\n" % version)

    def opened(self, _: ClientConnection) -> None:
        """One is enough."""

    closed = opened

    def request(self, client: ClientConnection, _: Request) -> None:
        self.chunked = client.begin_stream(200, b"x: 1\r\n")

    def refuse(self, *_: object) -> None:
        raise AssertionError


HEAD_OF_STREAM = b"HTTP/1.1 200 OK\r\nx: 1\r\ntransfer-encoding: chunked\r\n\r\n"


def test_the_head_of_a_stream_goes_with_what_is_sent_first() -> None:
    ways: tuple[tuple[Callable[[ClientConnection], None], bytes], ...] = (
        (lambda client: client.pass_on(b"1\r\na\r\n"), b"1\r\na\r\n"),
        (lambda client: client.stream(b"a"), b"1\r\na\r\n"),
        (lambda client: client.send_head(), b""),
        (lambda client: client.end_stream(), b"0\r\n\r\n"),
    )
    for send, first in ways:
        it = Streaming()
        assert it.chunked and not it.to_client.told
        send(it.client)
        it.client.pass_on(b"2\r\nbc\r\n")
        it.client.send_head()
        assert it.to_client.told == [HEAD_OF_STREAM + first, b"2\r\nbc\r\n"]


def test_an_old_client_s_stream_has_no_chunks() -> None:
    it = Streaming(b"1.0")
    assert not it.chunked
    it.client.stream(b"a")
    it.client.stream(b"b")
    assert it.to_client.told == [
        b"HTTP/1.1 200 OK\r\nx: 1\r\nconnection: close\r\n\r\na",
        b"b",
    ]


def test_to_a_client_that_has_left_nothing_is_passed_on() -> None:
    it = Streaming()
    it.client.pass_on(b"1\r\na\r\n")
    sent = list(it.to_client.told)
    it.client.connection_lost(None)
    it.client.pass_on(b"1\r\nb\r\n")
    assert it.to_client.told == sent


def test_whoever_reads_for_a_client_is_told_that_it_is_slow() -> None:
    it, told = Streaming(), list[str]()
    it.client.pause_writing()  # nobody reads yet
    it.client.reader = SimpleNamespace(  # type: ignore[assignment]
        client_slow=lambda: told.append("slow"), client_ready=lambda: told.append("ready")
    )
    it.client.pause_writing()
    it.client.resume_writing()
    assert told == ["slow", "ready"]


def test_the_next_stream_s_head_is_sent_before_its_pieces_too() -> None:
    it = Streaming()
    it.client.pass_on(b"1\r\na\r\n")
    it.client.end_stream()
    it.client.data_received(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
    it.client.pass_on(b"1\r\nb\r\n")
    assert it.to_client.told[2:] == [HEAD_OF_STREAM + b"1\r\nb\r\n"]
