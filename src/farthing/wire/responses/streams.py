"""Streams, read.

What an event says is followed by an Idle whose rest is the event itself: from it the writer of
this dialect makes the very same event again, with what is canonical put in anew, and to the others
it says nothing. So ids, indexes and numbers of events, which each dialect makes for itself, are
neither copied about nor named as losses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from farthing.wire.canon import (
    JSON,
    Answer,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Response,
    Signature,
    Text,
)
from farthing.wire.codec import WireEvent
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, Idle, More
from farthing.wire.responses.answers import read_response, take_stop
from farthing.wire.responses.forms import NAME, word
from farthing.wire.responses.items import read_item
from farthing.wire.responses.live import (
    SUMMARY,
    THOUGHTS,
    WHOLE,
    Live,
    LiveParts,
    Place,
    blank_of,
    text_of,
)
from farthing.wire.responses.logprobs import read_logprobs
from farthing.wire.responses.parts import read_citation, read_part
from farthing.wire.take import Taker

# The form of the Idle that carries an event, and of one that carries data that is no object.
ENVELOPE = "envelope"
BARE = "bare"

# An error inside a stream has no status of its own; its code tells one, or it is a 500.
STATUSES = {"rate_limit_exceeded": 429, "invalid_prompt": 400, "insufficient_quota": 429}


class Reader:
    """Reads one stream."""

    def __init__(self) -> None:
        self._begun = False
        self._over = False
        self._live = LiveParts()

    def rest(self) -> list[Event]:
        """Nothing is held back."""
        return []

    def read(self, event: WireEvent) -> list[Event]:
        """Return what an event says, and the event."""
        data = event.data
        if not isinstance(data, dict):
            return [Idle(type=event.name, rest={"data": data}, form=BARE)]
        said = [] if self._over else self._said(data)
        if said and not self._begun:
            said = self._begin(data) + [one for one in said if not isinstance(one, Begin)]
        said.append(Idle(type=event.name, rest=data, form=ENVELOPE))
        return said

    def _said(self, data: JSON) -> list[Event]:
        kind = data.get("type")
        if not isinstance(kind, str):
            return []
        if (delta := _DELTAS.get(kind)) is not None:
            return self._delta(data, *delta)
        handler = _HANDLERS.get(kind)
        return handler(self, data) if handler else []

    def _begin(self, data: JSON) -> list[Event]:
        self._begun = True
        told = data.get("response")
        left = dict(told) if isinstance(told, dict) else {}
        created = Taker(left).maybe("created_at", int)
        begin = Begin(dialect=NAME, id=word(left, "id"), model=word(left, "model"), created=created)
        return [begin]

    def _created(self, data: JSON) -> list[Event]:
        return [] if self._begun else self._begin(data)

    # -- parts ------------------------------------------------------------------------------------

    def _delta(
        self, data: JSON, where: int, index: str, blank: Callable[[], Part] | None
    ) -> list[Event]:
        text = data.get("delta")
        piece = _index(data, index) if index else 0
        place = (_index(data, "output_index"), where if where < 0 else piece)
        live = self._live.parts.get(place)
        said: list[Event] = []
        if live is None and blank is not None:
            said = self._live.open(place, blank())
            live = self._live.parts[place]
        if live is None or live.shut is not None or not isinstance(text, str):
            return said
        if where < 0:
            said += self._live.piece(live, piece)
        live.told += len(text)
        more = More(answer=0, part=live.number, text=text)
        if logs := data.get("logprobs"):
            more.logprobs = read_logprobs(logs) or []
        said.append(more)
        return said

    def _text_done(self, data: JSON) -> list[Event]:
        where, index, field = _DONE[data["type"]]
        piece = _index(data, index) if index else 0
        live = self._live.parts.get((_index(data, "output_index"), where if where < 0 else piece))
        whole = data.get(field)
        if live is None or not isinstance(whole, str) or (where < 0 and piece != live.index):
            return []
        return self._live.remainder(live, whole)

    def _part_added(self, data: JSON) -> list[Event]:
        part = data.get("part")
        place = (_index(data, "output_index"), _index(data, "content_index"))
        if not isinstance(part, dict) or place in self._live.parts:
            return []
        if part.get("type") == "reasoning_text":
            return self._thoughts((place[0], THOUGHTS), place[1])
        read = read_part(part)
        said = self._live.open(place, blank_of(read))
        return said + self._live.remainder(self._live.parts[place], text_of(read))

    def _summary_added(self, data: JSON) -> list[Event]:
        place = (_index(data, "output_index"), SUMMARY)
        return self._thoughts(place, _index(data, "summary_index"))

    def _thoughts(self, place: Place, piece: int) -> list[Event]:
        if live := self._live.parts.get(place):
            return [] if live.shut else self._live.piece(live, piece)
        return self._live.open(place, Reasoning(summary=place[1] == SUMMARY))

    def _part_done(self, data: JSON) -> list[Event]:
        part = data.get("part")
        live = self._live.parts.get((_index(data, "output_index"), _index(data, "content_index")))
        if live is None or not isinstance(part, dict):
            return []
        return self._finish_part(live, read_part(part, []))

    def _finish_part(self, live: Live, read: Part) -> list[Event]:
        return self._live.remainder(live, text_of(read)) + self._live.shut(live, read)

    def _annotation(self, data: JSON) -> list[Event]:
        live = self._live.parts.get((_index(data, "output_index"), _index(data, "content_index")))
        told = data.get("annotation")
        if live is None or live.shut is not None or not isinstance(told, dict):
            return []
        return [More(answer=0, part=live.number, citation=read_citation(told))]

    # -- items ------------------------------------------------------------------------------------

    def _item_added(self, data: JSON) -> list[Event]:
        item = data.get("item")
        place = (_index(data, "output_index"), WHOLE)
        if not isinstance(item, dict) or place in self._live.parts:
            return []
        if item.get("type") in ("message", "reasoning"):
            return []  # their parts come one by one
        read = read_item(item)[0]
        said = self._live.open(place, blank_of(read))
        return said + self._live.remainder(self._live.parts[place], text_of(read))

    def _item_done(self, data: JSON) -> list[Event]:
        item, at = data.get("item"), _index(data, "output_index")
        if not isinstance(item, dict):
            return []
        parts = read_item(item, [])
        if item.get("type") == "reasoning" and isinstance(parts[0], Reasoning):
            return self._reasoning_done(at, parts[0])
        places = [(at, index) for index in range(len(parts))]
        if item.get("type") != "message":
            places = [(at, WHOLE)]
        said: list[Event] = []
        for place, part in zip(places, parts, strict=False):
            if place not in self._live.parts:
                said += self._live.open(place, blank_of(part))
            said += self._finish_part(self._live.parts[place], part)
        for place, live in self._live.parts.items():
            if place[0] == at:
                said += self._live.shut(live, None)
        return said

    def _reasoning_done(self, at: int, read: Reasoning) -> list[Event]:
        """What is sealed is told at the end, and belongs to the last part of the item."""
        parts = self._live.parts
        known = [parts[at, sub] for sub in (SUMMARY, THOUGHTS) if (at, sub) in parts]
        said: list[Event] = []
        if not known:
            place = (at, SUMMARY if read.summary else THOUGHTS)
            said = self._live.open(place, Reasoning(summary=read.summary))
            known = [parts[place]]
            said += self._live.remainder(known[0], read.text)
        last = max(known, key=lambda live: live.number)
        if read.encrypted and last.shut is None:
            seal = Signature(value=read.encrypted, vendor=NAME)
            more = More(answer=0, part=last.number, encrypted=read.encrypted, signature=seal)
            said.append(more)
        for live in sorted(known, key=lambda live: live.number):
            said += self._live.shut(live, read if len(known) == 1 else None)
        return said

    # -- the end ----------------------------------------------------------------------------------

    def _done(self, data: JSON) -> list[Event]:
        told = data.get("response")
        body: JSON = told if isinstance(told, dict) else {}
        said: list[Event] = []
        # The output is repeated whole; it is read only where no piece of it came before.
        output = [] if self._live.kinds else body.get("output")
        whole = read_response({**body, "output": output})
        for part in _parts_of(whole):
            said += self._live.open((len(self._live.kinds), WHOLE), blank_of(part))
            said += self._finish_part(self._live.parts[len(self._live.kinds) - 1, WHOLE], part)
        said += self._live.shut_all()
        status = data["type"].removeprefix("response.")
        stop = take_stop(Taker({**body, "status": status}), self._live.kinds)
        if stop is not None and stop.kind == "error":
            return said + self._counted(whole) + self._fault(body.get("error"))
        if stop is not None:
            said.append(Finish(answer=0, stop=stop))
        self._over = True
        return [*said, *self._counted(whole), End()]

    def _counted(self, whole: Response) -> list[Event]:
        return [Count(tally=whole.tally)] if whole.tally else []

    def _error(self, data: JSON) -> list[Event]:
        told = data.get("error")
        said = self._live.shut_all()
        return said + self._fault(told if isinstance(told, dict) else data)

    def _fault(self, told: Any) -> list[Event]:
        self._over = True
        error = dict(told) if isinstance(told, dict) else {}
        message, code = word(error, "message"), word(error, "code")
        problem = Problem(
            dialect=NAME,
            status=STATUSES.get(code, 500),
            message=message or "The provider failed.",
            kind="" if error.get("type") == "error" else word(error, "type"),
            code=code,
        )
        return [Fault(problem=problem), End()]


def _index(data: JSON, key: str) -> int:
    told = data.get(key)
    return told if type(told) is int and told >= 0 else 0


def _parts_of(response: Response) -> list[Part]:
    answer = response.answers[0] if response.answers else Answer()
    return answer.parts


def _no_text() -> Part:
    return Text(text="")


# What comes in pieces: where it is in its item, which index tells, and what it begins as.
_DELTAS: dict[str, tuple[int, str, Callable[[], Part] | None]] = {
    "response.output_text.delta": (0, "content_index", _no_text),
    "response.refusal.delta": (0, "content_index", lambda: Refusal(text="")),
    "response.function_call_arguments.delta": (WHOLE, "", None),
    "response.custom_tool_call_input.delta": (WHOLE, "", None),
    "response.reasoning_text.delta": (THOUGHTS, "content_index", Reasoning),
    "response.reasoning_summary_text.delta": (
        SUMMARY,
        "summary_index",
        lambda: Reasoning(summary=True),
    ),
}

_DONE = {
    "response.output_text.done": (0, "content_index", "text"),
    "response.refusal.done": (0, "content_index", "refusal"),
    "response.function_call_arguments.done": (WHOLE, "", "arguments"),
    "response.custom_tool_call_input.done": (WHOLE, "", "input"),
    "response.reasoning_text.done": (THOUGHTS, "content_index", "text"),
    "response.reasoning_summary_text.done": (SUMMARY, "summary_index", "text"),
}

_HANDLERS: dict[str, Callable[[Reader, JSON], list[Event]]] = {
    **dict.fromkeys(_DONE, Reader._text_done),
    "response.created": Reader._created,
    "response.in_progress": Reader._created,
    "response.output_item.added": Reader._item_added,
    "response.output_item.done": Reader._item_done,
    "response.content_part.added": Reader._part_added,
    "response.content_part.done": Reader._part_done,
    "response.output_text.annotation.added": Reader._annotation,
    "response.reasoning_summary_part.added": Reader._summary_added,
    "response.completed": Reader._done,
    "response.incomplete": Reader._done,
    "response.failed": Reader._done,
    "error": Reader._error,
}
