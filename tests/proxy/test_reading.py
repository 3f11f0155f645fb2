"""Reading a client's request: what the path says counts."""

from __future__ import annotations

from farthing.errors import Malformed
from farthing.providers import Provider
from farthing.proxy.reading import read, unreadable
from farthing.proxy.server import Request
from farthing.wire import DIALECTS
from farthing.wire.dialect import Target


def request(body: bytes, **headers: bytes) -> Request:
    made = Request()
    made.body = body
    made.headers = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return made


def test_the_body_says_the_model_where_the_path_does_not() -> None:
    ask, written = read(request(b'{"model":"a","stream":true}'), DIALECTS["chat"], None)
    assert (ask.model, written, ask.stream) == ("a", "a", True)


def test_the_path_s_model_counts_and_the_body_s_is_remembered() -> None:
    body = request(b'{"model":"a","stream":true}')
    ask, written = read(body, DIALECTS["chat"], Target("b"))
    assert (ask.model, written, ask.stream) == ("b", "a", True)


def test_a_path_may_say_whether_to_stream() -> None:
    ask, _ = read(request(b'{"stream":true}'), DIALECTS["chat"], Target("b", stream=False))
    assert ask.stream is False


def test_the_dialect_s_own_headers_are_read() -> None:
    told = request(b"{}", anthropic_version=b"2026-10-21", anthropic_beta=b"b-1", other=b"x")
    ask, _ = read(told, DIALECTS["messages"], None)
    assert ask.headers == {"anthropic-version": "2026-10-21", "anthropic-beta": "b-1"}
    assert read(told, DIALECTS["chat"], None)[0].headers == {}


def test_an_answer_that_cannot_be_read_was_billed() -> None:
    problem = unreadable(Provider("https://x", {}, name="acme"), Malformed("invalid_json", "Bad."))
    assert problem.code == "upstream_malformed"
    assert problem.message == "acme's answer cannot be translated: Bad. It was billed."
