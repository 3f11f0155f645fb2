"""Google's embeddings: what decides their price, where the model stands, and counted usage."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.wire.dialect import Answer, Changes, Target, Usage
from farthing.wire.embed.gemini import (
    GEMINI_BATCH_EMBEDDINGS,
    GEMINI_EMBEDDINGS,
    read_answer,
    read_ask,
    read_counted,
    write_ask,
    write_counting,
)


def content(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"parts": list(parts)}}


def encoded(told: Any) -> bytes:
    return json.dumps(told, separators=(",", ":")).encode()


TEXT = content({"text": "x"})


@pytest.mark.parametrize("told", [TEXT, {"requests": [TEXT, TEXT]}, {}, {"requests": [1]}])
def test_text_is_bounded(told: dict[str, Any]) -> None:
    ask = read_ask(encoded(told))
    assert (ask.model, ask.makes_output, ask.unbounded) == ("", False, ())


@pytest.mark.parametrize("key", ["inlineData", "fileData", "inline_data", "new"])
def test_what_is_no_text_is_named_as_unbounded(key: str) -> None:
    part = content({"text": "x"}, {key: {}})
    for told in (part, {"requests": [TEXT, part]}):
        assert read_ask(encoded(told)).unbounded == (f"content part `{key}`",)


def test_the_model_s_name_is_changed_where_it_stands_and_nothing_else_is() -> None:
    one = encoded({"content": {"parts": [{"text": "é"}]}})
    assert write_ask(read_ask(one), Changes(model="n")) == one
    named = b'{"model":"models/m","content":{"parts":[ ]}}'
    assert write_ask(read_ask(named), Changes()) == named
    changed = b'{"model":"models/n","content":{"parts":[ ]}}'
    assert write_ask(read_ask(named), Changes(model="n")) == changed
    batch = b'{"requests":[{"model":"models/m","content":{"parts":[ ]}},{"title":1.50}]}'
    told = write_ask(read_ask(batch), Changes(model="n"))
    rows = json.loads(told)["requests"]
    assert [row["model"] for row in rows] == ["models/n", "models/n"]
    assert b'"parts":[ ]' in told and b"1.50" in told


def test_a_path_says_the_model() -> None:
    one, many = GEMINI_EMBEDDINGS.target, GEMINI_BATCH_EMBEDDINGS.target
    assert one is not None and many is not None
    assert one(b"/v1beta/models/p%2Fm:embedContent") == Target("p/m", False)
    assert one(b"/v1/models/m:batchEmbedContents") is None
    assert many(b"/v1/models/m:batchEmbedContents") == Target("m", False)
    assert many(b"/v1/models/m:generateContent") is None


def test_the_contents_are_what_is_counted() -> None:
    batch = {"requests": [TEXT, {"title": "t"}, TEXT]}
    assert json.loads(write_counting(read_ask(encoded(batch)))) == {
        "contents": [TEXT["content"]] * 2
    }
    assert json.loads(write_counting(read_ask(encoded(TEXT)))) == {"contents": [TEXT["content"]]}


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        ({"promptTokenCount": 5, "promptTokenDetails": []}, Usage(input=5)),
        ({"promptTokenCount": -5}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_usage_of_an_answer(usage: Any, read: Usage | None) -> None:
    assert read_answer(encoded({"embedding": {}, "usageMetadata": usage})).usage == read


@pytest.mark.parametrize("body", [b'{"embedding":{}}', b'{"embeddings":[]}'])
def test_a_count_is_the_usage_of_an_answer_with_embeddings(body: bytes) -> None:
    assert read_counted(body, 5).usage == Usage(input=5)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"embedding":null}', b"<html>", b'{"error":{}}'])
def test_a_count_is_not_the_usage_of_anything_else(body: bytes) -> None:
    assert read_counted(body, 5) == Answer()
