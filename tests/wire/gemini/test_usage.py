"""What was used."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.gemini.golden import USAGE

from farthing.wire.canon import Tally
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.gemini.usage import read_tally, read_usage, write_tally, write_usage

SOUND = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 60,
    "toolUsePromptTokenCount": 7,
    "candidatesTokenCount": 30,
    "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 50}, {"modality": 1}],
    "cacheTokensDetails": [{"modality": 4, "tokenCount": 20}],
    "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 10}],
}


def test_counts_are_disjoint() -> None:
    assert read_usage(USAGE) == Usage(input=12, cache_read=8, output=8, reasoning=3)
    assert read_usage(SOUND) == Usage(
        input=17, cache_read=60, output=20, input_audio=30, output_audio=10
    )
    assert read_usage({"promptTokenCount": 5}) == Usage(input=5)


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {},
        {"candidatesTokenCount": 5},
        {"promptTokenCount": -1},
        {"promptTokenCount": 5, "thoughtsTokenCount": -1},
        {"promptTokenCount": "5"},
        {"promptTokenCount": 5, "promptTokensDetails": [1]},
    ],
)
def test_what_is_no_usage_is_unknown(told: Any) -> None:
    assert read_usage(told) is None
    assert read_tally(told) is None


def test_a_tally_is_written_as_it_was_read() -> None:
    tally = read_tally(USAGE)
    assert tally is not None
    assert write_tally(tally, Crossing("gemini", "gemini")) == USAGE
    assert write_tally(Tally(), Crossing("chat", "gemini")) is None


@pytest.mark.parametrize(
    "usage",
    [
        Usage(input=1, output=2),
        Usage(input=5, cache_read=2, output=9, reasoning=4),
        Usage(input=5, output=9, input_audio=3, output_audio=2),
    ],
)
def test_usage_is_read_as_it_was_written(usage: Usage) -> None:
    told = write_usage(usage)
    assert read_usage(told) == usage
    assert told["totalTokenCount"] == usage.tokens()
