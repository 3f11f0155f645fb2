"""Reading a client's request: what the path says counts."""

from __future__ import annotations

from farthing.errors import Malformed
from farthing.providers import Provider
from farthing.proxy.head import Head
from farthing.proxy.reading import let_go, read, sent_as, unreadable
from farthing.proxy.request import Request
from farthing.wire import DIALECTS
from farthing.wire.dialect import Operation, Target


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


FORM = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n'
)
KIND = b"multipart/form-data; boundary=b"
KEPT = Target("", stream=False, operation=Operation(b"GET", "/f", buys="a day"), tail="/f?a=1")


def test_a_form_is_read_as_one_where_its_dialect_has_forms() -> None:
    told = request(FORM, content_type=KIND)
    ask, written = read(told, DIALECTS["transcriptions"], None)
    assert (ask.model, written) == ("m", "m")
    told.method = b"POST"
    assert sent_as(told, ask, None) == ("POST", "", KIND)


def test_what_was_read_as_json_is_sent_as_json_whatever_it_was_called() -> None:
    told = request(b'{"model":"m"}', content_type=b"text/plain")
    told.method = b"POST"
    ask, _ = read(told, DIALECTS["transcriptions"], None)
    assert sent_as(told, ask, None) == ("POST", "", b"application/json")
    assert sent_as(told, ask, Target("b")) == ("POST", "", b"application/json")


def test_what_a_provider_keeps_is_asked_for_as_the_client_did() -> None:
    told = request(b"", content_type=b"text/plain")
    told.method = b"GET"
    ask, _ = read(told, DIALECTS["files"], KEPT)
    assert (ask.model, ask.stream, ask.buys) == ("", False, "a day")
    assert sent_as(told, ask, KEPT) == ("GET", "/f?a=1", b""), "no body has no kind"
    told.body = b"x"
    assert sent_as(told, ask, KEPT) == ("GET", "/f?a=1", b"text/plain")


def test_an_answer_that_cannot_be_read_was_billed() -> None:
    problem = unreadable(Provider("https://x", {}, name="acme"), Malformed("invalid_json", "Bad."))
    assert problem.code == "upstream_malformed"
    assert problem.message == "acme's answer cannot be translated: Bad. It was billed."


def test_what_only_the_sending_needed_is_let_go() -> None:
    told, head = request(b'{"model":"a","stream":true}'), Head(200, b"x: 1\r\n", b"", encoded=False)
    ask, _ = read(told, DIALECTS["chat"], None)
    let_go(told, ask, head)
    assert (told.body, ask.body, ask.fields, head.passed) == (b"", b"", {}, b"")
    assert (ask.model, ask.stream, head.status) == ("a", True, 200)
