"""Log-probabilities."""

from __future__ import annotations

from typing import Any

import pytest

from farthing.wire.canon import TokenLogprob
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.logprobs import read_logprobs, write_logprobs

TOKEN = {"token": "a", "tokenId": 5, "logProbability": -1.5}


@pytest.mark.parametrize(
    "told",
    [
        None,
        {},
        {"chosenCandidates": []},
        {"chosenCandidates": [{"token": "a"}]},
        {"chosenCandidates": [TOKEN], "topCandidates": []},
        {"chosenCandidates": [TOKEN], "topCandidates": [{}]},
        {"chosenCandidates": [TOKEN], "topCandidates": [{"candidates": [1]}]},
    ],
)
def test_what_is_irregular_is_not_read(told: Any) -> None:
    assert read_logprobs(told) is None


def test_tokens_are_read_and_written() -> None:
    told = {"chosenCandidates": [TOKEN], "topCandidates": [{"candidates": [TOKEN]}]}
    tokens = read_logprobs(told)
    assert tokens is not None and tokens[0].top[0].logprob == -1.5
    assert write_logprobs(tokens, True, Crossing("gemini", "gemini")) == told
    theirs = [TokenLogprob(token="a", logprob=-1.0)]
    assert write_logprobs(theirs, False, Crossing("chat", "gemini")) == {
        "chosenCandidates": [{"token": "a", "logProbability": -1.0}]
    }
