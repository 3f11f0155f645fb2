"""Objects inside objects: how what is left of an inner one stays in its node's `rest`.

A node of the canonical model is often two objects of this dialect, such as a tool call and the
`function` in it. What is left of the inner object stays in `rest` under "function.<key>": flat, so
that a null there is no loss.
"""

from __future__ import annotations

from farthing.wire.canon import JSON
from farthing.wire.take import Taker


def inner(taker: Taker, key: str) -> Taker | None:
    """Return the taker of an object inside an object, removing it; None when it is none."""
    value = taker.left.get(key)
    if not isinstance(value, dict) or any(name.startswith(key + ".") for name in taker.left):
        return None
    del taker.left[key]
    return Taker(value)


def leftover(taker: Taker, **inners: Taker | None) -> JSON:
    """Return what is left of an object and of those that were inside it, for `rest`."""
    for key, box in inners.items():
        if box is not None:
            for name, value in box.left.items():
                taker.left[f"{key}.{name}"] = value
    return taker.left


def put_back(written: JSON, rest: JSON, *inners: str) -> JSON:
    """Merge `rest` into what was written, each leftover into the object it came from."""
    for name, value in rest.items():
        outer, dot, key = name.partition(".")
        if dot and outer in inners:
            written.setdefault(outer, {})[key] = value
        else:
            written[name] = value
    return written


def full(taker: Taker, key: str) -> str:
    """Return and remove a text; one that is empty, or none, stays."""
    return taker.take(key, str, "") if taker.left.get(key) else ""


def filled(**values: object) -> JSON:
    """Return an object of those values that say something."""
    return {key: value for key, value in values.items() if value is not None and value != ""}
