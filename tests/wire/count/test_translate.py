"""A count in another dialect: its request translated, and what would change it named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.errors import Malformed, Refused
from farthing.wire import DIALECTS
from farthing.wire.count.translate import CountTranslation
from farthing.wire.dialect import Ask

MESSAGES = [{"role": "user", "content": "x"}]


def ask(here: str = "counting", **fields: Any) -> Ask:
    return DIALECTS[here].read_request(json.dumps(fields).encode())


def test_the_provider_s_name_of_the_model_is_sent() -> None:
    crossing = CountTranslation("counting", "responses-counting", "m-1")
    told = json.loads(crossing.request(ask(model="m", messages=MESSAGES), strict=True))
    assert told["model"] == "m-1"
    crossing = CountTranslation("counting", "gemini-counting", "m-1")
    told = json.loads(crossing.request(ask(messages=MESSAGES, system="s"), strict=True))
    assert told["generateContentRequest"]["model"] == "models/m-1"


def test_settings_that_no_count_depends_on_are_left_out_without_a_word() -> None:
    plain = ask("gemini-counting", contents=[{"parts": [{"text": "x"}]}])
    nested = {
        "contents": [{"role": "user", "parts": [{"text": "x"}]}],
        "generationConfig": {"maxOutputTokens": 5, "temperature": 0.5},
    }
    for asked in (plain, ask("gemini-counting", generateContentRequest=nested)):
        crossing = CountTranslation("gemini-counting", "counting", "m")
        told = json.loads(crossing.request(asked, strict=True))
        assert told.keys() == {"model", "messages"}
        assert crossing.losses() == ()


def test_what_would_be_counted_and_cannot_be_is_named() -> None:
    config = {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}}
    asked = ask("responses-counting", input="x", text=config)
    crossing = CountTranslation("responses-counting", "converse-counting", "m")
    crossing.request(asked, strict=False)
    assert "shape outputConfig, in a count" in crossing.losses()
    with pytest.raises(Refused, match="outputConfig"):
        CountTranslation("responses-counting", "converse-counting", "m").request(asked, strict=True)


def test_a_meaning_is_not_lost() -> None:
    asked = ask("responses-counting", input="x", previous_response_id="r")
    with pytest.raises(Refused, match="previous_response_id"):
        CountTranslation("responses-counting", "counting", "m").request(asked, strict=False)


def test_the_answer_is_one_number() -> None:
    crossing = CountTranslation("converse-counting", "gemini-counting", "m")
    assert (
        crossing.whole(b'{"totalTokens":7,"promptTokensDetails":[]}', None) == b'{"inputTokens":7}'
    )
    with pytest.raises(Malformed):
        crossing.whole(b'{"totalTokens":-7}', None)


def test_an_error_is_told_in_the_client_s_dialect() -> None:
    crossing = CountTranslation("counting", "gemini-counting", "m")
    told = crossing.problem(400, b'{"error":{"message":"too long","code":400}}')
    assert json.loads(told)["error"]["message"] == "too long"
