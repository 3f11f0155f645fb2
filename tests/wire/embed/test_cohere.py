"""Cohere's embeddings: what decides their price, encodings, purposes and truncation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.wire.crossing import Crossing, Loss
from farthing.wire.dialect import Answer, Changes, Usage
from farthing.wire.embed.canon import Input, Request
from farthing.wire.embed.cohere import (
    COHERE_EMBEDDINGS,
    KINDS,
    read_answer,
    read_ask,
    read_request,
    read_response,
    write_ask,
    write_request,
)


def encoded(told: Any) -> bytes:
    return json.dumps(told, separators=(",", ":")).encode()


def asking(**fields: Any) -> Request:
    return Request(dialect="none", model="m", inputs=[Input(text="x")], **fields)


def written(**fields: Any) -> tuple[dict[str, Any], set[Loss]]:
    crossing = Crossing("none", "cohere-embeddings")
    return write_request(asking(**fields), crossing), crossing.losses


def test_it_stands_under_its_own_version() -> None:
    assert COHERE_EMBEDDINGS.version + COHERE_EMBEDDINGS.path == "/v2/embed"


def test_only_the_model_s_name_is_ever_changed() -> None:
    ask = read_ask(b'{"model":"m","texts":["x"]}')
    assert (ask.model, ask.makes_output, ask.unbounded) == ("m", False, ())
    assert write_ask(ask, Changes()) is ask.body
    assert write_ask(ask, Changes(model="n")) == b'{"model":"n","texts":["x"]}'


@pytest.mark.parametrize(
    ("fields", "unbounded"),
    [
        ({"images": ["data:"]}, ("`images`",)),
        ({"images": None}, ()),
        ({"inputs": [{"content": [{"type": "text"}]}]}, ()),
        ({"inputs": [{"content": [{"type": "image_url"}]}]}, ("content part `image_url`",)),
    ],
)
def test_images_have_no_bound(fields: dict[str, Any], unbounded: tuple[str, ...]) -> None:
    assert read_ask(encoded(fields)).unbounded == unbounded


@pytest.mark.parametrize(
    ("billed", "usage"),
    [
        ({"input_tokens": 5}, Usage(input=5)),
        ({"input_tokens": 5, "images": 0}, Usage(input=5)),
        ({"input_tokens": 5, "images": 1}, None),
        ({"input_tokens": 5, "image_tokens": 9}, None),
        ({"input_tokens": -5}, None),
        ({}, None),
    ],
)
def test_the_usage_of_an_answer(billed: dict[str, int], usage: Usage | None) -> None:
    assert read_answer(encoded({"meta": {"billed_units": billed}})).usage == usage


def test_an_answer_has_its_id() -> None:
    assert read_answer(b'{"id":"i"}') == Answer(id="i")


def test_a_purpose_that_was_not_told_is_taken_for_a_document_s_and_named() -> None:
    told, lost = written()
    assert told["input_type"] == "search_document"
    assert lost == {Loss("task (taken for search_document)", "shape")}


@pytest.mark.parametrize("task", ["query", "document", "classification", "clustering"])
def test_a_purpose_that_is_known_is_told(task: Any) -> None:
    told, lost = written(task=task)
    assert read_request(told).task == task
    assert not lost


def test_a_purpose_without_a_word_becomes_the_nearest() -> None:
    told, lost = written(task="question")
    assert told["input_type"] == "search_query"
    assert lost == {Loss("task (taken for search_query)", "shape")}


def test_a_text_that_is_too_long_is_refused_unless_it_may_be_cut() -> None:
    assert written(task="query")[0]["truncate"] == "NONE"
    assert written(task="query", cut="start")[0]["truncate"] == "START"


@pytest.mark.parametrize("word", KINDS)
def test_every_encoding_is_read(word: str) -> None:
    (vector,) = read_response({"embeddings": {word: [[1]]}}).vectors
    assert vector.values == {KINDS[word]: [1]}


def test_its_base64_is_nobody_else_s() -> None:
    assert "base64" not in KINDS.values()
    assert read_request({"embedding_types": ["base64"]}).kinds == [KINDS["base64"]]
