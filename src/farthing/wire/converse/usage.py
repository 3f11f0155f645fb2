"""The usage of an answer: `usage` in an answer, or in a stream's `metadata`.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from farthing.wire.canon import JSON, Tally
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage

# One below zero is refused: it would post a negative cost, and so raise a limit.
Count = Annotated[int, msgspec.Meta(ge=0)] | None

LASTING = "1h"


class _CacheDetail(msgspec.Struct, rename="camel"):
    input_tokens: Count = None
    ttl: str | None = None


class _Usage(msgspec.Struct, rename="camel"):
    input_tokens: Count = None
    output_tokens: Count = None
    total_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_write_input_tokens: Count = None
    cache_read_input_token_count: Count = None
    cache_write_input_token_count: Count = None
    cache_details: list[_CacheDetail] | None = None


def read_usage(value: Any) -> Usage | None:
    """Return a usage in disjoint counts; None when it is not one."""
    try:
        told = msgspec.convert(value, _Usage)
    except (msgspec.ValidationError, RecursionError):
        return None
    if told.input_tokens is None or told.output_tokens is None:
        return None
    read = told.cache_read_input_tokens or told.cache_read_input_token_count or 0
    lasting, written = _written(told)
    cached = read + written
    # The input is beside what the cache served and stored, but for some models that include
    # it there; only the total tells.
    within = told.total_tokens == told.input_tokens + told.output_tokens
    return Usage(
        input=told.input_tokens - (cached if within and cached <= told.input_tokens else 0),
        cache_read=read,
        cache_write=written - lasting,
        cache_write_1h=lasting,
        output=told.output_tokens,
    )


def _written(told: _Usage) -> tuple[int, int]:
    """Return the tokens stored for the longer lifetime, and all that were stored."""
    details = told.cache_details or []
    lasting = sum(detail.input_tokens or 0 for detail in details if detail.ttl == LASTING)
    both = sum(detail.input_tokens or 0 for detail in details)
    plain = told.cache_write_input_tokens or told.cache_write_input_token_count or 0
    return lasting, max(plain, both)


def read_tally(value: JSON) -> Tally:
    """Return a usage object as it was read, and what it says."""
    return Tally(usage=read_usage(value), rest=value)


def write_tally(tally: Tally, crossing: Crossing) -> JSON:
    """Return a usage object."""
    if crossing.same:
        return tally.rest
    usage = tally.usage or Usage()
    if usage.reasoning:
        crossing.lose("usage.reasoning", "hint")
    written = usage.cache_write + usage.cache_write_1h
    told: JSON = {
        "inputTokens": usage.input + usage.input_audio,
        "outputTokens": usage.output + usage.output_audio,
        "totalTokens": usage.tokens(),
    }
    if usage.cache_read or written:
        told |= {"cacheReadInputTokens": usage.cache_read, "cacheWriteInputTokens": written}
    if usage.cache_write_1h:
        by_life = ((LASTING, usage.cache_write_1h), ("5m", usage.cache_write))
        told["cacheDetails"] = [{"ttl": ttl, "inputTokens": n} for ttl, n in by_life if n]
    return told
