"""Usage, in disjoint counts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.wire.canon import Tally
from farthing.wire.converse.usage import read_tally, read_usage, write_tally
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage

CASES: dict[str, tuple[Any, Usage | None]] = {
    "plain": (
        {"inputTokens": 12, "outputTokens": 5, "totalTokens": 17},
        Usage(input=12, output=5),
    ),
    "the cache beside the input": (
        {
            "inputTokens": 11,
            "outputTokens": 236,
            "totalTokens": 1275,
            "cacheReadInputTokens": 1000,
            "cacheWriteInputTokens": 28,
        },
        Usage(input=11, cache_read=1000, cache_write=28, output=236),
    ),
    "the cache within the input": (
        {
            "inputTokens": 1039,
            "outputTokens": 5,
            "totalTokens": 1044,
            "cacheReadInputTokens": 1000,
            "cacheWriteInputTokens": 28,
        },
        Usage(input=11, cache_read=1000, cache_write=28, output=5),
    ),
    "no total": (
        {"inputTokens": 11, "outputTokens": 5, "cacheReadInputTokens": 7},
        Usage(input=11, cache_read=7, output=5),
    ),
    "writes by lifetime": (
        {
            "inputTokens": 1,
            "outputTokens": 2,
            "totalTokens": 33,
            "cacheWriteInputTokens": 30,
            "cacheDetails": [
                {"ttl": "1h", "inputTokens": 20},
                {"ttl": "5m", "inputTokens": 10},
            ],
        },
        Usage(input=1, cache_write=10, cache_write_1h=20, output=2),
    ),
    "older names": (
        {
            "inputTokens": 1,
            "outputTokens": 2,
            "cacheReadInputTokenCount": 3,
            "cacheWriteInputTokenCount": 4,
        },
        Usage(input=1, cache_read=3, cache_write=4, output=2),
    ),
    "nulls": (
        {"inputTokens": 1, "outputTokens": 2, "cacheReadInputTokens": None, "cacheDetails": None},
        Usage(input=1, output=2),
    ),
    "no output": ({"inputTokens": 1}, None),
    "negative": ({"inputTokens": 1, "outputTokens": -2}, None),
    "negative details": (
        {"inputTokens": 1, "outputTokens": 2, "cacheDetails": [{"ttl": "1h", "inputTokens": -9}]},
        None,
    ),
    "a bool": ({"inputTokens": True, "outputTokens": 2}, None),
    "no object": ([1], None),
}


@pytest.mark.parametrize("name", CASES)
def test_usage_is_read(name: str) -> None:
    told, usage = CASES[name]
    assert read_usage(told) == usage


def test_the_object_is_kept_whole() -> None:
    told = {"inputTokens": 1, "outputTokens": 2, "serverToolUsage": {}}
    tally = read_tally(told)
    assert write_tally(tally, Crossing("converse", "converse")) == told


counts = st.integers(min_value=0, max_value=10**9)


@given(st.builds(Usage, counts, counts, counts, counts, counts))
def test_what_is_written_is_read_the_same(usage: Usage) -> None:
    told = write_tally(Tally(usage=usage), Crossing("chat", "converse"))
    assert told["totalTokens"] == usage.tokens()
    assert read_usage(told) == usage


def test_audio_counts_as_input_and_output_and_reasoning_is_not_told() -> None:
    crossing = Crossing("chat", "converse")
    usage = Usage(input=1, output=2, reasoning=1, input_audio=3, output_audio=4)
    told = write_tally(Tally(usage=usage), crossing)
    assert told == {"inputTokens": 4, "outputTokens": 6, "totalTokens": 10}
    assert {(loss.what, loss.severity) for loss in crossing.losses} == {("usage.reasoning", "hint")}
