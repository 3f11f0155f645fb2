"""`generationConfig`: settings, format and thinking."""

from __future__ import annotations

import pytest
from tests.wire.gemini.golden import CITY, REQUESTS

from farthing.wire.canon import JSON, Format, Request, Thinking
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.config import write_config
from farthing.wire.gemini.requests import read_request


def test_settings_are_read() -> None:
    request = read_request(REQUESTS["sampling"])
    assert (request.output_cap, request.temperature, request.top_p) == (100, 1, 0.9)
    assert (request.top_k, request.answers, request.seed) == (40, 2, 7)
    assert (request.presence_penalty, request.frequency_penalty) == (-0.5, 0.5)
    assert (request.stop, request.logprobs) == (["."], 3)
    assert request.rest == {}


@pytest.mark.parametrize(
    ("name", "kind", "schema"),
    [
        ("schema", "schema", CITY),
        (
            "schema in capitals",
            "schema",
            {**CITY, "properties": {"city": {"type": ["string", "null"]}}},
        ),
        (
            "schema that mixes",
            "schema",
            {"type": "object", "properties": {"type": {"type": "string"}}},
        ),
        ("json", "json", None),
        ("plain text", "text", None),
    ],
)
def test_formats_are_read(name: str, kind: str, schema: JSON | None) -> None:
    told = read_request(REQUESTS[name]).format
    assert told is not None and (told.kind, told.schema) == (kind, schema)


def test_an_enumeration_is_no_format_that_others_have() -> None:
    assert read_request(REQUESTS["enumeration"]).format is None


def test_thinking_is_read() -> None:
    dynamic = read_request(REQUESTS["thinking"]).thinking
    assert dynamic is not None
    assert (dynamic.enabled, dynamic.budget, dynamic.summary) == (True, None, "auto")
    level = read_request(REQUESTS["thinking level"]).thinking
    assert level is not None and (level.effort, level.summary) == ("high", "")
    off = read_request(REQUESTS["system in snake case"]).thinking
    assert off is not None and (off.enabled, off.budget) == (False, 0)


@pytest.mark.parametrize(
    ("model", "thinking", "told"),
    [
        ("gemini-3-pro", Thinking(effort="low"), {"thinkingLevel": "low"}),
        ("gemini-2.5-pro", Thinking(effort="low"), {"thinkingBudget": 1024}),
        ("gemini-3-pro", Thinking(effort="xhigh"), {"thinkingLevel": "high"}),
        ("", Thinking(effort="none"), {"thinkingBudget": 0}),
        ("", Thinking(enabled=False), {"thinkingBudget": 0}),
        ("", Thinking(enabled=True), {"thinkingBudget": -1, "includeThoughts": True}),
        (
            "",
            Thinking(effort="high", summary="auto"),
            {"thinkingLevel": "high", "includeThoughts": True},
        ),
    ],
)
def test_thinking_of_another_dialect_is_written(model: str, thinking: Thinking, told: JSON) -> None:
    request = Request(dialect="chat", model=model, thinking=thinking)
    assert write_config(request, Crossing("chat", "gemini")) == {"thinkingConfig": told}


def test_settings_of_another_dialect_are_written() -> None:
    request = Request(dialect="chat", logprobs=0, seed=1, answers=2, format=Format(kind="text"))
    assert write_config(request, Crossing("chat", "gemini")) == {
        "responseLogprobs": True,
        "seed": 1,
        "candidateCount": 2,
    }
