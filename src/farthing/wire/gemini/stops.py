"""Why an answer ended: `finishReason` and `blockReason`, both ways."""

from __future__ import annotations

from typing import Any

from farthing.wire.canon import Stop, StopKind
from farthing.wire.crossing import Crossing

_KINDS: dict[str, StopKind] = {
    "STOP": "end",
    "MAX_TOKENS": "length",
    "SAFETY": "filter",
    "RECITATION": "filter",
    "LANGUAGE": "filter",
    "BLOCKLIST": "filter",
    "PROHIBITED_CONTENT": "filter",
    "SPII": "filter",
    "MODEL_ARMOR": "filter",
    "IMAGE_SAFETY": "filter",
    "IMAGE_PROHIBITED_CONTENT": "filter",
    "IMAGE_RECITATION": "filter",
    "MALFORMED_FUNCTION_CALL": "error",
    "MALFORMED_RESPONSE": "error",
    "UNEXPECTED_TOOL_CALL": "error",
    "TOO_MANY_TOOL_CALLS": "error",
    "MISSING_THOUGHT_SIGNATURE": "error",
}

# Numbers, for clients that asked for them; above these the provider's two endpoints differ.
_NUMBERED: dict[int, StopKind] = {1: "end", 2: "length", 3: "filter", 4: "filter"}

_WORDS: dict[StopKind, str] = {
    "end": "STOP",
    "stop_sequence": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "filter": "SAFETY",
    "refusal": "SAFETY",
}


def read_stop(told: Any, calls: bool) -> Stop | None:
    """Read a `finishReason`; None when it is none. `calls`: whether the answer has any.

    An answer that calls functions ends with STOP like any other.
    """
    if isinstance(told, str):
        kind, form = _KINDS.get(told, "other"), ""
    elif isinstance(told, int) and not isinstance(told, bool):
        kind, form = _NUMBERED.get(told, "other"), "number"
    else:
        return None
    if kind == "end" and calls:
        kind = "tool_calls"
    return Stop(kind=kind, told=str(told), form=form)


def write_stop(stop: Stop, crossing: Crossing) -> str | int:
    """Write a `finishReason`."""
    if not crossing.same:
        crossing.rest(stop, "stop")
        if stop.sequence:
            crossing.lose("stop_sequence", "shape")
        return _WORDS.get(stop.kind, "OTHER")
    return int(stop.told) if stop.form == "number" else stop.told
