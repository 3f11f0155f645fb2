"""Shapes of chunks."""

from __future__ import annotations

from farthing.wire.chat.shape import filled_in, without

CHUNK = {"id": "x", "choices": [{"delta": {"content": "a", "role": "r"}}, {"delta": {}}]}
PLACE = ["choices", "0", "delta", "content"]


def test_a_hole_is_made_and_filled() -> None:
    shape = without(CHUNK, PLACE)
    assert shape == {"id": "x", "choices": [{"delta": {"role": "r"}}, {"delta": {}}]}
    assert filled_in(shape, PLACE, "a") == CHUNK


def test_what_was_read_is_never_changed() -> None:
    shape = without(CHUNK, PLACE)
    filled_in(shape, PLACE, "b")
    assert CHUNK["choices"][0]["delta"]["content"] == "a"  # type: ignore[index]
    assert "content" not in shape["choices"][0]["delta"]
    assert shape["choices"][1] is CHUNK["choices"][1]
