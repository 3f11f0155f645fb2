"""A head that is known again means what the parser read of it, and nothing else is known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.errors import FarthingError
from farthing.proxy.request import Repeat, Request
from farthing.proxy.server import ClientConnection
from farthing.settings import HttpSettings

HEAD = (
    b"POST /v1/x?a=1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer k\r\n%sContent-Length: %d\r\n\r\n"
)


class Sweeper:
    now = 0.0

    def add(self, _: object) -> None:
        """Nothing is watched."""


class Transport:
    def write(self, data: bytes) -> None:
        """Nobody reads it."""

    def close(self) -> None:
        """It is enough that nothing comes after."""

    pause_reading = resume_reading = write_eof = close

    def can_write_eof(self) -> bool:
        return True


class Hearing:
    """Answers each request at once, and remembers what was asked."""

    def __init__(self, **settings: Any) -> None:
        self.settings = HttpSettings(**settings)
        self.sweeper: Any = Sweeper()
        self.heard: list[tuple[object, ...]] = []
        self.problems: list[str] = []
        self.client = ClientConnection(self)
        self.client.connection_made(Transport())  # type: ignore[arg-type]

    def opened(self, client: ClientConnection) -> None:
        """One client is enough."""

    closed = opened

    def request(self, client: ClientConnection, request: Request) -> None:
        headers = {n: v for n, v in request.headers.items() if n != b"content-length"}
        asked = (request.method, request.path, request.question, request.body, headers)
        self.heard.append((*asked, request.keep_alive, request.http10))
        client.respond(200, b"", b"")

    def refuse(self, client: ClientConnection, _: Request, problem: FarthingError) -> None:
        self.problems.append(problem.code)
        client.linger(400, b"", b"")

    def feed(self, data: bytes) -> Hearing:
        self.client.data_received(data)
        return self

    @property
    def known(self) -> Repeat | None:
        return self.client._repeat


def asking(body: bytes, more: bytes = b"") -> bytes:
    return HEAD % (more, len(body)) + body


def watched(hearing: Hearing, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What the parser is fed from now on."""
    fed: list[bytes] = []
    parse = ClientConnection._parse

    def parsed(client: ClientConnection, data: bytes) -> None:
        fed.append(data)
        parse(client, data)

    monkeypatch.setattr(ClientConnection, "_parse", parsed)
    return fed


