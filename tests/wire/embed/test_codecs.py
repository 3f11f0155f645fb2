"""Every dialect of embeddings has a codec, which gives back what it read, and says it to others."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.wire.embed.golden import (
    ODD_REQUESTS,
    ODD_RESPONSES,
    ONE,
    REQUESTS,
    RESPONSES,
    TEXTS,
    TOKENS,
    VECTORS,
)

from farthing.errors import Malformed
from farthing.wire import DIALECTS
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.embed.canon import Request
from farthing.wire.embed.codecs import CODECS

PAIRS = [(here, there) for here in CODECS for there in CODECS if here != there]
NAMES = [f"{here}-to-{there}" for here, there in PAIRS]
MODELS = {"bedrock-embeddings": "amazon.titan-embed-text-v2:0"}


def said(name: str) -> Request:
    """Return a dialect's question, of one text where only one can be asked for."""
    return CODECS[name].read_request(REQUESTS[name])


def test_every_dialect_of_the_family_has_a_codec_of_its_name() -> None:
    assert list(CODECS) == [d.name for d in DIALECTS.values() if d.family == "embeddings"]
    assert all(codec.name == name for name, codec in CODECS.items())
    assert REQUESTS.keys() == RESPONSES.keys() == CODECS.keys()


@pytest.mark.parametrize(
    ("name", "told"),
    [(name, told) for name in CODECS for told in [REQUESTS[name], *ODD_REQUESTS[name]]],
)
def test_a_request_is_written_as_it_was_read(name: str, told: dict[str, Any]) -> None:
    crossing = Crossing(name, name)
    assert CODECS[name].write_request(CODECS[name].read_request(told), crossing) == told
    assert not crossing.losses


@pytest.mark.parametrize(
    ("name", "told"),
    [(name, told) for name in CODECS for told in [RESPONSES[name], *ODD_RESPONSES[name]]],
)
def test_an_answer_is_written_as_it_was_read(name: str, told: dict[str, Any]) -> None:
    crossing = Crossing(name, name)
    read = CODECS[name].read_response(told)
    assert CODECS[name].write_response(read, Request(dialect=name), crossing) == told
    assert not crossing.losses


@pytest.mark.parametrize("name", CODECS)
def test_what_is_read_is_not_changed(name: str) -> None:
    for told in [REQUESTS[name], *ODD_REQUESTS[name]]:
        before = repr(told)
        CODECS[name].write_request(CODECS[name].read_request(told), Crossing(name, name))
        assert repr(told) == before


@pytest.mark.parametrize(("here", "there"), PAIRS, ids=NAMES)
def test_a_question_keeps_its_texts_length_and_purpose(here: str, there: str) -> None:
    question, crossing = said(here), Crossing(here, there, CODECS[here].severities)
    question.model = MODELS.get(there, "m-embed")
    if there in ONE:
        question.inputs = question.inputs[:1]
    again = CODECS[there].read_request(CODECS[there].write_request(question, crossing))
    assert [item.text for item in again.inputs] == [item.text for item in question.inputs]
    assert again.dimensions == 2
    assert not [loss for loss in crossing.losses if loss.severity == "meaning"]
    purposeless = ("embeddings", "bedrock-embeddings")
    if there not in purposeless and here != "bedrock-embeddings":
        assert again.task == "document"
    elif question.task:
        assert "task" in {loss.what for loss in crossing.losses if loss.severity == "shape"}


@pytest.mark.parametrize(("here", "there"), PAIRS, ids=NAMES)
def test_an_answer_keeps_its_vectors_and_its_usage(here: str, there: str) -> None:
    """From a provider's dialect, `there`, to a client's, `here`."""
    question = said(here)
    count = 1 if {here, there} & set(ONE) else 2
    question.inputs = question.inputs[:1] * count
    answer = CODECS[there].read_response(RESPONSES[there])
    answer.vectors, answer.usage = answer.vectors[:count], Usage(input=TOKENS)
    told = CODECS[here].write_response(answer, question, Crossing(there, here))
    again = CODECS[here].read_response(told)
    assert [vector.values["float"] for vector in again.vectors] == VECTORS[:count]
    assert str(TOKENS) in str(told)
    assert len(TEXTS) >= count


@pytest.mark.parametrize("name", CODECS)
def test_an_answer_without_usage_says_none(name: str) -> None:
    question = said(name)
    answer = CODECS[name].read_response(RESPONSES[name])
    told = CODECS[name].write_response(answer, question, Crossing("another", name))
    assert str(TOKENS) not in str(told)


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("body", ["no JSON", [], None, {}, {"message": "no"}, {"error": "no"}])
def test_an_error_is_read_whatever_it_is(name: str, body: Any) -> None:
    problem = CODECS[name].read_problem(429, body)
    assert problem.status == 429
    assert CODECS[name].write_problem(problem, Crossing(name, name)) == body


@pytest.mark.parametrize(("here", "there"), PAIRS, ids=NAMES)
def test_an_error_keeps_its_words(here: str, there: str) -> None:
    problem = CODECS[there].read_problem(400, "too long")
    told = CODECS[there].write_problem(problem, Crossing("another", there))
    problem = CODECS[there].read_problem(400, told)
    written = CODECS[here].write_problem(problem, Crossing(there, here))
    assert "too long" in CODECS[here].read_problem(400, written).message


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from(["x", "", "float", "CLUSTERING", "search_query", "models/m", "END", "base64"]),
)
KEYS = [
    *("model", "input", "texts", "content", "parts", "text", "requests", "title", "inputText"),
    *("taskType", "task_type", "outputDimensionality", "embedding_types", "encoding_format"),
    *("truncate", "input_type", "dimensions", "user", "role", "unheard_of", "embeddingTypes"),
    *("embedding", "embeddings", "embeddingsByType", "data", "index", "values", "id", "usage"),
]
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=15,
)
objects = st.dictionaries(st.sampled_from(KEYS), anything, max_size=5)


@pytest.mark.parametrize("name", CODECS)
@settings(deadline=None, max_examples=100)
@given(told=objects)
@example(told={"embedding_types": ["float", "float"]})
@example(told={"user": ""})
def test_any_request_is_written_as_it_was_read_and_crosses_or_is_refused(
    name: str, told: dict[str, Any]
) -> None:
    codec = CODECS[name]
    if told.get("model") == "":
        del told["model"]  # what names no model comes to nobody
    assert codec.write_request(codec.read_request(told), Crossing(name, name)) == told
    for there in CODECS.keys() - {name}:
        question = codec.read_request(told)
        question.model = MODELS.get(there, "m")
        CODECS[there].write_request(question, Crossing(name, there, codec.severities))


@pytest.mark.parametrize("name", CODECS)
@settings(deadline=None, max_examples=100)
@given(told=objects)
def test_any_answer_crosses_or_is_malformed_and_nothing_else(
    name: str, told: dict[str, Any]
) -> None:
    for here in CODECS.keys() - {name}:
        with contextlib.suppress(Malformed):
            answer = CODECS[name].read_response(told)
            CODECS[here].write_response(answer, said(here), Crossing(name, here))
