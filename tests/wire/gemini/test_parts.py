"""Parts: text, thoughts and what is kept whole."""

from __future__ import annotations

import pytest

from farthing.wire.canon import JSON, Opaque, Part, Reasoning, Refusal, Signature, Text
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.calls import Ids
from farthing.wire.gemini.parts import PartWriter, read_part


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"executableCode": {"code": "1"}}, "executableCode"),
        ({"text": "a", "functionCall": {"name": "f"}}, "text"),
        ({"text": 1}, "text"),
        ({"functionCall": {"args": {}}}, "functionCall"),
        ({"new": 1}, "new"),
        ({}, "part"),
    ],
)
def test_what_is_not_understood_is_opaque(value: JSON, kind: str) -> None:
    assert read_part(value, Ids()) == Opaque(type=kind, rest=value)


def test_a_thought_is_a_summary_with_a_signature() -> None:
    part = read_part({"text": "a", "thought": True, "thought_signature": "s"}, Ids())
    seal = Signature(value="s", vendor="gemini")
    assert part == Reasoning(text="a", summary=True, signature=seal, form="thought_signature")


def test_a_null_beside_a_text_does_not_hide_it() -> None:
    part = read_part({"text": "a", "inlineData": None}, Ids())
    assert part == Text(text="a", rest={"inlineData": None})


def test_what_cannot_be_said_is_named() -> None:
    crossing = Crossing("responses", "gemini")
    writer = PartWriter(crossing, answer=False)
    parts: list[Part] = [
        Opaque(type="web_search_call"),
        Reasoning(encrypted="x"),
        Refusal(text="No."),
        Text(text="a", signature=Signature(value="s", vendor="responses")),
    ]
    assert writer.write(parts) == [{"text": "No."}, {"text": "a"}]
    assert {loss.what: loss.severity for loss in crossing.losses} == {
        "web_search_call": "meaning",
        "reasoning": "hint",
        "refusal": "shape",
    }
