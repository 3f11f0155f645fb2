"""A chunk's shape: what is left of it when the texts that events carry are taken out.

An event's `form` names the places its text came from, such as "choices.0.delta.content"; several
are separated by spaces. So writing a stream back is: fill the shape's holes with the events' texts.
Shapes are never changed; they share what is untouched.
"""

from __future__ import annotations

from typing import Any


def without(shape: Any, place: list[str]) -> Any:
    """Return a shape with a hole at a place."""
    copy: Any = shape.copy()
    key: Any = int(place[0]) if isinstance(copy, list) else place[0]
    if len(place) == 1:
        del copy[key]
    else:
        copy[key] = without(copy[key], place[1:])
    return copy


def filled_in(shape: Any, place: list[str], value: Any) -> Any:
    """Return a shape with a value put in a place."""
    copy: Any = shape.copy()
    key: Any = int(place[0]) if isinstance(copy, list) else place[0]
    copy[key] = value if len(place) == 1 else filled_in(copy[key], place[1:], value)
    return copy
