"""Whole answers."""

from __future__ import annotations

from typing import Any

from tests.wire.chat.crossings import into, lost, same
from tests.wire.chat.golden import ANSWERS, NOTE, TOKEN, USAGE, answer, call, choice

from farthing.wire.canon import (
    Answer,
    Citation,
    Media,
    Opaque,
    Part,
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
from farthing.wire.chat.answers import read_response, write_response
from farthing.wire.dialect import Usage


def test_an_answer_is_read() -> None:
    message = {
        "role": "assistant",
        "content": "Hi",
        "reasoning_content": "hm",
        "refusal": None,
        "annotations": [NOTE],
        "tool_calls": [call("f", "{}")],
    }
    told = answer(
        choice(message, "tool_calls", logprobs={"content": [TOKEN]}, native_finish_reason="x"),
        system_fingerprint="fp",
    )
    response = read_response(told)
    assert (response.id, response.model, response.created) == ("chatcmpl-1", "m", 1)
    assert response.rest == {"system_fingerprint": "fp"}
    (read,) = response.answers
    assert [type(part) for part in read.parts] == [Reasoning, Text, ToolCall]
    assert read.stop == Stop(kind="tool_calls", told="tool_calls")
    assert [token.token for token in read.logprobs] == ["a"]
    assert read.rest == {"native_finish_reason": "x", "message.refusal": None}
    assert response.tally is not None
    assert response.tally.rest == USAGE


def test_a_refusal_is_why_it_ended() -> None:
    (read,) = read_response(ANSWERS["a refusal"]).answers
    assert read.stop == Stop(kind="refusal", told="stop")


def test_choices_of_another_kind_stay() -> None:
    response = read_response(ANSWERS["no choices"])
    assert response.answers == []
    assert response.rest["choices"] == [{"text": "a"}]


def test_an_answer_gathered_from_a_stream_has_one_content() -> None:
    parts: list[Part] = [Text(text="a"), ToolCall(id="c", name="f"), Text(text="b")]
    response = Response(dialect="chat", answers=[Answer(parts=parts)])
    (told,) = write_response(response, same())["choices"]
    assert told["message"]["content"] == "ab"


def sent(*parts: Part, **fields: Any) -> tuple[dict[str, Any], dict[str, str]]:
    crossing = into()
    told = write_response(
        Response(dialect="other", answers=[Answer(parts=list(parts), **fields)]), crossing
    )
    return told["choices"][0], lost(crossing)


def test_another_dialect_s_answer() -> None:
    crossing = into()
    seal = Signature(value="S", vendor="other")
    response = Response(
        dialect="other",
        id="msg_1",
        model="m",
        answers=[
            Answer(
                parts=[
                    Reasoning(text="hm", signature=seal),
                    Text(text="One. "),
                    Text(text="Two.", citations=[Citation(url="u", title="t")]),
                    ToolCall(id="c", name="f", arguments='{"a":1}'),
                ],
                stop=Stop(kind="tool_calls", told="tool_use"),
            )
        ],
        tally=Tally(usage=Usage(input=3, output=2)),
    )
    note = {"url": "u", "title": "t", "start_index": 5, "end_index": 9}
    assert write_response(response, crossing) == {
        "id": "msg_1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "One. Two.",
                    "refusal": None,
                    "reasoning_content": "hm",
                    "annotations": [{"type": "url_citation", "url_citation": note}],
                    "tool_calls": [call("f", '{"a":1}', "c")],
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 3,
            "completion_tokens": 2,
            "total_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }
    assert lost(crossing) == {"reasoning.signature": "hint"}


def test_a_refusal_of_another_dialect() -> None:
    told, _ = sent(Refusal(text="no"), stop=Stop(kind="refusal"))
    assert told["message"]["refusal"] == "no"
    assert told["finish_reason"] == "stop"
    told, _ = sent(stop=Stop(kind="refusal"))
    assert told["finish_reason"] == "content_filter"


def test_log_probabilities_of_another_dialect() -> None:
    told, _ = sent(Text(text="a"), logprobs=[TokenLogprob(token="a", logprob=-1)])
    token = {"token": "a", "logprob": -1, "bytes": None, "top_logprobs": []}
    assert told["logprobs"] == {"content": [token]}


def test_parts_that_cannot_be_told_are_named() -> None:
    told, losses = sent(Media(kind="image", data="AA"), Opaque(type="server_tool_use"))
    assert told["message"] == {"role": "assistant", "content": None, "refusal": None}
    assert losses == {"answer media": "meaning", "answer server_tool_use": "meaning"}
