"""Splicing: what is not changed is the client's, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.errors import Malformed
from farthing.wire.splice import (
    first_byte,
    is_null,
    read_beside,
    read_field,
    read_object,
    read_parts,
    rebuild,
)

texts = st.text(st.characters(codec="utf-8"), max_size=8)
names = st.one_of(st.sampled_from(["model", "n", "naïve", "a b", '"', "\\", "", "ﬁ", "x\n"]), texts)
leaves = st.one_of(st.none(), st.booleans(), st.integers(), texts)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
spaces = st.sampled_from(["", "", " ", "\n  ", "\t", "\r\n"])


@st.composite
def written(draw: st.DrawFn, value: object) -> str:
    """Write a value as JSON in one of the ways a client may."""
    return json.dumps(
        value,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, None, 1])),
        separators=draw(st.sampled_from([(",", ":"), (", ", ": ")])),
    )


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """Write an object: spaces anywhere, escapes, names given twice."""
    pairs = draw(st.lists(st.tuples(names, values), max_size=5))
    fields = []
    for name, value in pairs:
        key = json.dumps(name, ensure_ascii=draw(st.booleans()))
        parts = [key, draw(spaces), ":", draw(spaces), draw(written(value))]
        fields.append(draw(spaces) + "".join(parts) + draw(spaces))
    body = "{" + ",".join(fields) + "}"
    return (draw(spaces) + body + draw(spaces)).encode()


changes_of = st.dictionaries(names, values.map(lambda v: json.dumps(v).encode()), max_size=3)


def pairs_of(body: bytes) -> list[tuple[str, Any]]:
    """Return an object's top level with names given twice still there twice."""
    found: list[tuple[str, Any]] = json.loads(body, object_pairs_hook=list)
    return found


@settings(deadline=None)
@given(objects(), changes_of)
def test_the_result_is_the_object_with_the_changes(body: bytes, changes: dict[str, bytes]) -> None:
    result = rebuild(body, read_object(body), changes)
    told = {name: json.loads(value) for name, value in changes.items()}
    assert json.loads(result) == {**json.loads(body), **told}


@settings(deadline=None)
@given(objects(), changes_of)
def test_a_value_that_is_not_changed_is_the_client_s_bytes(
    body: bytes, changes: dict[str, bytes]
) -> None:
    before = read_object(body)
    after = read_object(rebuild(body, before, changes))
    for name in before.keys() - changes.keys():
        assert bytes(after[name]) == bytes(before[name])
        assert bytes(before[name]) in body


@settings(deadline=None)
@given(objects(), changes_of)
def test_a_name_given_twice_never_survives(body: bytes, changes: dict[str, bytes]) -> None:
    names_sent = [name for name, _ in pairs_of(rebuild(body, read_object(body), changes))]
    assert len(names_sent) == len(set(names_sent))


@settings(deadline=None)
@given(objects(), changes_of)
def test_fields_keep_their_order_and_new_ones_come_last(
    body: bytes, changes: dict[str, bytes]
) -> None:
    fields = read_object(body)
    sent = list(read_object(rebuild(body, fields, changes)))
    assert sent == [*fields, *(name for name in changes if name not in fields)]


@settings(deadline=None)
@given(st.dictionaries(names, values, max_size=5))
def test_with_nothing_to_change_and_no_spaces_the_very_same_bytes_go_on(
    value: dict[str, Any],
) -> None:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    assert rebuild(body, read_object(body), {}) == body


def test_a_large_body_with_nothing_to_change_is_not_even_copied() -> None:
    body = b'{"model":"m","messages":[%s]}' % b",".join([b'{"role":"user"}'] * 1000)
    assert rebuild(body, read_object(body), {}) is body


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (b'{"a":1,"a":2}', b'{"a":2}'),
        (b'{"a":1,"\\u0061":2}', b'{"a":2}'),
        (b'{"n": 1, "n":99}', b'{"n":99}'),
        (b' { "a" : [ 1 ] } ', b'{"a":[ 1 ]}'),
        (b"{}", b"{}"),
        (b"{ }", b"{}"),
    ],
)
def test_what_is_priced_is_what_is_sent(body: bytes, sent: bytes) -> None:
    assert rebuild(body, read_object(body), {}) == sent


@pytest.mark.parametrize("name", ["a", "b", "c", "new"])
def test_a_value_is_left_out(name: str) -> None:
    body = b'{"a":1,"b":[2],"c":"3"}'
    sent = json.loads(rebuild(body, read_object(body), {name: b""}))
    assert sent == {key: value for key, value in json.loads(body).items() if key != name}


# -- a large array is not read twice --------------------------------------------------------------

LONG = b"[%s]" % b",".join([b'{"content":"a \\" b ] } , { [ \\\\"}'] * 3)


def beside(body: bytes, size: int = len(LONG)) -> dict[str, bytes] | None:
    """Return what is read without the array, as bytes."""
    fields = read_beside(body, "m", size)
    return None if fields is None else {name: bytes(raw) for name, raw in fields.items()}


@pytest.mark.parametrize(
    "body",
    [
        b'{"m":%s}' % LONG,
        b'{"a":1,"m":%s}' % LONG,
        b'{"m":%s,"a":[{"m":[]}]}' % LONG,
        b'{"a":"x","m":%s,"b":{"m":"]}"},"c":1}' % LONG,
    ],
)
def test_an_array_of_known_length_is_told_by_it(body: bytes) -> None:
    assert beside(body) == {name: bytes(raw) for name, raw in read_object(body).items()}
    assert rebuild(body, read_beside(body, "m", len(LONG)) or {}, {}) is body


