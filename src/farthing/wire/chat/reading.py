"""Requests of this dialect, read into the canonical model."""

from __future__ import annotations

from farthing.wire.canon import JSON, Format, Request
from farthing.wire.chat.nested import full, inner, leftover
from farthing.wire.chat.request import CAPS
from farthing.wire.chat.thinking import read_thinking
from farthing.wire.chat.tools import read_choice, read_tools
from farthing.wire.chat.turns import read_turns
from farthing.wire.take import Taker

NAME = "chat"
STREAM_OPTIONS = "stream_options"

# Words of a request's form: fields that are there and say only what their absence would, too.
UNSAID = "unsaid"  # there are no messages, or what there is stays
UNSTREAMED = "stream"
NO_LOGPROBS = "logprobs"
TOLD_TOP = "top_logprobs"
ONE_STOP = "stop"
NO_TOOLS = "tools"
USAGE = {True: "usage", False: "no_usage"}


def read_request(body: JSON) -> Request:
    """Read a request."""
    taker = Taker(body, "request")
    words: list[str] = []
    request = Request(dialect=NAME, model=full(taker, "model"))
    messages = taker.objects("messages")
    request.turns = read_turns(messages or [])
    if messages is None:
        words.append(UNSAID)
    _read_tools(request, taker, words)
    request.format = _read_format(taker)
    request.thinking = read_thinking(taker)
    _read_stream(request, taker, words)
    _read_settings(request, taker, words)
    _read_logprobs(request, taker, words)
    request.form = " ".join(words)
    request.rest = taker.left
    return request


def _read_tools(request: Request, taker: Taker, words: list[str]) -> None:
    if taker.left.get("tools") == []:
        words.append(NO_TOOLS)
    request.tools = read_tools(taker)
    request.choice = read_choice(taker)
    request.parallel_calls = taker.maybe("parallel_tool_calls", bool)


def _read_stream(request: Request, taker: Taker, words: list[str]) -> None:
    stream = taker.maybe("stream", bool)
    request.stream = bool(stream)
    if stream is False:
        words.append(UNSTREAMED)
    options = taker.left.get(STREAM_OPTIONS)
    if isinstance(options, dict) and options.keys() == {"include_usage"}:
        wanted = options["include_usage"]
        if isinstance(wanted, bool):
            words.append(USAGE[wanted])
            del taker.left[STREAM_OPTIONS]


def _read_settings(request: Request, taker: Taker, words: list[str]) -> None:
    request.temperature = taker.maybe("temperature", float)
    request.top_p = taker.maybe("top_p", float)
    request.top_k = taker.maybe("top_k", int)
    request.answers = taker.maybe("n", int)
    request.frequency_penalty = taker.maybe("frequency_penalty", float)
    request.presence_penalty = taker.maybe("presence_penalty", float)
    request.user = full(taker, "user")
    _read_seed(request, taker, words)
    _read_cap(request, taker, words)
    _read_stop(request, taker, words)
    _read_metadata(request, taker)


def _read_seed(request: Request, taker: Taker, words: list[str]) -> None:
    request.seed = taker.maybe("seed", int)
    if request.seed is None and (seed := taker.maybe("random_seed", int)) is not None:
        request.seed = seed
        words.append("random_seed")


def _read_cap(request: Request, taker: Taker, words: list[str]) -> None:
    """Take the cap; of two the larger, as either may be the one that is meant."""
    caps = {name: taker.left.get(name) for name in CAPS}
    told = {
        name: cap for name, cap in caps.items() if isinstance(cap, int) and type(cap) is not bool
    }
    if told:
        name = max(told, key=lambda one: told[one])
        request.output_cap = taker.maybe(name, int)
        words.append(name)


def _read_stop(request: Request, taker: Taker, words: list[str]) -> None:
    one = taker.maybe("stop", str)
    if one is not None:
        request.stop = [one]
        words.append(ONE_STOP)
    elif taker.left.get("stop"):
        request.stop = taker.strings("stop") or []


def _read_metadata(request: Request, taker: Taker) -> None:
    told = taker.left.get("metadata")
    if isinstance(told, dict) and told and all(isinstance(value, str) for value in told.values()):
        request.metadata = told
        del taker.left["metadata"]


def _read_logprobs(request: Request, taker: Taker, words: list[str]) -> None:
    wanted = taker.maybe("logprobs", bool)
    if wanted is False:
        words.append(NO_LOGPROBS)
    if wanted:
        top = taker.maybe("top_logprobs", int)
        request.logprobs = top or 0
        if top is not None:
            words.append(TOLD_TOP)


_KINDS = {"text": "text", "json_object": "json", "json_schema": "schema"}


def _read_format(taker: Taker) -> Format | None:
    box = inner(taker, "response_format")
    if box is None:
        return None
    told = dict(box.left)
    kind = box.take("type", str, "")
    inside = inner(box, "json_schema") if kind == "json_schema" else None
    if kind not in _KINDS or (kind == "json_schema" and inside is None):
        taker.left["response_format"] = told
        return None
    read = Format(kind=_KINDS[kind], form=kind)  # type: ignore[arg-type]
    if inside is not None:
        read.name, read.strict = full(inside, "name"), inside.maybe("strict", bool)
        read.schema = inside.maybe("schema", dict)
    elif kind == "json_object" and (schema := box.maybe("schema", dict)) is not None:
        read.kind, read.schema = "schema", schema
    read.rest = leftover(box, json_schema=inside)
    return read
