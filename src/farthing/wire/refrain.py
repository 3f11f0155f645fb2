"""Streamed events that differ from the last one in nothing but a piece of text.

Most events of a stream are that. Translating one takes some fifteen microseconds, and what comes
out differs from what came out before in the same text alone: so it is put in its place. Readers
and writers whose state such an event leaves as it is say so, by having `again`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from farthing.wire.events import Event, More

# How often a stream is learnt from in vain before that is given up: some providers' events each
# have something of their own.
HOPES = 8


class Refrain:
    """What one event became, to be said again with another text."""

    def __init__(self, reader: Any, writer: Any) -> None:
        self._tell = getattr(writer, "again", None)
        self._key: bytes = getattr(reader, "TEXT_KEY", b"")
        self._hopes = HOPES if self._key and self._tell else 0
        self._known = False
        self._before = self._after = self._to_before = self._to_after = b""

    def again(self, raw: bytes) -> bytes | None:
        """Return what an event becomes, if it is the last one with another text."""
        if not self._known or not raw.startswith(self._before) or not raw.endswith(self._after):
            return None
        told = raw[len(self._before) : len(raw) - len(self._after)]
        if b'"' in told or b"\\" in told:
            return None
        try:
            text = told.decode()
        except UnicodeDecodeError:
            return None
        if not text or not text.isprintable() or self._tell is None:
            return None
        self._tell(text)
        self._hopes = HOPES
        return b"%s%s%s" % (self._to_before, told, self._to_after)

    def learn(self, raw: bytes, events: list[Event], written: bytes) -> None:
        """Remember what an event said and became, if it was nothing but a piece of text."""
        self._known = False
        if not self._hopes or len(events) != 1 or not _is_text(events[0]):
            return
        self._hopes -= 1
        text = msgspec.json.encode(events[0].text)  # type: ignore[union-attr]
        place, to = raw.find(self._key + text), written.find(text)
        if place < 0 or to < 0 or raw.count(text) != 1 or written.count(text) != 1:
            return
        place += len(self._key) + 1
        self._before, self._after = raw[:place], raw[place + len(text) - 2 :]
        self._to_before, self._to_after = written[: to + 1], written[to + len(text) - 1 :]
        self._known = True


def _is_text(event: Event) -> bool:
    if not isinstance(event, More) or not event.text:
        return False
    return not (event.citation or event.signature or event.encrypted or event.logprobs)
