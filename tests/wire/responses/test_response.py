"""Responses answers: usage, whole and streamed, and errors."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from farthing.errors import Failed
from farthing.wire.dialect import Answer, Ask, Usage
from farthing.wire.responses.response import fault, read_answer, tap
from farthing.wire.tap import FramedTap

USAGE: dict[str, Any] = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 6,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 16,
}
USED = Usage(input=6, cache_read=4, output=6, reasoning=2)
WHOLE: dict[str, Any] = {"id": "resp_1", "model": "m-1", "service_tier": "default", "usage": USAGE}
ASK = Ask(b"", {}, "m")


def stream(text: str = "hi", **changed: Any) -> bytes:
    """Return a stream's bytes, whose last event repeats the whole answer."""
    begun = {"id": "resp_1", "model": "m-1", "service_tier": "auto", "usage": None}
    told = {**WHOLE, "output": [{"content": [{"text": text}]}], **changed}
    ordered = {"id": told.pop("id"), "output": told.pop("output"), **told}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_text.delta", "delta": text},
        {"type": "response.completed", "response": ordered},
    ]
    return b"".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events)


def streamed(data: bytes, size: int = 1000) -> Answer:
    made = tap(ASK)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert b"".join(made.feed(piece) for piece in pieces) + made.rest() == data
    return made.answer()


def test_a_whole_answer() -> None:
    assert read_answer(json.dumps(WHOLE).encode()) == Answer(
        USED, "m-1", "resp_1", {}, finish="end"
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"usage": 3}', b"\xff"])
def test_what_is_no_answer_tells_nothing(body: bytes) -> None:
    assert read_answer(body) == Answer()


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_stream_tells_the_same_however_it_is_cut(size: int) -> None:
    assert streamed(stream(), size) == Answer(USED, "m-1", "resp_1", {}, finish="end")


def test_the_last_event_may_be_longer_than_the_window() -> None:
    assert streamed(stream("long " * 50_000)).usage == USED


def test_a_text_about_usage_is_not_the_usage() -> None:
    text = json.dumps({"usage": {"input_tokens": 1, "output_tokens": 1}})
    assert streamed(stream(text)).usage == USED
    assert streamed(stream(text, usage=None)).usage is None


def test_the_tier_that_was_served_selects_the_price() -> None:
    assert streamed(stream(service_tier="priority")).options == {"service_tier": "priority"}
    assert streamed(stream(service_tier="default")).options == {}


def test_a_stream_that_breaks_off_has_no_usage() -> None:
    assert streamed(stream().partition(b"event: response.completed")[0]).usage is None


def test_a_count_below_zero_makes_the_usage_unknown() -> None:
    assert streamed(stream(usage={**USAGE, "output_tokens": -1})).usage is None


def test_an_error_in_a_stream_is_this_dialect_s_event() -> None:
    event = fault(Failed("upstream_reset", "gone"), "q1")
    name, data = event.decode().split("\n")[:2]
    assert name == "event: error"
    told = json.loads(data.removeprefix("data: "))
    assert (told["type"], told["code"], told["message"]) == ("error", "upstream_reset", "gone")


CALL = [{"type": "function_call", "name": "f"}]
SAYS_NO = [{"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}]
CUT = {"reason": "max_output_tokens"}


@pytest.mark.parametrize(
    ("told", "finish"),
    [
        ({"status": "completed", "output": []}, "end"),
        ({"status": "completed", "output": CALL}, "tool_calls"),
        ({"status": "completed", "output": SAYS_NO}, "refusal"),
        ({"status": "incomplete", "incomplete_details": CUT}, "length"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "filter"),
        ({"status": "incomplete", "incomplete_details": None}, "other"),
        ({"status": "failed", "error": {"code": "server_error"}}, "error"),
        ({"status": "in_progress"}, ""),
        ({"status": 7, "error": "x"}, "error"),
    ],
)
def test_why_an_answer_ended_never_costs_its_usage(told: dict[str, Any], finish: str) -> None:
    answer = read_answer(json.dumps(WHOLE | told).encode())
    assert (answer.finish, answer.usage) == (finish, USED)


@pytest.mark.parametrize("size", [9, 40, 70_000])
@pytest.mark.parametrize("tools", [[], ["x" * 90_000]], ids=["short", "longer than the window"])
@pytest.mark.parametrize(
    ("told", "finish"),
    [({}, "end"), ({"incomplete_details": CUT}, "length"), ({"output": CALL}, "tool_calls")],
)
def test_why_a_stream_ended_stands_where_its_last_event_begins(
    size: int, tools: list[str], told: dict[str, Any], finish: str
) -> None:
    data = stream(**told, tools=tools, usage=WHOLE["usage"])
    if finish == "length":
        data = data.replace(b"response.completed", b"response.incomplete")
    assert streamed(data, size).finish == finish


def test_once_the_answer_and_its_model_are_named_chunks_pass_with_their_framing() -> None:
    made = cast(FramedTap, tap(ASK))
    data = stream()
    for piece in (data[:60], data[60:100]):
        assert not made.framed(b"")
        made.feed(piece)
    named = data.index(b"m-1") + 4
    made.feed(data[100:named])
    assert made.framed(b"") and made.feed(data[named:])
    assert (made.answer().id, made.answer().model, made.answer().usage) == ("resp_1", "m-1", USED)