@pytest.mark.parametrize("body", [b"{}", b"x" * 100_000, b""])
def test_the_same_head_is_not_parsed_again(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Hearing().feed(asking(b"first"))
    fed = watched(one, monkeypatch)
    one.feed(asking(body))
    half = len(asking(body)) - len(body) // 2
    one.feed(asking(body)[:half])
    if body:
        one.feed(asking(body)[half:])
    assert not fed
    plain = Hearing(max_header_bytes=10**6).feed(asking(body))
    assert one.heard[1:] == plain.heard * len(one.heard[1:]) and len(one.heard) == 3


@given(
    st.lists(st.binary(max_size=40), min_size=1, max_size=6),
    st.lists(st.integers(1, 60), min_size=1, max_size=8),
)
def test_requests_are_the_same_however_their_bytes_come(
    bodies: list[bytes], sizes: list[int]
) -> None:
    """With known heads and without, whole, in parts, and several in one read."""
    stream = b"".join(map(asking, bodies))
    known, at, turn = Hearing().feed(asking(b"known")), 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        known.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    parsed = [Hearing().feed(asking(body)).heard[0] for body in bodies]
    assert known.heard[1:] == parsed


@pytest.mark.parametrize(
    "other",
    [
        asking(b"body").replace(b"Bearer k", b"Bearer l"),
        asking(b"body").replace(b"POST", b"PUT "),
        asking(b"body", b"X-More: 1\r\n"),
        asking(b"body").replace(b"Content-Length: 4", b"Content-Length: +4"),
        asking(b"body").replace(b"Content-Length: 4", b"Content-Length: 4 "),
        asking(b"body").replace(b"Content-Length: 4", b"Content-Length: 4, 4"),
        asking(b"body").replace(b"Content-Length: 4", b"Content-Length: 0000000004"),
        b"\r\n" + asking(b"body"),
    ],
)
def test_any_other_head_is_parsed(other: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Hearing().feed(asking(b"known"))
    fed = watched(one, monkeypatch)
    one.feed(other)
    assert fed == [other]
    fresh = Hearing().feed(other)
    assert (one.heard[1:], one.problems) == (fresh.heard, fresh.problems)


@pytest.mark.parametrize(
    "first",
    [
        asking(b"body", b"Connection: close\r\n"),
        asking(b"body", b"Expect: 100-continue\r\n"),
        asking(b"body").replace(b"HTTP/1.1", b"HTTP/1.0"),
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"\r\n\r\n" + asking(b"body"),
    ],
)
def test_a_head_of_another_kind_is_not_remembered(first: bytes) -> None:
    one = Hearing().feed(first)
    assert len(one.heard) == 1 and one.known is None


def test_a_known_head_s_body_is_bounded_as_any_other() -> None:
    one = Hearing(max_body_bytes=10).feed(asking(b"small"))
    one.feed(asking(b"x" * 11))
    assert one.problems == ["body_too_large"]
    two = Hearing(max_body_bytes=10).feed(asking(b"small"))
    two.feed(HEAD % (b"", 11))
    assert two.problems == ["body_too_large"]


def test_the_middle_of_a_request_is_no_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a head that is being read, even the very bytes of a known one are a header's."""
    one = Hearing().feed(asking(b"known"))
    one.feed(b"GET /y HTTP/1.1\r\nX-Long: ")
    fed = watched(one, monkeypatch)
    one.feed(asking(b"body"))
    assert fed == [asking(b"body")]


def test_what_follows_a_body_that_came_with_the_next_head_begun_is_not_a_head() -> None:
    one = (
        Hearing()
        .feed(asking(b"known"))
        .feed(asking(b"a", b"X: 1\r\n") + b"POST /other HTTP/1.1\r\nX: ")
    )
    one.feed(asking(b"body"))
    assert [heard[1] for heard in one.heard] == [b"/v1/x", b"/v1/x", b"/other"]


def test_a_client_whose_heads_never_come_again_is_not_learnt_from_for_ever() -> None:
    one = Hearing()
    seen = [one.feed(asking(b"x", b"X-Id: %d\r\n" % number)).known for number in range(5)]
    assert len(set(map(id, seen))) == 3 and seen[-1] is seen[2]


def test_what_was_found_out_from_a_head_is_kept_with_it() -> None:
    found = []

    class Keeping(Hearing):
        def request(self, client: ClientConnection, request: Request) -> None:
            found.append(request.facts)
            super().request(client, request)

    Keeping().feed(asking(b"1")).feed(asking(b"22")).feed(asking(b"3", b"X: 1\r\n"))
    assert found[0] is found[1] and found[1] is not found[2]


def test_a_known_head_waits_its_turn() -> None:
    waiting = []

    class Slow(Hearing):
        def request(self, client: ClientConnection, request: Request) -> None:
            waiting.append(request.body)

    one = Slow().feed(asking(b"first"))
    one.client.respond(200, b"", b"")
    one.feed(asking(b"second")).feed(asking(b"third"))
    assert waiting == [b"first", b"second"]
    one.client.respond(200, b"", b"")
    assert waiting == [b"first", b"second", b"third"]


def test_a_client_whose_head_is_known_needs_no_parser() -> None:
    one = Hearing().feed(asking(b"known"))
    parsers = [one.client._parser]
    one.feed(asking(b"a", b"X: 1\r\n") + b"POST /other HTT")  # of which one is being read
    parsers.append(one.client._parser)
    assert [parser is None for parser in parsers] == [True, False]
    one.feed(b"P/1.1\r\nHost: h\r\n\r\n")
    assert [heard[1] for heard in one.heard] == [b"/v1/x", b"/v1/x", b"/other"]


def test_a_client_whose_heads_never_come_again_keeps_its_parser() -> None:
    one, parsers = Hearing(), list[Any]()
    for number in range(6):
        one.feed(asking(b"x", b"X-Id: %d\r\n" % number))
        parsers.append(one.client._parser)
    assert parsers[:2] == [None, None] and parsers[3] is parsers[4] is parsers[5] is not None
