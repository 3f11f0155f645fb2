"""Cache marks."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.chat.crossings import into, lost, same

from farthing.wire.canon import CacheMark, Refusal, Text
from farthing.wire.chat.cache import put_mark, read_cache, take_mark, write_cache
from farthing.wire.take import Taker


@pytest.mark.parametrize(
    "mark", [{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h", "x": 1}, {"type": None}, {}]
)
def test_a_mark_is_written_back(mark: dict[str, Any]) -> None:
    read = read_cache(Taker({"cache_control": mark}))
    assert write_cache(read, same()) == {"cache_control": mark}


def test_its_time_is_read() -> None:
    read = read_cache(Taker({"cache_control": {"type": "ephemeral", "ttl": "5m"}}))
    assert read == CacheMark(ttl="5m")


def test_a_message_s_mark_is_its_last_part_s() -> None:
    parts = [Text(text="a"), Text(text="b")]
    message = Taker({"cache_control": {"type": "ephemeral"}})
    take_mark(message, parts)
    assert message.left == {}
    assert parts[0].cache is None
    assert write_cache(parts[1].cache, same()) == {}
    assert put_mark(parts, same()) == {"cache_control": {"type": "ephemeral"}}


def test_a_mark_without_a_part_to_bear_it_stays() -> None:
    message = Taker({"cache_control": {"type": "ephemeral"}})
    take_mark(message, [Refusal(text="no")])
    take_mark(message, [])
    assert "cache_control" in message.left


def test_another_dialect_s_mark_is_a_hint_that_is_lost() -> None:
    crossing = into()
    assert write_cache(CacheMark(), crossing) == {}
    assert lost(crossing) == {"cache_control": "hint"}
    assert put_mark([Text(text="a", cache=CacheMark())], crossing) == {}
