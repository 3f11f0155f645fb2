"""Usage, both ways."""

from __future__ import annotations

from farthing.wire.canon import JSON, Tally
from farthing.wire.chat.response import read_usage
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.take import Taker


def read_tally(taker: Taker) -> Tally | None:
    """Take the usage of an answer or a chunk."""
    told = taker.maybe("usage", dict)
    return None if told is None else Tally(usage=read_usage(told), rest=told)


def write_tally(tally: Tally, crossing: Crossing) -> JSON:
    """Return the usage object, whose counts contain one another."""
    if crossing.same and tally.rest:
        return tally.rest
    usage = tally.usage
    if usage is None:
        return {} if crossing.same else _write(Usage())
    if usage.web_searches and not crossing.same:
        crossing.lose("usage.web_searches", "hint")
    return _write(usage)


def _write(usage: Usage) -> JSON:
    output = usage.output + usage.output_audio
    total = usage.tokens()
    of_input = {"cached_tokens": usage.cache_read}
    if written := usage.cache_write + usage.cache_write_1h:
        of_input["cache_write_tokens"] = written
    if usage.input_audio:
        of_input["audio_tokens"] = usage.input_audio
    of_output = {"reasoning_tokens": usage.reasoning}
    if usage.output_audio:
        of_output["audio_tokens"] = usage.output_audio
    return {
        "prompt_tokens": total - output,
        "completion_tokens": output,
        "total_tokens": total,
        "prompt_tokens_details": of_input,
        "completion_tokens_details": of_output,
    }
