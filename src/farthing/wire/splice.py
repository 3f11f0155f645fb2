"""Change a JSON object's top level and leave every other byte the client's own."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from farthing.errors import Malformed

T = TypeVar("T")

# How far into an object a large value is looked for (`read_beside`).
NEAR = 256

_decode_top = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read_object(body: bytes) -> dict[str, msgspec.Raw]:
    """Return a JSON object's values as raw bytes, by name.

    Of a name given twice the last value is kept, and only that one is sent on (`rebuild`), so
    that what is priced and what a provider reads cannot differ.

    Raises:
        Malformed: not a JSON object.
    """
    if not body:
        raise Malformed("missing_body", "The request has no body; send a JSON object.")
    try:
        return _decode_top(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(
            "invalid_json", f"The body is not a JSON object that can be read: {error}."
        ) from None


def read_beside(body: bytes, name: str, size: int) -> dict[str, msgspec.Raw] | None:
    """Return what `read_object` does, without reading a large array a second time.

    The body was decoded already, and its array `name` found to have at least `size` bytes: as many
    as it has without spaces. It is left out of what is read here. None unless that proves where the
    array begins and ends: of one that has more (spaces, values not counted in its size) brackets or
    quotes are left behind that nothing closes, and a repeated name, an escape in one or a space at
    the top level is seen by the length.
    """
    key = b'"%s":' % name.encode()
    begin = body.find(key, 0, NEAR)
    before = body[: max(begin, 0)]
    if before.count(b"{") != 1 or b"[" in before:  # it may be another object's
        return None
    begin += len(key)
    rest = body[begin + size :]
    try:
        fields = _decode_top(b"%s%s0%s" % (before, key, rest))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if _size(fields) != len(before) + len(key) + 1 + len(rest):
        return None
    fields[name] = msgspec.Raw(memoryview(body)[begin : begin + size])
    return fields


def _size(fields: dict[str, msgspec.Raw]) -> int:
    """Return the length of an object written without spaces, each name once and plainly."""
    return sum(map(len, fields)) + sum(map(len, fields.values())) + 4 * len(fields) + 1


def first_byte(raw: msgspec.Raw) -> bytes:
    """Return a value's first byte, which tells its kind; nothing when the value is missing."""
    return bytes(memoryview(raw)[:1])


def is_null(raw: msgspec.Raw) -> bool:
    """Whether a value is null or missing."""
    return first_byte(raw) in (b"n", b"")


def read_field(fields: dict[str, msgspec.Raw], name: str, kind: type[T], default: T) -> T:
    """Return a field's value, or the default when it is missing or null.

    Raises:
        Malformed: the value is of another type.
    """
    raw = fields.get(name)
    if raw is None or is_null(raw):
        return default
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("invalid_field", f"`{name}` cannot be read: {error}.") from None


def read_parts(content: msgspec.Raw, kind: type[T]) -> list[T]:
    """Return the parts of a content; none when it is text.

    Raises:
        Malformed: it is an array of something else than objects.
    """
    if first_byte(content) != b"[":
        return []
    try:
        return msgspec.json.decode(content, type=list[kind])  # type: ignore[valid-type]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("invalid_field", f"a `content` cannot be read: {error}.") from None


def rebuild(body: bytes, fields: dict[str, msgspec.Raw], changes: dict[str, bytes]) -> bytes:
    """Return the object with some values replaced, added or (b"") left out, the others as they are.

    With nothing to change the body itself is returned, unless its length betrays spaces or a
    repeated name at the top level: then it is written from the fields, each name once.
    """
    if not changes and len(body) == _size(fields):
        return body
    pieces = list[bytes | msgspec.Raw]()
    for name, value in {**fields, **changes}.items():
        if value:
            pieces += (b",", _name(name), b":", value)
    pieces[:1] = (b"{",)
    pieces.append(b"}")
    return b"".join(pieces)


def _name(key: str) -> bytes:
    return b'"%s"' % key.encode() if key.isidentifier() else msgspec.json.encode(key)
