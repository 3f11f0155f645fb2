"""Streamed events that differ from the last one in nothing but a piece of text.

Most events of a stream are that. Translating one takes some fifteen microseconds, and what comes
out differs from what came out before in the same text alone: so it is put in its place, for all
that follow each other at once. Readers and writers whose state such an event leaves as it is say
so, by having `again`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from farthing.wire.events import Event, More

# How often a stream is learnt from in vain before that is given up: some providers' events each
# have something of their own.
HOPES = 8

# So many events at most are said again at once.
MOST = 256

# What ends an event.
BLANK = b"\n\n"

_decode_texts = msgspec.json.Decoder(list[str]).decode
_encode = msgspec.json.encode


class Refrain:
    """What one event became, to be said again with another text."""

    def __init__(self, reader: Any, writer: Any) -> None:
        self._tell: Callable[[int], None] = getattr(writer, "again", None) or _nobody
        self._key: bytes = getattr(reader, "TEXT_KEY", b"")
        self._hopes = HOPES if self._key and self._tell is not _nobody else 0
        self._known = False
        self._before = self._after = self._between = b""
        self._to_before = self._to_after = self._to_between = b""

    def alone(self, block: bytes) -> bytes | None:
        """Return what a block becomes that is one such event, with an easy text."""
        if not self._known or not block.startswith(self._before) or not block.endswith(self._after):
            return None
        told = block[len(self._before) : -len(self._after)]
        if b'"' in told or b"\\" in told:  # there may be others between
            return None
        try:
            text = told.decode()
        except UnicodeDecodeError:
            return None
        if not text or not text.isprintable():
            return None
        self._tell(len(text))
        self._hopes = HOPES
        return b"%s%s%s" % (self._to_before, told, self._to_after)

    def again(self, block: bytes, at: int = 0) -> tuple[bytes, int]:
        """Return what events become that are the last one with other texts, and where they end.

        They stand from a place on in a block of whole events, one after the other, each ended by
        an empty line without carriage returns. Where there is none, that is the same place.
        """
        if not self._known or not block.startswith(self._before, at):
            return b"", at
        begin = at + len(self._before)
        told = self._plain(block[begin:].split(self._between, MOST))
        found = _spelt(told) or _spelt(told[:1])  # of many, one alone may be at fault
        if not found:
            return b"", at
        texts, length = found
        self._tell(length)
        self._hopes = HOPES
        size = sum(map(len, told[: len(texts)])) + (len(texts) - 1) * len(self._between)
        said = b"%s%s%s" % (self._to_before, self._to_between.join(texts), self._to_after)
        return said, begin + size + len(self._after)

    def _plain(self, pieces: list[bytes]) -> list[bytes]:
        """Return the texts up to the first event that is not like the last one.

        The last piece is a text and all that follows it.
        """
        last = pieces.pop()
        if pieces and (b"" in pieces or not _is_closed(b"\n".join(pieces))):
            first = next(place for place, piece in enumerate(pieces) if not _is_closed(piece))
            last, pieces = pieces[first], pieces[:first]
        text, after, _ = last.partition(self._after)
        if after and _is_closed(text):
            pieces.append(text)
        return pieces

    def learn(self, raw: bytes, events: list[Event], written: bytes) -> None:
        """Remember what an event said and became, if it was nothing but a piece of text.

        It comes without the empty line that ends it.
        """
        self._known = False
        if not self._hopes or len(events) != 1 or not _is_text(events[0]):
            return
        self._hopes -= 1
        text = _encode(events[0].text)  # type: ignore[union-attr]
        place, to = raw.find(self._key + text), written.find(text)
        if place < 0 or to < 0 or raw.count(text) != 1 or written.count(text) != 1:
            return
        place += len(self._key) + 1
        self._before, self._after = raw[:place], raw[place + len(text) - 2 :] + BLANK
        self._between = self._after + self._before
        self._to_before, self._to_after = written[: to + 1], written[to + len(text) - 1 :]
        self._to_between = self._to_after + self._to_before
        self._known = True


def _nobody(_: int) -> None:
    """There is no writer to tell."""


def _is_closed(text: bytes) -> bool:
    """Whether each quote in a text has a backslash before it, and it is not empty."""
    return text.count(b'"') == text.count(b'\\"') and text != b""


def _spelt(told: list[bytes]) -> tuple[list[bytes], int] | None:
    """Return texts as a writer spells them, and how many characters they have.

    They are decoded as an array's strings. A text in which each quote has a backslash before it
    may end a string too early or too late; then what is outside of strings next is a text, where a
    backslash is an error, so that no quote is there to set it right again.
    """
    array = b'["%s"]' % b'","'.join(told)
    try:
        texts = _decode_texts(array)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    length = sum(map(len, texts))
    if not length:
        return None
    return told if _encode(texts) == array else [_encode(text)[1:-1] for text in texts], length


def _is_text(event: Event) -> bool:
    if not isinstance(event, More) or not event.text:
        return False
    return not (event.citation or event.signature or event.encrypted or event.logprobs)
