"""Chat requests: what decides the price is read, and what must change is changed."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from farthing.errors import Malformed
from farthing.wire.chat import request as module
from farthing.wire.chat.request import LARGE, read_request, write_request
from farthing.wire.dialect import Ask, Changes


def ask(**fields: object) -> Ask:
    return read_request(json.dumps({"model": "m", **fields}, separators=(",", ":")).encode())


def sent(of: Ask, changes: Changes) -> Any:
    return json.loads(write_request(of, changes))


def said(*parts: object) -> list[dict[str, object]]:
    return [{"role": "user", "content": list(parts)}]


# -- the cap on output ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_either_name_of_the_cap_is_read(name: str) -> None:
    assert ask(**{name: 7}).output_cap == 7


@pytest.mark.parametrize("none", [0, -1, None])
def test_a_cap_of_zero_counts_as_none(none: int | None) -> None:
    assert ask(max_tokens=none).output_cap is None


def test_of_two_caps_the_larger_bounds_the_cost() -> None:
    assert ask(max_tokens=5, max_completion_tokens=9).output_cap == 9
    assert ask(max_tokens=9, max_completion_tokens=5).output_cap == 9


def test_a_cap_beside_one_that_counts_as_none_is_all_that_is_sent() -> None:
    both = ask(max_tokens=0, max_completion_tokens=5)
    assert both.output_cap == 5
    told = sent(both, Changes(output_cap_field="max_tokens"))
    assert told == {"model": "m", "max_tokens": 5}


@pytest.mark.parametrize("cap", ["5", 1.5, True, [], {}])
def test_a_cap_of_another_type_is_malformed(cap: object) -> None:
    with pytest.raises(Malformed, match="`max_tokens`"):
        ask(max_tokens=cap)


def test_a_new_cap_is_written_to_the_field_the_provider_heeds() -> None:
    told = sent(ask(), Changes(output_cap=9, output_cap_field="max_tokens"))
    assert told == {"model": "m", "max_tokens": 9}


def test_a_new_cap_leaves_no_cap_that_the_client_wrote() -> None:
    both = ask(max_tokens=50, max_completion_tokens=60)
    told = sent(both, Changes(output_cap=9, output_cap_field="max_tokens"))
    assert told["max_tokens"] == 9
    assert told.get("max_completion_tokens", 9) == 9


def test_a_cap_of_null_is_a_missing_one_and_leaves_the_other_s_bound() -> None:
    of = ask(max_tokens=None, max_completion_tokens=100)
    assert of.output_cap == 100
    told = sent(of, Changes(output_cap=100, output_cap_field="max_tokens"))
    assert told["max_tokens"] == 100, "null may mean no bound to a provider that heeds this name"


def test_a_cap_is_sent_in_the_field_the_provider_heeds() -> None:
    of = ask(max_completion_tokens=100)
    assert sent(of, Changes(output_cap=9, output_cap_field="max_tokens"))["max_tokens"] == 9
    assert sent(of, Changes(output_cap_field="max_tokens")) == {"model": "m", "max_tokens": 100}
    same = Changes(output_cap_field="max_completion_tokens")
    assert write_request(of, same) is of.body


# -- how many answers, and what else is output ----------------------------------------------------


def test_one_answer_is_asked_for_unless_said() -> None:
    assert ask().choices == ask(n=None).choices == 1
    assert ask(n=5).choices == 5


@pytest.mark.parametrize("number", [0, -1, "2", 1.5])
def test_a_number_of_answers_below_one_is_malformed(number: object) -> None:
    with pytest.raises(Malformed, match="`n`"):
        ask(n=number)


def test_a_prediction_may_be_billed_beyond_the_cap_by_its_length() -> None:
    prediction = {"type": "content", "content": "x" * 300}
    assert ask().extra_output == 0
    assert ask(prediction=prediction).extra_output >= 300


# -- tiers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["auto", "default", "standard", "on_demand", "", None])
def test_a_plain_tier_selects_no_price(tier: str | None) -> None:
    assert ask(service_tier=tier).options == {}


@pytest.mark.parametrize("tier", ["priority", "flex", "Default", "unheard-of"])
def test_any_other_tier_selects_its_own_price(tier: str) -> None:
    assert ask(service_tier=tier).options == {"service_tier": tier}


@pytest.mark.parametrize(
    ("tier", "is_open"),
    [("auto", True), ("", True), (None, True), ("default", False), ("flex", False)],
)
def test_a_tier_that_is_not_named_is_left_to_the_account(tier: str | None, is_open: bool) -> None:
    assert ask(service_tier=tier).open_tier is is_open
    assert ask().open_tier


# -- what has no bound ----------------------------------------------------------------------------


def test_a_plain_request_has_a_bound() -> None:
    plain = ask(
        messages=[
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": "hello"}]},
            {"role": "assistant", "content": None, "audio": None, "tool_calls": []},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            {"role": "tool", "tool_call_id": "1", "content": "x"},
        ],
        tools=[{"type": "function", "function": {}}, {"type": "custom"}, {"function": {}}],
        modalities=["text"],
    )
    assert plain.unbounded == ()
    assert plain.tools


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"web_search_options": {}}, "`web_search_options`"),
        ({"audio": {"voice": "x"}}, "`audio`"),
        ({"plugins": [{"id": "web"}]}, "`plugins`"),
        ({"models": ["dearer"]}, "`models`"),
        ({"search_parameters": {}}, "`search_parameters`"),
        ({"modalities": ["text", "audio"]}, "output modality `audio`"),
        ({"messages": said({"type": "document_url"})}, "content part `document_url`"),
        ({"reasoning": {"mode": "pro"}}, "`reasoning.mode` = `pro`"),
        ({"messages": said({})}, "content part ``"),
        ({"messages": [{"role": "assistant", "audio": {"id": "a"}}]}, "earlier audio"),
        ({"tools": [{"type": "web_search"}]}, "tool `web_search`"),
    ],
)
def test_what_has_no_bound_is_named_in_the_client_s_words(
    fields: dict[str, object], named: str
) -> None:
    assert ask(**fields).unbounded == (named,)


def test_everything_that_has_no_bound_is_named() -> None:
    of = ask(audio={}, modalities=["audio"], tools=[{"type": "x"}], messages=said({"type": "y"}))
    assert len(of.unbounded) == 4


def test_a_name_written_with_escapes_hides_nothing() -> None:
    body = rb'{"web\u005fsearch_options":{},"messages":[{"content":[{"typ\u0065":"fil\u0065"}]}]}'
    of = read_request(body)
    assert of.unbounded == ("`web_search_options`",)
    assert of.opaque == (("document", "content part `file`"),)


@pytest.mark.parametrize(("part", "kind"), [("file", "document"), ("input_audio", "audio")])
def test_what_bytes_do_not_bound_is_named_with_its_kind(part: str, kind: str) -> None:
    of = ask(messages=said({"type": part}, {"type": "text", "text": "x"}))
    assert (of.opaque, of.unbounded) == (((kind, f"content part `{part}`"),), ())


@pytest.mark.parametrize("reasoning", [None, {}, {"effort": "high"}, {"mode": "standard"}])
def test_reasoning_once_is_bounded_by_the_cap(reasoning: object) -> None:
    assert ask(reasoning=reasoning).unbounded == ()


def test_of_a_name_given_twice_the_last_is_read_and_sent() -> None:
    of = read_request(b'{"model":"cheap","model":"dear","n":1,"n":9}')
    assert (of.model, of.choices) == ("dear", 9)
    assert write_request(of, Changes()) == b'{"model":"dear","n":9}'


# -- images ---------------------------------------------------------------------------------------


def test_images_are_counted_and_their_bytes_set_apart() -> None:
    image = {"url": "data:image/png;base64," + "A" * 5000}
    text = {"type": "text", "text": "look"}
    of = ask(messages=said({"type": "image_url", "image_url": image}, text) * 2)
    assert of.images == 2
    assert of.opaque_bytes == 2 * len(json.dumps(image, separators=(",", ":")))
    assert of.unbounded == ()


def test_the_text_beside_an_image_still_counts() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}
    of = ask(messages=said(image, {"type": "text", "text": "x" * 1000}))
    assert len(of.body) - of.opaque_bytes > 1000


# -- tools and caches -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tools", "functions"])
def test_tools_add_to_the_provider_s_own_prompt(name: str) -> None:
    assert ask(**{name: [{"name": "f"}]}).tools
    assert not ask().tools


def test_this_dialect_s_providers_write_to_caches_unasked() -> None:
    assert ask().cache_marks


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": ["text"]},
        {"messages": {}},
        {"messages": said("text")},
        {"tools": {}},
        {"tools": [1]},
        {"modalities": "text"},
        {"service_tier": 1},
        {"stream": 1},
        {"stream": True, "stream_options": True},
        {"model": None, "stream": "yes"},
    ],
)
def test_a_field_that_decides_the_price_and_has_another_type_is_malformed(
    fields: dict[str, object],
) -> None:
    with pytest.raises(Malformed) as error:
        ask(**fields)
    assert error.value.code == "invalid_field"


# -- the usage of a stream ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "wants"),
    [
        (None, False),
        ({}, False),
        ({"include_usage": None}, False),
        ({"include_usage": False}, False),
        ({"include_usage": True}, True),
    ],
)
def test_a_stream_s_usage_goes_to_the_client_that_asked_for_it(
    options: dict[str, object] | None, wants: bool
) -> None:
    assert ask(stream=True, stream_options=options).wants_usage is wants


def test_an_answer_in_one_piece_always_carries_its_usage() -> None:
    assert ask().wants_usage
    assert ask(stream=False, stream_options={"include_usage": False}).wants_usage


def test_usage_is_asked_for_beside_the_client_s_own_stream_options() -> None:
    of = ask(stream=True, stream_options={"include_obfuscation": False, "include_usage": False})
    told = sent(of, Changes(ask_usage=True))
    assert told["stream_options"] == {"include_obfuscation": False, "include_usage": True}


@pytest.mark.parametrize("options", [{}, {"stream_options": None}])
def test_usage_is_asked_for_where_the_client_had_no_options(options: dict[str, object]) -> None:
    told = sent(ask(stream=True, **options), Changes(ask_usage=True))
    assert told["stream_options"] == {"include_usage": True}


def test_nothing_is_asked_for_unasked() -> None:
    assert "stream_options" not in sent(ask(stream=True), Changes(model="x"))


# -- changes --------------------------------------------------------------------------------------


def test_only_what_must_change_changes() -> None:
    body = '{ "model":"alias", "messages":[ {"role":"user","content":"h\\u00e9 ü"} ], "x":1.50e3 }'
    of = read_request(body.encode())
    changed = write_request(of, Changes(model='a"b', output_cap=5, output_cap_field="max_tokens"))
    messages = '[ {"role":"user","content":"h\\u00e9 ü"} ]'
    assert changed.decode() == (
        '{"model":"a\\"b","messages":' + messages + ',"x":1.50e3,"max_tokens":5}'
    )


# -- large requests -------------------------------------------------------------------------------

LONG = 'a text with "quotes", {brackets}] and\nlines ' * (LARGE // 40)
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":[1]}'}}
CONVERSATION = [
    {"role": "system", "content": LONG},
    {"role": "user", "content": LONG},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c", "content": LONG},
]


def both(body: bytes) -> tuple[Any, Any]:
    """Return what is read of a request in two ways: as a large one, and as a small one."""
    return module._read_large(body), module._read(body)


def plain(read: Any) -> Any:
    told, fields = read
    known = {f: getattr(told, f) for f in module._Told.__struct_fields__ if f != "messages"}
    contents = [(bytes(m.content), bytes(m.audio)) for m in told.messages or ()]
    return known, contents, {name: bytes(raw) for name, raw in fields.items()}


@pytest.mark.parametrize(
    "messages",
    [
        CONVERSATION,
        [{"role": "user", "content": LONG}],
        [{"content": LONG}],
        [{"role": "assistant", "content": LONG, "refusal": None, "name": "x"}],
        [{"role": "user", "content": [{"type": "text", "text": LONG}, {"type": "file"}]}],
        [],
        None,
    ],
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_a_large_request_says_what_a_small_one_does(
    messages: object, separators: tuple[str, str]
) -> None:
    fields = {"model": "m", "messages": messages, "user": LONG, "n": 2, "tools": [{"x": []}]}
    for order in (fields, dict(reversed(fields.items()))):
        large, small = both(json.dumps(order, separators=separators).encode())
        assert plain(large) == plain(small)


def test_of_large_messages_only_one_way_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    monkeypatch.setattr(module, "read_object", seen.append)
    body = json.dumps({"model": "m", "messages": CONVERSATION}, separators=(",", ":")).encode()
    assert read_request(body).fields["model"] == msgspec.Raw(b'"m"')
    assert not seen


@pytest.mark.parametrize(
    "body",
    [
        '{"model":"m","messages":[{"role":"user","content":"%s"}],"messages":[]}',
        '{"model":"m","messages":[],"messages":[{"role":"user","content":"%s"}]}',
        '{"model":"m","messages":[{"role":"user","content":"x","content":"%s"}],"n":1,"n":3}',
        '{"messages":[{"role":"user","content":"%s"}],"model":"m","mess\\u0061ges":[]}',
        '{"messages":[{"content":"%s"}],"n":123}',  # as long as the role that is missing
        '{"messages":[{"role":"%s"}],"user":"a"}',  # as long as the content that is missing
    ],
)
def test_nothing_of_a_large_request_is_skipped_or_counts_twice(body: str) -> None:
    large, small = both((body % ("x" * LARGE)).encode())
    assert plain(large) == plain(small)


@pytest.mark.parametrize("field", [{"max_tokens": "1"}, {"messages": "x"}, {"messages": ["x"]}])
def test_a_large_request_is_malformed_as_a_small_one_is(field: dict[str, object]) -> None:
    name = next(iter(field))
    with pytest.raises(Malformed, match=f"`{name}` cannot be read"):
        ask(user="x" * LARGE, **field)


def test_a_large_request_goes_on_as_it_came() -> None:
    body = json.dumps({"model": "m", "messages": CONVERSATION}, separators=(",", ":")).encode()
    assert write_request(read_request(body), Changes()) is body
    changed = write_request(read_request(body), Changes(model="n"))
    assert changed == body.replace(b'"model":"m"', b'"model":"n"', 1)
