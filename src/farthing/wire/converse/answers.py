"""Whole answers, both ways."""

from __future__ import annotations

from farthing.wire.canon import JSON, Answer, Response, Stop, StopKind
from farthing.wire.converse.parts import read_parts
from farthing.wire.converse.scribe import Scribe
from farthing.wire.converse.unions import NAME, as_object
from farthing.wire.converse.usage import read_tally, write_tally
from farthing.wire.crossing import Crossing, Severity
from farthing.wire.take import Taker

MORE_FIELDS = "additionalModelResponseFields"

# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_MessageStopEvent.html
STOPS: dict[str, StopKind] = {
    "end_turn": "end",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "guardrail_intervened": "filter",
    "content_filtered": "filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
    "refusal": "refusal",
    "pause_turn": "pause",
}

WORDS: dict[StopKind, str] = {
    "end": "end_turn",
    "tool_calls": "tool_use",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "filter": "content_filtered",
    "refusal": "content_filtered",
    "pause": "end_turn",
    "error": "malformed_model_output",
    "other": "end_turn",
}


# What other dialects tell of an answer that is no part of it.
HINTS: dict[str, Severity] = dict.fromkeys(
    (
        *("background", "billing", "completed_at", "created_at", "metadata", "provider", "store"),
        *("service_tier", "system_fingerprint", "timings"),
        # What they repeat of the request.
        *("frequency_penalty", "instructions", "max_output_tokens", "max_tool_calls", "reasoning"),
        *("parallel_tool_calls", "presence_penalty", "previous_response_id", "safety_identifier"),
        *("prompt_cache_key", "prompt_cache_retention", "temperature", "text", "tool_choice"),
        *("tools", "top_logprobs", "top_p", "truncation", "user"),
    ),
    "hint",
)


def read_response(body: JSON) -> Response:
    """Read a whole answer.

    Raises:
        Malformed: it is no object, or nested too deep.
    """
    taker = Taker(body, "response")
    answer = _read_message(taker)
    answer.stop = read_stop(taker)
    response = Response(dialect=NAME, answers=[answer])
    usage = taker.left.get("usage")
    if isinstance(usage, dict):
        response.tally = read_tally(taker.left.pop("usage"))
    response.rest = taker.left
    return response


def _read_message(taker: Taker) -> Answer:
    """Take the message; an answer without one is "bare"."""
    output = taker.left.get("output")
    message = output.get("message") if isinstance(output, dict) else None
    if not isinstance(output, dict) or not isinstance(message, dict):
        return Answer(form="bare")
    inner = Taker(message)
    content = inner.objects("content")
    if content is None:
        return Answer(form="bare")
    answer = Answer(parts=read_parts(content))
    if inner.left.get("role") == "assistant":
        del inner.left["role"]
    else:
        answer.form = "roleless"
    answer.rest = inner.left
    outer = {key: value for key, value in output.items() if key != "message"}
    if outer:
        taker.left["output"] = outer
    else:
        del taker.left["output"]
    return answer


def read_stop(taker: Taker) -> Stop | None:
    """Take why an answer ended, of a whole answer or of a stream; None when it is not told."""
    told = taker.maybe("stopReason", str)
    if told is None:
        return None
    more = taker.left.get(MORE_FIELDS)
    sequence = more.get("stop_sequence") if isinstance(more, dict) else None
    return Stop(
        kind=STOPS.get(told, "other"),
        told=told,
        sequence=sequence if isinstance(sequence, str) else "",
    )


def write_stop(stop: Stop, crossing: Crossing) -> str:
    """Return this dialect's word for why an answer ended."""
    crossing.rest(stop, "stop")
    return stop.told if crossing.same else WORDS[stop.kind]


def write_response(response: Response, crossing: Crossing) -> JSON:
    """Return a whole answer; this dialect gives one at a time.

    Raises:
        Malformed: a tool call's arguments are no JSON object.
    """
    out = dict(crossing.rest(response, "", HINTS))
    answer = response.answers[0] if response.answers else Answer()
    if not crossing.same:
        _lose_answers(response.answers, crossing)
        out |= {"metrics": {"latencyMs": 0}, "stopReason": "end_turn"}
    if answer.form != "bare" or not crossing.same:
        message = _write_message(answer, crossing)
        out["output"] = as_object(out.get("output")) | {"message": message}
    if answer.stop is not None:
        out["stopReason"] = write_stop(answer.stop, crossing)
    if response.tally is not None:
        out["usage"] = write_tally(response.tally, crossing)
    return out


def _write_message(answer: Answer, crossing: Crossing) -> JSON:
    rest = crossing.rest(answer, "message")
    message: JSON = {} if crossing.form(answer) == "roleless" else {"role": "assistant"}
    message |= rest
    message["content"] = Scribe(crossing, answering=True).blocks(answer.parts)
    return message


def _lose_answers(answers: list[Answer], crossing: Crossing) -> None:
    if len(answers) > 1:
        crossing.lose("n", "shape")
    if any(answer.logprobs for answer in answers):
        crossing.lose("logprobs", "shape")
