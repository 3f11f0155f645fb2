"""Moderations: judged by bytes of text, or of pictures that nothing bounds."""

from __future__ import annotations

import json

import pytest

from farthing.wire.dialect import Changes, Usage
from farthing.wire.surfaces.moderations import MODERATIONS


@pytest.mark.parametrize("given", ["x", ["x", "y"], [{"type": "text", "text": "x"}]])
def test_text_is_bounded_and_needs_no_model(given: object) -> None:
    ask = MODERATIONS.read_request(json.dumps({"input": given}).encode())
    assert (ask.model, ask.makes_output, ask.unbounded, ask.free) == ("", False, (), False)


def test_a_picture_is_not() -> None:
    given = [{"type": "image_url", "image_url": {"url": "https://x"}}]
    ask = MODERATIONS.read_request(json.dumps({"input": given}).encode())
    assert ask.unbounded == ("input that is not text",)


def test_the_bytes_go_on_but_for_the_model_s_name() -> None:
    ask = MODERATIONS.read_request(b'{"model":"m","input":"x"}')
    assert MODERATIONS.write_request(ask, Changes()) is ask.body
    assert MODERATIONS.write_request(ask, Changes(model="n")) == b'{"model":"n","input":"x"}'


def test_tokens_are_read_where_they_are_counted() -> None:
    told = b'{"id":"x","results":[],"usage":{"prompt_tokens":5}}'
    assert MODERATIONS.read_answer(told).usage == Usage(input=5)
    assert MODERATIONS.read_answer(b'{"results":[]}').usage is None
