"""Requests, both ways.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

import re
from typing import Any

from farthing.errors import Malformed
from farthing.wire.canon import JSON, Format, Request, Turn
from farthing.wire.converse.parts import read_parts
from farthing.wire.converse.scribe import Scribe
from farthing.wire.converse.tools import read_tools, write_tools
from farthing.wire.converse.turns import write_turns
from farthing.wire.converse.unions import NAME, as_object, decode, encode, filled
from farthing.wire.crossing import Crossing, Severity
from farthing.wire.take import Taker

# What a request of another dialect may say that changes nothing of the answer.
HINTS: dict[str, Severity] = {
    "service_tier": "hint",
    "store": "hint",
    "stream_options": "hint",
    "prompt_cache_key": "hint",
    "prompt_cache_retention": "hint",
    "safety_identifier": "hint",
    "usage": "hint",
    "user": "hint",
}

MORE_FIELDS = "additionalModelRequestFields"

# Both the keys and the values of `requestMetadata`; it has at most 16 entries.
_metadata = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}").fullmatch
MOST_METADATA = 16


def read_request(body: JSON) -> Request:
    """Read a request; its model, and whether to stream, stand in the URL.

    Raises:
        Malformed: it is no object, or nested too deep.
    """
    taker = Taker(body, "request")
    request = Request(dialect=NAME)
    _read_turns(taker, request)
    inference = _section(taker, "inferenceConfig")
    _read_inference(inference, request)
    _leave(taker, "inferenceConfig", inference, request)
    tools = _section(taker, "toolConfig")
    read_tools(tools, request)
    _leave(taker, "toolConfig", tools, request)
    more = _section(taker, MORE_FIELDS)
    request.top_k = more.maybe("top_k", int)
    _leave(taker, MORE_FIELDS, more, request)
    output = _section(taker, "outputConfig")
    request.format = _read_format(output)
    _leave(taker, "outputConfig", output, request)
    _read_metadata(taker, request)
    request.rest = taker.left
    return request


def _section(taker: Taker, key: str) -> Taker:
    """Return what can be taken out of an object within the request."""
    value = taker.left.get(key)
    return Taker(value if isinstance(value, dict) else {})


def _leave(taker: Taker, key: str, section: Taker, request: Request) -> None:
    """Put back what is left of a section; an empty one is remembered in the form."""
    value = taker.left.get(key)
    if not isinstance(value, dict):
        return
    if not value:
        request.form += f" {key}"
    if section.left:
        taker.left[key] = section.left
    else:
        del taker.left[key]


def _read_turns(taker: Taker, request: Request) -> None:
    system = taker.objects("system")
    if system:
        request.turns.append(Turn(role="system", parts=read_parts(system)))
    elif system is not None:
        request.form += " system"
    messages = taker.objects("messages")
    if messages is not None:
        request.turns += [_read_turn(message) for message in messages]
        request.form += " messages"


def _read_turn(message: JSON) -> Turn:
    taker = Taker(message, "message")
    turn = Turn(role="user")
    told = taker.left.get("role")
    if told in ("user", "assistant"):
        turn.role = taker.left.pop("role")
    elif "role" not in taker.left:
        turn.form = "roleless"
    content = taker.objects("content")
    if content is not None:
        turn.parts = read_parts(content)
        turn.form += " content"
    turn.rest = taker.left
    return turn


def _read_inference(section: Taker, request: Request) -> None:
    request.output_cap = section.maybe("maxTokens", int)
    request.temperature = section.maybe("temperature", float)
    request.top_p = section.maybe("topP", float)
    stop = section.strings("stopSequences")
    if stop:
        request.stop = stop
    elif stop is not None:
        request.form += " stopSequences"


def _read_format(section: Taker) -> Format | None:
    """Take the text's format; one that says more than the canonical model can stays."""
    told = section.left.get("textFormat")
    structure = told.get("structure") if isinstance(told, dict) else None
    definition = structure.get("jsonSchema") if isinstance(structure, dict) else None
    if not isinstance(definition, dict) or not isinstance(definition.get("schema"), str):
        return None
    if told != {"type": "json_schema", "structure": {"jsonSchema": definition}}:
        return None
    inner = Taker(definition)
    try:
        schema = decode(definition["schema"])
    except Malformed:
        return None
    if not isinstance(schema, dict):
        return None
    del section.left["textFormat"], inner.left["schema"]
    # The schema is a text on this wire: the form keeps it to the letter.
    form = definition["schema"]
    name = filled(inner, "name")
    return Format(kind="schema", schema=schema, name=name, form=form, rest=inner.left)


