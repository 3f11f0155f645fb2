"""Whole answers, stop reasons and usage, both ways."""

from __future__ import annotations

from farthing.wire.canon import JSON, Answer, Response, Stop, StopKind, Tally
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.messages.blocks import Blocks
from farthing.wire.messages.parts import DIALECT, lacking, overlay, read_content, word
from farthing.wire.messages.response import STOPS, usage_of
from farthing.wire.take import Taker

WORDS: dict[StopKind, str] = {
    "end": "end_turn",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_calls": "tool_use",
    "pause": "pause_turn",
    "refusal": "refusal",
    "filter": "refusal",
}

# The form of an answer without content.
BARE = "bare"

CONSTANTS = {"type": "message", "role": "assistant"}


def read_response(body: JSON) -> Response:
    """Read a whole answer.

    Raises:
        Malformed: it is no object, or nested too deeply.
    """
    taker = Taker(body, "response")
    words = lacking(taker, CONSTANTS)
    answer = Answer(stop=read_stop(taker))
    content = taker.objects("content")
    if content is None:
        answer.form = BARE
    else:
        answer.parts = read_content(content)
    return Response(
        dialect=DIALECT,
        id=word(taker, "id"),
        model=word(taker, "model"),
        answers=[answer],
        tally=read_tally(taker),
        form=words,
        rest=taker.left,
    )


def read_stop(taker: Taker) -> Stop | None:
    """Take the stop reason."""
    told = word(taker, "stop_reason")
    if not told:
        return None
    sequence = word(taker, "stop_sequence")
    return Stop(kind=STOPS.get(told, "other"), told=told, sequence=sequence)


def read_tally(taker: Taker, *before: JSON) -> Tally | None:
    """Take the usage; of a stream, what it said `before` counts where it is not replaced."""
    told = taker.maybe("usage", dict)
    return None if told is None else Tally(usage=usage_of(*before, told), rest=told)


def write_response(response: Response, crossing: Crossing) -> JSON:
    """Write a whole answer.

    Raises:
        Malformed: the arguments of a call are not a JSON object.
    """
    out = write_head(response.id, response.model, crossing.form(response), crossing)
    answer = response.answers[0] if response.answers else Answer()
    content = Blocks(crossing, answer=True).write(answer.parts)
    if crossing.form(answer) != BARE:
        out["content"] = content
    _name_losses(response, answer, crossing)
    out |= write_stop(answer.stop, crossing)
    if response.tally is not None or not crossing.same:
        out["usage"] = write_tally(response.tally, crossing)
    return overlay(out, crossing.rest(response))


def _name_losses(response: Response, answer: Answer, crossing: Crossing) -> None:
    crossing.rest(answer, "answer")
    if len(response.answers) > 1:
        crossing.lose("answers beyond the first", "shape")
    if answer.logprobs:
        crossing.lose("logprobs", "shape")


def write_head(told_id: str, model: str, form: str, crossing: Crossing) -> JSON:
    """Return what a message begins with; every message has an id and a model elsewhere."""
    lacks = form.split()
    out: JSON = {key: value for key, value in CONSTANTS.items() if key not in lacks}
    if told_id or not crossing.same:
        out["id"] = told_id or "msg_unknown"
    if model or not crossing.same:
        out["model"] = model
    return out


def write_stop(stop: Stop | None, crossing: Crossing) -> JSON:
    """Return the fields that say why an answer ended."""
    if crossing.same:
        if stop is None:
            return {}
        sequence = {"stop_sequence": stop.sequence} if stop.sequence else {}
        return {"stop_reason": stop.told, **sequence}
    if stop is None:
        return {"stop_reason": "end_turn", "stop_sequence": None}
    crossing.rest(stop, "stop")
    if stop.kind not in WORDS:
        crossing.lose(f"stop reason `{stop.told or stop.kind}`", "shape")
    return {
        "stop_reason": WORDS.get(stop.kind, "end_turn"),
        "stop_sequence": stop.sequence or None,
    }


def write_tally(tally: Tally | None, crossing: Crossing) -> JSON:
    """Return the usage object."""
    if crossing.same and tally is not None:
        return tally.rest
    if tally is None or tally.usage is None:
        crossing.lose("usage", "hint")
        return {"input_tokens": 0, "output_tokens": 0}
    return _usage(tally.usage)


def _usage(usage: Usage) -> JSON:
    out: JSON = {
        "input_tokens": usage.input + usage.input_audio,
        "cache_creation_input_tokens": usage.cache_write + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output + usage.output_audio,
    }
    if usage.cache_write_1h:
        out["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.cache_write,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        }
    if usage.reasoning:
        out["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.web_searches:
        searches = {"web_search_requests": usage.web_searches}
        out["server_tool_use"] = {**searches, "web_fetch_requests": 0}
    return out
