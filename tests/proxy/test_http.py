"""HTTP/1.1 heads as bytes: what is written is what a parser of somebody else's reads."""

from __future__ import annotations

from http import HTTPStatus

import h11
import msgspec
import pytest

from farthing.providers import Provider
from farthing.proxy.http import (
    CONTINUE,
    HOP_BY_HOP,
    LARGE_BYTES,
    LAST_CHUNK,
    NAMES_MOST,
    chunk,
    filled,
    keep_alive_seconds,
    lowered,
    message,
    request_head,
    status_line,
    stream_head,
    whole,
)

LINES = b"content-type: text/plain\r\nx-one: 1\r\n"


def read(raw: bytes) -> tuple[h11.Response, bytes, bool]:
    """Read an answer to a GET; return its head, its body, and whether the connection goes on."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data(raw)
    client.receive_data(b"")
    head = client.next_event()
    assert isinstance(head, h11.Response)
    body = b""
    while isinstance(event := client.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert client.trailing_data[0] == b"", "nothing follows"
    return head, body, client.their_state is not h11.MUST_CLOSE


@pytest.mark.parametrize("status", [200, 204, 404, 503])
@pytest.mark.parametrize("keep_alive", [True, False])
def test_a_whole_answer(status: int, keep_alive: bool) -> None:
    body = b"" if status == 204 else b"four farthings"
    raw = whole(status, LINES, body, keep_alive=keep_alive)
    head, told, goes_on = read(raw)
    assert (head.status_code, told) == (status, body)
    assert head.reason == HTTPStatus(status).phrase.encode()
    assert (b"x-one", b"1") in list(head.headers)
    assert (b"connection: close\r\n" in raw) is not keep_alive
    assert goes_on is keep_alive


@pytest.mark.parametrize("size", [0, 9, LARGE_BYTES - 1, LARGE_BYTES, 10 * LARGE_BYTES])
def test_a_request_with_its_body(size: int) -> None:
    body = b"x" * size
    pieces = message(b"POST /v1 HTTP/1.1\r\nhost: x\r\n", body)
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"".join(pieces))
    head, told = server.next_event(), b""
    assert isinstance(head, h11.Request)
    while isinstance(event := server.next_event(), h11.Data):
        told += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert told == body
    assert server.trailing_data[0] == b""
    assert (pieces[-1] is body) is (size >= LARGE_BYTES), "a large one is not copied"


def test_a_streamed_answer() -> None:
    raw = stream_head(200, LINES, keep_alive=True, chunked=True)
    raw += chunk(b"x" * 300) + chunk(b"\r\n") + LAST_CHUNK
    head, body, goes_on = read(raw)
    assert (b"transfer-encoding", b"chunked") in list(head.headers)
    assert body == b"x" * 300 + b"\r\n"
    assert goes_on


def test_a_streamed_answer_that_the_connection_ends() -> None:
    raw = stream_head(200, LINES, keep_alive=False, chunked=False)
    head, body, goes_on = read(raw + b"the rest")
    assert (b"connection", b"close") in list(head.headers)
    assert b"transfer-encoding" not in raw
    assert body == b"the rest"
    assert not goes_on


def test_a_status_without_a_name_is_passed_all_the_same() -> None:
    assert status_line(529) == b"HTTP/1.1 529 \r\n"
    assert read(whole(529, b"", b"busy", keep_alive=True))[0].status_code == 529


def test_go_on_is_an_answer_of_its_own() -> None:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    client.receive_data(CONTINUE)
    assert isinstance(client.next_event(), h11.InformationalResponse)


@pytest.mark.parametrize(
    "name",
    [
        # RFC 9110 §7.6.1 and what frames a message: of one connection, not of its content
        "connection", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding",
        "upgrade", "content-length",
        # what would bind a client to the provider, or lead it around the gateway
        "set-cookie", "alt-svc", "strict-transport-security", "access-control-allow-origin",
    ],
)  # fmt: skip
def test_these_headers_do_not_pass(name: str) -> None:
    assert name.encode() in HOP_BY_HOP


def test_the_names_are_spelled_as_they_are_looked_up() -> None:
    assert all(name == name.lower() for name in HOP_BY_HOP)


@pytest.mark.parametrize(
    ("auth", "line"),
    [("bearer", b"authorization: Bearer K\r\n"), ("x-api-key", b"x-api-key: K\r\n"), ("none", b"")],
)
@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://api.example.com/v1", b"api.example.com", b"/v1/messages"),
        ("http://[::1]:8080", b"[::1]:8080", b"/messages"),
        ("https://h/a/b/", b"h", b"/a/b/messages"),
    ],
)
def test_a_request_s_head(auth: str, line: bytes, url: str, host: bytes, path: bytes) -> None:
    provider = msgspec.structs.replace(Provider(url, {}), auth=auth, key="K")
    head = request_head(provider, "POST", "/messages")
    assert head.startswith(b"POST %s HTTP/1.1\r\nhost: %s\r\n%scontent-type" % (path, host, line))
    assert (b"K" in head) == bool(line)
    assert b"accept-encoding: identity\r\n" in head
    assert head.endswith(b"\r\n") and not head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"timeout=5", 4),
        (b"max=9, Timeout=5", 4),
        (b"timeout=0", 0),
        (b"timeout=-5", float("inf")),
        (b"max=9", float("inf")),
        (b"timeout", float("inf")),
        (b"", float("inf")),
    ],
)
def test_how_long_a_connection_may_rest_a_second_spared(value: bytes, seconds: float) -> None:
    assert keep_alive_seconds(value) == seconds


def test_an_address_without_a_path_is_asked_at_its_root() -> None:
    provider = Provider("https://token.example.com", {}, auth="none")
    head = request_head(provider, "POST", "", kind=b"text/plain")
    assert head.startswith(b"POST / HTTP/1.1\r\nhost: token.example.com\r\n")
    assert b"\r\ncontent-type: text/plain\r\n" in head


def test_a_model_s_name_is_one_part_of_a_path() -> None:
    assert filled("/{model}:{verb}", "a/b?c@1:0", "go") == "/a%2Fb%3Fc@1%3A0:go"
    assert filled("/x", "a", "go") == "/x"


def test_one_copy_of_a_header_s_name_serves_all_and_not_every_name_is_kept() -> None:
    assert lowered(b"Content-Type") is lowered(bytes(bytearray(b"Content-Type")))
    assert lowered(b"Content-Type") == b"content-type"
    names = [b"X-%d" % number for number in range(2 * NAMES_MOST)]
    assert [lowered(name) for name in names] == [name.lower() for name in names]
    assert lowered(names[-1]) is not lowered(names[-1])
