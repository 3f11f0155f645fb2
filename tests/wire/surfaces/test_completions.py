"""Legacy completions: bounded by their prompts, their cap and how often each is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.errors import Malformed
from farthing.wire.dialect import Answer, Ask, Changes, Usage
from farthing.wire.surfaces.completions import COMPLETIONS, DEFAULT_CAP


def ask(**fields: Any) -> Ask:
    return COMPLETIONS.read_request(json.dumps(fields, separators=(",", ":")).encode())


@pytest.mark.parametrize(
    ("prompt", "prompts"),
    [
        ("x", 1),
        (["x", "y"], 2),
        ([1, 2, 3], 1),
        ([[1, 2], [3]], 2),
        ([], 1),
        (None, 1),
        ([1, "x"], 2),
    ],
)
def test_each_prompt_is_answered(prompt: object, prompts: int) -> None:
    assert ask(prompt=prompt).choices == prompts
    assert ask(prompt=prompt, n=3).prompts == prompts


@pytest.mark.parametrize(
    ("fields", "answers"),
    [({}, 1), ({"n": 3}, 3), ({"n": 2, "best_of": 5}, 5), ({"n": None, "best_of": None}, 1)],
)
def test_each_is_answered_as_often_as_it_is_tried(fields: dict[str, Any], answers: int) -> None:
    assert ask(prompt=["x", "y"], **fields).choices == 2 * answers


def test_no_answers_are_malformed() -> None:
    with pytest.raises(Malformed):
        ask(n=0, best_of=-1)


def test_the_cap_is_the_clients_or_the_one_that_is_documented() -> None:
    assert (ask(max_tokens=5).output_cap, ask().output_cap) == (5, None)
    assert ask().default_cap == DEFAULT_CAP == 16


def test_an_echoed_prompt_may_count_as_output() -> None:
    of = ask(prompt="x", n=2, echo=True)
    assert of.extra_output == 2 * len(of.body)
    assert ask(prompt="x", echo=False).extra_output == 0


@pytest.mark.parametrize("field", ["images", "plugins", "models"])
def test_what_bytes_do_not_bound_is_named(field: str) -> None:
    assert ask(**{field: ["x"]}).unbounded == (f"`{field}`",)


def test_nothing_but_the_changes_is_changed() -> None:
    of = ask(model="m", prompt="x", stream=True)
    assert COMPLETIONS.write_request(of, Changes()) is of.body
    changes = Changes("n", 16, "max_completion_tokens", ask_usage=True)
    assert json.loads(COMPLETIONS.write_request(of, changes)) == {
        "model": "n",
        "prompt": "x",
        "stream": True,
        "max_tokens": 16,
        "stream_options": {"include_usage": True},
    }


def test_the_usage_of_an_answer_and_of_a_stream() -> None:
    told = b'{"id":"c","model":"m","usage":{"prompt_tokens":5,"completion_tokens":9}}'
    assert COMPLETIONS.read_answer(told) == Answer(Usage(input=5, output=9), "m", "c")
    tap = COMPLETIONS.tap(ask(stream=True))
    last = b"data: " + told.replace(b"}}", b'},"choices":[]}') + b"\n\n"
    first = b'data: {"choices":[{"text":"x"}],"usage":null}\n\n'
    assert tap.feed(first + last) + tap.rest() == first, "nobody asked for the last one"
    assert tap.answer().usage == Usage(input=5, output=9)


def test_a_tier_selects_a_price() -> None:
    assert ask(service_tier="priority").options == {"service_tier": "priority"}
    assert ask(service_tier="default").options == {}


@pytest.mark.parametrize(("tier", "open_"), [(None, True), ("auto", True), ("default", False)])
def test_a_tier_that_is_not_named_is_the_account_s(tier: str | None, open_: bool) -> None:
    assert ask(service_tier=tier).open_tier is open_
