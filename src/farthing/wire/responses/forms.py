"""Spellings: what of an object means nothing to another dialect, kept as text in `Node.form`.

A form is a word of this dialect's own, a space, and an object: the keys that are blank (null, "",
[] or {}), that are handles (ids, statuses), or that say what is usual anyway.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from farthing.wire.canon import JSON

NAME = "responses"

# Names for things that exist in this dialect alone. A call's id is not among them: `call_id` is.
HANDLES = frozenset({"type", "id", "status", "phase", "object"})

Usual = Mapping[str, tuple[Any, ...]]
"""Values that leave everything as it is, by key."""

NOTHING: Usual = {}


class Spelling(msgspec.Struct, frozen=True):
    """A form, taken apart."""

    word: str = ""
    hidden: JSON = {}


def keep(
    left: JSON, word: str = "", usual: Usual = NOTHING, echoes: Collection[str] = ()
) -> tuple[str, JSON]:
    """Split what was not understood into a node's form and its rest.

    `echoes` are keys that only repeat what was asked; nested too deeply to be text, they stay.
    """
    if echoes:
        try:
            json.dumps({key: left[key] for key in echoes if key in left})
        except RecursionError:
            echoes = ()
    hidden: JSON = {}
    rest: JSON = {}
    for key, value in left.items():
        (hidden if key in echoes or _means_nothing(key, value, usual) else rest)[key] = value
    return f"{word} {json.dumps(hidden)}", rest


def _means_nothing(key: str, value: Any, usual: Usual) -> bool:
    if value is None or value in ("", [], {}):
        return True
    return (key in HANDLES and isinstance(value, str)) or value in usual.get(key, ())


def spelling(form: str) -> Spelling | None:
    """Read a form back; None for a node that was not read in this dialect."""
    if not form:
        return None
    word, _, hidden = form.partition(" ")
    return Spelling(word, json.loads(hidden) if hidden else {})


def word(left: JSON, key: str) -> str:
    """Take a string that is not empty; anything else stays, and "" is returned."""
    value = left.get(key)
    if not isinstance(value, str) or not value:
        return ""
    del left[key]
    return value
