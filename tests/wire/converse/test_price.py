"""What decides a Converse request's price, and the usage of its answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.errors import Malformed
from farthing.wire.converse.price import (
    FrameFraming,
    read_answer,
    read_request,
    tap,
    write_request,
)
from farthing.wire.dialect import Answer, Ask, Changes, Usage
from farthing.wire.framing import WireEvent

USAGE = {"inputTokens": 6, "outputTokens": 7, "totalTokens": 17, "cacheReadInputTokens": 4}
USED = Usage(input=6, cache_read=4, output=7)


def ask(**fields: Any) -> Ask:
    return read_request(json.dumps(fields).encode())


def test_the_cap_and_the_tools_are_read() -> None:
    spec = {"toolSpec": {"name": "f", "inputSchema": {"json": {}}}}
    of = ask(inferenceConfig={"maxTokens": 9}, toolConfig={"tools": [spec]})
    assert (of.output_cap, of.tools, of.unbounded, of.options) == (9, True, (), {})


@pytest.mark.parametrize(
    "fields",
    [
        {"guardrailConfig": {"guardrailIdentifier": "g"}},
        {"promptVariables": {"a": {"text": "x"}}},
        {"additionalModelRequestFields": {"tools": [{"type": "computer"}]}},
        {"toolConfig": {"tools": [{"systemTool": {"name": "search"}}]}},
    ],
)
def test_what_has_no_bound_is_named(fields: dict[str, Any]) -> None:
    assert ask(**fields).unbounded


def test_media_other_than_images_are_opaque() -> None:
    film = {"video": {"format": "mp4", "source": {}}}
    text = {"document": {"format": "txt", "name": "n", "source": {"bytes": "eA=="}}}
    of = ask(messages=[{"role": "user", "content": [film, text]}])
    assert (of.opaque, of.unbounded) == ((("video", "content part `video`"),), ())


def test_a_thinking_budget_needs_room() -> None:
    more = {"thinking": {"type": "enabled", "budget_tokens": 2000}, "top_k": 5}
    of = ask(additionalModelRequestFields=more)
    assert (of.least_output, of.unbounded) == (2001, ())


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"performanceConfig": {"latency": "standard"}, "serviceTier": {"type": "default"}}, {}),
        ({"performanceConfig": {"latency": "optimized"}}, {"latency": "optimized"}),
        ({"serviceTier": {"type": "priority"}}, {"service_tier": "priority"}),
    ],
)
def test_what_selects_a_price(fields: dict[str, Any], options: dict[str, str]) -> None:
    assert ask(**fields).options == options


def test_a_new_cap_replaces_the_client_s() -> None:
    of = ask(inferenceConfig={"maxTokens": 50, "topP": 0.5}, messages=[])
    assert write_request(of, Changes()) is of.body
    told = json.loads(write_request(of, Changes(output_cap=9)))
    assert told == {"inferenceConfig": {"maxTokens": 9, "topP": 0.5}, "messages": []}


def test_the_usage_of_a_whole_answer() -> None:
    assert read_answer(json.dumps({"usage": USAGE}).encode()) == Answer(USED)
    for body in (b"", b"[]", b'{"usage":3}', b'{"usage":{"inputTokens":-1,"outputTokens":1}}'):
        assert read_answer(body).usage is None


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_the_usage_of_a_stream_however_it_is_cut(size: int) -> None:
    framing = FrameFraming()
    events = [
        WireEvent({"role": "assistant"}, "messageStart"),
        WireEvent({"usage": USAGE, "metrics": {"latencyMs": 1}}, "metadata"),
    ]
    raw = b"".join(map(framing.write, events))
    seen, read = tap(ask()), FrameFraming()
    found = []
    for start in range(0, len(raw), size):
        piece = raw[start : start + size]
        assert seen.feed(piece) == piece
        found += read.feed(piece)
    assert found == events and read.rest() == []
    assert (seen.rest(), seen.answer()) == (b"", Answer(USED))


def test_a_stream_that_is_cut_off_is_malformed_and_its_usage_unknown() -> None:
    raw = FrameFraming().write(WireEvent({"usage": USAGE}, "metadata"))
    framing, seen = FrameFraming(), tap(ask())
    framing.feed(raw[:-1])
    with pytest.raises(Malformed):
        framing.rest()
    seen.feed(raw[:20] + b"\0" * 20)
    assert seen.answer().usage is None


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("word", "finish"),
    [
        ("max_tokens", "length"),
        ("end_turn", "end"),
        ("guardrail_intervened", "filter"),
        ("x", "other"),
    ],
)
def test_why_an_answer_ended_stands_in_the_frame_before_its_usage(
    size: int, word: str, finish: str
) -> None:
    events = [
        WireEvent({"contentBlockIndex": 0, "delta": {"text": "the metadata"}}, "contentBlockDelta"),
        WireEvent({"stopReason": word}, "messageStop"),
        WireEvent({"usage": USAGE, "metrics": {"latencyMs": 1}}, "metadata"),
    ]
    raw, seen = b"".join(map(FrameFraming().write, events)), tap(ask())
    for start in range(0, len(raw), size):
        seen.feed(raw[start : start + size])
    assert seen.answer() == Answer(USED, finish=finish)
    told = json.dumps({"usage": USAGE, "stopReason": word}).encode()
    assert read_answer(told) == Answer(USED, finish=finish)
