"""Streams of this dialect, read event by event into the canonical model."""

from __future__ import annotations

import re
from typing import Any

from farthing.wire.canon import JSON, Tally
from farthing.wire.chat.delta import read_delta
from farthing.wire.chat.problems import read_problem
from farthing.wire.chat.reading import NAME
from farthing.wire.chat.response import read_usage
from farthing.wire.chat.shape import without
from farthing.wire.chat.stops import stop_of
from farthing.wire.chat.track import Track
from farthing.wire.codec import WireEvent
from farthing.wire.events import Begin, Count, End, Event, Fault, Idle

DONE = "[DONE]"
SHAPE = "chunk"  # in the first event's rest: the chunk's shape; None: as the last one's
DATA = "data"  # in the first event's rest: data that is no chunk
EVENT = "event"  # in the first event's rest: the name that the event had

# What makes all events of a stream differ, against those who guess texts from packets' lengths.
# Within a text its quotes would have backslashes before them.
PADDING = b'"obfuscation"'
_padding = re.compile(rb',"obfuscation":"[^"\\]*"\}\n\n').sub


class Hearing:
    """Reads one stream."""

    TEXT_KEY = b'"content":'

    def __init__(self) -> None:
        self._begun = False
        self._ended = False
        self._shape: object = None
        self._tracks: dict[int, Track] = {}

    def read(self, event: WireEvent) -> list[Event]:
        """Return what an event says; the first of them keeps the event's shape."""
        events: list[Event] = []
        chunk = event.data
        if isinstance(chunk, dict):
            self._read_chunk(chunk, events)
            first = self._first(events)
            self._keep_shape(chunk, first, events)
        else:
            if chunk == DONE:
                self._end(events)
            first = self._first(events)
            first.rest = {DATA: chunk}
        if event.name:
            first.rest = first.rest | {EVENT: event.name}
        return events

    def without_padding(self, block: bytes) -> bytes:
        """Return whole events without what says nothing."""
        return _padding(b"}\n\n", block) if PADDING in block else block

    def rest(self) -> list[Event]:
        """Return the endings that were held back until nothing follows."""
        events: list[Event] = []
        self._finish_all(events, only_stopped=True)
        return events

    def _first(self, events: list[Event]) -> Event:
        if not events:
            events.append(Idle(type=SHAPE))
        return events[0]

    def _keep_shape(self, chunk: JSON, first: Event, events: list[Event]) -> None:
        shape: Any = chunk
        for event in events:
            for place in event.form.split():
                shape = without(shape, place.split("."))
        first.rest = {SHAPE: None if _equal(shape, self._shape) else shape}
        # A chunk with usage may be kept from the client, and so from the writer's memory.
        self._shape = None if isinstance(chunk.get("usage"), dict) else shape

    def _end(self, events: list[Event]) -> None:
        if self._ended:
            return
        self._begin({}, events)
        self._finish_all(events)
        self._ended = True
        events.append(End())

    def _begin(self, chunk: JSON, events: list[Event]) -> None:
        if self._begun:
            return
        self._begun = True
        begin = Begin(dialect=NAME, id=_text(chunk, "id"), model=_text(chunk, "model"))
        created = chunk.get("created")
        begin.created = created if type(created) is int else None
        events.append(begin)

    def _read_chunk(self, chunk: JSON, events: list[Event]) -> None:
        choices, usage = chunk.get("choices"), chunk.get("usage")
        error = chunk.get("error")
        told = isinstance(choices, list) and len(choices) > 0
        if self._ended or not (told or error or self._begun or isinstance(usage, dict)):
            return  # some providers tell first, in a chunk of its own, what they filtered
        self._begin(chunk, events)
        if isinstance(choices, list):
            for position, choice in enumerate(choices):
                self._read_choice(choice, f"choices.{position}", events)
        if not told:
            self._finish_all(events, only_stopped=True)
        if isinstance(usage, dict):
            events.append(Count(tally=Tally(usage=read_usage(usage), rest=usage), form="usage"))
        if error:
            self._finish_all(events, only_stopped=True)
            events.append(_fault(error, chunk))

    def _read_choice(self, choice: object, place: str, events: list[Event]) -> None:
        if not isinstance(choice, dict):
            return
        index = choice.get("index", 0)
        if type(index) is not int:
            return
        track = self._tracks.get(index)
        if track is None:
            track = self._tracks[index] = Track(index)
        delta = choice.get("delta")
        if isinstance(delta, dict) and not track.finished:
            read_delta(delta, choice.get("logprobs"), place + ".delta", track, events)
        told = choice.get("finish_reason")
        if isinstance(told, str) and told and not track.finished:
            self._stop(track, told, events)

    def _stop(self, track: Track, told: str, events: list[Event]) -> None:
        track.stop = stop_of(told, track.refused)
        if track.stop.kind != "tool_calls":
            track.finish(events)
        # Some providers say "tool_calls" after each call: the answer ends when nothing follows.

    def _finish_all(self, events: list[Event], only_stopped: bool = False) -> None:
        for track in self._tracks.values():
            if track.stop or not only_stopped:
                track.finish(events)


def _equal(shape: object, last: object) -> bool:
    try:
        return shape == last
    except RecursionError:  # nobody's chunk is nested so deeply
        return False


def _text(chunk: JSON, key: str) -> str:
    value = chunk.get(key)
    return value if isinstance(value, str) else ""


def _fault(error: Any, chunk: JSON) -> Fault:
    """Return an error inside a stream; its status is what it says, if it does."""
    told = [error.get("code"), error.get("status_code")] if isinstance(error, dict) else []
    told.append(chunk.get("status_code"))
    statuses = [code for code in told if type(code) is int and 400 <= code < 600]
    return Fault(problem=read_problem((statuses or [500])[0], {"error": error}))
