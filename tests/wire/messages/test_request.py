"""Messages requests: what decides the price is read, and what must change is changed."""

from __future__ import annotations

import json

import pytest

from farthing.errors import Malformed
from farthing.wire.dialect import Ask, Changes
from farthing.wire.messages.request import read_request, write_request


def ask(**fields: object) -> Ask:
    return read_request(json.dumps({"model": "m", **fields}, separators=(",", ":")).encode())


def said(*blocks: object) -> list[dict[str, object]]:
    return [{"role": "user", "content": list(blocks)}]


IMAGE = {"type": "image", "source": {"type": "base64", "data": "A" * 4000}}
IMAGE_BYTES = len(json.dumps(IMAGE["source"], separators=(",", ":")))


# -- the cap on output ----------------------------------------------------------------------------


def test_the_cap_is_read() -> None:
    assert ask(max_tokens=7).output_cap == 7


@pytest.mark.parametrize("none", [0, -1, None])
def test_a_cap_of_zero_counts_as_none(none: int | None) -> None:
    assert ask(max_tokens=none).output_cap is None


def test_thinking_needs_a_cap_above_its_budget() -> None:
    assert ask().least_output == 1
    assert ask(thinking={"type": "enabled", "budget_tokens": 2048}).least_output == 2049
    assert ask(thinking={"type": "disabled"}).least_output == 1
    assert ask(thinking=None).least_output == 1


def test_a_budget_below_zero_never_allows_a_cap_below_one() -> None:
    assert ask(thinking={"type": "enabled", "budget_tokens": -500}).least_output >= 1


def test_a_new_cap_replaces_the_client_s() -> None:
    told = write_request(ask(max_tokens=50), Changes(output_cap=9))
    assert told == b'{"model":"m","max_tokens":9}'


def test_one_answer_is_all_there_is() -> None:
    assert ask(n=5).choices == 1


# -- options that select a price ------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"service_tier": "auto"},
        {"service_tier": "standard_only"},
        {"speed": "standard"},
        {"inference_geo": "global"},
        {"service_tier": None, "speed": None, "inference_geo": None},
    ],
)
def test_a_plain_option_selects_no_price(fields: dict[str, object]) -> None:
    assert ask(**fields).options == {}


@pytest.mark.parametrize(
    "option", [{"speed": "fast"}, {"inference_geo": "us"}, {"service_tier": "unheard-of"}]
)
def test_any_other_option_selects_its_own_price(option: dict[str, str]) -> None:
    assert ask(**option).options == option


# -- what has no bound ----------------------------------------------------------------------------


def test_a_plain_request_has_a_bound() -> None:
    plain = ask(
        system=[{"type": "text", "text": "be brief"}],
        messages=[
            {"role": "user", "content": "hello"},
            *said(
                {"type": "text", "text": "x"},
                {"type": "thinking", "thinking": "x", "signature": "y"},
                {"type": "redacted_thinking", "data": "x"},
                {"type": "tool_use", "id": "1", "name": "f", "input": {}},
                {"type": "tool_result", "content": "x"},
                {"type": "tool_result", "content": [{"type": "text", "text": "x"}]},
                {"type": "search_result", "content": [{"type": "text", "text": "x"}]},
            ),
        ],
        tools=[{"name": "f"}, {"type": "custom"}, {"type": "bash_20250124"}],
        context_management={"edits": [{"type": "clear_tool_uses_20250919"}]},
    )
    assert plain.unbounded == ()
    assert plain.tools
    assert plain.images == 0


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"mcp_servers": []}, "`mcp_servers`"),
        ({"container": "c"}, "`container`"),
        (
            {"context_management": {"edits": [{"type": "compact_20260112"}]}},
            "compaction in `context_management`",
        ),
        ({"tools": [{"type": "web_search_20250305"}]}, "tool `web_search_20250305`"),
        ({"tools": [{"type": "code_execution_20250825"}]}, "tool `code_execution_20250825`"),
        ({"messages": said({})}, "content block ``"),
        (
            {"messages": said({"type": "tool_result", "content": [{"type": "x"}]})},
            "content block `x`",
        ),
    ],
)
def test_what_has_no_bound_is_named_in_the_client_s_words(
    fields: dict[str, object], named: str
) -> None:
    assert ask(**fields).unbounded == (named,)


