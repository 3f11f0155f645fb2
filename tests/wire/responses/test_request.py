"""Responses requests: what decides their price, and the few changes made to them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.errors import Malformed
from farthing.wire.dialect import Ask, Changes
from farthing.wire.responses.request import read_request, write_request


def ask(**fields: Any) -> Ask:
    return read_request(json.dumps({"model": "m", **fields}, separators=(",", ":")).encode())


def item(*content: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def test_a_plain_request() -> None:
    of = ask(input="hello", stream=True, max_output_tokens=7)
    assert (of.model, of.stream, of.output_cap, of.choices) == ("m", True, 7, 1)
    assert not of.unbounded and not of.tools and not of.images
    assert of.wants_usage and of.cache_marks


@pytest.mark.parametrize("cap", [None, 0, -1])
def test_a_cap_that_bounds_nothing_is_none(cap: int | None) -> None:
    assert ask(max_output_tokens=cap).output_cap is None


def test_an_image_counts_by_itself_wherever_it_stands() -> None:
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    result = {"type": "function_call_output", "call_id": "c", "output": [picture]}
    of = ask(input=[item({"type": "input_text", "text": "x"}, picture), result])
    assert (of.images, of.opaque_bytes) == (2, 2 * len('"data:image/png;base64,AAAA"'))
    assert not of.unbounded


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"previous_response_id": "r"}, "`previous_response_id`"),
        ({"conversation": "c"}, "`conversation`"),
        ({"prompt": {"id": "p"}}, "`prompt`"),
        ({"background": True}, "`background`"),
        ({"tools": [{"type": "web_search"}]}, "tool `web_search`"),
        ({"input": [{"type": "item_reference", "id": "i"}]}, "an `item_reference`"),
        ({"input": [item({"type": "x"})]}, "content part `x`"),
        ({"reasoning": {"mode": "pro"}}, "`reasoning.mode` = `pro`"),
    ],
)
def test_what_has_no_bound_is_named(fields: dict[str, Any], named: str) -> None:
    assert ask(**fields).unbounded == (named,)


@pytest.mark.parametrize(
    "fields",
    [
        {"previous_response_id": None, "conversation": None, "prompt": None, "background": False},
        {"tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "g"}]},
        {"reasoning": {"effort": "low", "mode": "standard"}},
        {"input": [{"type": "reasoning", "summary": [], "encrypted_content": "x"}]},
        {"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]},
    ],
)
def test_what_bytes_bound_is_not(fields: dict[str, Any]) -> None:
    assert ask(**fields).unbounded == ()


@pytest.mark.parametrize(("part", "kind"), [("input_file", "document"), ("input_audio", "audio")])
def test_what_bytes_do_not_bound_is_named_with_its_kind(part: str, kind: str) -> None:
    result = {"type": "function_call_output", "call_id": "c", "output": [{"type": part}]}
    for told in (item({"type": part, "file_id": "f"}), result):
        of = ask(input=[told])
        assert (of.opaque, of.unbounded) == (((kind, f"content part `{part}`"),), ())


def test_a_tier_selects_a_price_or_is_left_to_the_account() -> None:
    assert ask().open_tier and ask(service_tier="auto").open_tier
    assert not ask(service_tier="default").open_tier
    assert not ask(service_tier="priority").open_tier
    assert ask(service_tier="auto").options == {}
    assert ask(service_tier="priority").options == {"service_tier": "priority"}


@pytest.mark.parametrize("fields", [{"tools": 3}, {"stream": "yes"}, {"input": [3]}])
def test_a_field_of_another_type_is_malformed(fields: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        ask(**fields)


def test_only_what_must_change_is_changed() -> None:
    of = ask(input="x", max_output_tokens=50)
    assert write_request(of, Changes()) is of.body
    told = json.loads(write_request(of, Changes(model="n", output_cap=9)))
    assert told == {"model": "n", "input": "x", "max_output_tokens": 9}
