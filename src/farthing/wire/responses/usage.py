"""Usage: counts that contain one another, and the disjoint ones that farthing reckons with."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec

from farthing.wire.canon import JSON, Tally
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage

# One below zero is refused by the decoder: it would post a negative cost, and so raise a limit.
Count = Annotated[int, msgspec.Meta(ge=0)] | None


T = TypeVar("T")


class _Input(msgspec.Struct):
    cached_tokens: Count = None
    cache_write_tokens: Count = None
    audio_tokens: Count = None


class _Output(msgspec.Struct):
    reasoning_tokens: Count = None
    audio_tokens: Count = None


class _ServerTools(msgspec.Struct):
    web_search_calls: Count = None


class _Usage(msgspec.Struct):
    input_tokens: Count = None
    output_tokens: Count = None
    input_tokens_details: _Input | None = None
    output_tokens_details: _Output | None = None
    server_side_tool_usage_details: _ServerTools | None = None


class _Searches(msgspec.Struct):
    num_requests: Count = None


class _ToolUsage(msgspec.Struct):
    web_search: _Searches | None = None


def read_usage(told: Any, tools: Any = None) -> Usage | None:
    """Make an answer's `usage` disjoint; `tools` is its `tool_usage`, where it has one.

    Returns None where the usage lacks a count it must have, or has one that is none.
    """
    usage = _converted(told, _Usage)
    if usage is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    of_input = usage.input_tokens_details or _Input()
    of_output = usage.output_tokens_details or _Output()
    cached, written = of_input.cached_tokens or 0, of_input.cache_write_tokens or 0
    audio_in, audio_out = of_input.audio_tokens or 0, of_output.audio_tokens or 0
    return Usage(
        input=max(0, usage.input_tokens - cached - written - audio_in),
        cache_read=cached,
        cache_write=written,
        output=max(0, usage.output_tokens - audio_out),
        reasoning=of_output.reasoning_tokens or 0,
        input_audio=audio_in,
        output_audio=audio_out,
        web_searches=_searches(usage, tools),
    )


def _searches(usage: _Usage, tools: Any) -> int:
    counted = (usage.server_side_tool_usage_details or _ServerTools()).web_search_calls
    told = _converted(tools, _ToolUsage) or _ToolUsage()
    return counted or (told.web_search or _Searches()).num_requests or 0


def _converted(told: Any, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(told, kind)
    except (msgspec.ValidationError, ValueError, RecursionError):
        return None  # ValueError: a string that is no Unicode


def read_tally(told: JSON, tools: Any = None) -> Tally:
    """Read a usage object."""
    return Tally(usage=read_usage(told, tools), rest=told)


def write_tally(tally: Tally | None, crossing: Crossing) -> JSON | None:
    """Write a usage object, None when nothing is known."""
    if tally is None:
        return None
    if crossing.same and tally.rest:
        return tally.rest
    if tally.usage is None:
        return None
    usage = tally.usage
    written = usage.cache_write + usage.cache_write_1h
    read = usage.input + usage.cache_read + written + usage.input_audio
    made = usage.output + usage.output_audio
    cached = {"cached_tokens": usage.cache_read, "cache_write_tokens": written}
    return {
        "input_tokens": read,
        "input_tokens_details": cached,
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": read + made,
    }