@pytest.mark.parametrize(
    "body",
    [
        b'{"m":%s,"m":[]}' % LONG,  # given twice
        b'{"m":[],"m":%s}' % LONG,
        b'{"m":%s,"\\u006d":[]}' % LONG,
        b'{"m":%s,"a":1,"a":2}' % LONG,
        b'{"m": %s}' % LONG,  # spaces
        b'{ "m":%s}' % LONG,
        b'{"m":%s }' % LONG,
        b'{"m":%s, "a":1}' % LONG,
        b'{"m":%s,"a":1} ' % LONG,
        b'{"a":{"m":%s},"b":[]}' % LONG,  # of another object
        b'{"a":[{"m":%s}]}' % LONG,
        b'{"a":{"b":{},"m":%s},"m":[]}' % LONG,
        b'{"a":[],"m":%s}' % LONG,  # perhaps of another object
        b'{"a\\"m":%s}' % LONG,  # of another name
        b'{"a":{"{\\"m":%s},"m":[]}' % LONG,
        b'{"\\u006d":%s}' % LONG,
        b'{"a":"%s","m":%s}' % (b"x" * 256, LONG),  # far from the beginning
        b'{"a":%s}' % LONG,
        b'{"m":"%s"}' % (b"x" * len(LONG)),
        b"{}",
    ],
)
def test_an_array_that_may_be_another_is_left_alone(body: bytes) -> None:
    read_object(body)  # it is one
    assert beside(body) is None


@pytest.mark.parametrize("size", [size for size in range(2, len(LONG) + 40) if size != len(LONG)])
def test_an_array_of_another_length_is_left_alone(size: int) -> None:
    for more in (b"", b',"a":["]"],"b":{"c":[[],"},"]}', b',"a":"],","b":"]}"'):
        assert beside(b'{"m":%s%s}' % (LONG, more), min(size, len(LONG) - 1)) is None


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [b'"', b"[", b"]", b"{", b"}", b",", b":", b'"m":[', b'"a"', b"0", b" ", b"\\", b".5"]
        ),
        max_size=24,
    ),
    st.integers(0, 40),
)
def test_whatever_the_length_is_said_to_be_nothing_else_is_read(told: list[bytes], n: int) -> None:
    body = b'{"m":[%s}' % b"".join(told)
    try:
        fields = read_object(body)
        array = bytes(fields["m"])
    except Malformed:
        return
    if n <= len(array) and (found := beside(body, n)) is not None:
        assert found == {name: bytes(raw) for name, raw in fields.items()}


def test_an_empty_body_is_missing() -> None:
    with pytest.raises(Malformed) as error:
        read_object(b"")
    assert error.value.code == "missing_body"


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b"{",
        b'{"a":1',
        b'{"a":1,}',
        b'{"a":1}{}',
        b'{"a":1} x',
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":01}',
        b'{"a":"\\q"}',
        b'{"\xff":1}',
        b'{"\\ud800":1}',
        b"\xef\xbb\xbf{}",
        b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    ],
)
def test_what_is_not_a_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed) as error:
        read_object(body)
    assert error.value.code == "invalid_json"
    assert error.value.message.startswith("The body is not a JSON object")


@settings(deadline=None)
@given(st.binary(max_size=64))
def test_no_bytes_at_all_raise_anything_else(body: bytes) -> None:
    try:
        fields = read_object(body)
    except Malformed:
        return
    json.loads(rebuild(body, fields, {}).decode(errors="replace"))


# -- one field ------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"{}", b'{"n":null}', b'{"n": null }'])
def test_a_field_that_is_missing_or_null_has_its_default(body: bytes) -> None:
    assert read_field(read_object(body), "n", int, 7) == 7


def test_a_field_s_value_is_read() -> None:
    assert read_field(read_object(b'{"n":0}'), "n", int, 7) == 0


@pytest.mark.parametrize("value", [b'"1"', b"1.5", b"true", b"[]", b"{}"])
def test_a_field_of_another_type_is_malformed_and_named(value: bytes) -> None:
    with pytest.raises(Malformed, match="`n` cannot be read") as error:
        read_field(read_object(b'{"n":%s}' % value), "n", int, 7)
    assert error.value.code == "invalid_field"


@pytest.mark.parametrize(
    ("text", "null"),
    [(b"null", True), (b"", True), (b"0", False), (b'"null"', False), (b"[]", False)],
)
def test_only_null_and_nothing_are_null(text: bytes, null: bool) -> None:
    assert is_null(msgspec.Raw(text)) is null


def test_the_first_byte_tells_a_value_s_kind() -> None:
    fields = read_object(b'{"a": {}, "b": [], "c": "x"}')
    assert [first_byte(raw) for raw in fields.values()] == [b"{", b"[", b'"']
    assert first_byte(msgspec.Raw()) == b""


# -- parts ----------------------------------------------------------------------------------------


class _Part(msgspec.Struct):
    type: str = ""


@pytest.mark.parametrize("content", [b'"some text"', b"null", b""])
def test_a_content_that_is_no_array_has_no_parts(content: bytes) -> None:
    assert read_parts(msgspec.Raw(content), _Part) == []


def test_the_parts_of_a_content_are_read() -> None:
    content = msgspec.Raw(b'[{"type":"text","text":"x"},{}]')
    assert read_parts(content, _Part) == [_Part("text"), _Part("")]


@pytest.mark.parametrize("content", [b"[1]", b'["x"]', b"[null]", b'[{"type":1}]'])
def test_parts_that_are_no_objects_are_malformed(content: bytes) -> None:
    with pytest.raises(Malformed, match="`content` cannot be read"):
        read_parts(msgspec.Raw(content), _Part)
