"""Streams: reading them. Each event is a slice of a whole answer.

Texts and thoughts grow from event to event; every other part comes whole, but for calls whose
arguments are told in pieces. What is not understood of an event stays in an Idle at its head.
"""

from __future__ import annotations

from typing import Any

from farthing.wire.canon import JSON, Node, Part, Reasoning, Stop, Text, ToolCall
from farthing.wire.codec import WireEvent
from farthing.wire.events import Begin, Count, Event, Fault, Finish, Idle, More, Open, Shut
from farthing.wire.gemini.answers import seconds
from farthing.wire.gemini.calls import VENDOR, Ids
from farthing.wire.gemini.citations import read_citations
from farthing.wire.gemini.logprobs import read_logprobs
from farthing.wire.gemini.parts import read_part
from farthing.wire.gemini.pieces import Pieces
from farthing.wire.gemini.problems import read_problem
from farthing.wire.gemini.spelling import compact
from farthing.wire.gemini.stops import read_stop
from farthing.wire.gemini.usage import read_tally

# The types of Idle: an event's rest, and an event that is no slice of an answer at all.
SLICE, RAW = "slice", "raw"
# Forms: what is said elsewhere in its event as well, and a piece of a call, kept as its `part`.
DERIVED, PIECE = "derived", "piece"

MOST_ANSWERS = 128


def numbered(candidates: list[JSON]) -> dict[int, int]:
    """Return which answers candidates belong to: answer → place. The first of two has it."""
    found: dict[int, int] = {}
    for place, candidate in enumerate(candidates):
        told = candidate.get("index")
        number = told if type(told) is int and 0 <= told < MOST_ANSWERS else place
        found.setdefault(number, place)
    return found


class Reader:
    """Reads one stream. It never gives End: a stream of this dialect just stops."""

    def __init__(self) -> None:
        self._begun = False
        self._ids = Ids()
        self._answers: dict[int, _Answer] = {}

    def rest(self) -> list[Event]:
        """Nothing is held back."""
        return []

    def read(self, event: WireEvent) -> list[Event]:
        """Return what an event says.

        Raises Malformed when a call's arguments are nested too deeply.
        """
        data = event.data
        match data:
            case {"error": {"message": str()} as told}:
                code = told.get("code")
                status = code if type(code) is int and 400 <= code < 600 else 500
                return [Fault(problem=read_problem(status, data), form=event.name)]
            case dict():
                return self._slice(data, event.name)
        return [Idle(type=RAW, rest={"data": data}, form=event.name)]

    def _slice(self, data: JSON, name: str) -> list[Event]:
        left = dict(data)
        events: list[Event] = [] if self._begun else [self._begin(data)]
        events.append(Idle(type=SLICE, rest=left, form=name))
        tally = read_tally(left.get("usageMetadata"))
        if tally is not None:
            del left["usageMetadata"]
            events.append(Count(tally=tally))
        candidates = data.get("candidates")
        if isinstance(candidates, list) and _are_objects(candidates):
            left["candidates"] = list(candidates)
            for number, place in numbered(candidates).items():
                left["candidates"][place] = self._answer(number).read(candidates[place], events)
        else:
            self._blocked(data, events)
        return events

    def _begin(self, data: JSON) -> Begin:
        self._begun = True
        told = {key: data.get(key) for key in ("responseId", "modelVersion", "createTime")}
        name, model, time = (value if isinstance(value, str) else "" for value in told.values())
        self._ids = Ids(name)
        tally = read_tally(data.get("usageMetadata"))
        return Begin(dialect=VENDOR, id=name, model=model, created=seconds(time), tally=tally)

    def _answer(self, number: int) -> _Answer:
        if number not in self._answers:
            self._answers[number] = _Answer(number, self._ids)
        return self._answers[number]

    def _blocked(self, data: JSON, events: list[Event]) -> None:
        """Read a `promptFeedback` that says why there are no candidates."""
        match data.get("promptFeedback"):
            case {"blockReason": str(reason)} if not self._answer(0).finished:
                self._answer(0).finished = True
                stop = Stop(kind="filter", told=reason)
                events.append(Finish(answer=0, stop=stop, form="prompt"))


