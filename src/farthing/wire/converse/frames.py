"""AWS event streams: the binary frames that ConverseStream answers in.

A message is a prelude (its length, its headers' length, a CRC of these two), typed headers, a
payload, and a CRC of all before it; numbers are big-endian.

https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import json
import struct
from typing import Any
from zlib import crc32

import msgspec

from farthing.errors import Malformed
from farthing.wire.framing import WireEvent

MOST_BYTES = 16 * 1024 * 1024
"""The largest message, of which the specification allows this much as payload."""
MOST_HEADERS = 128 * 1024
"""The most bytes of headers, by the specification."""

PRELUDE, CRC = 12, 4

TRUE, FALSE, BYTE, SHORT, INTEGER, LONG, BYTES, STRING, TIMESTAMP, UUID = range(10)
"""The types of a header's value; a timestamp is milliseconds since the Unix epoch."""

_NUMBERS = {BYTE: ">b", SHORT: ">h", INTEGER: ">i", LONG: ">q", TIMESTAMP: ">q"}
_UUID_BYTES = 16


class Header(msgspec.Struct, frozen=True):
    """A header's value and its type on the wire."""

    type: int
    value: bool | int | bytes | str


class Message(msgspec.Struct, frozen=True):
    """One frame."""

    headers: dict[str, Header] = {}
    payload: bytes = b""

    def text(self, name: str) -> str:
        """Return a header's text; "" when there is none."""
        header = self.headers.get(name)
        return header.value if header is not None and isinstance(header.value, str) else ""


def _broken(what: str) -> Malformed:
    return Malformed("invalid_field", f"The event stream is broken: {what}.")


class Decoder:
    """Cuts a stream of bytes, in pieces of any size, into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._wanted = PRELUDE
        self._error: Malformed | None = None

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that are complete now.

        Raises:
            Malformed: a CRC or a length is wrong, once the messages before it were returned;
                and ever after, for what follows has no place to begin.
        """
        if self._error is not None:
            raise self._error
        self._buffer += data
        messages: list[Message] = []
        try:
            while len(self._buffer) >= self._wanted:
                message = self._next()
                if message is not None:
                    messages.append(message)
        except Malformed as error:
            self._error = error
            self._buffer.clear()
            if not messages:
                raise
        return messages

    def close(self) -> None:
        """Say that the stream is over.

        Raises:
            Malformed: it broke before, or ends within a message.
        """
        if self._error is not None:
            raise self._error
        if self._buffer:
            raise _broken("it ends within a message")

    def _next(self) -> Message | None:
        """Read the prelude, and return None; or return the message when it is all there."""
        total, in_headers = struct.unpack_from(">II", self._buffer)
        if self._wanted == PRELUDE:
            _check_prelude(self._buffer, total, in_headers)
            self._wanted = total
            return None
        whole = bytes(memoryview(self._buffer)[:total])
        del self._buffer[:total]
        self._wanted = PRELUDE
        if crc32(whole[:-CRC]) != int.from_bytes(whole[-CRC:], "big"):
            raise _broken("a message's CRC is wrong")
        end = PRELUDE + in_headers
        return Message(read_headers(whole[PRELUDE:end]), whole[end:-CRC])


def _check_prelude(buffer: bytearray, total: int, in_headers: int) -> None:
    if crc32(buffer[:8]) != int.from_bytes(buffer[8:PRELUDE], "big"):
        raise _broken("a prelude's CRC is wrong")
    if total > MOST_BYTES or in_headers > MOST_HEADERS:
        raise _broken("a message is too large")
    if total < PRELUDE + in_headers + CRC:
        raise _broken("a message's lengths do not fit together")


def read_headers(data: bytes) -> dict[str, Header]:
    """Return the headers.

    Raises:
        Malformed: a type is unknown, a length is wrong, or a name comes twice.
    """
    headers: dict[str, Header] = {}
    at = 0
    try:
        while at < len(data):
            start, at = at + 1, at + 1 + data[at]
            name = _cut(data, start, at).decode()
            kind = data[at]
            value, at = _read_value(data, at + 1, kind)
            if not name or name in headers:
                raise _broken("a header has no name, or comes twice")
            headers[name] = Header(kind, value)
    except (IndexError, struct.error, UnicodeDecodeError):
        raise _broken("a header is cut off, or no text") from None
    return headers


