"""Losses: everything on the same dialect, named ones on another."""

from __future__ import annotations

from farthing.wire.canon import Text, Turn
from farthing.wire.crossing import Crossing, Loss

NODE = Text(text="x", rest={"seed": 3, "tier": "fast", "nothing": None}, form="bare")


def test_on_the_same_dialect_nothing_is_lost() -> None:
    crossing = Crossing("chat", "chat")
    assert crossing.same
    assert crossing.rest(NODE, "message") == NODE.rest
    assert crossing.form(NODE) == "bare"
    assert crossing.losses == set()


def test_on_another_every_key_that_says_something_is_named() -> None:
    crossing = Crossing("chat", "messages")
    assert not crossing.same
    assert crossing.rest(NODE, "message", {"tier": "hint"}) == {}
    assert crossing.form(NODE) == ""
    assert crossing.losses == {Loss("message.seed", "shape"), Loss("message.tier", "hint")}


def test_without_a_place_the_key_alone_is_named() -> None:
    crossing = Crossing("chat", "messages")
    crossing.rest(NODE)
    assert {loss.what for loss in crossing.losses} == {"seed", "tier"}


def test_a_loss_is_named_once() -> None:
    crossing = Crossing("chat", "messages")
    for _ in range(3):
        crossing.lose("seed", "shape")
        crossing.rest(Turn(role="user", rest={"seed": 1}))
    assert crossing.losses == {Loss("seed", "shape")}
