"""Reasoning in messages."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.chat.crossings import into, lost, same

from farthing.wire.canon import Reasoning, Signature
from farthing.wire.chat.reasoning import (
    read_reasoning,
    read_thinking,
    tell_reasoning,
    write_reasoning,
    write_thinking,
)
from farthing.wire.take import Taker


def test_the_details_are_read() -> None:
    details = [
        {"type": "reasoning.text", "text": "a", "signature": "S", "index": 0},
        {"type": "reasoning.summary", "summary": "b"},
        {"type": "reasoning.encrypted", "data": "E", "id": "r"},
    ]
    words: list[str] = []
    message = Taker({"reasoning_details": details, "reasoning": "ab"})
    thoughts = read_reasoning(message, words)
    assert thoughts == [
        Reasoning(
            text="a",
            signature=Signature(value="S", vendor="chat"),
            form="reasoning.text",
            rest={"index": 0},
        ),
        Reasoning(text="b", summary=True, form="reasoning.summary"),
        Reasoning(encrypted="E", id="r", form="reasoning.encrypted"),
    ]
    assert words == ["again:reasoning"]
    assert message.left == {}


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_either_text_is_read(field: str) -> None:
    assert read_reasoning(Taker({field: "hm"}), []) == [Reasoning(text="hm", form=field)]


def test_two_texts_that_differ_are_not_one() -> None:
    message = Taker({"reasoning_content": "a", "reasoning": "b"})
    assert [thought.text for thought in read_reasoning(message, [])] == ["a"]
    assert message.left == {"reasoning": "b"}


def test_encrypted_details_and_a_text_are_both_read() -> None:
    details = [{"type": "reasoning.encrypted", "data": "E"}]
    thoughts = read_reasoning(Taker({"reasoning_details": details, "reasoning": "a"}), [])
    assert [(thought.text, thought.encrypted) for thought in thoughts] == [("a", ""), ("", "E")]


def test_other_vendors_reasoning_is_not_sent() -> None:
    crossing = into()
    theirs = Reasoning(text="a", signature=Signature(value="S", vendor="messages"))
    assert write_reasoning([theirs, Reasoning(text="b")], [], crossing) == {}
    assert lost(crossing) == {"reasoning": "hint"}


def test_reasoning_signed_here_is_sent_back() -> None:
    ours = Reasoning(text="a", signature=Signature(value="S", vendor="chat"))
    told = {"type": "reasoning.text", "text": "a", "signature": "S"}
    assert write_reasoning([ours], [], into()) == {"reasoning_details": [told]}


def test_a_client_is_told_the_words_of_reasoning() -> None:
    crossing = into()
    seal = Signature(value="S", vendor="messages")
    thoughts = [Reasoning(text="a", signature=seal), Reasoning(text="b"), Reasoning(encrypted="E")]
    assert tell_reasoning(thoughts, crossing) == {"reasoning_content": "ab"}
    assert lost(crossing) == {"reasoning.encrypted": "hint", "reasoning.signature": "hint"}


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ({"thinking": "a", "signature": "S"}, "a"),
        ({"thinking": [{"type": "text", "text": "a"}], "closed": True}, "a"),
        ({"thinking": [{"type": "text", "text": "a"}] * 2}, "aa"),
    ],
)
def test_a_part_of_thinking(part: dict[str, Any], text: str) -> None:
    thought = read_thinking(Taker(part))
    assert thought is not None
    assert thought.text == text
    assert write_thinking(thought) == {"type": "thinking", **part}


def test_a_part_of_other_thinking_is_none() -> None:
    assert read_thinking(Taker({"thinking": [{"type": "image"}]})) is None


def test_a_message_s_fields_are_written_back() -> None:
    told = {"reasoning": "a", "reasoning_content": "a"}
    words: list[str] = []
    thoughts = read_reasoning(Taker(told), words)
    assert write_reasoning(thoughts, words, same()) == told
