"""A provider's head: what of it goes on, what it means, whatever was read before."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.proxy import head as module
from farthing.proxy.head import LINE_MOST, LINES_MOST, Head, read_head


def read(*lines: bytes, status: int = 200) -> Head:
    return read_head(status, b"\r\n".join((b"HTTP/1.1 200 OK", *lines, b"", b"")))


def test_what_is_nobody_s_but_the_client_s_goes_on() -> None:
    told = read(b"X-Id:  7 \t", b"Server: x", b"X-Empty:", b"Set-Cookie: a=b", b"X-ID: 8")
    assert told == Head(200, b"x-id: 7\r\nx-empty: \r\nx-id: 8\r\n", b"", encoded=False)


@pytest.mark.parametrize("times", [1, 2])
def test_lines_mean_the_same_each_time(times: int) -> None:
    for _ in range(times):
        told = read(
            b"Content-Type: Text/Event-Stream; charset=UTF-8",
            b"Content-Encoding: GZIP",
            b"Transfer-Encoding: Chunked",
            b"Keep-Alive: timeout=5",
        )
        assert told.content_type == b"text/event-stream; charset=utf-8"
        assert told.encoded and told.chunked and told.framed and told.length is None
        assert told.rests == 4
        assert b"content-encoding: GZIP\r\n" in told.passed and b"chunked" not in told.passed


def test_identity_is_no_encoding() -> None:
    assert not read(b"content-encoding: identity").encoded


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_ends_with_its_head(status: int) -> None:
    for line in (b"content-length: 9", b"transfer-encoding: chunked", b"x-a: b"):
        told = read(line, status=status)
        assert told.framed and told.length == 0 and not told.chunked


def test_without_framing_only_the_connection_s_end_tells_the_answer_s() -> None:
    told = read()
    assert not told.framed and told.length is None and told.rests == math.inf


def test_the_last_of_two_codings_is_the_one_that_frames() -> None:
    told = read(b"transfer-encoding: chunked", b"transfer-encoding: gzip")
    assert told.framed and not told.chunked


def test_what_a_farthing_says_of_itself_stays_here() -> None:
    told = read(b"Farthing-Cost-USD: 0.5", b"farthing-request-id:q1 ", b"x-id: 1")
    assert told.own == {b"farthing-cost-usd": b"0.5", b"farthing-request-id": b"q1"}
    assert told.passed == b"x-id: 1\r\n"
    assert not read().own, "it is that answer's alone"


@given(st.lists(st.integers(0, 3 * LINES_MOST), max_size=9))
def test_no_more_lines_are_remembered_than_so_many(numbers: list[int]) -> None:
    for number in numbers:
        for other in range(number):
            read(b"x-request-id: %d" % other)
        assert read(b"X-Request-Id: %d" % number).passed == b"x-request-id: %d\r\n" % number
        assert len(module._LINES) <= LINES_MOST


def test_a_long_line_is_not_remembered() -> None:
    long = b"x-long: " + b"y" * LINE_MOST
    assert read(long).passed == long + b"\r\n"
    assert long not in module._LINES
