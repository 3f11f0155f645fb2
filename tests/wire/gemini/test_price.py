"""What decides a generateContent request's price, and the usage of its answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.wire.dialect import Answer, Ask, Changes, Usage
from farthing.wire.gemini.price import model_list, read_answer, read_request, tap, write_request

USAGE = {"promptTokenCount": 10, "cachedContentTokenCount": 4, "candidatesTokenCount": 5,
         "thoughtsTokenCount": 2, "totalTokenCount": 17}  # fmt: skip
USED = Usage(input=6, cache_read=4, output=7, reasoning=2)


def ask(**fields: Any) -> Ask:
    return read_request(json.dumps(fields).encode())


def test_caps_answers_and_thinking_are_read_in_either_spelling() -> None:
    camel = {"maxOutputTokens": 9, "candidateCount": 2, "thinkingConfig": {"thinkingBudget": 5}}
    snake = {
        "max_output_tokens": 9,
        "candidate_count": 2,
        "thinking_config": {"thinking_budget": 5},
    }
    for of in (ask(generationConfig=camel), ask(generation_config=snake)):
        assert (of.output_cap, of.choices, of.least_output) == (9, 2, 6)


def test_images_are_counted_and_other_media_opaque() -> None:
    def part(mime: str) -> dict[str, Any]:
        return {"parts": [{"inlineData": {"mimeType": mime, "data": "AAAA"}}]}

    of = ask(contents=[part("image/png")])
    assert (of.images, of.opaque_bytes, of.unbounded) == (1, 4, ())
    sound = ask(contents=[part("audio/wav")])
    assert (sound.opaque, sound.unbounded) == ((("audio", "content part `audio`"),), ())


@pytest.mark.parametrize("name", ["serviceTier", "service_tier"])
@pytest.mark.parametrize(
    ("tier", "options"),
    [
        ("priority", {"service_tier": "priority"}),
        ("SERVICE_TIER_FLEX", {"service_tier": "flex"}),
        ("standard", {}),
        ("SERVICE_TIER_UNSPECIFIED", {}),
        (None, {}),
    ],
)
def test_a_tier_selects_a_price_asked_and_served(
    name: str, tier: str | None, options: dict[str, str]
) -> None:
    of = ask(**{name: tier})
    assert (of.options, of.open_tier) == (options, False)
    told = {"usageMetadata": {**USAGE, "serviceTier": tier}}
    assert read_answer(json.dumps(told).encode()).options == options


@pytest.mark.parametrize(
    "fields",
    [
        {"cachedContent": "cachedContents/1"},
        {"tools": [{"googleSearch": {}}]},
        {"tools": [{"google_search": {}}]},
        {"generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}},
        {"generation_config": {"speech_config": {"voice": "x"}}},
    ],
)
def test_what_has_no_bound_is_named(fields: dict[str, Any]) -> None:
    assert ask(**fields).unbounded


@pytest.mark.parametrize(
    "fields",
    [
        {"generationConfig": {"responseModalities": ["TEXT"]}},
        {"tools": [{"functionDeclarations": [{"name": "f"}]}]},
        {"contents": [{"parts": [{"text": "x"}]}], "safetySettings": []},
    ],
)
def test_what_bytes_bound_is_not(fields: dict[str, Any]) -> None:
    assert ask(**fields).unbounded == ()


@pytest.mark.parametrize("name", ["generationConfig", "generation_config"])
def test_a_new_cap_replaces_the_client_s_where_it_stands(name: str) -> None:
    of = ask(**{name: {"max_output_tokens": 50, "topK": 3}}, contents=[])
    assert write_request(of, Changes()) is of.body
    told = json.loads(write_request(of, Changes(output_cap=9)))
    assert told == {name: {"topK": 3, "maxOutputTokens": 9}, "contents": []}


def test_the_usage_of_an_answer_whole_and_streamed() -> None:
    whole = {"responseId": "r", "modelVersion": "m-1", "usageMetadata": USAGE}
    assert read_answer(json.dumps(whole).encode()) == Answer(USED, "m-1", "r")
    seen = tap(ask())
    early = {**whole, "usageMetadata": {**USAGE, "candidatesTokenCount": 1, "totalTokenCount": 13}}
    for event in (early, whole):
        seen.feed(b"data: %s\r\n\r\n" % json.dumps(event).encode())
    assert seen.answer() == Answer(USED, "m-1", "r")


def test_an_answer_without_usage_has_an_unknown_one() -> None:
    assert read_answer(b'{"candidates":[]}').usage is None
    assert read_answer(b"[") == Answer()
    assert tap(ask()).answer() == Answer()


def test_the_list_of_models_says_which_of_them_embed() -> None:
    rows = json.loads(model_list(["a/m", "a/m-Embedding-1"]))["models"]
    assert [row["supportedGenerationMethods"] for row in rows] == [
        ["generateContent", "streamGenerateContent"],
        ["embedContent"],
    ]


CALLS = {"content": {"parts": [{"functionCall": {"name": "f"}}]}}


@pytest.mark.parametrize(
    ("told", "finish"),
    [
        ({"candidates": [{"finishReason": "STOP"}]}, "end"),
        ({"candidates": [{"finishReason": "MAX_TOKENS"}]}, "length"),
        ({"candidates": [{"finishReason": 2}]}, "length"),
        ({"candidates": [{"finishReason": "STOP", **CALLS}]}, "tool_calls"),
        ({"candidates": [{"finishReason": "SAFETY"}]}, "filter"),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "filter"),
        ({"candidates": [{}]}, ""),
        ({"candidates": "none"}, ""),
        ({}, ""),
    ],
)
def test_why_an_answer_ended_never_costs_its_usage(told: dict[str, Any], finish: str) -> None:
    body = json.dumps({"usageMetadata": {"promptTokenCount": 3}} | told).encode()
    answer = read_answer(body)
    assert answer.finish == finish and answer.usage is not None
    seen = tap(ask())
    seen.feed(b"data: %s\n\n" % json.dumps({"candidates": [{}]}).encode())
    seen.feed(b"data: %s\n\n" % body)
    assert seen.answer().finish == finish


def test_a_call_in_an_event_before_the_last_is_seen() -> None:
    last = {"candidates": [{"finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 3}}
    seen = tap(ask())
    for event in ({"candidates": [CALLS]}, last):
        seen.feed(b"data: %s\n\n" % json.dumps(event).encode())
    assert seen.answer().finish == "tool_calls"
