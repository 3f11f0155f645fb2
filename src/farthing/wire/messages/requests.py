"""Messages requests, whole, both ways.

https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from farthing.wire.canon import JSON, Request
from farthing.wire.crossing import Crossing, Severity
from farthing.wire.messages.parts import DIALECT, overlay, word
from farthing.wire.messages.settings import read_settings, write_settings
from farthing.wire.messages.tools import read_choice, read_tools, write_tools
from farthing.wire.messages.turns import read_turns, write_turns
from farthing.wire.messages.versions import REMOVED as SAMPLING
from farthing.wire.messages.versions import is_newer
from farthing.wire.take import Taker

# How bad it is to leave out what other dialects' requests carry; the rest is a shape.
SEVERITIES: dict[str, Severity] = {
    "service_tier": "hint",
    "store": "hint",
    "stream_options": "hint",
    "prediction": "hint",
    "prompt_cache_key": "hint",
    "prompt_cache_retention": "hint",
    "prompt_cache_options": "hint",
    "safety_identifier": "hint",
    "cache_control": "hint",
    "requestMetadata": "hint",
    "audio": "meaning",
    "web_search_options": "meaning",
    "previous_response_id": "meaning",
    "conversation": "meaning",
    "prompt": "meaning",
    "background": "meaning",
    "cachedContent": "meaning",
    "guardrailConfig": "meaning",
}

LONGEST_USER = 256
DISABLED = {"type": "disabled"}


def read_request(body: JSON) -> Request:
    """Read a request.

    Raises:
        Malformed: it is no object, or nested too deeply.
    """
    taker = Taker(body, "request")
    request = Request(dialect=DIALECT, model=word(taker, "model"), rest=taker.left)
    request.turns, keys = read_turns(taker)
    request.tools, more = read_tools(taker)
    keys += more
    read_choice(taker, request)
    read_settings(taker, request)
    if isinstance(taker.left.get("stream"), bool):
        request.stream = taker.take("stream", bool, False)
        keys.append("stream")
    stop = taker.strings("stop_sequences")
    if stop is not None:
        request.stop = stop
        keys.append("stop_sequences")
    request.output_cap = taker.maybe("max_tokens", int)
    request.temperature = taker.maybe("temperature", float)
    request.top_p = taker.maybe("top_p", float)
    request.top_k = taker.maybe("top_k", int)
    _read_user(taker, request)
    request.form = " ".join(keys)
    return request


def _read_user(taker: Taker, request: Request) -> None:
    told = taker.left.get("metadata")
    inner = Taker(told if isinstance(told, dict) else {})
    request.user = word(inner, "user_id")
    if request.user:
        del taker.left["metadata"]
        if inner.left:
            taker.left["metadata"] = inner.left


def write_request(request: Request, crossing: Crossing) -> JSON:
    """Write a request. One without `output_cap` lacks the `max_tokens` that the provider needs.

    Raises:
        Malformed: the arguments of an earlier call are not a JSON object.
    """
    out: JSON = {}
    if request.model:
        out["model"] = request.model
    write_turns(request, crossing, out)
    write_tools(request, crossing, out)
    write_settings(request, crossing, out)
    keys = crossing.form(request).split()
    if request.stream or "stream" in keys:
        out["stream"] = request.stream
    if request.output_cap is not None:
        out["max_tokens"] = request.output_cap
    if crossing.same:
        _write_same(request, keys, out)
    else:
        _write_foreign(request, crossing, out)
    return overlay(out, crossing.rest(request, "", SEVERITIES))


def _write_same(request: Request, keys: list[str], out: JSON) -> None:
    if "stop_sequences" in keys:
        out["stop_sequences"] = request.stop
    for key in SAMPLING:
        value = getattr(request, key)
        if value is not None:
            out[key] = value
    if request.user:
        out["metadata"] = {"user_id": request.user}


def _write_foreign(request: Request, crossing: Crossing, out: JSON) -> None:
    stop = [sequence for sequence in request.stop if sequence.strip()]
    if stop:
        out["stop_sequences"] = stop
    if stop != request.stop:
        crossing.lose("blank stop sequences", "shape")
    _write_sampling(request, crossing, out)
    if 0 < len(request.user) <= LONGEST_USER:
        out["metadata"] = {"user_id": request.user}
    elif request.user:
        crossing.lose("user", "hint")
    if request.metadata:
        crossing.lose("metadata", "hint")
    if request.answers is not None and request.answers != 1:
        crossing.lose("n", "shape")
    if request.seed is not None:
        crossing.lose("seed", "shape")
    if request.logprobs is not None:
        crossing.lose("logprobs", "shape")
    for penalty in ("frequency_penalty", "presence_penalty"):
        if getattr(request, penalty):
            crossing.lose(penalty, "shape")


def _write_sampling(request: Request, crossing: Crossing, out: JSON) -> None:
    """Write what the provider takes: a temperature up to 1, or else top_p; none when it thinks,
    and none in a version that has them no more."""
    given = {key: getattr(request, key) for key in SAMPLING}
    sendable = ["temperature", "top_k"] if request.temperature is not None else ["top_p", "top_k"]
    if out.get("thinking", DISABLED) != DISABLED or is_newer(crossing.headers):
        sendable = []
    for key in sendable:
        if given[key] is not None:
            out[key] = min(given[key], 1) if key == "temperature" else given[key]
    for key, value in given.items():
        # A temperature of 1 is what it is anyway.
        if value != out.get(key) and (key, value) != ("temperature", 1):
            crossing.lose(key, "shape")
