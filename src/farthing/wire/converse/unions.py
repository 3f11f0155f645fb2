"""How this dialect's nested objects fold into flat nodes, and unfold again.

A content block is a union: an object of one key, whose value is the part itself. What a part's own
object has left stands flat in `Node.rest`; what stands beside it in the union, which should be
nothing, is kept under `OUTER`.
"""

from __future__ import annotations

import json
from itertools import accumulate, pairwise
from typing import Any

from farthing.errors import Malformed
from farthing.wire.canon import JSON
from farthing.wire.take import Taker

NAME = "converse"
"""The dialect's name, and the vendor of signatures that were read in it."""

OUTER = "*"

IMPLIED = "implied"
"""The form of a node that no object on the wire stood for."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(value: Any) -> str:
    """Return a JSON value as text.

    Raises:
        Malformed: it is nested too deep.
    """
    try:
        return _encode(value)
    except RecursionError:
        raise Malformed("invalid_field", "A value is nested too deep.") from None


def decode(text: str) -> Any:
    """Return the JSON value that a text is.

    Raises:
        Malformed: it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("invalid_field", "A text must be JSON, and is not.") from None


def decode_object(text: str, what: str) -> JSON:
    """Return the JSON object that a text is; the empty text is the empty object.

    Raises:
        Malformed: it is none; `what` names it.
    """
    try:
        value = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Malformed("invalid_field", f"{what} must be a JSON object.")
    return value


def filled(taker: Taker, key: str) -> str:
    """Return and remove a text; an empty one stays, so that it is told from none."""
    return taker.take(key, str, "") if taker.left.get(key) else ""


def unfold(block: JSON, key: str) -> tuple[Taker, JSON] | None:
    """Return a union's part, and what stands beside it; None when it is none of that key."""
    inner = block.get(key)
    if not isinstance(inner, dict) or OUTER in inner:
        return None
    return Taker(inner), {name: value for name, value in block.items() if name != key}


def folded(inner: Taker, outer: JSON) -> JSON:
    """Return the `rest` of what `unfold` gave."""
    return {**inner.left, OUTER: outer} if outer else inner.left


def fold(key: str, told: JSON, rest: JSON) -> JSON:
    """Return the union of a part: what its node says and what its `rest` keeps."""
    inner = {**rest, **told}
    outer: JSON = inner.pop(OUTER, {})
    return {**outer, key: inner}


def as_object(value: Any) -> JSON:
    """Return a copy of an object; an empty one of anything else."""
    return dict(value) if isinstance(value, dict) else {}


def merge(kept: Any, told: JSON) -> JSON:
    """Return what is told with what was kept below it, at every depth of what is told."""
    merged = as_object(kept)
    for key, value in told.items():
        merged[key] = merge(merged.get(key), value) if isinstance(value, dict) else value
    return merged


def join_texts(value: Any, between: str = "") -> tuple[str, str] | None:
    """Return an array of `{"text": ...}` as one text and the lengths of its pieces.

    None when it is anything else.
    """
    if not isinstance(value, list):
        return None
    for item in value:
        if (
            not isinstance(item, dict)
            or list(item) != ["text"]
            or not isinstance(item["text"], str)
        ):
            return None
    texts = [item["text"] for item in value]
    return between.join(texts), ",".join(str(len(text)) for text in texts)


def split_texts(text: str, lengths: str, between: str = "") -> list[JSON]:
    """Return the array that `join_texts` was given."""
    numbers = [int(number) for number in lengths.split(",") if number]
    ends = accumulate((number + len(between) for number in numbers), initial=0)
    return [{"text": text[start : end - len(between)]} for start, end in pairwise(ends)]
