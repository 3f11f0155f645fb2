"""The parts of a stream: numbered as they open, shut in that order."""

from __future__ import annotations

from farthing.wire.canon import Opaque, Reasoning, Refusal, Text, ToolCall
from farthing.wire.events import Event, More, Open, Shut
from farthing.wire.responses.live import WHOLE, LiveParts, blank_of, text_of


def numbers(said: list[Event]) -> list[int]:
    return [event.part for event in said if isinstance(event, Open | More | Shut)]


def test_parts_shut_in_the_order_they_were_opened() -> None:
    live = LiveParts()
    opened = [live.open((n, WHOLE), Text(text="")) for n in range(3)]
    assert [numbers(said) for said in opened] == [[0], [1], [2]]
    first, second, third = live.parts.values()
    assert live.shut(second, None) == []
    assert numbers(live.shut(first, Text(text="a"))) == [0, 1]
    assert live.shut(first, None) == [], "once"
    assert numbers(live.shut_all()) == [2]
    assert third.shut is not None


def test_only_what_was_not_told_is_told() -> None:
    live = LiveParts()
    live.open((0, WHOLE), Text(text=""))
    (part,) = live.parts.values()
    assert live.remainder(part, "abc") == [More(answer=0, part=0, text="abc")]
    assert live.remainder(part, "abc") == []
    assert live.remainder(part, "abcd") == [More(answer=0, part=0, text="d")]


def test_pieces_of_reasoning_are_set_apart() -> None:
    live = LiveParts()
    live.open((0, WHOLE), Reasoning())
    (part,) = live.parts.values()
    assert live.piece(part, 0) == []
    assert live.piece(part, 1) == [More(answer=0, part=0, text="\n\n")]


def test_a_part_is_opened_without_what_comes_in_pieces() -> None:
    call = ToolCall(id="c", name="n", arguments="{}")
    assert blank_of(call) == ToolCall(id="c", name="n")
    assert text_of(call) == "{}"
    assert blank_of(Text(text="a")) == Text(text="")
    assert blank_of(Refusal(text="a")) == Refusal(text="")
    assert blank_of(Reasoning(text="a", summary=True)) == Reasoning(summary=True)
    opaque = Opaque(type="x", rest={"type": "x"})
    assert blank_of(opaque) is opaque
    assert text_of(opaque) == ""
