"""Requests of this dialect, written from the canonical model."""

from __future__ import annotations

from farthing.wire.canon import JSON, Format, Request
from farthing.wire.chat.nested import filled, put_back
from farthing.wire.chat.reading import (
    NO_LOGPROBS,
    NO_TOOLS,
    ONE_STOP,
    STREAM_OPTIONS,
    TOLD_TOP,
    UNSAID,
    UNSTREAMED,
    USAGE,
)
from farthing.wire.chat.request import CAPS
from farthing.wire.chat.thinking import write_thinking
from farthing.wire.chat.tools import write_choice, write_tools
from farthing.wire.chat.turns import write_turns
from farthing.wire.crossing import Crossing, Severity

# What a request of another dialect loses when such a field of it is left out.
SEVERITIES: dict[str, Severity] = {
    "service_tier": "hint",
    "serviceTier": "hint",
    "metadata": "hint",
    "labels": "hint",
    "store": "hint",
    "cache_control": "hint",
    "prompt_cache_options": "hint",
    "safety_identifier": "hint",
    "prompt_cache_key": "hint",
    "prompt_cache_retention": "hint",
    "include": "hint",
    "previous_response_id": "meaning",
    "conversation": "meaning",
    "prompt": "meaning",
    "background": "meaning",
    "container": "meaning",
    "mcp_servers": "meaning",
    "cachedContent": "meaning",
}


def write_request(request: Request, crossing: Crossing) -> JSON:
    """Write a request."""
    words = crossing.form(request).split()
    written: JSON = filled(model=request.model)
    if request.turns or UNSAID not in words:
        written["messages"] = write_turns(request.turns, crossing)
    written |= _tools(request, words, crossing)
    written |= _format(request.format, crossing)
    written |= write_thinking(request, crossing)
    written |= _stream(request, words, crossing)
    written |= _settings(request, words, crossing)
    written |= _logprobs(request, words)
    return written | crossing.rest(request, "", SEVERITIES)


def _tools(request: Request, words: list[str], crossing: Crossing) -> JSON:
    written = write_tools(request.tools, crossing)
    if NO_TOOLS in words:
        written.setdefault("tools", [])
    written |= write_choice(request.choice, written, crossing)
    if written or crossing.same:
        written |= filled(parallel_tool_calls=request.parallel_calls)
    return written


def _stream(request: Request, words: list[str], crossing: Crossing) -> JSON:
    if not crossing.same:
        # Without being asked, this dialect streams no usage.
        return {"stream": True, STREAM_OPTIONS: {"include_usage": True}} if request.stream else {}
    written: JSON = {"stream": True} if request.stream else {}
    if UNSTREAMED in words and not request.stream:
        written["stream"] = False
    for wanted, word in USAGE.items():
        if word in words:
            written[STREAM_OPTIONS] = {"include_usage": wanted}
    return written


def _settings(request: Request, words: list[str], crossing: Crossing) -> JSON:
    cap = next((name for name in CAPS if name in words), CAPS[0])
    seed = "random_seed" if "random_seed" in words else "seed"
    written = filled(
        temperature=request.temperature,
        top_p=request.top_p,
        n=request.answers,
        frequency_penalty=request.frequency_penalty,
        presence_penalty=request.presence_penalty,
        user=request.user,
    )
    written |= filled(**{seed: request.seed, cap: request.output_cap})
    if request.stop:
        one = ONE_STOP in words and len(request.stop) == 1
        written["stop"] = request.stop[0] if one else request.stop
    return written | _extensions(request, crossing)


def _extensions(request: Request, crossing: Crossing) -> JSON:
    """Return settings that not every vendor of this dialect takes."""
    told = filled(top_k=request.top_k, metadata=request.metadata or None)
    if crossing.same:
        return told
    if request.top_k is not None:
        crossing.lose("top_k", "shape")
    if request.metadata:  # it is refused unless the answer is stored
        crossing.lose("metadata", "hint")
    return {}


def _logprobs(request: Request, words: list[str]) -> JSON:
    if request.logprobs is None:
        return {"logprobs": False} if NO_LOGPROBS in words else {}
    told = request.logprobs > 0 or TOLD_TOP in words
    return {"logprobs": True} | ({"top_logprobs": request.logprobs} if told else {})


def _format(told: Format | None, crossing: Crossing) -> JSON:
    if told is None:
        return {}
    form, rest = crossing.form(told), crossing.rest(told, "response_format")
    if told.kind != "schema":
        kind = "json_object" if told.kind == "json" else "text"
        return {"response_format": {"type": kind} | rest}
    if form == "json_object":
        return {"response_format": {"type": form, "schema": told.schema} | rest}
    schema = filled(strict=told.strict)
    if told.name or not crossing.same:
        schema["name"] = told.name or "answer"
    if told.schema is not None:
        schema["schema"] = told.schema
    written = {"type": "json_schema", "json_schema": schema}
    return {"response_format": put_back(written, rest, "json_schema")}
