"""Usage."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.chat.crossings import into, lost, same
from tests.wire.chat.golden import USAGE

from farthing.wire.canon import Tally
from farthing.wire.chat.response import read_usage
from farthing.wire.chat.tally import read_tally, write_tally
from farthing.wire.dialect import Usage
from farthing.wire.take import Taker


def test_counts_are_made_disjoint_and_the_whole_is_kept() -> None:
    tally = read_tally(Taker({"usage": USAGE}))
    assert tally == Tally(
        usage=Usage(input=6, cache_read=4, output=5, reasoning=2),
        rest=USAGE,
    )
    assert write_tally(tally, same()) == USAGE


@pytest.mark.parametrize(
    "odd", [{}, {"prompt_tokens": -1, "completion_tokens": 1}, {"prompt_tokens": "x"}]
)
def test_an_absurd_usage_is_unknown(odd: dict[str, Any]) -> None:
    tally = read_tally(Taker({"usage": odd}))
    assert tally == Tally(usage=None, rest=odd)
    assert write_tally(tally, same()) == odd


def test_another_dialect_s_usage() -> None:
    crossing = into()
    usage = Usage(
        input=3, cache_read=2, cache_write=1, cache_write_1h=1, output=5, reasoning=4,
        web_searches=1,
    )  # fmt: skip
    assert write_tally(Tally(usage=usage, rest={"input_tokens": 3}), crossing) == {
        "prompt_tokens": 7,
        "completion_tokens": 5,
        "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    assert lost(crossing) == {"usage.web_searches": "hint"}


COUNT = st.integers(0, 10**6)


@given(COUNT, COUNT, COUNT, COUNT, COUNT)
def test_what_is_written_is_read_again(
    fresh: int, read: int, stored: int, output: int, audio: int
) -> None:
    usage = Usage(
        input=fresh, cache_read=read, cache_write=stored, output=output, output_audio=audio
    )
    assert read_usage(write_tally(Tally(usage=usage), into())) == usage