def _read_metadata(taker: Taker, request: Request) -> None:
    told = taker.left.get("requestMetadata")
    if isinstance(told, dict) and told and all(isinstance(item, str) for item in told.values()):
        request.metadata = taker.left.pop("requestMetadata")


def write_request(request: Request, crossing: Crossing) -> JSON:
    """Return a request's body.

    Raises:
        Malformed: a tool call's arguments are no JSON object.
    """
    out = dict(crossing.rest(request, "", HINTS))
    forms = crossing.form(request).split()
    scribe = Scribe(crossing, answering=False)
    system, messages = write_turns(request.turns, crossing, scribe)
    if system or "system" in forms:
        out["system"] = system
    if messages or "messages" in forms or not crossing.same:
        out["messages"] = messages
    _put(out, "inferenceConfig", _write_inference(request, forms), forms)
    _put(out, "toolConfig", write_tools(request, crossing), forms)
    _put(out, "outputConfig", _write_format(request.format, crossing), forms)
    if crossing.same:
        more = {} if request.top_k is None else {"top_k": request.top_k}
        _put(out, MORE_FIELDS, more, forms)
    else:
        _lose_settings(request, crossing)
    metadata = _write_metadata(request, crossing)
    if metadata:
        out["requestMetadata"] = metadata
    return out


def _put(out: JSON, key: str, told: JSON, forms: list[str]) -> None:
    """Set a section: what is told beside what was kept of it."""
    if told or key in forms:
        out[key] = as_object(out.get(key)) | told


def _write_inference(request: Request, forms: list[str]) -> JSON:
    told: JSON = {}
    settings: tuple[tuple[str, Any], ...] = (
        ("maxTokens", request.output_cap),
        ("temperature", request.temperature),
        ("topP", request.top_p),
        ("stopSequences", request.stop or None),
    )
    for key, value in settings:
        if value is not None:
            told[key] = value
    if "stopSequences" in forms:
        told.setdefault("stopSequences", [])
    return told


def _write_format(told: Format | None, crossing: Crossing) -> JSON:
    if told is None:
        return {}
    rest = crossing.rest(told, "response_format")
    if told.kind == "text":
        return {}
    if told.kind == "json" or told.schema is None:
        crossing.lose("response_format json", "meaning")
        return {}
    definition: JSON = {**rest, "schema": crossing.form(told) or encode(told.schema)}
    if told.name:
        definition["name"] = told.name
    structure = {"jsonSchema": definition}
    return {"textFormat": {"type": "json_schema", "structure": structure}}


def _write_metadata(request: Request, crossing: Crossing) -> JSON:
    metadata = request.metadata
    if crossing.same:
        return dict(metadata)
    if request.user:
        crossing.lose("user", "hint")
    texts = [*metadata.keys(), *metadata.values()]
    if len(metadata) > MOST_METADATA or not all(map(_metadata, texts)):
        crossing.lose("metadata", "hint")
        return {}
    return dict(metadata)


def _lose_settings(request: Request, crossing: Crossing) -> None:
    """Name the settings that this dialect has not."""
    thinking = request.thinking
    settings = {
        "seed": request.seed is not None,
        "top_k": request.top_k is not None,
        "n": (request.answers or 1) > 1,
        "frequency_penalty": bool(request.frequency_penalty),
        "presence_penalty": bool(request.presence_penalty),
        "logprobs": request.logprobs is not None,
        "parallel_tool_calls": request.parallel_calls is False and bool(request.tools),
        "thinking": thinking is not None and thinking.enabled is not False,
    }
    for name, asked in settings.items():
        if asked:
            crossing.lose(name, "shape")
    if thinking is not None:
        crossing.rest(thinking, "thinking")
