"""Whole answers: what is read of them, and what others' become."""

from __future__ import annotations

from tests.wire.gemini.golden import ANSWERS

from farthing.wire.canon import (
    Answer,
    Citation,
    Reasoning,
    Refusal,
    Response,
    Signature,
    Stop,
    Tally,
    Text,
    ToolCall,
)
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.gemini.answers import read_response, time, write_response


def test_an_answer_is_read() -> None:
    response = read_response(ANSWERS["plain"])
    assert (response.id, response.model) == ("r1", "gemini-2.5-flash")
    assert response.created == 1767323045
    (answer,) = response.answers
    assert answer.stop == Stop(kind="end", told="STOP")
    assert (answer.rest, response.rest) == ({}, {})
    assert response.tally is not None
    assert response.tally.usage == Usage(input=12, cache_read=8, output=8, reasoning=3)


def test_calls_without_ids_get_some_that_differ_between_answers() -> None:
    told = {**ANSWERS["thoughts and calls"], "responseId": "r1"}
    thought, first, second = read_response(told).answers[0].parts
    assert isinstance(thought, Reasoning) and thought.summary
    assert isinstance(first, ToolCall) and first.id == "call_r1_0"
    assert isinstance(second, ToolCall) and second.id == "f2"
    stop = read_response(told).answers[0].stop
    assert stop is not None and (stop.kind, stop.told) == ("tool_calls", "STOP")


def test_a_blocked_prompt_is_an_answer_that_was_filtered() -> None:
    (answer,) = read_response(ANSWERS["blocked"]).answers
    assert answer.stop == Stop(kind="filter", told="SAFETY")


def test_citations_have_their_places_in_characters() -> None:
    (text,) = read_response(ANSWERS["grounded"]).answers[0].parts
    assert isinstance(text, Text)
    places = [(cited.url, cited.start, cited.end) for cited in text.citations]
    assert places == [("https://z.example", 0, 6), ("", 0, 6)]


def test_log_probabilities_are_read() -> None:
    (token,) = read_response(ANSWERS["log-probabilities"]).answers[0].logprobs
    assert (token.token, token.logprob, token.top[0].token) == ("Hello", -0.1, "Hi")


def test_an_answer_of_another_dialect_is_written() -> None:
    response = Response(
        dialect="messages",
        id="msg_1",
        model="m",
        created=0,
        answers=[
            Answer(
                parts=[
                    Reasoning(text="Hm.", signature=Signature(value="s", vendor="messages")),
                    Text(text="Zürich", citations=[Citation(url="https://z.example", end=2)]),
                    Refusal(text=" No."),
                    ToolCall(id="a", name="f", arguments='{"x":1}'),
                ],
                stop=Stop(kind="tool_calls", told="tool_use"),
            )
        ],
        tally=Tally(
            usage=Usage(input=5, cache_read=2, cache_write=3, output=7, reasoning=4),
            rest={"input_tokens": 5},
        ),
    )
    crossing = Crossing("messages", "gemini")
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://z.example"}}],
        "groundingSupports": [
            {
                "segment": {"partIndex": 1, "startIndex": 0, "endIndex": 3, "text": "Zü"},
                "groundingChunkIndices": [0],
            }
        ],
    }
    assert write_response(response, crossing) == {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [
                        {"text": "Hm.", "thought": True},
                        {"text": "Zürich"},
                        {"text": " No."},
                        {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}},
                    ],
                },
                "finishReason": "STOP",
                "index": 0,
                "groundingMetadata": grounding,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 10,
            "cachedContentTokenCount": 2,
            "candidatesTokenCount": 3,
            "thoughtsTokenCount": 4,
            "totalTokenCount": 17,
        },
        "modelVersion": "m",
        "createTime": "1970-01-01T00:00:00Z",
        "responseId": "msg_1",
    }
    assert {loss.what for loss in crossing.losses} == {"reasoning", "refusal"}


def test_a_time_that_cannot_be_said_is_left_out() -> None:
    assert [time(value) for value in (None, -1, 10**30)] == ["", "", ""]
