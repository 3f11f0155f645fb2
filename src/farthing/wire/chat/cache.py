"""Cache marks: no part of the vendor's dialect, but of several others who speak it."""

from __future__ import annotations

from collections.abc import Sequence

from farthing.wire.canon import JSON, CacheMark, Media, Part, Text, ToolCall, ToolResult
from farthing.wire.chat.nested import filled, full
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

KIND = "ephemeral"
UNTYPED = "untyped"
OUTSIDE = "outside"  # the form of a mark that stood on the message, not on its last part

_Markable = Text | Media | ToolCall | ToolResult


def read_cache(taker: Taker) -> CacheMark | None:
    """Take an object's `cache_control`."""
    mark = taker.maybe("cache_control", dict)
    if mark is None:
        return None
    inside = Taker(mark)
    ttl = full(inside, "ttl")
    if mark.get("type") != KIND:
        return CacheMark(ttl=ttl, form=UNTYPED, rest=inside.left)
    del inside.left["type"]
    return CacheMark(ttl=ttl, rest=inside.left)


def write_cache(mark: CacheMark | None, crossing: Crossing) -> JSON:
    """Return the field to add to an object; other dialects' marks are not sent."""
    if mark is None:
        return {}
    if not crossing.same:
        crossing.lose("cache_control", "hint")
        return {}
    return {} if OUTSIDE in mark.form else _written(mark)


def _written(mark: CacheMark) -> JSON:
    kind = {} if UNTYPED in mark.form else {"type": KIND}
    return {"cache_control": kind | filled(ttl=mark.ttl) | mark.rest}


def take_mark(message: Taker, parts: Sequence[Part]) -> None:
    """Take a message's own mark to its last part."""
    last = parts[-1] if parts else None
    if isinstance(last, _Markable) and last.cache is None:
        last.cache = read_cache(message)
        if last.cache is not None:
            last.cache.form += " " + OUTSIDE


def put_mark(parts: Sequence[Part], crossing: Crossing) -> JSON:
    """Return the mark that stood on the message; as a loss, its part names it."""
    last = parts[-1] if parts and crossing.same else None
    if isinstance(last, _Markable) and last.cache is not None and OUTSIDE in last.cache.form:
        return _written(last.cache)
    return {}
