"""Whole answers."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from tests.wire.converse.golden import ANSWERS

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
from farthing.wire.converse.answers import STOPS, WORDS, read_response, write_response
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage


def written(response: Response) -> tuple[Any, set[tuple[str, str]]]:
    crossing = Crossing(response.dialect, "converse")
    body = write_response(response, crossing)
    return body, {(loss.what, loss.severity) for loss in crossing.losses}


def test_an_answer_is_read() -> None:
    response = read_response(ANSWERS["tools"])
    (answer,) = response.answers
    assert [type(part) for part in answer.parts] == [Text, ToolCall]
    assert answer.stop == Stop(kind="tool_calls", told="tool_use")
    assert response.tally is not None
    assert response.tally.usage == Usage(input=12, output=5)
    assert response.rest == {"metrics": {"latencyMs": 321}}


def test_a_stop_sequence_is_read_where_the_model_tells_it() -> None:
    stop = read_response(ANSWERS["stopped"]).answers[0].stop
    assert stop == Stop(kind="stop_sequence", told="stop_sequence", sequence="3")


@pytest.mark.parametrize("told", STOPS)
def test_every_stop_is_read(told: str) -> None:
    stop = read_response({"stopReason": told}).answers[0].stop
    assert stop is not None
    assert stop.kind == STOPS[told]


def test_a_stop_that_is_new_is_another() -> None:
    stop = read_response(ANSWERS["new stop"]).answers[0].stop
    assert stop == Stop(kind="other", told="tea_break")


def test_every_stop_has_a_word() -> None:
    assert set(WORDS) == set(get_args(StopKind))
    assert set(WORDS.values()) <= set(STOPS)


def test_an_answer_of_another_dialect() -> None:
    call = ToolCall(id="call_1", name="weather", arguments='{"city":"Rome"}')
    response = Response(
        dialect="chat",
        id="chatcmpl-1",
        model="gpt",
        created=1,
        answers=[
            Answer(
                parts=[Reasoning(text="Hm."), Text(text="Let me see."), call],
                stop=Stop(kind="tool_calls", told="tool_calls"),
            )
        ],
        tally=Tally(usage=Usage(input=10, cache_read=5, output=3), rest={"prompt_tokens": 15}),
    )
    body, losses = written(response)
    assert body == {
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
                    {"text": "Let me see."},
                    {
                        "toolUse": {
                            "toolUseId": "call_1",
                            "name": "weather",
                            "input": {"city": "Rome"},
                        }
                    },
                ],
            }
        },
        "stopReason": "tool_use",
        "usage": {
            "inputTokens": 10,
            "outputTokens": 3,
            "totalTokens": 18,
            "cacheReadInputTokens": 5,
            "cacheWriteInputTokens": 0,
        },
        "metrics": {"latencyMs": 0},
    }
    assert losses == set()


def test_further_answers_and_log_probabilities_are_lost() -> None:
    first = Answer(parts=[Text(text="a")], logprobs=[TokenLogprob(token="a", logprob=-0.1)])
    body, losses = written(Response(dialect="chat", answers=[first, Answer()]))
    assert body["output"]["message"]["content"] == [{"text": "a"}]
    assert losses == {("n", "shape"), ("logprobs", "shape")}


def test_no_answer_is_an_empty_one() -> None:
    body, _ = written(Response(dialect="chat"))
    assert body["output"]["message"] == {"role": "assistant", "content": []}
    assert body["stopReason"] == "end_turn"
    assert "usage" not in body
