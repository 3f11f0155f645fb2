"""Whole answers, stop reasons and usage."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.messages.crossings import into, lost
from tests.wire.messages.golden import ANSWERS, USAGE, told

from farthing.wire.canon import (
    Answer,
    Reasoning,
    Response,
    Stop,
    StopKind,
    Tally,
    Text,
    TokenLogprob,
    ToolCall,
)
from farthing.wire.dialect import Usage
from farthing.wire.messages.answers import read_response, write_response
from farthing.wire.messages.response import STOPS


def test_an_answer_is_read() -> None:
    response = read_response(ANSWERS["calls"])
    assert (response.id, response.model, response.form) == ("msg_1", "m-1", "")
    (answer,) = response.answers
    assert [type(part) for part in answer.parts] == [Reasoning, ToolCall]
    assert answer.stop == Stop(kind="tool_calls", told="tool_use")
    assert response.tally is not None
    assert response.tally.rest == USAGE
    assert response.tally.usage == Usage(
        input=10, cache_read=7, cache_write=2, cache_write_1h=3, output=20, reasoning=4
    )
    assert response.rest == {"stop_sequence": None}


@pytest.mark.parametrize(("word", "kind"), [*STOPS.items(), ("new", "other")])
def test_a_stop_reason_is_read(word: str, kind: StopKind) -> None:
    (answer,) = read_response(told(stop_reason=word, stop_sequence="#")).answers
    assert answer.stop == Stop(kind=kind, told=word, sequence="#")


@pytest.mark.parametrize("usage", [{"input_tokens": -1, "output_tokens": 2}, {}, {"x": []}])
def test_a_usage_that_makes_no_sense_is_kept(usage: dict[str, Any]) -> None:
    tally = read_response(told(usage=usage)).tally
    assert tally == Tally(usage=None, rest=usage)


def test_an_answer_crosses() -> None:
    usage = Usage(
        input=1,
        cache_read=2,
        cache_write=3,
        cache_write_1h=4,
        output=5,
        reasoning=6,
        input_audio=7,
        output_audio=8,
        web_searches=9,
    )
    call = ToolCall(id="call_1", name="f", arguments='{"a": 1}')
    answer = Answer(
        parts=[Reasoning(text="Hm."), Text(text="So."), call],
        stop=Stop(kind="tool_calls", told="tool_calls"),
    )
    response = Response(
        dialect="chat", id="c-1", model="m", created=5, answers=[answer], tally=Tally(usage=usage)
    )
    crossing = into()
    assert write_response(response, crossing) == {
        "id": "c-1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": ""},
            {"type": "text", "text": "So."},
            {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 8,
            "cache_creation_input_tokens": 7,
            "cache_read_input_tokens": 2,
            "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
            "output_tokens": 13,
            "output_tokens_details": {"thinking_tokens": 6},
            "server_tool_use": {"web_search_requests": 9, "web_fetch_requests": 0},
        },
    }
    assert lost(crossing) == {}


def test_what_an_answer_loses_is_named() -> None:
    first = Answer(logprobs=[TokenLogprob(token="a", logprob=-1.0)], rest={"odd": 1})
    response = Response(dialect="chat", answers=[first, Answer()], rest={"fingerprint": "x"})
    crossing = into()
    out = write_response(response, crossing)
    assert (out["id"], out["content"], out["stop_reason"]) == ("msg_unknown", [], "end_turn")
    assert out["usage"] == {"input_tokens": 0, "output_tokens": 0}
    assert lost(crossing) == {
        "answers beyond the first": "shape",
        "logprobs": "shape",
        "answer.odd": "shape",
        "fingerprint": "shape",
        "usage": "hint",
    }


@pytest.mark.parametrize(
    ("stop", "written", "losses"),
    [
        (Stop(kind="end"), "end_turn", {}),
        (Stop(kind="length"), "max_tokens", {}),
        (Stop(kind="filter"), "refusal", {}),
        (Stop(kind="pause"), "pause_turn", {}),
        (Stop(kind="other", told="odd"), "end_turn", {"stop reason `odd`": "shape"}),
        (Stop(kind="error"), "end_turn", {"stop reason `error`": "shape"}),
    ],
)
def test_a_stop_reason_crosses(stop: Stop, written: str, losses: dict[str, str]) -> None:
    crossing = into()
    tally = Tally(usage=Usage())
    response = Response(dialect="chat", answers=[Answer(stop=stop)], tally=tally)
    assert write_response(response, crossing)["stop_reason"] == written
    assert lost(crossing) == losses
