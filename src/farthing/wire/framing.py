"""How a dialect's streams are cut into events: server-sent events, or a vendor's binary frames."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from farthing.errors import Malformed
from farthing.wire import sse

# An event larger than this is nobody's slice of an answer.
EVENT_MOST = 16 * 1024 * 1024


class WireEvent(msgspec.Struct):
    """One event of a stream as it stands on the wire, framing apart."""

    data: Any
    """The decoded JSON; or a string for data that is no JSON, such as "[DONE]"."""
    name: str = ""
    """The event's name, where the dialect gives events one."""


class Framing(Protocol):
    """Cuts one stream into events, and events into bytes."""

    def feed(self, data: bytes) -> list[WireEvent]:
        """Return the events that are complete now. Raises Malformed."""

    def rest(self) -> list[WireEvent]:
        """Return what the end of the stream completes. Raises Malformed."""

    def write(self, event: WireEvent) -> bytes:
        """Return an event's bytes. Raises Malformed."""


class SseFraming:
    """Server-sent events."""

    def __init__(self) -> None:
        self._carry = b""

    def feed(self, data: bytes) -> list[WireEvent]:
        """Return the events that are complete now."""
        return _read(list(sse.events(self.whole(data))))

    def whole(self, data: bytes) -> bytes:
        """Return the events that are complete now, as they came. Raises Malformed."""
        block = self._carry + data if self._carry else data
        length = sse.complete_length(block)
        self._carry = block[length:]
        if len(self._carry) > EVENT_MOST:
            raise Malformed("invalid_field", "An event of the stream has no end.")
        return block[:length] if self._carry else block

    def rest(self) -> list[WireEvent]:
        """Return the event that no blank line ended."""
        rest, self._carry = self._carry, b""
        return _read(list(sse.events(rest)))

    def write(self, event: WireEvent) -> bytes:
        """Return an event's lines."""
        data = event.data
        text = data.encode() if isinstance(data, str) else msgspec.json.encode(data)
        if event.name:
            return b"event: %s\ndata: %s\n\n" % (event.name.encode(), text)
        return b"data: %s\n\n" % text


def read_event(raw: bytes) -> WireEvent | None:
    """Return a server-sent event; None for one without data."""
    data = sse.data(raw)
    return WireEvent(_data(data), sse.name(raw)) if data else None


def _read(blocks: list[bytes]) -> list[WireEvent]:
    return [event for event in map(read_event, blocks) if event is not None]


def _data(data: bytes) -> Any:
    """Return the decoded JSON, or the text where it is none, such as "[DONE]"."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return data.decode("utf-8", "replace")
