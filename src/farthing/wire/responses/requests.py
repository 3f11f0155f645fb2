"""Requests, both ways."""

from __future__ import annotations

import re
from typing import Any

from farthing.wire.canon import JSON, Format, Opaque, Request, Text, Thinking, Turn
from farthing.wire.crossing import Crossing, Severity
from farthing.wire.responses.forms import NAME, Spelling, Usual, keep, spelling, word
from farthing.wire.responses.item_writer import ItemWriter
from farthing.wire.responses.items import STRING, read_turns
from farthing.wire.responses.tools import read_choice, read_tools, write_choice, write_tools
from farthing.wire.take import Taker

# Fields that stand for a conversation the client does not send: without it nothing can be answered.
STATE = ("previous_response_id", "conversation", "prompt")
STATE_FORM = "state"
INSTRUCTIONS = "instructions"

# The word of a request whose user is told as `safety_identifier`.
SAFETY = "safety"

LOGPROBS = "message.output_text.logprobs"
ENCRYPTED = "reasoning.encrypted_content"

USUAL: Usual = {
    "background": (False,),
    "include": ([LOGPROBS], [ENCRYPTED], [LOGPROBS, ENCRYPTED], [ENCRYPTED, LOGPROBS]),
    "service_tier": ("auto", "default"),
    "store": (False,),  # other dialects keep nothing
    "stream": (False,),
    "top_logprobs": (0,),
    "truncation": ("disabled",),
}

# The longest id of a user that the API takes.
USER_MOST = 64

# Where a budget in tokens becomes a word: the most for "low" and for "medium".
BUDGETS = ((4096, "low"), (16384, "medium"))

EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})

FORMATS = {"text": "text", "json_object": "json", "json_schema": "schema"}
KINDS = {kind: name for name, kind in FORMATS.items()}

FLAT = {
    "model": "model",
    "output_cap": "max_output_tokens",
    "parallel_calls": "parallel_tool_calls",
    "temperature": "temperature",
    "top_p": "top_p",
    "metadata": "metadata",
}

# What the dialect has no field for: its value that asks for nothing, and how grave the loss is.
MISSING: dict[str, tuple[Any, Severity]] = {
    "top_k": (None, "shape"),
    "stop": ([], "shape"),
    "answers": (1, "shape"),
    "seed": (None, "shape"),
    "frequency_penalty": (0, "shape"),
    "presence_penalty": (0, "shape"),
}
WORDS = {"answers": "n"}


def read_request(body: JSON) -> Request:
    """Read a request. Raises Malformed when it is no object."""
    taker = Taker(body, "request")
    left = taker.left
    request = Request(dialect=NAME, model=word(left, "model"))
    request.turns, spelled = _read_turns(taker)
    request.tools = read_tools(taker)
    request.choice = read_choice(taker)
    request.parallel_calls = taker.maybe("parallel_tool_calls", bool)
    request.format = _read_format(left)
    request.thinking = _read_thinking(taker)
    if left.get("stream") is True:
        request.stream = taker.take("stream", bool, False)
    request.output_cap = taker.maybe("max_output_tokens", int)
    request.temperature = taker.maybe("temperature", float)
    request.top_p = taker.maybe("top_p", float)
    request.logprobs = _read_logprobs(taker)
    request.user, safety = _read_user(left)
    request.metadata = _read_metadata(left)
    request.form, request.rest = keep(left, f"{spelled}+{safety}", USUAL)
    return request


def _read_turns(taker: Taker) -> tuple[list[Turn], str]:
    turns = [
        Turn(
            role="user", form=STATE_FORM, parts=[Opaque(type=key, rest={key: taker.left.pop(key)})]
        )
        for key in STATE
        if taker.left.get(key)
    ]
    if text := word(taker.left, "instructions"):
        turns.append(Turn(role="system", form=INSTRUCTIONS, parts=[Text(text=text)]))
    if text := word(taker.left, "input"):
        return [*turns, Turn(role="user", parts=[Text(text=text)])], STRING
    found = taker.objects("input") if taker.left.get("input") else None
    return turns + read_turns(found or []), ""


def _read_format(left: JSON) -> Format | None:
    """Take the format out of `text`; what else there is in it stays."""
    text = left.get("text")
    told = text.get("format") if isinstance(text, dict) else None
    kind = told.get("type") if isinstance(told, dict) else None
    if not isinstance(text, dict) or not isinstance(kind, str) or kind not in FORMATS:
        return None
    taker = Taker(told)
    del taker.left["type"]
    schema = taker.maybe("schema", dict)
    name, strict = word(taker.left, "name"), taker.maybe("strict", bool)
    if beside := {key: value for key, value in text.items() if key != "format"}:
        left["text"] = beside
    else:
        del left["text"]
    form, rest = keep(taker.left)
    found: Any = FORMATS[kind]
    return Format(kind=found, schema=schema, name=name, strict=strict, form=form, rest=rest)


def _read_thinking(taker: Taker) -> Thinking | None:
    told = taker.maybe("reasoning", dict) if taker.left.get("reasoning") else None
    if told is None:
        return None
    left = dict(told)
    effort, summary = word(left, "effort"), word(left, "summary")
    form, rest = keep(left)
    enabled = effort != "none" if effort else None
    return Thinking(enabled=enabled, effort=effort, summary=summary, form=form, rest=rest)


