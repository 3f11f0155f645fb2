"""A query for embeddings between two dialects: refused, named, and told back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.errors import Malformed, Refused
from farthing.wire import DIALECTS
from farthing.wire.dialect import Ask, Usage
from farthing.wire.embed.translate import EmbedTranslation


def ask(**fields: Any) -> Ask:
    return DIALECTS["embeddings"].read_request(json.dumps({"model": "m", **fields}).encode())


def crossed(there: str, strict: bool = False, **fields: Any) -> EmbedTranslation:
    translation = EmbedTranslation("embeddings", there, "provider-m")
    translation.request(ask(**fields), strict=strict)
    return translation


def test_the_provider_s_name_of_the_model_is_sent() -> None:
    translation = EmbedTranslation("embeddings", "cohere-embeddings", "provider-m")
    told = json.loads(translation.request(ask(input="x"), strict=False))
    assert told["model"] == "provider-m"


def test_what_is_lost_is_named_both_ways() -> None:
    translation = crossed("cohere-embeddings", input="x", user="u")
    translation.whole(b'{"embeddings":{"float":[[1]]},"meta":{},"texts":["x"],"new":1}', None)
    assert translation.losses() == (
        "shape answer.new",
        "shape task (taken for search_document)",
        "hint user",
    )


def test_a_strict_client_is_refused_a_shape() -> None:
    with pytest.raises(Refused, match="strict"):
        crossed("cohere-embeddings", strict=True, input="x")
    crossed("cohere-embeddings", strict=True, input="x", input_type="query", user="u")


@pytest.mark.parametrize("given", ["", [], [""]])
def test_nothing_is_not_embedded(given: Any) -> None:
    with pytest.raises(Malformed, match="no text"):
        crossed("gemini-batch-embeddings", input=given)


def test_the_usage_that_was_read_is_told_and_no_other() -> None:
    body = b'{"embeddings":[{"values":[1]}],"usageMetadata":{"promptTokenCount":99}}'
    translation = crossed("gemini-batch-embeddings", input="x")
    told = json.loads(translation.whole(body, Usage(input=5)))
    assert told["usage"] == {"prompt_tokens": 5, "total_tokens": 5}
    assert told["model"] == "provider-m", "this provider does not say which answered"
    assert "usage" not in json.loads(translation.whole(body, None))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"embeddings":[]}', b'{"embeddings":[{}]}'])
def test_an_answer_that_is_none_is_malformed(body: bytes) -> None:
    translation = crossed("gemini-batch-embeddings", input="x")
    with pytest.raises(Malformed):
        translation.whole(body, None)
