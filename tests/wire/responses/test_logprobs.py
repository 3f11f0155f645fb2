"""Log-probabilities: all of them can be read, or none is."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.responses.cases import LOGPROB

from farthing.wire.canon import TokenLogprob
from farthing.wire.crossing import Crossing
from farthing.wire.responses.logprobs import read_logprobs, write_logprob

HERE, AWAY = Crossing("responses", "responses"), Crossing("chat", "responses")


def test_a_token_and_its_alternatives_are_read() -> None:
    read = read_logprobs([LOGPROB])
    assert read is not None
    assert (read[0].token, read[0].logprob, read[0].bytes) == ("S", -0.5, [83])
    assert [top.token for top in read[0].top] == ["R"]


@pytest.mark.parametrize(
    "told", [LOGPROB, {"token": "S", "logprob": 0}, {**LOGPROB, "bytes": "x", "more": 1}]
)
def test_a_token_is_written_back(told: dict[str, Any]) -> None:
    read = read_logprobs([told])
    assert read is not None
    assert write_logprob(read[0], HERE) == told


@pytest.mark.parametrize(
    "told",
    [None, "x", [1], [{}], [{"token": "S"}], [{**LOGPROB, "top_logprobs": [{}]}], [LOGPROB, {}]],
)
def test_what_is_odd_is_left(told: Any) -> None:
    assert read_logprobs(told) is None


def test_a_token_of_another_dialect_gets_its_bytes() -> None:
    one = TokenLogprob(token="é", logprob=-1)
    assert write_logprob(one, AWAY) == {
        "token": "é", "logprob": -1, "bytes": [195, 169], "top_logprobs": [],
    }  # fmt: skip
