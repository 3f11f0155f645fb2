"""Laws that hold in every dialect."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.errors import CODES, FarthingError, Malformed
from farthing.policy.path import told_user
from farthing.wire import DIALECTS
from farthing.wire.codecs import CODECS
from farthing.wire.count.envelopes import ENVELOPES
from farthing.wire.dialect import Answer, Changes, Dialect, Target, Usage
from farthing.wire.events import Fault

every_dialect = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda d: d.name)
# Those whose requests say themselves which model is meant.
BY_BODY = [d for d in DIALECTS.values() if d.path and d.family == "answers" and d.crosses]
self_contained = pytest.mark.parametrize("dialect", BY_BODY, ids=lambda d: d.name)
# Those whose requests are read; of what is done with files, the path says all.
WITH_BODIES = [d for d in DIALECTS.values() if not d.operations]
BY_PATH = [d for d in DIALECTS.values() if not d.path and d.family == "answers"]
TARGETED = [d for d in DIALECTS.values() if d.target is not None and d.family == "answers"]
counts = st.integers(0, 10**9)

# Names that decide something in one dialect or another, and values of the right and wrong types.
NAMES = [
    "model",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "n",
    "messages",
    "tools",
    "functions",
    "system",
    "prediction",
    "modalities",
    "service_tier",
    "speed",
    "thinking",
    "context_management",
    "web_search_options",
    "container",
    "unheard_of",
]
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["text", "image", "image_url", "priority", "function", "tool_result", ""]),
)
KEYS = ["type", "content", "source", "image_url", "audio", "budget_tokens", "include_usage", "text"]
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)
requests = st.dictionaries(st.sampled_from(NAMES), anything, max_size=6)


def encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


# -- usage ----------------------------------------------------------------------------------------


def test_all_tokens_are_counted_once_and_reasoning_and_searches_are_not_tokens_of_their_own() -> (
    None
):
    usage = Usage(
        input=1,
        cache_read=20,
        cache_write=300,
        cache_write_1h=4000,
        output=50_000,
        reasoning=600_000,
        input_audio=7_000_000,
        output_audio=80_000_000,
        web_searches=900_000_000,
    )
    assert usage.tokens() == 87_054_321


def test_a_usage_is_an_array_whose_places_never_change() -> None:
    # A journal holds it so: a count may only be added at the end.
    first = ("input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning")
    assert Usage.__struct_fields__[:9] == (*first, "input_audio", "output_audio", "web_searches")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(Usage(1, 2, output=5))) == [
        *(1, 2, 0, 0, 5),
        *[0] * (len(Usage.__struct_fields__) - 5),
    ]


# -- requests -------------------------------------------------------------------------------------


@every_dialect
@settings(deadline=None)
@given(requests)
def test_reading_a_request_raises_nothing_but_malformed(
    dialect: Dialect, request: dict[str, Any]
) -> None:
    try:
        ask = dialect.read_request(encoded(request))
    except Malformed as problem:
        assert problem.code in CODES
        return
    assert ask.choices >= 1
    assert ask.output_cap is None or ask.output_cap > 0
    assert 0 <= ask.opaque_bytes <= len(ask.body)
    if dialect in BY_BODY:
        assert ask.model == (request.get("model") or "")
        assert ask.stream == bool(request.get("stream"))


@self_contained
def test_a_model_that_is_no_text_is_malformed(dialect: Dialect) -> None:
    with pytest.raises(Malformed):
        dialect.read_request(b'{"model":1}')


@pytest.mark.parametrize("dialect", WITH_BODIES, ids=lambda d: d.name)
@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"\xff"])
def test_what_is_no_request_is_malformed(dialect: Dialect, body: bytes) -> None:
    with pytest.raises(Malformed):
        dialect.read_request(body)


@every_dialect
def test_a_request_without_a_model_names_none(dialect: Dialect) -> None:
    assert dialect.read_request(b"{}").model == ""


@every_dialect
@settings(deadline=None)
@given(requests)
def test_a_request_without_changes_goes_on_as_it_came(
    dialect: Dialect, request: dict[str, Any]
) -> None:
    body = encoded(request)
    try:
        ask = dialect.read_request(body)
    except Malformed:
        return
    assert dialect.write_request(ask, Changes()) == body


@self_contained
@settings(deadline=None)
@given(requests, st.text(min_size=1, max_size=5), st.integers(1, 10**9))
def test_changes_are_in_the_request_that_is_sent_and_nothing_else_is(
    dialect: Dialect, request: dict[str, Any], model: str, cap: int
) -> None:
    try:
        ask = dialect.read_request(encoded(request))
    except Malformed:
        return
    sent = dialect.write_request(ask, Changes(model, cap, output_cap_field="max_tokens"))
    again = dialect.read_request(sent)
    assert (again.model, again.output_cap) == (model, cap)
    changed = {"model", "max_tokens", "max_completion_tokens", "max_output_tokens"}
    untouched = {name: value for name, value in json.loads(sent).items() if name not in changed}
    assert untouched == {name: request[name] for name in request if name not in changed}


@every_dialect
def test_a_dialect_s_required_headers_are_among_those_it_passes(dialect: Dialect) -> None:
    assert {name for name, _ in dialect.required_headers} <= set(dialect.passed_headers)
    credentials = {"authorization", "x-api-key", "cookie", "host"}
    assert not credentials & set(dialect.passed_headers)


@every_dialect
def test_a_dialect_is_known_by_its_name(dialect: Dialect) -> None:
    assert DIALECTS[dialect.name] is dialect
    assert dialect.path.startswith("/") or dialect.target is not None


def test_no_two_dialects_are_asked_at_one_path() -> None:
    queries = [d for d in WITH_BODIES if d.path]
    paths = [path for d in queries for path in (d.version + d.path, *d.other_paths)]
    assert sorted(paths) == sorted(set(paths))
    assert all(d.target(path.encode()) is None for d in TARGETED if d.target for path in paths)
    kept = {(d.version + d.path, d.required_headers) for d in DIALECTS.values() if d.operations}
    assert len(kept) == len([d for d in DIALECTS.values() if d.operations])


@pytest.mark.parametrize("dialect", BY_PATH, ids=lambda d: d.name)
@given(cap=st.integers(1, 10**9))
def test_a_new_cap_reaches_a_provider_of_a_dialect_with_paths(dialect: Dialect, cap: int) -> None:
    ask = dialect.read_request(b'{"other":1}')
    sent = dialect.write_request(ask, Changes("m", cap))
    assert dialect.read_request(sent).output_cap == cap
    assert json.loads(sent)["other"] == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("gemini", "/v1beta/models/a.b-1:{verb}"),
        ("gemini", "/v1/models/a.b-1:{verb}"),
        ("converse", "/model/a.b-1/{verb}"),
    ],
)
def test_a_path_says_the_model_and_whether_to_stream(name: str, path: str, stream: bool) -> None:
    dialect = DIALECTS[name]
    assert dialect.target is not None
    verb = dialect.verbs[stream].partition("?")[0]
    assert dialect.target(path.replace("{verb}", verb).encode()) == Target("a.b-1", stream)


@pytest.mark.parametrize("dialect", TARGETED, ids=lambda d: d.name)
@pytest.mark.parametrize("path", ["/", "/v1/models", "/v1/models/m", "/model/m", "/v1/chat", "//"])
def test_another_path_is_none_of_theirs(dialect: Dialect, path: str) -> None:
    assert dialect.target is not None
    assert dialect.target(path.encode()) is None


# -- answers --------------------------------------------------------------------------------------

NO_ANSWERS = [
    b"",
    b"null",
    b"[]",
    b"<html>",
    b"\xff",
    b"{}",
    b'{"usage":null}',
    b'{"usage":{}}',
    b'{"usage":[]}',
    b'{"error":{"message":"no"}}',
    b'{"usage":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
]


@every_dialect
@pytest.mark.parametrize("body", NO_ANSWERS)
def test_a_usage_that_is_not_told_is_unknown_and_not_zero(dialect: Dialect, body: bytes) -> None:
    assert dialect.read_answer(body).usage is None


@every_dialect
@pytest.mark.parametrize("body", NO_ANSWERS)
def test_a_stream_that_tells_no_usage_has_an_unknown_one(dialect: Dialect, body: bytes) -> None:
    tap = dialect.tap(dialect.read_request(b'{"stream":true}'))
    tap.feed(b"data: %s\n\n" % body)
    tap.rest()
    assert tap.answer().usage is None


@every_dialect
def test_an_empty_stream_answers_nothing(dialect: Dialect) -> None:
    tap = dialect.tap(dialect.read_request(b'{"stream":true}'))
    assert tap.rest() == b""
    assert tap.answer() == Answer()


@every_dialect
@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(1, 30))
def test_no_bytes_at_all_break_a_tap(dialect: Dialect, stream: bytes, step: int) -> None:
    tap = dialect.tap(dialect.read_request(b'{"stream":true}'))
    passed = b"".join(tap.feed(stream[i : i + step]) for i in range(0, len(stream), step))
    assert passed + tap.rest() == stream
    tap.answer()


@every_dialect
@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"\xff", b"{}", b'{"input_tokens":"1"}'])
def test_what_is_no_count_of_tokens_counts_nothing(dialect: Dialect, body: bytes) -> None:
    assert dialect.read_count(body) is None


# -- the end user ---------------------------------------------------------------------------------

# Where each vendor's requests name the end user: platform.openai.com/docs/api-reference (chat and
# responses: `safety_identifier`, and `user`, which it replaces) and docs.anthropic.com/en/api
# (messages: `metadata.user_id`). The others have no such field.
NAMES_USER: dict[str, list[tuple[dict[str, Any], str]]] = {
    "chat": [
        ({"safety_identifier": "ann"}, "ann"),
        ({"user": "bob"}, "bob"),
        ({"user": "bob", "safety_identifier": "ann"}, "ann"),
        ({"safety_identifier": None, "user": "bob"}, "bob"),
        ({"metadata": {"user_id": "eve"}}, ""),
    ],
    "messages": [
        ({"metadata": {"user_id": "ann"}}, "ann"),
        ({"metadata": {"user_id": None}}, ""),
        ({"metadata": None, "user": "eve"}, ""),
        ({"user_id": "eve", "safety_identifier": "eve"}, ""),
    ],
}
NAMES_USER["responses"] = NAMES_USER["chat"]
for surface in ("completions", "images", "image_edits", "image_variations"):
    NAMES_USER[surface] = [({"user": "bob"}, "bob"), ({"safety_identifier": "ann"}, "")]


@every_dialect
def test_a_request_names_its_end_user_where_its_dialect_has_a_place_for_it(
    dialect: Dialect,
) -> None:
    if dialect.name not in NAMES_USER and dialect.family != "counting":  # it asks as another does
        assert dialect.users == ()
    for request, user in NAMES_USER.get(dialect.name, []):
        ask = dialect.read_request(encoded({"model": "m", **request}))
        assert told_user(ask.fields, dialect.users) == user


@every_dialect
def test_a_request_without_an_end_user_names_none(dialect: Dialect) -> None:
    assert told_user(dialect.read_request(b'{"model":"m"}').fields, dialect.users) == ""


# -- what farthing says itself --------------------------------------------------------------------


@every_dialect
@pytest.mark.parametrize("code", CODES)
def test_an_error_has_its_sentence_its_code_and_the_query_s_id(dialect: Dialect, code: str) -> None:
    said = leaves_of(json.loads(dialect.error(FarthingError(code, 'Say "please".'), "q1")))
    assert {'Say "please".', code, "q1"} <= set(said)


def leaves_of(value: Any) -> list[Any]:
    """Return every value of a JSON text that holds no others."""
    if isinstance(value, dict):
        value = list(value.values())
    return (
        [leaf for item in value for leaf in leaves_of(item)] if isinstance(value, list) else [value]
    )


@every_dialect
def test_an_error_in_a_stream_is_one_whole_event(dialect: Dialect) -> None:
    problem = FarthingError("upstream_reset", "One line\nand another.")
    framing = dialect.framing()
    (event,) = framing.feed(dialect.fault(problem, "q1"))
    assert framing.rest() == []
    assert {"One line\nand another.", "upstream_reset", "q1"} <= set(leaves_of(event.data))
    spoken = ENVELOPES[dialect.name].of if dialect.name in ENVELOPES else dialect.name
    reader = CODECS.get(spoken, CODECS["chat"]).stream_reader()
    (fault,) = [e for e in reader.read(event) if isinstance(e, Fault)]
    assert fault.problem.message == problem.message, "which is what its clients read"


@every_dialect
@pytest.mark.parametrize("models", [[], ["a/m"], ["a/m", "b/x/y", "fast"]])
def test_a_list_of_models_names_them_in_order(dialect: Dialect, models: list[str]) -> None:
    said = leaves_of(json.loads(dialect.model_list(models)))
    named = [leaf for leaf in said if str(leaf).removeprefix("models/") in models]
    assert list(dict.fromkeys(str(leaf).removeprefix("models/") for leaf in named)) == models
