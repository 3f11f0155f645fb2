"""A query's path: the scopes whose limits must all admit it."""

from __future__ import annotations

import msgspec

from farthing.errors import Malformed
from farthing.ledger.registry import NAME_MOST, KeyState, short

TAGS_MOST = 8


def path(
    key: KeyState, user: str, tags: tuple[str, ...], served: tuple[str, ...]
) -> tuple[str, ...]:
    """Return a path: the key and what it belongs to, the end user, what serves it, its tags."""
    scopes = key.lineage
    if user:
        scopes += (f"user:{short(user)}",)
    scopes += served
    if tags:
        scopes += tuple(dict.fromkeys(f"tag:{short(tag)}" for tag in tags))
    return scopes


def read_tags(text: str) -> tuple[str, ...]:
    """Return the tags that a header lists.

    Raises:
        Malformed: there are too many, or one is too long.
    """
    tags = tuple(tag.strip() for tag in text.split(",") if tag.strip())
    if len(tags) > TAGS_MOST or any(len(tag) > NAME_MOST for tag in tags):
        raise Malformed(
            "invalid_header",
            f"farthing-tags: name at most {TAGS_MOST} tags of at most {NAME_MOST} characters, "
            "with commas between.",
        )
    return tags


def told_user(fields: dict[str, msgspec.Raw], places: tuple[tuple[str, ...], ...]) -> str:
    """Return the end user a request names, in the first of the places its dialect has for it."""
    for first, *rest in places:
        raw = fields.get(first)
        if raw is not None and (name := _at(raw, rest)):
            return name
    return ""


def _at(raw: msgspec.Raw, rest: list[str]) -> str:
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    for name in rest:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
