"""The digest of a data set: what changes it, and what does not."""

from __future__ import annotations

import json
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest

from farthing.errors import ConfigError
from farthing.report.evaluation.samples import digest


def sample(text: Any = "What?", target: Any = "that", choices: list[str] | None = None) -> Any:
    return SimpleNamespace(input=text, target=target, choices=choices, metadata={"seen": 1.5})


class Message:
    """As the framework's: with an id that is another each time."""

    def __init__(self, content: Any) -> None:
        self._said = {"id": object(), "role": "user", "content": content}

    def model_dump(self, *, mode: str, exclude_none: bool, exclude: set[str]) -> dict[str, Any]:
        assert mode == "json" and exclude_none
        return {name: value for name, value in self._said.items() if name not in exclude}


def test_it_is_of_lines_of_canonical_json() -> None:
    line = '{"choices":["é","b"],"id":7,"input":"What?","target":["that","this"]}\n'
    assert digest([sample(target=["that", "this"], choices=["é", "b"])], [7]) == (
        sha256(line.encode()).hexdigest()
    )


def test_messages_count_by_what_they_say() -> None:
    one, other = (digest([sample([Message("Hi")])], [1]) for _ in range(2))
    told = {"id": 1, "input": [{"content": "Hi", "role": "user"}], "target": "that"}
    line = json.dumps(told, separators=(",", ":")) + "\n"
    assert one == other == sha256(line.encode()).hexdigest()


def test_whatever_is_asked_otherwise_has_another() -> None:
    first, second = sample(), sample("And then?")
    found = {
        digest([first, second], [1, 2]),
        digest([second, first], [1, 2]),
        digest([first, second], [1, 3]),
        digest([first, second], [1, "2"]),
        digest([first], [1]),
        digest([first, sample("And then? ")], [1, 2]),
        digest([first, sample("And then?", "this")], [1, 2]),
        digest([first, sample("And then?", choices=["a"])], [1, 2]),
    }
    assert len(found) == 8


def test_a_number_without_one_form_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"has the number 0\.1, which has no one form"):
        digest([sample([Message([{"n": 0.1}])])], [1])


def test_each_sample_has_its_id() -> None:
    with pytest.raises(ValueError, match="zip"):
        digest([sample(), sample()], [1])