# -- documents ------------------------------------------------------------------------------------

PLAIN = {"type": "text", "media_type": "text/plain", "data": "All of it stands here."}


@pytest.mark.parametrize("kind", ["base64", "url", "file", "unheard-of"])
def test_a_document_is_opaque_wherever_it_stands(kind: str) -> None:
    document = {"type": "document", "source": {"type": kind}}
    for content in (document, {"type": "tool_result", "content": [document]}):
        of = ask(messages=said(content))
        assert (of.opaque, of.unbounded) == ((("document", "content block `document`"),), ())


def test_the_bytes_of_a_document_that_is_text_bound_it_unless_it_is_cut_up_for_citing() -> None:
    document = {"type": "document", "source": PLAIN}
    assert ask(messages=said(document)).opaque == ()
    assert ask(messages=said({**document, "citations": None})).opaque == ()
    assert ask(messages=said({**document, "citations": {"enabled": True}})).opaque


def test_a_document_made_of_blocks_is_looked_through() -> None:
    blocks = [{"type": "text", "text": "x"}, IMAGE, {"type": "x"}]
    source = {"type": "content", "content": blocks}
    of = ask(messages=said({"type": "document", "source": source}))
    assert (of.images, of.opaque, of.unbounded) == (1, (), ("content block `x`",))


# -- images ---------------------------------------------------------------------------------------


def test_images_are_counted_and_their_bytes_set_apart() -> None:
    of = ask(messages=said(IMAGE, {"type": "text", "text": "x"}, IMAGE))
    assert (of.images, of.opaque_bytes) == (2, 2 * IMAGE_BYTES)


def test_an_image_in_a_tool_s_result_counts_too() -> None:
    of = ask(messages=said({"type": "tool_result", "content": [IMAGE]}))
    assert (of.images, of.opaque_bytes) == (1, IMAGE_BYTES)


# -- caches ---------------------------------------------------------------------------------------


def test_without_a_mark_nothing_is_written_to_a_cache() -> None:
    assert not ask(messages=said({"type": "text", "text": "x"})).cache_marks


@pytest.mark.parametrize(
    "body",
    [
        b'{"cache_control":{"type":"ephemeral"}}',
        b'{"system":[{"type":"text","text":"x","cache_control":{}}]}',
        b'{"tools":[{"name":"f","cache_control":{}}]}',
        b'{"tools":[{"name":"f", "cache_control" : {}}]}',
        rb'{"system":[{"type":"text","text":"x","cache\u005fcontrol":{}}]}',
    ],
)
def test_a_mark_anywhere_and_however_written_is_seen(body: bytes) -> None:
    assert read_request(body).cache_marks


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": ["text"]},
        {"messages": said("text")},
        {"messages": said({"type": "tool_result", "content": [1]})},
        {"tools": [1]},
        {"thinking": 1},
        {"thinking": {"budget_tokens": "many"}},
        {"max_tokens": "7"},
        {"speed": 1},
        {"stream": "yes"},
    ],
)
def test_a_field_that_decides_the_price_and_has_another_type_is_malformed(
    fields: dict[str, object],
) -> None:
    with pytest.raises(Malformed) as error:
        ask(**fields)
    assert error.value.code == "invalid_field"


def test_only_what_must_change_changes() -> None:
    body = b'{ "model":"alias", "max_tokens":9, "messages":[ {"content":"h\\u00e9"} ] }'
    changed = write_request(read_request(body), Changes(model="m", output_cap=5))
    assert changed == b'{"model":"m","max_tokens":5,"messages":[ {"content":"h\\u00e9"} ]}'
