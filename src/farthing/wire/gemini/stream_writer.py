"""Streams: writing them."""

from __future__ import annotations

import msgspec

from farthing.wire.canon import JSON, Citation, Part, Reasoning, Refusal, Tally, Text, ToolCall
from farthing.wire.codec import WireEvent
from farthing.wire.crossing import Crossing
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, Idle, More, Open, Shut
from farthing.wire.gemini.answers import time
from farthing.wire.gemini.citations import Grounding
from farthing.wire.gemini.logprobs import write_logprobs
from farthing.wire.gemini.parts import PartWriter
from farthing.wire.gemini.problems import write_problem
from farthing.wire.gemini.stops import write_stop
from farthing.wire.gemini.stream_reader import DERIVED, PIECE, RAW, SLICE, numbered
from farthing.wire.gemini.usage import write_tally

_GROWING = Text | Reasoning | Refusal


class _Open(msgspec.Struct):
    """An open part: what it began as, and what was said of it since."""

    content: Part
    pieces: list[str] = []
    citations: list[Citation] = []
    written: bool = False


class _Slice:
    """One event to be: what was said of each answer, and what was not understood of it."""

    def __init__(self) -> None:
        self.rest: JSON | None = None
        self.name = ""
        self.parts: dict[int, list[JSON]] = {}
        self.keys: dict[int, JSON] = {}
        self.top: JSON = {}

    def body(self, default: JSON) -> JSON:
        """Return the event; `default` is what each event says that was not read as one."""
        if self.rest is None:
            return self._new(default)
        made = {**self.rest, **self.top}
        if self.parts or self.keys:
            made["candidates"] = list(made["candidates"])
            for number, place in numbered(made["candidates"]).items():
                told = made["candidates"][place]
                made["candidates"][place] = self._candidate(number, told)
        return made

    def _new(self, default: JSON) -> JSON:
        numbers = sorted({*self.parts, *self.keys})
        empty: JSON = {"content": {"role": "model"}}
        candidates = [{**self._candidate(number, empty), "index": number} for number in numbers]
        made: JSON = {"candidates": candidates} if candidates else {}
        return {**made, **self.top, **default}

    def _candidate(self, number: int, told: JSON) -> JSON:
        made = {**told, **self.keys.get(number, {})}
        if number in self.parts:
            made["content"] = {**told.get("content", {}), "parts": self.parts[number]}
        return made


