"""What `usageMetadata` says was used."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from farthing.wire.canon import JSON, Tally
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage

# One below zero is refused by the decoder: it would post a negative cost, and so raise a limit.
Count = Annotated[int, msgspec.Meta(ge=0)] | None

# The enumeration's word and its number, for clients that asked for numbers.
_AUDIO = ("AUDIO", 4)


class _Share(msgspec.Struct, rename="camel"):
    modality: str | int | None = None
    token_count: Count = None


class _Usage(msgspec.Struct, rename="camel"):
    prompt_token_count: Count = None
    cached_content_token_count: Count = None
    candidates_token_count: Count = None
    thoughts_token_count: Count = None
    tool_use_prompt_token_count: Count = None
    prompt_tokens_details: list[_Share] | None = None
    cache_tokens_details: list[_Share] | None = None
    candidates_tokens_details: list[_Share] | None = None


def read_usage(told: Any) -> Usage | None:
    """Read a decoded `usageMetadata`; None when it does not count the prompt.

    The prompt's count includes what a cache served, of every modality; thoughts and the results
    of the provider's own tools are counted beside the rest. A count of zero is left out.
    """
    try:
        counts = msgspec.convert(told, _Usage)
    except msgspec.ValidationError:
        return None
    if counts.prompt_token_count is None:
        return None
    cached = counts.cached_content_token_count or 0
    audio = max(0, _audio(counts.prompt_tokens_details) - _audio(counts.cache_tokens_details))
    said = counts.candidates_token_count or 0
    sound = min(said, _audio(counts.candidates_tokens_details))
    thoughts = counts.thoughts_token_count or 0
    fetched = counts.tool_use_prompt_token_count or 0
    return Usage(
        input=max(0, counts.prompt_token_count - cached - audio) + fetched,
        cache_read=cached,
        output=said - sound + thoughts,
        reasoning=thoughts,
        input_audio=audio,
        output_audio=sound,
    )


def _audio(shares: list[_Share] | None) -> int:
    return sum(share.token_count or 0 for share in shares or [] if share.modality in _AUDIO)


def read_tally(told: Any) -> Tally | None:
    """Read a decoded `usageMetadata`; None when it counts nothing."""
    usage = read_usage(told)
    return None if usage is None else Tally(usage=usage, rest=told)


def write_tally(tally: Tally, crossing: Crossing) -> JSON | None:
    """Write a `usageMetadata`; None when nothing is known."""
    if crossing.same and tally.rest:
        return tally.rest
    if tally.usage is None:
        return None
    return write_usage(tally.usage)


def write_usage(usage: Usage) -> JSON:
    """Write counts as this dialect's, which contain one another."""
    written = usage.cache_write + usage.cache_write_1h
    prompt = usage.input + usage.cache_read + written + usage.input_audio
    said = max(0, usage.output - usage.reasoning) + usage.output_audio
    made: JSON = {"promptTokenCount": prompt, "candidatesTokenCount": said}
    made["totalTokenCount"] = usage.tokens()
    if usage.cache_read:
        made["cachedContentTokenCount"] = usage.cache_read
    if usage.reasoning:
        made["thoughtsTokenCount"] = usage.reasoning
    if usage.input_audio:
        made["promptTokensDetails"] = _shares(prompt, usage.input_audio)
    if usage.output_audio:
        made["candidatesTokensDetails"] = _shares(said, usage.output_audio)
    return made


def _shares(total: int, audio: int) -> list[JSON]:
    shares = [("TEXT", total - audio), ("AUDIO", audio)]
    return [{"modality": name, "tokenCount": count} for name, count in shares if count]
