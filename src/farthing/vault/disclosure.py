"""A disclosure: salts, and contents if they are kept, for an auditor who has the query's receipt.

It is JSON; whoever has it can check that this was the prompt, and this the answer, of the entry
that the receipt proves, and learns nothing of any other query.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from farthing.evidence.salt import commitment, shown
from farthing.vault.contents import FIELDS, Content

VERSION = 1


class DisclosureError(ValueError):
    """A disclosure, or what it should disclose, is not what was committed to."""


class Checked(NamedTuple):
    """What became of one field."""

    field: str
    state: str
    """"verified"; "cut": a part of it is there, which cannot be verified; "salt only"."""
    data: bytes | None


class _Field(msgspec.Struct):
    salt: str
    bytes: int
    content: str | None = None


class _Disclosure(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    query: str
    prompt: _Field | None = None
    answer: _Field | None = None


class _Leaf(msgspec.Struct):
    id: str = ""
    prompt: str = ""
    answer: str = ""


def disclose(query: str, contents: dict[str, Content], fields: Iterable[str]) -> dict[str, Any]:
    """Return a disclosure of some fields of a query's."""
    told: dict[str, Any] = {"v": VERSION, "query": query}
    for field in fields:
        content = contents[field]
        told[field] = {"salt": content.salt.hex(), "bytes": content.size}
        if content.data is not None:
            told[field]["content"] = base64.b64encode(content.data).decode()
    return told


def check_disclosure(disclosure: bytes, leaf: bytes) -> list[Checked]:
    """Hold a disclosure against the entry of a receipt.

    Raises:
        DisclosureError: it is not of this entry, or not what the entry commits to.
    """
    told, entry = _read(disclosure), msgspec.json.decode(leaf, type=_Leaf)
    if told.v != VERSION:
        raise DisclosureError(f"a disclosure of version {told.v}, which this cannot read")
    if told.query != entry.id:
        raise DisclosureError(f"it is of {told.query}, and the receipt of {entry.id or 'no query'}")
    return [
        _check(field, found, getattr(entry, field))
        for field in FIELDS
        if (found := getattr(told, field)) is not None
    ]


def _read(disclosure: bytes) -> _Disclosure:
    try:
        return msgspec.json.decode(disclosure, type=_Disclosure)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DisclosureError(f"not a disclosure: {error}") from None


def _check(field: str, found: _Field, committed: str) -> Checked:
    if found.content is None:
        return Checked(field, "salt only", None)
    try:
        data = base64.b64decode(found.content, validate=True)
    except binascii.Error:
        raise DisclosureError(f"its {field} is not base64") from None
    if len(data) < found.bytes:
        return Checked(field, "cut", data)
    check_content(data, found.salt, committed, field)
    return Checked(field, "verified", data)


def check_content(data: bytes, salt: str, committed: str, field: str) -> None:
    """Check bytes against a commitment as leaves show it.

    Raises:
        DisclosureError: they are not what was committed to.
    """
    try:
        key = bytes.fromhex(salt)
    except ValueError:
        raise DisclosureError("the salt is not hexadecimal") from None
    if not committed:
        raise DisclosureError(f"the entry has no commitment to its {field}")
    if not hmac.compare_digest(shown(commitment(key, data)), committed):
        raise DisclosureError(f"this is not the {field} that the entry commits to, or not its salt")


def matching(data: bytes, salt: str, leaf: bytes) -> str:
    """Return which of an entry's commitments is to these bytes, under a salt.

    Raises:
        DisclosureError: none is.
    """
    entry = msgspec.json.decode(leaf, type=_Leaf)
    for field in FIELDS:
        with suppress(DisclosureError):
            check_content(data, salt, getattr(entry, field), field)
            return field
    raise DisclosureError("this is nothing that the entry commits to, or not its salt")
