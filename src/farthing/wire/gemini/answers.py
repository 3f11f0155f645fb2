"""Whole answers, both ways."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from farthing.wire.canon import JSON, Answer, Response, Stop, Text, ToolCall
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.calls import VENDOR, Ids
from farthing.wire.gemini.citations import Grounding, read_citations
from farthing.wire.gemini.logprobs import read_logprobs, write_logprobs
from farthing.wire.gemini.parts import PartWriter, read_parts
from farthing.wire.gemini.spelling import Keys, spelled, value_of, words_of
from farthing.wire.gemini.stops import read_stop, write_stop
from farthing.wire.gemini.usage import read_tally, write_tally
from farthing.wire.take import Taker

# The last second that RFC 3339 can say.
_LAST = 253_402_300_799


def read_response(value: JSON) -> Response:
    """Read a whole answer.

    Raises Malformed when it is no object, or a call's arguments are nested too deeply.
    """
    body = Keys(value, "response")
    response = Response(dialect=VENDOR, id=body.text("responseId"), model=body.text("modelVersion"))
    response.created = _read_time(body)
    response.tally = read_tally(body.left.get("usageMetadata"))
    if response.tally is not None:
        del body.left["usageMetadata"]
    candidates = body.objects("candidates")
    if candidates is None:
        blocked = _read_blocked(body)
        body.words.append("nocandidates")
        response.answers = [] if blocked is None else [blocked]
    else:
        ids = Ids(response.id)
        response.answers = [
            _read_answer(candidate, number, ids) for number, candidate in enumerate(candidates)
        ]
    response.rest, response.form = body.left, body.form
    return response


def _read_time(body: Keys) -> int | None:
    """Read `createTime`, whose fractions of a second are kept in the form."""
    told = body.peek("createTime")
    created = seconds(told) if isinstance(told, str) and len(told.split()) == 1 else None
    if created is not None:
        body.words.append(f"time={body.text('createTime')}")
    return created


def seconds(told: str) -> int | None:
    """Return the seconds since the Unix epoch that a time in RFC 3339 says, or None."""
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return None
    return None if moment.tzinfo is None else int(moment.timestamp())


def _read_blocked(body: Keys) -> Answer | None:
    """Read a `promptFeedback` that says why there are no candidates."""
    told: Any = body.left.get("promptFeedback")
    match told:
        case {"blockReason": str(reason)}:
            del body.left["promptFeedback"]
            rest = {key: value for key, value in told.items() if key != "blockReason"}
            return Answer(stop=Stop(kind="filter", told=reason), rest=rest, form="prompt")
    return None


def _read_answer(value: JSON, number: int, ids: Ids) -> Answer:
    keys = Keys(value, "candidate")
    if type(keys.left.get("index")) is int and keys.left["index"] == number:
        del keys.left["index"]
    else:
        keys.words.append("noindex")
    answer = Answer()
    content = keys.inner("content")
    if content is None:
        keys.words.append("nocontent")
    else:
        _read_content(content, answer, ids)
        keys.keep("content", content)
    calls = any(isinstance(part, ToolCall) for part in answer.parts)
    answer.stop = read_stop(keys.left.get("finishReason"), calls)
    if answer.stop is not None:
        del keys.left["finishReason"]
    _read_details(keys, answer)
    answer.rest, answer.form = keys.left, keys.form
    return answer


def _read_content(content: Keys, answer: Answer, ids: Ids) -> None:
    if content.left.get("role") == "model":
        del content.left["role"]
    else:
        content.words.append("norole")
    parts = content.objects("parts")
    if parts is None:
        content.words.append("noparts")
    else:
        answer.parts = read_parts(parts, ids)


def _read_details(keys: Keys, answer: Answer) -> None:
    """Read citations into the texts they are about, and log-probabilities."""
    for text, citation in read_citations(keys.left, answer.parts):
        text.citations = [*text.citations, citation]
    logprobs = keys.left.get("logprobsResult")
    tokens = read_logprobs(logprobs)
    if isinstance(logprobs, dict) and tokens is not None:
        answer.logprobs = tokens
        told = Taker(logprobs)
        del told.left["chosenCandidates"]
        if told.maybe("topCandidates", list) is None:
            keys.words.append("notops")
        del keys.left["logprobsResult"]
        keys.keep("logprobsResult", told)


def write_response(response: Response, crossing: Crossing) -> JSON:
    """Write a whole answer.

    Raises Malformed when a call's arguments are no JSON object.
    """
    words = words_of(crossing.form(response))
    made: JSON = {}
    blocked = [answer for answer in response.answers if crossing.form(answer) == "prompt"]
    if blocked:
        stop = blocked[0].stop
        made["promptFeedback"] = {**blocked[0].rest, "blockReason": stop.told if stop else ""}
    elif "nocandidates" not in words:
        answers = enumerate(response.answers)
        made["candidates"] = [_write_answer(answer, number, crossing) for number, answer in answers]
    usage = write_tally(response.tally, crossing) if response.tally is not None else None
    if usage is not None:
        made["usageMetadata"] = usage
    if response.model:
        made["modelVersion"] = response.model
    told = value_of(crossing.form(response), "time") or time(response.created)
    if told:
        made["createTime"] = told
    if response.id:
        made["responseId"] = response.id
    return spelled(made, words, crossing.rest(response))


def time(created: int | None) -> str:
    """Return seconds since the Unix epoch as RFC 3339; "" when none is told, or none there is."""
    if created is None or not 0 <= created <= _LAST:
        return ""
    return datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write_answer(answer: Answer, number: int, crossing: Crossing) -> JSON:
    words = words_of(crossing.form(answer))
    made: JSON = {}
    if answer.parts or "nocontent" not in words:
        content: JSON = {} if "norole" in words else {"role": "model"}
        if answer.parts or "noparts" not in words:
            content = {"parts": PartWriter(crossing, answer=True).write(answer.parts), **content}
        made["content"] = content
    if answer.stop is not None:
        made["finishReason"] = write_stop(answer.stop, crossing)
    if "noindex" not in words:
        made["index"] = number
    if answer.logprobs:
        tops = any(token.top for token in answer.logprobs)
        tops = "notops" not in words if crossing.same else tops
        made["logprobsResult"] = write_logprobs(answer.logprobs, tops, crossing)
    if not crossing.same:
        made |= _ground(answer, crossing)
    return spelled(made, words, crossing.rest(answer, "answer"))


def _ground(answer: Answer, crossing: Crossing) -> JSON:
    grounding = Grounding(crossing)
    for number, part in enumerate(answer.parts):
        if isinstance(part, Text):
            grounding.add(part.text, part.citations, {"partIndex": number})
    return grounding.written()
