"""Usage: the counts are disjoint, and what is no count is unknown."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.responses.cases import USAGE

from farthing.wire.canon import Tally
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.responses.usage import read_tally, read_usage, write_tally

AWAY = Crossing("chat", "responses")


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (USAGE, Usage(input=6, cache_read=4, output=5, reasoning=2)),
        ({"input_tokens": 1, "output_tokens": 2}, Usage(input=1, output=2)),
        (
            USAGE | {"input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3}},
            Usage(input=3, cache_read=4, cache_write=3, output=5, reasoning=2),
        ),
        (
            USAGE | {"input_tokens_details": {"audio_tokens": 4}},
            Usage(input=6, input_audio=4, output=5, reasoning=2),
        ),
        (
            USAGE | {"server_side_tool_usage_details": {"web_search_calls": 2}},
            Usage(input=6, cache_read=4, output=5, reasoning=2, web_searches=2),
        ),
        ({"input_tokens": 1}, None),
        (USAGE | {"output_tokens": -1}, None),
        (USAGE | {"output_tokens": "5"}, None),
        (USAGE | {"output_tokens": "\ud800"}, None),
        ({}, None),
        (None, None),
        ([], None),
    ],
)
def test_usage_is_read(told: Any, usage: Usage | None) -> None:
    assert read_usage(told) == usage


@pytest.mark.parametrize(
    ("tools", "searches"),
    [({"web_search": {"num_requests": 3}}, 3), ({"web_search": None}, 0), (None, 0), ("x", 0)],
)
def test_searches_are_told_beside_the_usage(tools: Any, searches: int) -> None:
    usage = read_usage(USAGE, tools)
    assert usage is not None
    assert usage.web_searches == searches


def test_a_tally_is_written_back() -> None:
    told = USAGE | {"cost": 3}
    assert write_tally(read_tally(told), Crossing("responses", "responses")) == told


def test_usage_of_another_dialect_contains_itself() -> None:
    usage = Usage(input=3, cache_read=4, cache_write=2, cache_write_1h=1, output=5, reasoning=2)
    assert write_tally(Tally(usage=usage), AWAY) == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 15,
    }


def test_no_usage_is_none() -> None:
    assert write_tally(None, AWAY) is None
    assert write_tally(Tally(usage=None), AWAY) is None
