"""What a codec is: the functions that read one dialect into the canonical model and write it back.

They are pure, work on decoded JSON, and raise nothing but `Malformed`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from farthing.wire.canon import JSON, Problem, Request, Response
from farthing.wire.crossing import Crossing
from farthing.wire.events import Event
from farthing.wire.framing import WireEvent

__all__ = ["Codec", "StreamReader", "StreamWriter", "WireEvent"]


class StreamReader(Protocol):
    """Reads one stream. It remembers which parts are open."""

    def read(self, event: WireEvent) -> list[Event]:
        """Return what an event says; never nothing, so that each can be written back.

        The events of a whole stream follow this grammar: Begin first; then for each part Open,
        any More, Shut; Finish once for each answer, after its parts are shut; Count anywhere;
        End last. Parts of an answer are shut in the order they were opened.
        """

    def rest(self) -> list[Event]:
        """Return what the end of the connection says: in some streams nothing else ends them."""


class StreamWriter(Protocol):
    """Writes one stream."""

    def write(self, events: list[Event]) -> list[WireEvent]:
        """Return the events to send for what one event of the other side said.

        On the same dialect what `StreamReader.read` returned for one event gives just that event.
        """


class Codec(msgspec.Struct, frozen=True):
    """One dialect, both ways. What is read is never changed."""

    name: str
    read_request: Callable[[JSON], Request]
    """The model and whether to stream stay empty where the dialect puts them in the URL."""
    write_request: Callable[[Request, Crossing], JSON]
    read_response: Callable[[JSON], Response]
    write_response: Callable[[Response, Crossing], JSON]
    stream_reader: Callable[[], StreamReader]
    stream_writer: Callable[[Crossing], StreamWriter]
    read_problem: Callable[[int, Any], Problem]
    """Takes the HTTP status and the decoded body, whatever that is."""
    write_problem: Callable[[Problem, Crossing], JSON]
