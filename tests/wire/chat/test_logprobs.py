"""Log-probabilities."""

from __future__ import annotations

from typing import Any

import pytest

from farthing.wire.canon import TokenLogprob
from farthing.wire.chat.logprobs import read_tokens, take_logprobs, write_tokens
from farthing.wire.take import Taker

TOP = {"token": "b", "logprob": -2, "bytes": None}
TOKEN = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [TOP], "x": 1}


def test_tokens_are_read_and_written_back() -> None:
    choice = Taker({"logprobs": {"content": [TOKEN], "refusal": None}})
    tokens, box = take_logprobs(choice)
    assert box is not None
    assert box.left == {"refusal": None}
    assert tokens == [
        TokenLogprob(
            token="a",
            logprob=-0.5,
            bytes=[97],
            top=[TokenLogprob(token="b", logprob=-2, form="flat", rest={"bytes": None})],
            rest={"x": 1},
        )
    ]
    assert write_tokens(tokens, True) == [TOKEN]


def test_other_dialects_tokens_have_every_field() -> None:
    tokens = [TokenLogprob(token="a", logprob=-1, top=[TokenLogprob(token="b", logprob=-2)])]
    top = {"token": "b", "logprob": -2, "bytes": None}
    told = {"token": "a", "logprob": -1, "bytes": None, "top_logprobs": [top]}
    assert write_tokens(tokens, False) == [told]


@pytest.mark.parametrize("odd", [None, {}, 5, {"content": None}, {"content": [{"token": 1}]}])
def test_what_is_not_understood_stays(odd: Any) -> None:
    tokens, box = take_logprobs(Taker({"logprobs": odd}))
    assert tokens == []
    assert box is None or box.left == odd
    assert read_tokens(odd) == []


def test_alternatives_of_alternatives_stay() -> None:
    (token,) = read_tokens({"content": [TOKEN | {"top_logprobs": [TOKEN]}]})
    assert token.top[0].rest["top_logprobs"] == [TOP]
