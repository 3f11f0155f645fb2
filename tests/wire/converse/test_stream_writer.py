"""Streams of other dialects, written."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.converse.golden import ANSWERS, PNG

from farthing.wire.canon import (
    Answer,
    Citation,
    Media,
    Opaque,
    Problem,
    Reasoning,
    Refusal,
    Response,
    Signature,
    Stop,
    Tally,
    Text,
    TokenLogprob,
    ToolCall,
)
from farthing.wire.codec import WireEvent
from farthing.wire.converse.answers import read_response, write_response
from farthing.wire.converse.stream_writer import ConverseStreamWriter
from farthing.wire.converse.streams import ConverseStreamReader
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, Idle, More, Open, Shut
from farthing.wire.fold import fold, unfold


def write(*events: Event) -> tuple[list[tuple[str, Any]], set[tuple[str, str]]]:
    crossing = Crossing("chat", "converse")
    writer = ConverseStreamWriter(crossing)
    written = [told for event in events for told in writer.write([event])]
    return [(told.name, told.data) for told in written], {
        (loss.what, loss.severity) for loss in crossing.losses
    }


def opened(part: int, content: Any) -> Open:
    return Open(answer=0, part=part, content=content)


def more(part: int, text: str = "", **fields: Any) -> More:
    return More(answer=0, part=part, text=text, **fields)


def shut(part: int) -> Shut:
    return Shut(answer=0, part=part)


def delta(index: int, told: Any) -> tuple[str, Any]:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": told}


def stop(index: int) -> tuple[str, Any]:
    return "contentBlockStop", {"contentBlockIndex": index}


def start(index: int, name: str, call: str) -> tuple[str, Any]:
    told = {"toolUse": {"toolUseId": call, "name": name}}
    return "contentBlockStart", {"contentBlockIndex": index, "start": told}


def test_a_stream_of_another_dialect() -> None:
    theirs = Signature(value="eA==", vendor="messages")
    events, losses = write(
        Begin(dialect="chat", id="1", model="gpt", tally=Tally(usage=Usage(input=9))),
        Idle(type="ping"),
        opened(0, Reasoning()),
        more(0, "Hm."),
        more(0, signature=theirs),
        shut(0),
        opened(1, Text(text="")),
        shut(1),
        opened(2, Text(text="Let")),
        more(2, " me see."),
        shut(2),
        opened(3, ToolCall(id="call:1", name="weather")),
        opened(4, ToolCall(id="", name="now")),
        more(3, '{"city":'),
        more(3, '"Rome"}'),
        shut(3),
        shut(4),
        Finish(answer=0, stop=Stop(kind="tool_calls", told="tool_calls")),
        Count(tally=Tally(usage=Usage(input=9, output=1))),
        Count(tally=Tally(usage=Usage(input=9, output=7))),
        Count(tally=Tally()),
        End(),
    )
    assert events == [
        ("messageStart", {"role": "assistant"}),
        delta(0, {"reasoningContent": {"text": "Hm."}}),
        stop(0),
        delta(1, {"text": "Let"}),
        delta(1, {"text": " me see."}),
        stop(1),
        start(2, "weather", "call_1"),
        start(3, "now", "tooluse_2"),
        delta(2, {"toolUse": {"input": '{"city":'}}),
        delta(2, {"toolUse": {"input": '"Rome"}'}}),
        stop(2),
        delta(3, {"toolUse": {"input": "{}"}}),
        stop(3),
        ("messageStop", {"stopReason": "tool_use"}),
        (
            "metadata",
            {
                "usage": {"inputTokens": 9, "outputTokens": 7, "totalTokens": 16},
                "metrics": {"latencyMs": 0},
            },
        ),
    ]
    assert losses == {("signature", "hint")}


def test_without_usage_there_is_no_metadata() -> None:
    events, _ = write(Begin(dialect="chat"), End())
    assert events == [("messageStart", {"role": "assistant"})]


def test_our_own_signature_and_citations() -> None:
    ours = Signature(value="c2ln", vendor="converse")
    events, losses = write(
        opened(0, Reasoning(text="Hm.")),
        more(0, signature=ours),
        shut(0),
        opened(1, Text(text="", citations=[Citation(title="A")])),
        more(1, citation=Citation(url="https://example.com")),
        shut(1),
        opened(2, Refusal(text="")),
        more(2, "No."),
        shut(2),
    )
    assert events == [
        delta(0, {"reasoningContent": {"text": "Hm."}}),
        delta(0, {"reasoningContent": {"signature": "c2ln"}}),
        stop(0),
        delta(1, {"citation": {"title": "A"}}),
        delta(1, {"citation": {"location": {"web": {"url": "https://example.com"}}}}),
        stop(1),
        delta(2, {"text": "No."}),
        stop(2),
    ]
    assert losses == set()


def test_what_cannot_be_said_is_named() -> None:
    events, losses = write(
        Begin(dialect="chat"),
        opened(0, Media(kind="image", data=PNG)),
        shut(0),
        opened(1, Opaque(type="web_search_call")),
        more(1, "x"),
        shut(1),
        opened(2, ToolCall(id="c", name="sh", custom=True)),
        more(2, "ls"),
        shut(2),
        opened(3, Reasoning(encrypted="eA==")),
        shut(3),
        opened(4, Text(text="a")),
        more(4, "", logprobs=[TokenLogprob(token="a", logprob=-1.0)]),
        shut(4),
        Open(answer=1, part=0, content=Text(text="b")),
        More(answer=1, part=0, text="b"),
        Shut(answer=1, part=0),
        Finish(answer=0, stop=Stop(kind="refusal")),
        Finish(answer=1, stop=Stop(kind="end")),
    )
    assert [name for name, _ in events].count("messageStop") == 1
    assert events[-1] == ("messageStop", {"stopReason": "content_filtered"})
    assert losses == {
        ("Media", "meaning"),
        ("web_search_call", "meaning"),
        ("arguments of custom tool sh", "meaning"),
        ("signature", "hint"),
        ("logprobs", "shape"),
        ("n", "shape"),
    }


def test_a_fault() -> None:
    problem = Problem(dialect="chat", status=429, message="Slow down.")
    events, _ = write(Begin(dialect="chat"), Fault(problem=problem))
    assert events[-1] == ("throttlingException", {"message": "Slow down."})


@pytest.mark.parametrize("source", ["converse", "chat"])
def test_a_whole_answer_as_a_stream_is_the_same_answer(source: str) -> None:
    told = ANSWERS["tools"]
    crossing = Crossing(source, "converse")
    writer, reader = ConverseStreamWriter(crossing), ConverseStreamReader()
    wire: list[WireEvent] = writer.write(list(unfold(read_response(told))))
    again = fold(event for item in wire for event in reader.read(item))
    body = write_response(again, Crossing("converse", "converse"))
    assert body["output"] == told["output"]
    assert (body["stopReason"], body["usage"]["totalTokens"]) == ("tool_use", 17)


def test_a_part_that_no_stream_has_is_named() -> None:
    crossing = Crossing("converse", "converse")
    writer = ConverseStreamWriter(crossing)
    answer = Answer(parts=[Media(kind="image", data=PNG)])
    writer.write(list(unfold(Response(dialect="converse", answers=[answer]))))
    assert {(loss.what, loss.severity) for loss in crossing.losses} == {("Media", "meaning")}
