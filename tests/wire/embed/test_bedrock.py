"""Embeddings by InvokeModel: two forms on one path, and a usage that may stand in a header."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.errors import Refused
from farthing.wire.crossing import Crossing, Loss
from farthing.wire.dialect import Answer, Changes, Target, Usage
from farthing.wire.embed.bedrock import (
    NO_FORM,
    read_answer,
    read_ask,
    read_counted,
    read_request,
    read_response,
    target,
    write_ask,
    write_request,
    write_response,
)
from farthing.wire.embed.canon import Input, Request, Response, Vector

V1, V2 = "amazon.titan-embed-text-v1", "amazon.titan-embed-text-v2:0"
COHERE = "eu.cohere.embed-multilingual-v3"


def written(model: str, inputs: int = 1, **fields: Any) -> tuple[dict[str, Any], set[Loss]]:
    texts = [Input(text=f"x{number}") for number in range(inputs)]
    crossing = Crossing("none", "bedrock-embeddings")
    request = Request(dialect="none", model=model, inputs=texts, **fields)
    return write_request(request, crossing), crossing.losses


@pytest.mark.parametrize("model", [V1, COHERE, "Embed", "p%2Fm-embed-v4%3A0"])
def test_a_path_of_an_embedding_model_is_known_by_its_name(model: str) -> None:
    named = model.replace("%2F", "/").replace("%3A", ":")
    assert target(f"/model/{model}/invoke".encode()) == Target(named, False)


@pytest.mark.parametrize("path", ["/model/anthropic.claude/invoke", "/model/x-embed/converse"])
def test_other_models_and_verbs_are_not(path: str) -> None:
    assert target(path.encode()) is None


@pytest.mark.parametrize(
    ("fields", "unbounded"),
    [
        ({"inputText": "x"}, ()),
        ({"texts": ["x"]}, ()),
        ({"inputText": "x", "inputImage": "AAAA"}, ("`inputImage`",)),
        ({"images": ["data:"]}, ("`images`",)),
        ({"taskType": "SINGLE_EMBEDDING"}, (NO_FORM,)),
    ],
)
def test_text_alone_is_bounded(fields: dict[str, Any], unbounded: tuple[str, ...]) -> None:
    ask = read_ask(json.dumps(fields).encode())
    assert (ask.unbounded, ask.makes_output) == (unbounded, False)
    assert write_ask(ask, Changes(model="n")) is ask.body


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        (b'{"embedding":[1],"inputTextTokenCount":5}', Usage(input=5)),
        (b'{"embedding":[1],"inputTextTokenCount":-5}', None),
        (b'{"embeddings":[[1]]}', None),
    ],
)
def test_the_usage_of_an_answer(body: bytes, usage: Usage | None) -> None:
    assert read_answer(body).usage == usage


def test_a_header_s_count_is_the_usage_of_an_answer_with_embeddings_alone() -> None:
    for body in (b'{"embeddings":[[1]]}', b'{"embeddings":{"int8":[[1]]}}', b'{"embedding":[1]}'):
        assert read_counted(body, 5).usage == Usage(input=5)
    for body in (b"{}", b"", b'{"embeddings":null}', b'{"message":"no"}'):
        assert read_counted(body, 5) == Answer()


def test_the_model_s_name_decides_the_form() -> None:
    assert written(V1)[0] == {"inputText": "x0"}
    assert written(V2, dimensions=256)[0] == {"inputText": "x0", "dimensions": 256}
    assert written(COHERE, 2, task="query")[0] == {
        "texts": ["x0", "x1"],
        "input_type": "search_query",
    }
    with pytest.raises(Refused) as refused:
        written("amazon.nova-2-multimodal-embeddings-v1:0")
    assert refused.value.code == "unsupported_crossing"


def test_what_titan_cannot_say_is_named() -> None:
    assert written(V2, 2)[1] == {Loss("more than one input", "meaning")}
    assert written(V1, dimensions=256)[1] == {Loss("dimensions", "meaning")}
    assert written(V2, task="query", cut="end", user="u")[1] == {
        Loss("task", "shape"),
        Loss("truncation", "shape"),
        Loss("user", "hint"),
    }


def test_encodings_are_told_apart() -> None:
    titan = read_request({"inputText": "x", "embeddingTypes": ["binary"]})
    cohere = read_request({"texts": ["x"], "embedding_types": ["binary"]})
    assert titan.kinds != cohere.kinds, "one number for each dimension, or for eight"
    assert written(COHERE, kinds=titan.kinds, task="query")[1] == {
        Loss("embeddings as binary, as Titan's", "meaning")
    }


@pytest.mark.parametrize(
    ("told", "values"),
    [
        ({"embedding": [1]}, {"float": [1]}),
        ({"embeddingsByType": {"float": [2]}}, {"float": [2]}),
        ({"embeddings": [[3]]}, {"float": [3]}),
        ({"embeddings": {"int8": [[4]]}}, {"int8": [4]}),
    ],
)
def test_both_forms_of_an_answer_are_read(told: dict[str, Any], values: dict[str, Any]) -> None:
    (vector,) = read_response(told).vectors
    assert vector.values == values


def test_an_answer_has_the_form_of_its_request() -> None:
    response = Response(dialect="none", vectors=[Vector(values={"float": [1], "int8": [2]})])

    def told(**request: Any) -> dict[str, Any]:
        crossing = Crossing("none", "bedrock-embeddings")
        return write_response(response, read_request(request), crossing)

    assert told(inputText="x") == {"embedding": [1], "embeddingsByType": {"float": [1]}}
    assert told(texts=["x"])["embeddings"] == [[1]]
    assert told(texts=["x"])["response_type"] == "embeddings_floats"
    by_type = told(texts=["x"], embedding_types=["int8"])
    assert (by_type["embeddings"], by_type["response_type"]) == (
        {"int8": [[2]]},
        "embeddings_by_type",
    )