class Writer:
    """Writes one stream.

    An answer's end goes out together with the usage, as it does in streams of the provider's own:
    so it waits for the first Count, or the End.
    """

    def __init__(self, crossing: Crossing) -> None:
        self._crossing = crossing
        self._parts = PartWriter(crossing, answer=True)
        self._open: dict[tuple[int, int], _Open] = {}
        self._grounding: dict[int, Grounding] = {}
        self._said: dict[int, int] = {}
        self._ends: dict[int, JSON] = {}
        self._default: JSON = {}
        self._tally: Tally | None = None
        self._counted = False
        self._told = True
        self._slice = _Slice()

    def write(self, events: list[Event]) -> list[WireEvent]:
        """Return the events to send for what one event of the other side said.

        Raises Malformed when a call's arguments are no JSON object.
        """
        self._slice = _Slice()
        out: list[WireEvent] = []
        over = False
        for event in events:
            match event:
                case Idle() if self._crossing.same and event.type == RAW:
                    out.append(WireEvent(event.rest["data"], event.form))
                case Idle() if self._crossing.same and event.type == SLICE:
                    self._slice.rest, self._slice.name = event.rest, event.form
                case Fault():
                    name = self._crossing.form(event)
                    out.append(WireEvent(write_problem(event.problem, self._crossing), name))
                case End():
                    over = True
                case _:
                    self._take(event)
        return self._flush(over) + out

    def _take(self, event: Event) -> None:
        match event:
            case Open():
                self._begin(event)
            case More():
                self._more(event)
            case Shut():
                self._shut(event)
            case Finish():
                self._finish(event)
            case Count():
                self._tally, self._counted, self._told = event.tally, True, False
            case Begin():
                told = {"modelVersion": event.model, "responseId": event.id}
                told["createTime"] = time(event.created)
                self._default = {key: value for key, value in told.items() if value}
                self._tally = event.tally

    def _flush(self, over: bool) -> list[WireEvent]:
        """Return the event that was gathered, if there is anything in it."""
        made = self._slice
        if made.rest is None and self._ends and (self._counted or over):
            for number, keys in self._ends.items():
                made.keys.setdefault(number, {}).update(keys)
            self._ends, self._told = {}, self._tally is None
        said = bool(made.parts or made.keys)
        if not self._told and self._tally is not None and (said or over or made.rest is not None):
            told = write_tally(self._tally, self._crossing)
            made.top = {} if told is None else {"usageMetadata": told}
            self._told = True
        if made.rest is None and not said and not made.top:
            return []
        return [WireEvent(made.body(self._default), made.name)]

    def _add(self, answer: int, part: JSON | None) -> None:
        if part is not None:
            self._slice.parts.setdefault(answer, []).append(part)

    def _begin(self, event: Open) -> None:
        content = event.content
        opened = _Open(content=content)
        self._open[event.answer, event.part] = opened
        if isinstance(content, ToolCall):
            if self._slice.rest is not None and event.form == PIECE:
                opened.written = True
                self._add(event.answer, event.rest["part"])
        elif not isinstance(content, _GROWING):
            self._add(event.answer, self._parts.one(content))
        elif content.text:
            opened.pieces.append(content.text)
            self._add(event.answer, self._parts.one(content))

    def _more(self, event: More) -> None:
        form = self._crossing.form(event)
        opened = self._open.get((event.answer, event.part))
        if opened is None or (form == DERIVED and self._slice.rest is not None):
            return
        if form == PIECE and self._slice.rest is not None:
            self._add(event.answer, event.rest["part"])
            return
        opened.pieces.append(event.text)
        if isinstance(opened.content, ToolCall):
            if event.signature is not None:
                opened.content = msgspec.structs.replace(opened.content, signature=event.signature)
            return
        self._details(event, opened)
        if event.text or event.signature or event.encrypted or self._slice.rest is not None:
            self._add(event.answer, self._grown(event, opened.content))

    def _details(self, event: More, opened: _Open) -> None:
        if event.citation is not None:
            opened.citations.append(event.citation)
        if event.logprobs:
            tops = any(token.top for token in event.logprobs)
            told = write_logprobs(event.logprobs, tops, self._crossing)
            self._slice.keys.setdefault(event.answer, {})["logprobsResult"] = told

    def _grown(self, event: More, content: Part) -> JSON | None:
        """Return the part that says some more of an open one."""
        part: Part
        if isinstance(content, Reasoning):
            part = Reasoning(text=event.text, encrypted=event.encrypted)
            part.signature = event.signature
        elif isinstance(content, Refusal):
            part = Refusal(text=event.text)
        else:
            part = Text(text=event.text, signature=event.signature)
        part.rest, part.form = event.rest, event.form
        return self._parts.one(part)

    def _shut(self, event: Shut) -> None:
        opened = self._open.pop((event.answer, event.part), None)
        if opened is None or opened.written:
            return
        text = "".join(opened.pieces)
        content = opened.content
        if isinstance(content, ToolCall):
            whole = event.content if isinstance(event.content, ToolCall) else content
            call = msgspec.structs.replace(content, arguments=text or whole.arguments)
            self._add(event.answer, self._parts.one(call))
        elif isinstance(content, Text):
            before = self._said.get(event.answer, 0)
            self._said[event.answer] = before + len(text.encode(errors="replace"))
            if opened.citations:
                grounding = self._grounding.setdefault(event.answer, Grounding(self._crossing))
                grounding.add(text, opened.citations, {"before": before})

    def _finish(self, event: Finish) -> None:
        keys = {"finishReason": write_stop(event.stop, self._crossing)}
        if self._slice.rest is None:
            grounding = self._grounding.get(event.answer)
            self._ends[event.answer] = {**keys, **(grounding.written() if grounding else {})}
        elif event.form != "prompt":
            self._slice.keys.setdefault(event.answer, {}).update(keys)
