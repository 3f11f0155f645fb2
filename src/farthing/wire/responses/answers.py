"""Whole answers, both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from farthing.wire.canon import JSON, Answer, Part, Refusal, Response, Stop, StopKind, ToolCall
from farthing.wire.crossing import Crossing
from farthing.wire.responses.forms import NAME, Spelling, Usual, keep, spelling, word
from farthing.wire.responses.item_writer import ItemWriter
from farthing.wire.responses.items import read_item
from farthing.wire.responses.logprobs import Logs
from farthing.wire.responses.response import REASONS, RUNNING
from farthing.wire.responses.usage import read_tally, write_tally
from farthing.wire.take import Taker

# The word for why an answer is incomplete.
CUT = {"length": "max_output_tokens", "filter": "content_filter", "refusal": "content_filter"}

# What a response repeats of its request, or keeps for its provider's own books; other dialects'
# answers do neither.
ECHOES = frozenset(
    {
        "background", "billing", "completed_at", "conversation", "frequency_penalty",
        "instructions", "max_output_tokens", "max_tool_calls", "metadata",
        "parallel_tool_calls", "presence_penalty",
        "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention", "reasoning", "safety_identifier", "store", "temperature", "text",
        "tool_choice", "tools", "top_logprobs", "tool_usage", "top_p", "truncation",
        "user",
    }
)  # fmt: skip
USUAL: Usual = {"service_tier": ("auto", "default")}

# The form of a stop that `incomplete_details` told all of.
DETAILS = "details"


def read_response(body: JSON) -> Response:
    """Read a whole answer. Raises Malformed when it is no object."""
    taker = Taker(body, "response")
    left = taker.left
    logs: Logs = []
    found = taker.objects("output") if left.get("output") else None
    parts = [part for item in found or [] for part in read_item(item, logs)]
    stop = take_stop(taker, parts)
    usage = taker.maybe("usage", dict) if left.get("usage") else None
    read = Response(
        dialect=NAME,
        id=word(left, "id"),
        model=word(left, "model"),
        created=taker.maybe("created_at", int),
        answers=[Answer(parts=parts, stop=stop, logprobs=logs)],
        tally=read_tally(usage, left.get("tool_usage")) if usage else None,
    )
    read.form, read.rest = keep(left, usual=USUAL, echoes=ECHOES)
    return read


def take_stop(taker: Taker, parts: list[Part]) -> Stop | None:
    """Take why an answer ended; None while it has not."""
    status, details = taker.left.get("status"), taker.left.get("incomplete_details")
    if status in RUNNING:
        return None
    if isinstance(error := taker.left.get("error"), dict):
        del taker.left["error"]
        return Stop(kind="error", told=str(error.get("code") or status), rest={"error": error})
    if isinstance(details, dict) and isinstance(reason := details.get("reason"), str):
        whole = len(details) == 1
        if whole:
            del taker.left["incomplete_details"]
        kind = REASONS.get(reason, "other")
        return Stop(kind=kind, told=reason, form=DETAILS if whole else "")
    if status in ("incomplete", "cancelled"):
        return Stop(kind="other", told=str(status))
    told = status if isinstance(status, str) else ""
    return Stop(kind="error" if status == "failed" else _ending(parts), told=told)


def _ending(parts: list[Part]) -> StopKind:
    if any(isinstance(part, ToolCall) for part in parts):
        return "tool_calls"
    return "refusal" if any(isinstance(part, Refusal) for part in parts) else "end"


# -- writing --------------------------------------------------------------------------------------


def write_response(response: Response, crossing: Crossing) -> JSON:
    """Write a whole answer."""
    answer = response.answers[0] if response.answers else Answer()
    told = spelling(crossing.form(response))
    writer = ItemWriter(crossing, shells(response.id), iter(answer.logprobs), earlier=False)
    for part in answer.parts:
        writer.part(part, "assistant")
    writer.end()
    if told is not None:
        return _write_back(response, answer, crossing, writer.items, told)
    if len(response.answers) > 1:
        crossing.lose("answers beyond the first", "shape")
    crossing.rest(response)
    body = skeleton(response.id, response.model, response.created)
    body |= {"output": writer.items, "usage": write_tally(response.tally, crossing)}
    how = ending(answer.stop, writer.items, crossing)
    if writer.items and how["status"] == "incomplete":
        writer.items[-1]["status"] = "incomplete"
    return body | how


def _write_back(
    response: Response, answer: Answer, crossing: Crossing, items: list[JSON], told: Spelling
) -> JSON:
    body = {**told.hidden, **crossing.rest(response)}
    said = {"id": response.id, "model": response.model, "output": items}
    body |= {key: value for key, value in said.items() if value}
    if response.created is not None:
        body["created_at"] = response.created
    if response.tally is not None:
        body["usage"] = write_tally(response.tally, crossing)
    if answer.stop is not None:
        body |= crossing.rest(answer.stop)
        if crossing.form(answer.stop) == DETAILS:
            body["incomplete_details"] = {"reason": answer.stop.told}
    return body


def shells(response: str) -> Callable[[str], JSON]:
    """Return what makes new items of an answer, each with an id of its own."""
    made = 0

    def shell(kind: str) -> JSON:
        nonlocal made
        made += 1
        return new_item(kind, response, made - 1)

    return shell


PREFIXES = {"message": "msg", "reasoning": "rs", "function_call": "fc", "custom_tool_call": "ctc"}


def new_item(kind: str, response: str, index: int) -> JSON:
    """Return the beginning of an item of an answer."""
    handle = f"{PREFIXES.get(kind, 'item')}_{response or 'response'}_{index}"
    return {"type": kind, "id": handle, "status": "completed"}


def skeleton(handle: str, model: str, created: int | None) -> JSON:
    """Return what every response object has, as its readers want it, with nothing in it yet."""
    blank = ("error", "incomplete_details", "instructions", "max_output_tokens", "usage")
    unknown = ("previous_response_id", "temperature", "top_p", "user")
    return {
        "id": handle or "resp_response",
        "object": "response",
        "created_at": created or 0,
        "status": "in_progress",
        "model": model,
        "output": [],
        **dict.fromkeys(blank + unknown),
        "metadata": {},
        "parallel_tool_calls": True,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "truncation": "disabled",
    }


def ending(stop: Stop | None, items: list[JSON], crossing: Crossing) -> JSON:
    """Return the fields of a response that say how it ended, in another dialect's words."""
    if stop is None:
        return {"status": "completed"}
    crossing.rest(stop, "stop")
    if stop.sequence:
        crossing.lose("stop_sequence", "shape")
    if stop.kind in ("pause", "other"):
        crossing.lose(f"stop {stop.told or stop.kind}", "shape")
    if stop.kind == "error":
        error = {"code": "server_error", "message": stop.told or "The provider failed."}
        return {"status": "failed", "error": error}
    if stop.kind not in CUT or (stop.kind == "refusal" and _refuses(items)):
        return {"status": "completed"}
    return {"status": "incomplete", "incomplete_details": {"reason": CUT[stop.kind]}}


def _refuses(items: list[JSON]) -> bool:
    """Whether the answer says itself that it declines."""
    contents: list[Any] = [item.get("content") or [] for item in items]
    return any(part.get("type") == "refusal" for content in contents for part in content)
