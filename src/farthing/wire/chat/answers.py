"""Whole answers, both ways."""

from __future__ import annotations

from farthing.wire.canon import (
    JSON,
    Answer,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Response,
    Stop,
    Text,
    ToolResult,
)
from farthing.wire.chat.calls import write_calls
from farthing.wire.chat.logprobs import take_logprobs, write_tokens
from farthing.wire.chat.nested import filled, full, inner, leftover, put_back
from farthing.wire.chat.parts import LIST, write_citations
from farthing.wire.chat.reading import NAME
from farthing.wire.chat.reasoning import tell_reasoning
from farthing.wire.chat.said import content_of, read_said, write_said
from farthing.wire.chat.stops import read_stop, write_stop
from farthing.wire.chat.tally import read_tally, write_tally
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

OBJECT = "chat.completion"

# Words of a form.
UNNAMED = "unnamed"  # the object does not say what it is
UNANSWERED = "unanswered"  # there are no choices, or what there is stays
UNPLACED = "unplaced"  # the choice has no index
ROLELESS = "roleless"  # its message has no role


def read_response(body: JSON) -> Response:
    """Read a whole answer."""
    taker = Taker(body, "response")
    words = [] if "object" in body else [UNNAMED]
    if body.get("object") == OBJECT:
        del taker.left["object"]
    response = Response(dialect=NAME, id=full(taker, "id"), model=full(taker, "model"))
    response.created = taker.maybe("created", int)
    answers = _read_choices(taker)
    if answers is None:
        words.append(UNANSWERED)
    response.answers = answers or []
    response.tally = read_tally(taker)
    response.form = " ".join(words)
    response.rest = taker.left
    return response


def _read_choices(taker: Taker) -> list[Answer] | None:
    choices = taker.left.get("choices")
    if not isinstance(choices, list) or not all(map(_is_choice, choices)):
        return None
    del taker.left["choices"]
    return [_read_choice(choice, position) for position, choice in enumerate(choices)]


def _is_choice(value: object) -> bool:
    return isinstance(value, dict) and inner(Taker(value), "message") is not None


def _read_choice(value: JSON, position: int) -> Answer:
    choice, words = Taker(value), []
    message = inner(choice, "message")
    assert message is not None, "a choice has a message"
    if choice.left.get("index") == position and type(choice.left["index"]) is int:
        del choice.left["index"]
    elif "index" not in choice.left:
        words.append(UNPLACED)
    if message.left.get("role") == "assistant":
        del message.left["role"]
    elif "role" not in message.left:
        words.append(ROLELESS)
    parts, said = read_said(message)
    answer = Answer(parts=parts, form=" ".join(words + said))
    answer.stop = read_stop(choice, any(isinstance(part, Refusal) for part in parts))
    answer.logprobs, logprobs = take_logprobs(choice)
    answer.rest = leftover(choice, message=message, logprobs=logprobs)
    return answer


def write_response(response: Response, crossing: Crossing) -> JSON:
    """Write a whole answer."""
    if not crossing.same:
        return _cross(response, crossing)
    words = response.form.split()
    written = filled(id=response.id, model=response.model, created=response.created)
    if UNNAMED not in words:
        written["object"] = OBJECT
    if response.answers or UNANSWERED not in words:
        choices = [_write_choice(one, at, crossing) for at, one in enumerate(response.answers)]
        written["choices"] = choices
    if response.tally is not None:
        written["usage"] = write_tally(response.tally, crossing)
    return written | response.rest


def _write_choice(answer: Answer, position: int, crossing: Crossing) -> JSON:
    words = answer.form.split()
    message: JSON = {} if ROLELESS in words else {"role": "assistant"}
    written: JSON = {} if UNPLACED in words else {"index": position}
    texts = [part for part in content_of(answer.parts, crossing) if isinstance(part, Text)]
    if len(texts) > 1 and LIST not in words:  # gathered from a stream
        written["message"] = _cross_message(answer.parts, crossing)
    else:
        written["message"] = message | write_said(answer.parts, words, crossing)
    if answer.stop is not None:
        written["finish_reason"] = write_stop(answer.stop, crossing)
    if answer.logprobs:
        written["logprobs"] = {"content": write_tokens(answer.logprobs, True)}
    return put_back(written, answer.rest, "message", "logprobs")


def _cross(response: Response, crossing: Crossing) -> JSON:
    answers = enumerate(response.answers)
    written: JSON = {
        "id": response.id or "chatcmpl-0",
        "object": OBJECT,
        "created": response.created or 0,
        "model": response.model,
        "choices": [_cross_choice(answer, at, crossing) for at, answer in answers],
    }
    if response.tally is not None:
        written["usage"] = write_tally(response.tally, crossing)
    crossing.rest(response)
    return written


def _cross_choice(answer: Answer, position: int, crossing: Crossing) -> JSON:
    crossing.rest(answer, "answer")
    refused = any(isinstance(part, Refusal) for part in answer.parts)
    stop = answer.stop or Stop(kind="other")
    return {
        "index": position,
        "message": _cross_message(answer.parts, crossing),
        "logprobs": {"content": write_tokens(answer.logprobs, False)} if answer.logprobs else None,
        "finish_reason": write_stop(stop, crossing, refused),
    }


def _cross_message(parts: list[Part], crossing: Crossing) -> JSON:
    """Write a message: all its texts are one string, as clients of this dialect expect."""
    thoughts = [part for part in parts if isinstance(part, Reasoning)]
    texts = [part for part in parts if isinstance(part, Text)]
    message: JSON = {"role": "assistant", "content": None, "refusal": None}
    message |= tell_reasoning(thoughts, crossing) | write_citations(texts, crossing)
    if texts:
        message["content"] = "".join(text.text for text in texts)
    refusals = [part.text for part in parts if isinstance(part, Refusal)]
    message |= filled(refusal="".join(refusals)) | write_calls(parts, crossing)
    for part in parts:
        lose_part(part, crossing)
    return message


def lose_part(part: Part, crossing: Crossing) -> None:
    """Name what of an answer's part cannot be told to a client of this dialect."""
    if isinstance(part, Media | ToolResult | Opaque):
        what = part.type if isinstance(part, Opaque) else type(part).__name__.lower()
        crossing.lose(f"answer {what}", "meaning")
    elif isinstance(part, Text | Refusal):
        crossing.rest(part, "answer")