class _Answer:
    """One answer of a stream: its parts so far, and the open one."""

    def __init__(self, number: int, ids: Ids) -> None:
        self.finished = False
        self._number = number
        self._ids = ids
        self._part = -1
        self._open: type[Node] | None = None
        self._said: list[str] = []
        self._calls = False
        self._pieces: Pieces | None = None

    def read(self, candidate: JSON, events: list[Event]) -> JSON:
        """Read a slice of the answer; return what is left of it."""
        left = dict(candidate)
        match left.get("content"):
            case {"parts": [_, *_] as parts, **content} if _are_objects(parts):
                left["content"] = content
                for part in parts:
                    self._read_part(part, events)
        self._derive(left, events)
        stop = None if self.finished else read_stop(left.get("finishReason"), self._calls)
        if stop is not None:
            self.finished = True
            del left["finishReason"]
            self._shut(events)
            events.append(Finish(answer=self._number, stop=stop))
        return left

    def _read_part(self, value: JSON, events: list[Event]) -> None:
        if self._pieces is not None and _is_piece(value):
            self._read_piece(value, events)
            return
        part = read_part(value, self._ids)
        if isinstance(part, Text | Reasoning):
            self._grow(part, events)
            return
        self._shut(events)
        if isinstance(part, ToolCall):
            self._call(part, value, events)
        else:
            self._begin(part, events)
            self._shut(events)

    def _grow(self, part: Text | Reasoning, events: list[Event]) -> None:
        """Read more of the open text or thought, or the beginning of one."""
        if self._open is not type(part):
            self._shut(events)
            empty = Text(text="") if isinstance(part, Text) else Reasoning(summary=True)
            self._begin(empty, events)
        self._said.append(part.text)
        more = self._more(text=part.text)
        more.signature, more.rest, more.form = part.signature, part.rest, part.form
        events.append(more)

    def _call(self, call: ToolCall, value: JSON, events: list[Event]) -> None:
        self._calls = True
        arguments, call.arguments = call.arguments, ""
        told = call.rest.get("functionCall")
        self._begin(call, events)
        if not arguments and isinstance(told, dict) and told.get("willContinue") is True:
            self._pieces = Pieces()
            self._pieces.add(told.get("partialArgs"))
            call.rest = {key: left for key, left in call.rest.items() if key != "functionCall"}
            events[-1].rest, events[-1].form = {"part": value}, PIECE
        if arguments:
            events.append(self._more(text=arguments))
        if self._pieces is None:
            self._shut(events)

    def _read_piece(self, value: JSON, events: list[Event]) -> None:
        more = self._more()
        more.rest, more.form = {"part": value}, PIECE
        events.append(more)
        if self._pieces is not None:
            self._pieces.add(value["functionCall"].get("partialArgs"))
        if value["functionCall"].get("willContinue") is not True:
            self._shut(events)

    def _derive(self, left: JSON, events: list[Event]) -> None:
        """Give what belongs to the open text: the sources cited, and log-probabilities."""
        if self._open is not Text:
            return
        if left.get("groundingMetadata") or left.get("citationMetadata"):
            for _, citation in read_citations(left, [Text(text="".join(self._said))]):
                more = self._more(form=DERIVED)
                more.citation = citation
                events.append(more)
        tokens = read_logprobs(left.get("logprobsResult"))
        if tokens:
            more = self._more(form=DERIVED)
            more.logprobs = tokens
            events.append(more)

    def _begin(self, part: Part, events: list[Event]) -> None:
        self._part += 1
        self._open = type(part)
        self._said = []
        events.append(Open(answer=self._number, part=self._part, content=part))

    def _shut(self, events: list[Event]) -> None:
        """End the open part, if any."""
        if self._open is None:
            return
        if self._pieces is not None:
            args = compact(self._pieces.whole())
            events.append(self._more(text=args, form=DERIVED))
        self._open, self._pieces = None, None
        events.append(Shut(answer=self._number, part=self._part))

    def _more(self, text: str = "", form: str = "") -> More:
        return More(answer=self._number, part=self._part, text=text, form=form)


def _are_objects(values: list[Any]) -> bool:
    return all(isinstance(value, dict) for value in values)


def _is_piece(value: Any) -> bool:
    """Whether a part goes on with a call: it names no function."""
    match value:
        case {"functionCall": dict(told)}:
            return "name" not in told
    return False
