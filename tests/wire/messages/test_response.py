"""Messages answers: usage from both ends of a stream, and errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.errors import Failed, FarthingError, Malformed, Refused
from farthing.wire import sse
from farthing.wire.dialect import Answer, Ask, Usage
from farthing.wire.messages.request import read_request
from farthing.wire.messages.response import (
    HEAD,
    error,
    model_list,
    read_answer,
    read_count,
    tap,
    usage_of,
)
from farthing.wire.tap import FramedTap

PLAIN_TAP = cast(Callable[[Ask], FramedTap], tap)


def answered(usage: object, **fields: object) -> Answer:
    return read_answer(json.dumps({"id": "a1", "model": "m", "usage": usage, **fields}).encode())


def test_decoded_usage_is_read_as_the_bytes_are() -> None:
    for told, usage in USAGES:
        assert usage_of(told) == usage
    assert usage_of({"input_tokens": 3, "output_tokens": 1}, {"output_tokens": 5}) == Usage(
        input=3, output=5
    )
    assert usage_of({"input_tokens": 3, "output_tokens": -1}) is None
    assert usage_of([]) is None


# -- usage ----------------------------------------------------------------------------------------

USAGES: list[tuple[dict[str, Any], Usage]] = [
    ({"input_tokens": 10, "output_tokens": 5}, Usage(input=10, output=5)),
    (
        {
            "input_tokens": 4,
            "output_tokens": 5,
            "cache_read_input_tokens": 60,
            "cache_creation_input_tokens": 30,
        },
        Usage(input=4, cache_read=60, cache_write=30, output=5),
    ),
    (  # the two lifetimes of a cache are told apart
        {
            "input_tokens": 4,
            "output_tokens": 5,
            "cache_creation_input_tokens": 30,
            "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        },
        Usage(input=4, cache_write=10, cache_write_1h=20, output=5),
    ),
    (
        {
            "input_tokens": 4,
            "output_tokens": 50,
            "output_tokens_details": {"thinking_tokens": 40},
            "server_tool_use": {"web_search_requests": 2},
        },
        Usage(input=4, output=50, reasoning=40, web_searches=2),
    ),
    (
        {
            "input_tokens": 4,
            "output_tokens": 5,
            "cache_read_input_tokens": None,
            "cache_creation_input_tokens": None,
            "cache_creation": None,
            "server_tool_use": None,
        },
        Usage(input=4, output=5),
    ),
]


@pytest.mark.parametrize(("told", "usage"), USAGES)
def test_counts_are_read(told: dict[str, Any], usage: Usage) -> None:
    assert answered(told).usage == usage


small = st.integers(0, 1000)


@settings(deadline=None)
@given(small, small, small, small, small)
def test_every_token_is_in_exactly_one_count(
    fresh: int, read: int, five_minutes: int, hour: int, output: int
) -> None:
    usage = answered(
        {
            "input_tokens": fresh,
            "output_tokens": output,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": five_minutes + hour,
            "cache_creation": {
                "ephemeral_5m_input_tokens": five_minutes,
                "ephemeral_1h_input_tokens": hour,
            },
        }
    ).usage
    assert usage == Usage(fresh, read, five_minutes, hour, output)


@pytest.mark.parametrize(
    "told",
    [
        None,
        {},
        {"input_tokens": 5},
        {"output_tokens": 5},
        {"input_tokens": 5, "output_tokens": None},
        {"input_tokens": "5", "output_tokens": 5},
        {"input_tokens": 5, "output_tokens": 5, "cache_creation": 1},
    ],
)
def test_a_usage_without_both_counts_is_unknown_and_not_zero(told: object) -> None:
    assert answered(told).usage is None


@pytest.mark.parametrize(
    "told",
    [
        {"input_tokens": -5, "output_tokens": 5},
        {"input_tokens": 5, "output_tokens": -5},
        {"input_tokens": 5, "output_tokens": 5, "cache_read_input_tokens": -5},
    ],
)
def test_a_count_below_zero_makes_the_usage_unknown(told: object) -> None:
    assert answered(told).usage is None


def test_tokens_told_by_lifetime_alone_are_not_lost() -> None:
    told = {
        "input_tokens": 4,
        "output_tokens": 5,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
    }
    assert answered(told).usage == Usage(input=4, cache_write=10, cache_write_1h=20, output=5)


@pytest.mark.parametrize(
    ("told", "options"),
    [
        ({"service_tier": "standard", "speed": "standard", "inference_geo": "not_available"}, {}),
        ({"service_tier": None, "speed": None, "inference_geo": None}, {}),
        ({"service_tier": "priority"}, {"service_tier": "priority"}),
        (
            {"speed": "fast", "inference_geo": "us"},
            {"speed": "fast", "inference_geo": "us"},
        ),
    ],
)
def test_what_was_served_selects_the_price(
    told: dict[str, object], options: dict[str, str]
) -> None:
    assert answered({"input_tokens": 1, "output_tokens": 1, **told}).options == options


def test_a_count_of_tokens_is_read() -> None:
    assert read_count(b'{"input_tokens":14}') == 14
    assert read_count(b'{"input_tokens":0}') == 0


# -- streams --------------------------------------------------------------------------------------


def event(kind: str, **fields: object) -> bytes:
    shape = json.dumps({"type": kind, **fields}, separators=(",", ":"))
    return f"event: {kind}\ndata: {shape}\n\n".encode()


def start(**usage: object) -> bytes:
    message = {"id": "a1", "type": "message", "model": "m", "content": [], "usage": usage}
    return event("message_start", message=message)


def end(**usage: object) -> bytes:
    return event("message_delta", delta={"stop_reason": "end_turn"}, usage=usage)


def text(said: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": said})


STOP = event("message_stop")
TALK = event("ping") + text("hé\n\n") * 3
STREAM = start(input_tokens=9, cache_read_input_tokens=4, output_tokens=1) + TALK
WHOLE = STREAM + end(output_tokens=30) + STOP
PLAIN = read_request(b'{"model":"m","stream":true}')


def run(of: Ask, stream: bytes, step: int) -> tuple[bytes, Answer]:
    """Return what passes and what is read, of a stream in pieces of a size."""
    reader = tap(of)
    passed = [reader.feed(stream[i : i + step]) for i in range(0, len(stream), step)]
    return b"".join(passed) + reader.rest(), reader.answer()


sizes = pytest.mark.parametrize("step", [1, 7, 64, 100_000])


@sizes
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_the_input_is_told_first_and_the_output_last(step: int, line_end: bytes) -> None:
    stream = WHOLE.replace(b"\n", line_end)
    passed, answer = run(PLAIN, stream, step)
    assert passed == stream
    assert answer == Answer(Usage(input=9, cache_read=4, output=30), "m", "a1", finish="end")


def test_a_later_count_replaces_an_earlier_one_and_what_it_omits_stays() -> None:
    first = start(input_tokens=9, cache_creation_input_tokens=8, output_tokens=1)
    last = end(input_tokens=12, output_tokens=30, cache_read_input_tokens=None)
    answer = run(PLAIN, first + last + STOP, 7)[1]
    assert answer.usage == Usage(input=12, cache_write=8, output=30)


def test_of_several_running_totals_the_last_counts() -> None:
    stream = STREAM + end(output_tokens=10) + text("x") + end(output_tokens=30) + STOP
    assert run(PLAIN, stream, 7)[1].usage == Usage(input=9, cache_read=4, output=30)


def test_a_stream_that_breaks_before_its_end_has_an_unknown_usage() -> None:
    answer = run(PLAIN, STREAM, 7)[1]
    assert answer.usage is None, "its first event counts one token of output, which is not all"
    assert (answer.model, answer.id) == ("m", "a1")


def test_a_stream_that_ends_in_an_error_has_an_unknown_usage() -> None:
    assert run(PLAIN, STREAM + event("error", error={"type": "x"}), 7)[1].usage is None


def test_a_stream_without_its_first_event_has_an_unknown_usage() -> None:
    assert run(PLAIN, TALK + end(output_tokens=30) + STOP, 7)[1].usage is None


def test_a_first_event_beyond_the_head_is_unknown_and_not_zero() -> None:
    late = text("x" * HEAD) + WHOLE
    assert run(PLAIN, late, 1000)[1].usage is None


def test_the_first_event_of_a_long_stream_is_remembered() -> None:
    long = STREAM + text("x" * 1000) * 200 + end(output_tokens=30) + STOP
    assert run(PLAIN, long, 4096)[1].usage == Usage(input=9, cache_read=4, output=30)


def test_the_speed_that_was_served_is_read_from_either_end() -> None:
    first = start(input_tokens=9, output_tokens=1, speed="fast") + end(output_tokens=3)
    assert run(PLAIN, first, 7)[1].options == {"speed": "fast"}
    last = start(input_tokens=9, output_tokens=1) + end(output_tokens=3, speed="fast")
    assert run(PLAIN, last, 7)[1].options == {"speed": "fast"}


# -- restoring a first event that did not come ----------------------------------------------------


def counted(number: int) -> Ask:
    of = read_request(b'{"model":"m \\" m","stream":true}')
    of.counted_input = number
    return of


@sizes
def test_a_stream_without_its_first_event_gets_one_with_the_counted_input(step: int) -> None:
    stream = TALK + end(output_tokens=30) + STOP
    passed, answer = run(counted(17), stream, step)
    restored = passed[: -len(stream)]
    assert passed == restored + stream
    assert sse.complete_length(restored) == len(restored)
    told = json.loads(sse.data(restored))
    assert told["type"] == "message_start"
    assert told["message"]["model"] == 'm " m'
    assert told["message"]["usage"]["input_tokens"] == 17
    assert answer.usage == Usage(input=17, output=30)


@sizes
def test_a_stream_that_has_its_first_event_passes_as_it_is(step: int) -> None:
    passed, answer = run(counted(17), WHOLE, step)
    assert passed == WHOLE
    assert answer.usage == Usage(input=9, cache_read=4, output=30)


def test_bytes_that_never_become_an_event_still_pass() -> None:
    assert run(counted(17), b"data: cut", 2)[0] == b"data: cut"


def test_a_first_event_is_held_back_only_until_it_is_whole() -> None:
    reader = tap(counted(17))
    assert reader.feed(STREAM[:10]) == b""
    assert reader.feed(STREAM[10:]) == STREAM


# -- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (Refused("missing_key", "x"), "authentication_error"),
        (Refused("limit_reached", "x"), "billing_error"),
        (Malformed("unknown_model", "x"), "not_found_error"),
        (Malformed("body_too_large", "x"), "request_too_large"),
        (Malformed("invalid_json", "x"), "invalid_request_error"),
        (Refused("unbounded", "x"), "invalid_request_error"),
        (Refused("ledger_unavailable", "x"), "overloaded_error"),
        (Failed("upstream_timeout", "x"), "timeout_error"),
        (Failed("upstream_reset", "x"), "api_error"),
        (Failed("internal_error", "x"), "api_error"),
    ],
)
def test_an_error_has_the_type_this_dialect_s_clients_know(
    problem: FarthingError, kind: str
) -> None:
    shape = json.loads(error(problem, "q"))
    assert shape["type"] == "error"
    assert shape["error"]["type"] == kind


@pytest.mark.parametrize(("models", "ends"), [([], (None, None)), (["a/m", "b/n"], ("a/m", "b/n"))])
def test_a_list_of_models_is_one_page(models: list[str], ends: tuple[object, object]) -> None:
    page = json.loads(model_list(models))
    assert (page["first_id"], page["last_id"]) == ends
    assert page["has_more"] is False


def test_once_the_first_event_was_read_the_others_pass_with_their_framing() -> None:
    reader = PLAIN_TAP(PLAIN)
    first, *others = [b"%x\r\n%s\r\n" % (len(e), e) for e in sse.events(WHOLE)]
    assert not reader.framed(first)
    reader.feed(next(sse.events(WHOLE)))
    assert all(reader.framed(chunk) for chunk in others)
    assert reader.answer() == run(PLAIN, WHOLE, 100_000)[1]


def test_until_an_event_has_told_the_input_the_first_bytes_are_kept() -> None:
    reader, ping = PLAIN_TAP(PLAIN), event("ping", note='"message"')
    for piece in (ping, WHOLE[:30]):
        assert not reader.framed(b"")
        reader.feed(piece)
    assert not reader.framed(b"")
    reader.feed(WHOLE[30:])
    assert reader.framed(b"") and reader.answer().usage == Usage(input=9, cache_read=4, output=30)
