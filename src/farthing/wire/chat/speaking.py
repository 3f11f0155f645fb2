"""Streams of this dialect, written event by event from the canonical model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from farthing.wire.canon import JSON, Part, Reasoning, Refusal, Tally, Text, ToolCall
from farthing.wire.chat.answers import lose_part
from farthing.wire.chat.hearing import DATA, DONE, EVENT, SHAPE
from farthing.wire.chat.logprobs import write_tokens
from farthing.wire.chat.parts import NOTES, write_citation
from farthing.wire.chat.problems import write_problem
from farthing.wire.chat.reasoning import note_sealed
from farthing.wire.chat.shape import filled_in
from farthing.wire.chat.stops import write_stop
from farthing.wire.chat.tally import write_tally
from farthing.wire.codec import WireEvent
from farthing.wire.crossing import Crossing
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, More, Open, Shut

OBJECT = "chat.completion.chunk"


class Speaking:
    """Writes one stream: its own dialect's events back as they were, others' as new chunks."""

    def __init__(self, crossing: Crossing) -> None:
        self._crossing = crossing
        self._shape: Any = None
        self._new = NewStream(crossing)
        self.again = None if crossing.same else self._new.again

    def write(self, events: list[Event]) -> list[WireEvent]:
        """Return the events to send."""
        kept = events[0].rest if events and self._crossing.same else {}
        name = kept.get(EVENT, "")
        if DATA in kept:
            return [WireEvent(data=kept[DATA], name=name)]
        if SHAPE in kept:
            self._shape = self._shape if kept[SHAPE] is None else kept[SHAPE]
            return [WireEvent(data=self._chunk(events), name=name)]
        return [WireEvent(data=data) for event in events for data in self._new.write(event)]

    def _chunk(self, events: list[Event]) -> Any:
        chunk = self._shape
        for event in events:
            for place in event.form.split():
                chunk = filled_in(chunk, place.split("."), self._carried(event))
        return chunk

    def _carried(self, event: Event) -> Any:
        if isinstance(event, Count):
            return write_tally(event.tally, self._crossing)
        return event.text if isinstance(event, More) else None


class _Answer:
    """What was written of one answer."""

    def __init__(self) -> None:
        self.parts: dict[int, Part] = {}
        self.told: set[int] = set()
        """Parts of which some text was written."""
        self.calls: dict[int, int] = {}
        """The index of each tool call, by its part."""
        self.length = 0
        self.refused = False


class NewStream:
    """Makes the chunks of a stream that another dialect, or farthing itself, tells."""

    def __init__(self, crossing: Crossing) -> None:
        self._crossing = crossing
        self._envelope: JSON = _envelope(Begin(dialect=""))
        self._answers: dict[int, _Answer] = {}
        self._tally: Tally | None = None
        self._last: _Answer | None = None
        """The answer whose text was written last."""
        self._writers: dict[type, Callable[[Any], list[Any]]] = {
            Begin: self._begin,
            Open: self._open,
            More: self._more,
            Shut: self._shut,
            Finish: self._finish,
            Count: self._count,
            Fault: self._fault,
            End: self._end,
        }

    def again(self, length: int) -> None:
        """More texts, of so many characters together, are written like the last one."""
        if self._last is not None:
            self._last.length += length

    def write(self, event: Event) -> list[Any]:
        """Return the data of the events to send for one event."""
        writer = self._writers.get(type(event))
        return writer(event) if writer else []

    def _begin(self, event: Begin) -> list[Any]:
        self._envelope = _envelope(event)
        return self._role(0)

    def _role(self, answer: int) -> list[Any]:
        """Return an answer's first chunk, once."""
        if answer in self._answers:
            return []
        self._answers[answer] = _Answer()
        return [self._chunk(answer, {"role": "assistant", "content": ""})]

    def _chunk(self, answer: int, delta: JSON, **more: object) -> JSON:
        choice = {"index": answer, "delta": delta, "logprobs": None, "finish_reason": None}
        return self._envelope | {"choices": [choice | more]}

    def _open(self, event: Open) -> list[Any]:
        first = self._role(event.answer)
        answer, content = self._answers[event.answer], event.content
        answer.parts[event.part] = content
        if isinstance(content, ToolCall):
            return [*first, self._call(event, content, answer)]
        if isinstance(content, Reasoning):
            note_sealed(content, self._crossing)
        lose_part(content, self._crossing)
        answer.refused |= isinstance(content, Refusal)
        return first + self._text(event.answer, event.part, _words(content))

    def _call(self, event: Open, content: ToolCall, answer: _Answer) -> JSON:
        index = answer.calls.setdefault(event.part, len(answer.calls))
        field, arguments = ("custom", "input") if content.custom else ("function", "arguments")
        if content.arguments:
            answer.told.add(event.part)
        call = {
            "index": index,
            "id": content.id or f"call_{event.answer}_{event.part}",
            "type": field,
            field: {"name": content.name, arguments: content.arguments},
        }
        return self._chunk(event.answer, {"tool_calls": [call]})

    def _text(self, number: int, part: int, text: str, **more: object) -> list[Any]:
        """Return the chunk for some text of a part."""
        answer = self._answers[number]
        content = answer.parts.get(part)
        delta = _delta(content, answer.calls.get(part, 0), text)
        if not text or not delta:
            return []
        answer.told.add(part)
        self._last = answer
        if isinstance(content, Text):
            answer.length += len(text)
        return [self._chunk(number, delta, **more)]

    def _more(self, event: More) -> list[Any]:
        if event.answer not in self._answers:
            return []
        if event.signature or event.encrypted:
            self._crossing.lose("reasoning.signature", "hint")
        more: JSON = {}
        if event.logprobs:
            more["logprobs"] = {"content": write_tokens(event.logprobs, False), "refusal": None}
        written = self._text(event.answer, event.part, event.text, **more)
        if event.citation is not None:
            length = self._answers[event.answer].length
            note = write_citation(event.citation, 0, length, self._crossing)
            written += [self._chunk(event.answer, {NOTES: [note]})] if note else []
        return written

    def _shut(self, event: Shut) -> list[Any]:
        answer = self._answers.get(event.answer)
        if answer is None or event.part in answer.told:
            return []
        content = answer.parts.get(event.part)
        told = event.content if event.content is not None else content
        text = _words(told) if event.content is not None else ""
        if isinstance(content, ToolCall) and not content.custom:
            text = text or "{}"  # clients parse it
        return self._text(event.answer, event.part, text)

    def _finish(self, event: Finish) -> list[Any]:
        first = self._role(event.answer)
        refused = self._answers[event.answer].refused
        word = write_stop(event.stop, self._crossing, refused)
        return [*first, self._chunk(event.answer, {}, finish_reason=word)]

    def _count(self, event: Count) -> list[Any]:
        self._tally = event.tally  # it goes last, and only the last of them
        return []

    def _fault(self, event: Fault) -> list[Any]:
        return [write_problem(event.problem, self._crossing)]

    def _end(self, _: End) -> list[Any]:
        if self._tally is None:
            return [DONE]
        usage = write_tally(self._tally, self._crossing)
        return [self._envelope | {"choices": [], "usage": usage}, DONE]


def _envelope(begin: Begin) -> JSON:
    return {
        "id": begin.id or "chatcmpl-0",
        "object": OBJECT,
        "created": begin.created or 0,
        "model": begin.model,
    }


def _words(content: Part | None) -> str:
    if isinstance(content, ToolCall):
        return content.arguments
    return content.text if isinstance(content, Text | Reasoning | Refusal) else ""


def _delta(content: Part | None, call: int, text: str) -> JSON:
    """Return the delta that tells some text of a part."""
    match content:
        case Text():
            return {"content": text}
        case Reasoning():
            return {"reasoning_content": text}
        case Refusal():
            return {"refusal": text}
        case ToolCall(custom=True):
            return {"tool_calls": [{"index": call, "custom": {"input": text}}]}
        case ToolCall():
            return {"tool_calls": [{"index": call, "function": {"arguments": text}}]}
    return {}
