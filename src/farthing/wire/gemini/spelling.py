"""The two spellings of a key, and the words of a `form`.

The API takes every key in camelCase and in snake_case (proto3's JSON mapping), even mixed in one
object. A node's `form` holds words parted by spaces: a key that was met in snake_case, or a word
of the module that wrote it. Words that are no keys have no underscore in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container
from functools import lru_cache
from typing import Any, TypeVar

from farthing.errors import Malformed
from farthing.wire.take import DEEPEST, Taker

T = TypeVar("T")

_hump = re.compile(r"[A-Z]").sub
_gap = re.compile(r"_([a-z0-9])").sub


@lru_cache(maxsize=1024)
def snake(key: str) -> str:
    """Return a camelCase key in snake_case."""
    return _hump(lambda found: "_" + found[0].lower(), key)


@lru_cache(maxsize=1024)
def camel(key: str) -> str:
    """Return a snake_case key in camelCase."""
    return _gap(lambda found: found[1].upper(), key)


class Keys(Taker):
    """Takes keys by their camelCase names, in either spelling, and notes the words of a form.

    Where an object has both spellings, the one in snake_case is not understood and stays.
    """

    def __init__(self, value: Any, what: str = "object", words: list[str] | None = None) -> None:
        """`words`: the list to note words in, shared with the object around this one."""
        super().__init__(value, what)
        self.words: list[str] = [] if words is None else words

    def take(self, key: str, kind: type[T], default: T) -> T:
        """Return and remove a value of a type, in either spelling."""
        spelled = self._spelling(key)
        before = len(self.left)
        value = super().take(spelled, kind, default)
        self._note(spelled, key, before)
        return value

    def objects(self, key: str) -> list[dict[str, Any]] | None:
        """Return and remove an array of objects, in either spelling."""
        spelled = self._spelling(key)
        before = len(self.left)
        value = super().objects(spelled)
        self._note(spelled, key, before)
        return value

    def strings(self, key: str) -> list[str] | None:
        """Return and remove an array of strings, in either spelling."""
        spelled = self._spelling(key)
        before = len(self.left)
        value = super().strings(spelled)
        self._note(spelled, key, before)
        return value

    def inner(self, key: str) -> Keys | None:
        """Return a taker of the object under a key; `keep` puts back what it leaves."""
        value = self.maybe(key, dict)
        return None if value is None else Keys(value, key, self.words)

    def keep(self, key: str, inner: Taker) -> None:
        """Keep what was not taken of an inner object, under its camelCase name."""
        if inner.left:
            self.left[key] = inner.left

    def peek(self, key: str) -> Any:
        """Return a value, in either spelling, and leave it."""
        return self.left.get(self._spelling(key))

    def text(self, key: str) -> str:
        """Return and remove a string that is not empty; "" when there is none."""
        return self.take(key, str, "") if self.peek(key) != "" else ""

    def number(self, key: str) -> int | None:
        """Return and remove a whole number, which some clients write as 40.0."""
        value = self.maybe(key, int)
        if value is not None:
            return value
        found = self.peek(key)
        if not isinstance(found, float) or not found.is_integer():
            return None
        return int(self.take(key, float, 0.0))

    def _spelling(self, key: str) -> str:
        return key if key in self.left else snake(key)

    def _note(self, spelled: str, key: str, before: int) -> None:
        if spelled != key and len(self.left) < before:
            self.words.append(spelled)

    @property
    def form(self) -> str:
        """The words noted so far, as a node's form."""
        return " ".join(self.words)


def words_of(form: str) -> frozenset[str]:
    """Return a form's words."""
    return frozenset(form.split()) if form else frozenset()


def spelled(made: dict[str, Any], words: Container[str], rest: dict[str, Any]) -> dict[str, Any]:
    """Return an object with its keys as they were spelled, and what was not understood of it.

    Where `rest` holds what an inner object left, the two are one again.
    """
    if words:
        made = {(low if (low := snake(key)) in words else key): made[key] for key in made}
    if not rest:
        return made
    out = dict(rest)
    for key, value in made.items():
        left = rest.get(camel(key)) if isinstance(value, dict) else None
        if isinstance(left, dict):
            out.pop(camel(key))
            out[key] = {**left, **value}
        else:
            out[key] = value
    return out


def value_of(form: str, name: str) -> str:
    """Return the value of a form's word `name=value`, or ""."""
    start = f"{name}="
    return next((word[len(start) :] for word in form.split() if word.startswith(start)), "")


def compact(value: Any) -> str:
    """Return JSON without spaces.

    Raises Malformed when it is nested too deeply to be written.
    """
    if too_deep(value):
        raise Malformed("invalid_field", f"JSON is nested more than {DEEPEST} levels deep.")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def too_deep(value: Any, room: int = DEEPEST) -> bool:
    """Whether a JSON value is nested deeper than `room`."""
    if isinstance(value, dict):
        return room == 0 or any(too_deep(item, room - 1) for item in value.values())
    if isinstance(value, list):
        return room == 0 or any(too_deep(item, room - 1) for item in value)
    return False


def parse_object(text: str, what: str) -> dict[str, Any]:
    """Return the JSON object that a text holds; none at all when the text is empty.

    Raises Malformed when it is no JSON object.
    """
    if not text:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Malformed("invalid_field", f"{what} must be a JSON object.")
    return value
