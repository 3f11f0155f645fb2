"""Turns of other dialects, as system and messages."""

from __future__ import annotations

from tests.wire.converse.golden import PNG

from farthing.wire.canon import Media, Opaque, Refusal, Text, ToolResult, Turn
from farthing.wire.converse.scribe import Scribe
from farthing.wire.converse.turns import write_turns
from farthing.wire.crossing import Crossing


def write(*turns: Turn) -> tuple[list[object], list[object], set[tuple[str, str]]]:
    crossing = Crossing("chat", "converse")
    system, messages = write_turns(list(turns), crossing, Scribe(crossing, answering=False))
    return [*system], [*messages], {(loss.what, loss.severity) for loss in crossing.losses}


def test_a_later_system_turn_becomes_a_user_s() -> None:
    system, messages, losses = write(
        Turn(role="system", parts=[Text(text="A")]),
        Turn(role="user", parts=[Text(text="B")]),
        Turn(role="system", parts=[Text(text="C")]),
        Turn(role="assistant", parts=[Text(text="D")]),
    )
    assert system == [{"text": "A"}]
    assert messages == [
        {"role": "user", "content": [{"text": "B"}, {"text": "C"}]},
        {"role": "assistant", "content": [{"text": "D"}]},
    ]
    assert losses == {("system turn in place", "shape")}


def test_empty_turns_are_left_out_and_their_neighbours_merged() -> None:
    _, messages, losses = write(
        Turn(role="user", parts=[Text(text="A")]),
        Turn(role="assistant", parts=[Text(text="")]),
        Turn(role="user", parts=[Text(text="B")], name="Ada"),
    )
    assert messages == [{"role": "user", "content": [{"text": "A"}, {"text": "B"}]}]
    assert losses == {("name", "shape")}


def test_a_system_turn_of_more_than_text() -> None:
    image = Media(kind="image", data=PNG)
    system, _, losses = write(Turn(role="system", parts=[Refusal(text="A"), image]))
    assert system == [{"text": "A"}]
    assert losses == {("system turn that is more than text", "meaning")}


def test_unknown_parts_are_named() -> None:
    _, messages, losses = write(Turn(role="user", parts=[Opaque(type="widget")]))
    assert messages == []
    assert losses == {("widget", "meaning")}


def test_documents_of_one_name_get_different_ones() -> None:
    def deed() -> Media:
        return Media(kind="document", data="JVBERi0x", mime="application/pdf", name="Deed")

    _, messages, _ = write(
        Turn(role="user", parts=[deed(), ToolResult(call="c", parts=[deed()])]),
    )
    (message,) = messages
    assert isinstance(message, dict)
    first, result = message["content"]
    assert first["document"]["name"] == "Deed"
    assert result["toolResult"]["content"][0]["document"]["name"] == "Deed-2"
