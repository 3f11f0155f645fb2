"""The versions of Messages: what a request of the newer one may not say.

A client names its version in a header. 2026-10-21 takes three things away from requests; answers,
errors and streams are those of 2023-06-01.
https://platform.claude.com/docs/en/api/versioning
https://platform.claude.com/docs/en/api/migration-2026-10-21
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import msgspec

from farthing.errors import Malformed
from farthing.wire.dialect import Ask

HEADER = "anthropic-version"
OLDER, NEWER = "2023-06-01", "2026-10-21"
REMOVED = ("temperature", "top_p", "top_k")


def is_newer(headers: Mapping[str, str]) -> bool:
    """Whether headers ask for 2026-10-21, or a version after it: versions are days."""
    return headers.get(HEADER, OLDER).strip() >= NEWER


def check(ask: Ask) -> None:
    """Refuse what the version that a client names has no more, as the provider itself would.

    For requests that the provider does not read under that version: translated ones, and those
    that go to it in the envelope of a cloud.

    Raises:
        Malformed: a removed field, a document that the model is to have said, citations of a user.
    """
    if not is_newer(ask.headers):
        return
    for name in REMOVED:
        if name in ask.fields and bytes(ask.fields[name]) != b"null":
            _refuse(f"`{name}` is no field of this version: leave it out")
    for role, block in _blocks(ask):
        kind = block.get("type")
        if role == "assistant" and kind == "document":
            _refuse("a `document` cannot stand in an assistant message: send it in a user message")
        if role == "user" and any(map(_cites, [block, *_inside(block)])):
            _refuse("`citations` cannot stand on text in a user message: leave them out")


def _refuse(what: str) -> NoReturn:
    raise Malformed(
        "invalid_field",
        f"In {HEADER} {NEWER} {what}; or ask in {HEADER}: {OLDER}, where it can be said.",
    )


def _blocks(ask: Ask) -> Iterator[tuple[object, dict[str, Any]]]:
    """Yield the content blocks of all messages, each with its message's role."""
    try:
        messages = msgspec.json.decode(ask.fields.get("messages", b"[]"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return  # whoever reads all of it says what is wrong
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, dict):
            yield from ((message.get("role"), block) for block in _objects(message.get("content")))


def _objects(content: object) -> list[dict[str, Any]]:
    return [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []


def _inside(block: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the blocks in a search result."""
    return _objects(block.get("content")) if block.get("type") == "search_result" else []


def _cites(block: dict[str, Any]) -> bool:
    return block.get("type") == "text" and bool(block.get("citations"))