def _cut(data: bytes, start: int, end: int) -> bytes:
    if end > len(data):
        raise IndexError
    return data[start:end]


def _read_value(data: bytes, at: int, kind: int) -> tuple[bool | int | bytes | str, int]:
    """Return a header's value and where it ends."""
    if kind in (TRUE, FALSE):
        return kind == TRUE, at
    if kind in _NUMBERS:
        (number,) = struct.unpack_from(_NUMBERS[kind], data, at)
        return number, at + struct.calcsize(_NUMBERS[kind])
    if kind == UUID:
        return _cut(data, at, at + _UUID_BYTES), at + _UUID_BYTES
    if kind not in (BYTES, STRING):
        raise _broken("a header is of no known type")
    (length,) = struct.unpack_from(">H", data, at)
    start, end = at + 2, at + 2 + length
    value = _cut(data, start, end)
    return (value.decode() if kind == STRING else value), end


def encode(message: Message) -> bytes:
    """Return a message as bytes.

    Raises:
        Malformed: it is larger than a decoder would take, or a header does not fit its type.
    """
    headers = b"".join(_write_header(name, told) for name, told in message.headers.items())
    total = PRELUDE + len(headers) + len(message.payload) + CRC
    if total > MOST_BYTES or len(headers) > MOST_HEADERS:
        raise _broken("a message is too large")
    prelude = struct.pack(">II", total, len(headers))
    whole = prelude + crc32(prelude).to_bytes(4, "big") + headers + message.payload
    return whole + crc32(whole).to_bytes(4, "big")


def _write_header(name: str, header: Header) -> bytes:
    try:
        encoded = name.encode()
        return bytes([len(encoded)]) + encoded + bytes([header.type]) + _write_value(header)
    except (struct.error, ValueError, TypeError, AttributeError):
        raise _broken("a header does not fit its type") from None


def _write_value(header: Header) -> bytes:
    value: Any = header.value
    if header.type in (TRUE, FALSE):
        return b""
    if header.type in _NUMBERS:
        return struct.pack(_NUMBERS[header.type], value)
    if header.type == UUID:
        return struct.pack(f"{_UUID_BYTES}s", value)
    data: bytes = value.encode() if header.type == STRING else value
    return struct.pack(">H", len(data)) + data


# -- events -------------------------------------------------------------------------------------

JSON_TYPE = "application/json"


def read_event(message: Message) -> WireEvent:
    """Return the event that a message carries: an event, an exception, or an unmodelled error.

    Raises:
        Malformed: its payload is no JSON.
    """
    kind = message.text(":message-type")
    if kind == "error":
        told = {"message": message.text(":error-message")}
        return WireEvent(data=told, name=_exception(message.text(":error-code")))
    name = message.text(":event-type")
    if kind == "exception":
        name = _exception(message.text(":exception-type"))
    try:
        # The library's own decoder takes a lone surrogate too: half of a character that the
        # provider cut in two.
        data = json.loads(message.payload) if message.payload else {}
    except (ValueError, RecursionError):
        raise _broken("an event is no JSON") from None
    return WireEvent(data=data, name=name)


def _exception(name: str) -> str:
    """Return an exception's name, which tells it from an event's."""
    return name if name.endswith("Exception") else f"{name}Exception"


def write_event(event: WireEvent) -> bytes:
    """Return the frame of an event; of an exception when it is named so.

    Raises:
        Malformed: it is nested too deep, or too large.
    """
    kind = "exception" if event.name.endswith("Exception") else "event"
    headers = {f":{kind}-type": event.name, ":content-type": JSON_TYPE, ":message-type": kind}
    try:
        payload = json.dumps(event.data, separators=(",", ":")).encode()
    except RecursionError:
        raise _broken("an event is nested too deep") from None
    return encode(Message({name: Header(STRING, told) for name, told in headers.items()}, payload))
