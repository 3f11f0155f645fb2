"""Streams made of what other dialects' readers read."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from tests.wire.messages.crossings import into, lost
from tests.wire.messages.golden import delta, start, stop

from farthing.wire.canon import (
    Citation,
    Media,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Signature,
    Stop,
    Tally,
    Text,
    TokenLogprob,
    ToolCall,
)
from farthing.wire.codec import WireEvent
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, Idle, More, Open, Shut
from farthing.wire.fold import fold
from farthing.wire.messages.blocks import call_id
from farthing.wire.messages.stream_crossing import ForeignWriter
from farthing.wire.messages.stream_reader import Reader

BEGIN = Begin(dialect="chat", id="c-1", model="m")
FINISH = Finish(answer=0, stop=Stop(kind="end", told="stop"))
COUNT = Count(tally=Tally(usage=Usage(input=3, output=4)))
BEGUN = {
    "type": "message_start",
    "message": {
        "id": "c-1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    },
}
USAGE = {
    "input_tokens": 3,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "output_tokens": 4,
}


def ended(reason: str) -> list[dict[str, Any]]:
    told = {"stop_reason": reason, "stop_sequence": None}
    return [{"type": "message_delta", "delta": told, "usage": USAGE}, {"type": "message_stop"}]


def opened(part: int, content: Part) -> Open:
    return Open(answer=0, part=part, content=content)


def more(part: int, text: str = "", **fields: Any) -> More:
    return More(answer=0, part=part, text=text, **fields)


def shut(part: int) -> Shut:
    return Shut(answer=0, part=part)


def write(events: list[Event], crossing: Crossing | None = None) -> list[dict[str, Any]]:
    writer = ForeignWriter(crossing or into())
    written = [one for event in events for one in writer.write([event])]
    assert all(one.name == one.data["type"] for one in written)
    return [one.data for one in written]


def test_a_tool_loop_s_stream() -> None:
    events: list[Event] = [
        BEGIN,
        opened(0, Reasoning()),
        more(0, "Hm."),
        shut(0),
        opened(1, Text(text="Let")),
        more(1, " me."),
        shut(1),
        opened(2, ToolCall(id="call.1", name="f", arguments="{")),
        more(2, '"a": 1}'),
        shut(2),
        opened(3, ToolCall(id="call_2", name="g")),
        shut(3),
        Finish(answer=0, stop=Stop(kind="tool_calls", told="tool_calls")),
        COUNT,
        End(),
    ]
    expected = [
        BEGUN,
        start(0, type="thinking", thinking="", signature=""),
        delta(0, type="thinking_delta", thinking="Hm."),
        stop(0),
        start(1, type="text", text=""),
        delta(1, type="text_delta", text="Let"),
        delta(1, type="text_delta", text=" me."),
        stop(1),
        start(2, type="tool_use", id=call_id("call.1", "f"), name="f", input={}),
        delta(2, type="input_json_delta", partial_json="{"),
        delta(2, type="input_json_delta", partial_json='"a": 1}'),
        stop(2),
        start(3, type="tool_use", id="call_2", name="g", input={}),
        stop(3),
        *ended("tool_use"),
    ]
    written = write(events)
    assert written == expected
    reader = Reader()
    again = [reader.read(WireEvent(data=data, name=data["type"])) for data in written]
    (answer,) = fold(chain.from_iterable(again)).answers
    assert [type(part) for part in answer.parts] == [Reasoning, Text, ToolCall, ToolCall]
    assert isinstance(answer.parts[2], ToolCall)
    assert answer.parts[2].arguments == '{"a": 1}'


def test_our_own_seal_goes_on() -> None:
    seal = Signature(value="c2ln", vendor="messages")
    thought = opened(0, Reasoning(text="Hm."))
    events: list[Event] = [BEGIN, thought, more(0, signature=seal), shut(0)]
    crossing = into()
    assert write(events, crossing)[2:] == [
        delta(0, type="thinking_delta", thinking="Hm."),
        delta(0, type="signature_delta", signature="c2ln"),
        stop(0),
    ]
    assert lost(crossing) == {}


def test_parts_side_by_side_stand_one_after_the_other() -> None:
    written = write(
        [
            BEGIN,
            opened(0, ToolCall(id="a", name="f")),
            opened(1, ToolCall(id="b", name="g")),
            more(1, "{}"),
            more(0, "{}"),
            shut(0),
            shut(1),
            FINISH,
            COUNT,
            End(),
        ]
    )
    assert written == [
        BEGUN,
        start(0, type="tool_use", id="a", name="f", input={}),
        delta(0, type="input_json_delta", partial_json="{}"),
        stop(0),
        start(1, type="tool_use", id="b", name="g", input={}),
        delta(1, type="input_json_delta", partial_json="{}"),
        stop(1),
        *ended("end_turn"),
    ]


def test_parts_that_say_nothing_are_no_blocks() -> None:
    crossing = into()
    events: list[Event] = [
        BEGIN,
        opened(0, Reasoning(encrypted="x")),
        shut(0),
        opened(1, Text(text="")),
        shut(1),
        opened(2, Refusal(text="")),
        more(2, "No."),
        shut(2),
        FINISH,
        COUNT,
        End(),
    ]
    assert write(events, crossing) == [
        BEGUN,
        start(0, type="text", text=""),
        delta(0, type="text_delta", text="No."),
        stop(0),
        *ended("end_turn"),
    ]
    assert lost(crossing) == {"reasoning signature": "hint"}


def test_what_cannot_be_said_is_named() -> None:
    crossing = into()
    seal = Signature(value="x", vendor="gemini")
    logprobs = [TokenLogprob(token="a", logprob=-1.0)]
    events: list[Event] = [
        BEGIN,
        Idle(type="odd", rest={"fingerprint": "x"}),
        opened(0, Media(kind="audio", data="AA", rest={"odd": 1})),
        more(0, "AA"),
        shut(0),
        opened(1, ToolCall(id="a", name="f", custom=True)),
        shut(1),
        opened(2, ToolCall(id="a", name="f", signature=seal)),
        shut(2),
        opened(3, Text(text="So.", citations=[Citation(title="T")])),
        more(3, citation=Citation(url="u"), logprobs=logprobs),
        shut(3),
        Open(answer=1, part=0, content=Text(text="Else.")),
        FINISH,
        End(),
    ]
    written = write(events, crossing)
    assert [event["type"] for event in written].count("content_block_start") == 2
    assert lost(crossing) == {
        "audio (other source)": "meaning",
        "call of a custom tool": "meaning",
        "reasoning signature": "hint",
        "citations": "shape",
        "logprobs": "shape",
        "answers beyond the first": "shape",
        "usage": "hint",
    }


def test_a_stream_that_ends_early_is_well_formed() -> None:
    written = write([opened(0, Text(text="Hel")), End()])
    assert [event["type"] for event in written] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_a_stream_without_an_end_tells_how_it_ended() -> None:
    early = Count(tally=Tally(usage=Usage(input=3, output=1)))
    begun, told = write([BEGIN, early, FINISH])
    assert (begun, told["usage"]["output_tokens"]) == (BEGUN, 1)
    assert told["delta"]["stop_reason"] == "end_turn"


def test_a_later_count_replaces_an_earlier() -> None:
    early = Count(tally=Tally(usage=Usage(input=3, output=1)))
    written = write([BEGIN, early, FINISH, COUNT, End()])
    counts = [event["usage"]["output_tokens"] for event in written if "usage" in event]
    assert counts == [1, 4]
    assert written[-1] == {"type": "message_stop"}


def test_an_error_is_an_event() -> None:
    problem = Problem(dialect="chat", status=429, message="Slower.", kind="theirs")
    assert write([BEGIN, Fault(problem=problem)])[1] == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "Slower."},
    }


@pytest.mark.parametrize("tally", [None, Tally(usage=None), Tally(usage=Usage(input=3))])
def test_the_input_is_told_as_far_as_it_is_known(tally: Tally | None) -> None:
    (begun,) = write([Begin(dialect="chat", tally=tally)])
    told = 3 if tally is not None and tally.usage is not None else 0
    assert begun["message"]["usage"]["input_tokens"] == told