def _read_logprobs(taker: Taker) -> int | None:
    """A count of alternatives is taken; that log-probabilities are told at all stays included."""
    include = taker.left.get("include")
    if taker.left.get("top_logprobs"):
        told = taker.maybe("top_logprobs", int)
        if told is not None:
            return told
    return 0 if isinstance(include, list) and LOGPROBS in include else None


def _read_user(left: JSON) -> tuple[str, str]:
    if user := word(left, "safety_identifier"):
        return user, SAFETY
    return word(left, "user"), ""


def _read_metadata(left: JSON) -> dict[str, str]:
    told = left.get("metadata")
    if not isinstance(told, dict) or not told:
        return {}
    if not all(isinstance(value, str) for value in told.values()):
        return {}
    del left["metadata"]
    return told


# -- writing --------------------------------------------------------------------------------------


def write_request(request: Request, crossing: Crossing) -> JSON:
    """Write a request."""
    told = spelling(crossing.form(request)) or Spelling("+")
    spelled, _, safety = told.word.partition("+")
    body: JSON = {**told.hidden, **crossing.rest(request)}
    for field, key in FLAT.items():
        value = getattr(request, field)
        if value is not None and value not in ("", {}):
            body[key] = value
    _write_turns(request, crossing, body, lone=spelled == STRING)
    if request.tools:
        write_tools(request, crossing, body)
    if request.choice is not None:
        body["tool_choice"] = write_choice(request, crossing)
    _write_format(request, crossing, body)
    _write_thinking(request.thinking, crossing, body)
    if request.stream:
        body["stream"] = True
    if request.logprobs:
        body["top_logprobs"] = request.logprobs
    if request.user and (crossing.same or len(request.user) <= USER_MOST):
        body["safety_identifier" if safety else "user"] = request.user
    elif request.user:
        crossing.lose("user", "hint")
    if not crossing.same:
        _write_from_afar(request, crossing, body)
    return body


def _write_from_afar(request: Request, crossing: Crossing, body: JSON) -> None:
    """Say what this dialect does otherwise when it is not told, and name what it cannot say."""
    body["store"] = False
    if request.logprobs is not None:
        body["include"] = [LOGPROBS]
    for field, (nothing, severity) in MISSING.items():
        if getattr(request, field) not in (None, nothing):
            crossing.lose(WORDS.get(field, field), severity)


def _write_turns(request: Request, crossing: Crossing, body: JSON, lone: bool) -> None:
    writer = ItemWriter(crossing)
    for turn in request.turns:
        form = crossing.form(turn)
        if form == INSTRUCTIONS:
            body["instructions"] = "".join(p.text for p in turn.parts if isinstance(p, Text))
        elif form == STATE_FORM:
            for part in turn.parts:
                body |= part.rest
        else:
            writer.turn(turn)
    items = writer.items
    if lone and len(items) == 1 and isinstance(items[0].get("content"), str):
        body["input"] = items[0]["content"]
    elif items or not crossing.same:
        body["input"] = items


def _write_format(request: Request, crossing: Crossing, body: JSON) -> None:
    wanted = request.format
    if wanted is None:
        return
    told = spelling(crossing.form(wanted))
    shape: JSON = {"type": KINDS[wanted.kind], **crossing.rest(wanted, "format")}
    shape |= told.hidden if told else {}
    if wanted.kind == "schema" and told is None:
        # The API takes letters, digits, _ and - alone, and no schema without a name.
        shape["name"] = re.sub(r"[^a-zA-Z0-9_-]", "_", wanted.name)[:64] or "answer"
        shape["schema"] = wanted.schema or {}
    elif told is not None:
        shape |= {"name": wanted.name} if wanted.name else {}
        shape |= {"schema": wanted.schema} if wanted.schema is not None else {}
    if wanted.strict is not None:
        shape["strict"] = wanted.strict
    body["text"] = {**body.get("text", {}), "format": shape}


def _write_thinking(thinking: Thinking | None, crossing: Crossing, body: JSON) -> None:
    if thinking is None:
        return
    told = spelling(crossing.form(thinking))
    rest = crossing.rest(thinking, "thinking")
    if told is not None:
        said = {"effort": thinking.effort, "summary": thinking.summary}
        spoken = {key: value for key, value in said.items() if value}
        body["reasoning"] = {**told.hidden, **rest, **spoken}
    elif reasoning := _reasoning_from_afar(thinking, crossing):
        body["reasoning"] = reasoning


def _reasoning_from_afar(thinking: Thinking, crossing: Crossing) -> JSON:
    """A budget becomes an effort; thinking that is off is not told, as most models refuse to be."""
    reasoning: JSON = {}
    if thinking.effort in EFFORTS:
        reasoning["effort"] = thinking.effort
    elif thinking.effort:
        crossing.lose("thinking.effort", "shape")
    elif thinking.enabled is False:
        crossing.lose("thinking", "hint")
    elif thinking.budget is not None and thinking.budget > 0:
        budget = thinking.budget
        reasoning["effort"] = next((name for most, name in BUDGETS if budget <= most), "high")
        crossing.lose("thinking.budget", "hint")
    if thinking.summary in ("auto", "concise", "detailed"):
        reasoning["summary"] = thinking.summary
    elif thinking.summary == "summarized":
        reasoning["summary"] = "auto"
    elif thinking.summary:
        crossing.lose("thinking.summary", "hint")
    return reasoning
