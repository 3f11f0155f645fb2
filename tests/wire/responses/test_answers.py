"""Whole answers: what they mean, and how another dialect's are said."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import Response as Official
from tests.wire.responses.cases import LINK, RESPONSES

from farthing.wire.canon import (
    Answer,
    Citation,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Response,
    Signature,
    Stop,
    StopKind,
    Tally,
    Text,
    TokenLogprob,
    ToolCall,
)
from farthing.wire.crossing import Crossing, Loss
from farthing.wire.dialect import Usage
from farthing.wire.responses.answers import read_response, write_response


@pytest.mark.parametrize(
    ("case", "kind", "told"),
    [
        ("text", "end", "completed"),
        ("tools", "tool_calls", "completed"),
        ("refusal", "refusal", "completed"),
        ("cut", "length", "max_output_tokens"),
        ("filtered", "filter", "content_filter"),
        ("failed", "error", "server_error"),
    ],
)
def test_why_an_answer_ended_is_read(case: str, kind: StopKind, told: str) -> None:
    stop = read_response(RESPONSES[case]).answers[0].stop
    assert stop is not None
    assert (stop.kind, stop.told) == (kind, told)


def test_an_answer_that_is_queued_has_not_ended() -> None:
    assert read_response(RESPONSES["queued"]).answers[0].stop is None


def test_an_answer_is_read() -> None:
    read = read_response(RESPONSES["citations"])
    assert (read.id, read.model, read.created) == ("resp_1", "m", None)
    assert read.tally is not None
    assert read.tally.usage == Usage(input=6, cache_read=4, output=5, reasoning=2)
    (answer,) = read.answers
    assert [one.token for one in answer.logprobs] == ["S", "S", "S"]
    assert isinstance(answer.parts[0], Text)
    assert [one.title for one in answer.parts[0].citations] == ["H", "a.pdf"]
    assert read.rest.keys() == {"created_at"}, "what it repeats of the request is no loss"


def away(*parts: Part, **fields: Any) -> tuple[dict[str, Any], set[Loss]]:
    crossing = Crossing("messages", "responses")
    tally = Tally(usage=Usage(input=1, output=2))
    answer = Answer(parts=list(parts), **fields)
    response = Response(dialect="messages", id="m1", model="m", answers=[answer], tally=tally)
    written = write_response(response, crossing)
    assert Official.model_validate(written)
    return written, crossing.losses


def test_another_dialect_s_answer_is_written() -> None:
    written, losses = away(
        Reasoning(text="Hm.", signature=Signature(value="s", vendor="messages")),
        Reasoning(encrypted="x"),
        Text(text="Sunny.", citations=[Citation(url="https://h", title="H")]),
        Text(text="Yes."),
        ToolCall(id="c1", name="weather", arguments='{"city": "Rome"}'),
        logprobs=[TokenLogprob(token="S", logprob=-1, bytes=[83])],
        stop=Stop(kind="tool_calls", told="tool_use"),
    )
    logprob = {"token": "S", "logprob": -1, "bytes": [83], "top_logprobs": []}
    assert written["output"] == [
        {
            "type": "reasoning",
            "id": "rs_m1_0",
            "status": "completed",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "Hm."}],
        },
        {
            "type": "message",
            "id": "msg_m1_1",
            "status": "completed",
            "role": "assistant",
            "content": [
                {
                    "type": "output_text",
                    "text": "Sunny.",
                    "annotations": [LINK],
                    "logprobs": [logprob],
                },
                {"type": "output_text", "text": "Yes.", "annotations": []},
            ],
        },
        {
            "type": "function_call",
            "id": "fc_m1_2",
            "status": "completed",
            "call_id": "c1",
            "name": "weather",
            "arguments": '{"city": "Rome"}',
        },
    ]
    assert (written["status"], written["usage"]["total_tokens"]) == ("completed", 3)
    assert losses == {Loss("reasoning", "hint")}


@pytest.mark.parametrize(
    ("stop", "status", "reason"),
    [
        (None, "completed", None),
        (Stop(kind="end"), "completed", None),
        (Stop(kind="length"), "incomplete", "max_output_tokens"),
        (Stop(kind="filter"), "incomplete", "content_filter"),
        (Stop(kind="refusal"), "incomplete", "content_filter"),
    ],
)
def test_another_dialect_s_stop_is_written(
    stop: Stop | None, status: str, reason: str | None
) -> None:
    written, losses = away(Text(text="a"), stop=stop)
    assert written["status"] == written["output"][0]["status"] == status
    assert written["incomplete_details"] == (reason and {"reason": reason})
    assert not losses


def test_a_refusal_in_words_is_complete() -> None:
    assert away(Refusal(text="No."), stop=Stop(kind="refusal"))[0]["status"] == "completed"


@pytest.mark.parametrize(
    ("stop", "loss"),
    [
        (Stop(kind="stop_sequence", sequence="x"), Loss("stop_sequence", "shape")),
        (Stop(kind="pause", told="pause_turn"), Loss("stop pause_turn", "shape")),
    ],
)
def test_a_stop_that_cannot_be_said_is_named(stop: Stop, loss: Loss) -> None:
    assert away(Text(text="a"), stop=stop)[1] == {loss}


def test_an_opaque_part_is_named() -> None:
    assert away(Opaque(type="server_tool_use"))[1] == {Loss("server_tool_use", "meaning")}


def test_an_error_is_a_failed_answer() -> None:
    written, _ = away(stop=Stop(kind="error", told="overloaded"))
    assert written["status"] == "failed"
    assert written["error"] == {"code": "server_error", "message": "overloaded"}
