"""How much to think."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.chat.crossings import into, lost, same

from farthing.wire.canon import Request, Thinking
from farthing.wire.chat.thinking import read_thinking, write_thinking
from farthing.wire.take import Taker

SPELLINGS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"reasoning_effort": "low"}, {"effort": "low", "enabled": None}),
    ({"reasoning_effort": "none"}, {"effort": "none", "enabled": False}),
    (
        {"reasoning": {"effort": "high", "max_tokens": 9, "summary": "auto", "exclude": True}},
        {"effort": "high", "budget": 9, "summary": "auto"},
    ),
    ({"reasoning": {"enabled": False}}, {"enabled": False}),
    ({"reasoning": {}}, {}),
    ({"thinking": {"type": "enabled", "budget_tokens": 9}}, {"enabled": True, "budget": 9}),
    ({"thinking": {"type": "adaptive"}}, {"enabled": None}),
    ({"thinking": {"type": "disabled"}, "reasoning_effort": "low"}, {"enabled": False}),
    ({"enable_thinking": False, "thinking_budget": 3}, {"enabled": False, "budget": 3}),
]


@pytest.mark.parametrize(("told", "meaning"), SPELLINGS)
def test_spellings(told: dict[str, Any], meaning: dict[str, Any]) -> None:
    taker = Taker(told)
    thinking = read_thinking(taker)
    assert thinking is not None
    assert taker.left == {}
    assert {key: getattr(thinking, key) for key in meaning} == meaning
    assert write_thinking(Request(dialect="chat", thinking=thinking), same()) == told


def test_nothing_said_is_nothing() -> None:
    assert read_thinking(Taker({"reasoning_effort": 5, "thinking": "yes"})) is None
    assert write_thinking(Request(dialect="chat"), same()) == {}


def test_of_two_that_contradict_each_other_one_stays() -> None:
    told = {"reasoning": {"effort": "low"}, "thinking": {"type": "disabled"}}
    taker = Taker(told)
    assert read_thinking(taker) is not None
    assert taker.left == {"thinking": {"type": "disabled"}}


@pytest.mark.parametrize(
    ("thinking", "effort", "losses"),
    [
        (Thinking(effort="low"), "low", {}),
        (Thinking(effort="max"), "high", {"thinking.effort": "shape"}),
        (Thinking(budget=1000), "low", {"thinking.budget": "shape"}),
        (Thinking(budget=8000), "medium", {"thinking.budget": "shape"}),
        (Thinking(budget=9000, enabled=True), "high", {"thinking.budget": "shape"}),
        (Thinking(enabled=True), "medium", {}),
        (Thinking(enabled=False), None, {"thinking": "shape"}),
        (Thinking(summary="auto"), None, {"thinking.summary": "hint"}),
    ],
)
def test_another_dialect_s(thinking: Thinking, effort: str | None, losses: dict[str, str]) -> None:
    crossing = into()
    told = {"reasoning_effort": effort} if effort else {}
    assert write_thinking(Request(dialect="other", thinking=thinking), crossing) == told
    assert lost(crossing) == losses
