"""Groups: the form in which entries stand in the journal's files.

A group is a header and a MessagePack array of entries:

    magic "FGRP" | payload length u32 | CRC-32 u32 | first entry u64 | durable entries u64

little-endian; the checksum covers the two counters and the payload. Entries are numbered from 1
without gaps. "Durable entries" says how many entries were known to be on the disk when the group
was written. It tells a torn tail, which a crash may leave and which is cut off, from damage to
entries that were acknowledged, with which farthing refuses to start.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from farthing.ledger.disk import Buffer
from farthing.ledger.entry import Entry, decode_many

MAGIC = b"FGRP"
HEADER = struct.Struct("<4sIIQQ")
COUNTERS = struct.Struct("<QQ")
# The longest header of a MessagePack array: a byte and its length (u32).
ARRAY_HEADER_MOST = 5
GROUP_MOST = HEADER.size + ARRAY_HEADER_MOST
"""What a group takes beside its entries."""


class Header(NamedTuple):
    """A group's header, unpacked."""

    magic: bytes
    length: int
    checksum: int
    first: int
    durable: int


def header_at(buffer: Buffer, offset: int) -> Header | None:
    """Return the header at an offset, whatever it says; None where there is none."""
    head = buffer[offset : offset + HEADER.size]
    if len(head) < HEADER.size or not head.startswith(MAGIC):
        return None
    return Header._make(HEADER.unpack(head))


def encode_group(entries: list[bytes], first: int, durable: int) -> bytes:
    """Join encoded entries to a group; `first` is the number of the first of them."""
    payload = _array_header(len(entries)) + b"".join(entries)
    checksum = zlib.crc32(payload, zlib.crc32(COUNTERS.pack(first, durable)))
    return HEADER.pack(MAGIC, len(payload), checksum, first, durable) + payload


def group_at(
    buffer: Buffer, offset: int, position: int | None
) -> tuple[list[Entry], int, int] | None:
    """Return the group that begins at an offset: entries, end, durable entries. Or None."""
    head = buffer[offset : offset + HEADER.size]
    if len(head) < HEADER.size:
        return None
    magic, length, checksum, first, durable = HEADER.unpack(head)
    start = offset + HEADER.size
    if magic != MAGIC or start + length > len(buffer):
        return None
    if position is not None and first != position + 1:
        return None
    payload = buffer[start : start + length]
    if zlib.crc32(payload, zlib.crc32(COUNTERS.pack(first, durable))) != checksum:
        return None
    return decode_many(payload), start + length, durable


def read_groups(buffer: Buffer, offset: int, position: int) -> Iterator[tuple[list[Entry], int]]:
    """Yield each whole group from an offset on: its entries, and the offset after it.

    `position` is the number of entries before the offset. Ends at the first byte that is not the
    start of the next whole group.
    """
    while (group := group_at(buffer, offset, position)) is not None:
        entries, offset, _ = group
        position += len(entries)
        yield entries, offset


def skip_groups(
    buffer: Buffer, offset: int, position: int, until: int
) -> Iterator[tuple[int, int, int]]:
    """Pass over groups by their headers alone, until so many entries lie behind.

    Yields each group's start, its end, and how many entries lie before that end. What is in the
    groups is neither checked nor decoded.
    """
    while position < until:
        head = buffer[offset : offset + HEADER.size + ARRAY_HEADER_MOST]
        if len(head) <= HEADER.size:
            return
        magic, length, _, first, _ = HEADER.unpack_from(head)
        start, end, kind = offset, offset + HEADER.size + length, head[HEADER.size]
        count = kind & 0x0F if kind & 0xF0 == 0x90 else _long_array_count(head[HEADER.size :])
        if magic != MAGIC or first != position + 1 or not count or end > len(buffer):
            return
        offset, position = end, position + count
        yield start, end, position


def _array_header(count: int) -> bytes:
    """Return the MessagePack header of an array of that many items."""
    if count < 16:
        return bytes((0x90 | count,))
    return struct.pack(">BH", 0xDC, count) if count < 65536 else struct.pack(">BI", 0xDD, count)


def _long_array_count(head: bytes) -> int:
    """Return how many items the array of 16 or more has that begins so; 0 if it is none."""
    for first, form in ((0xDC, ">H"), (0xDD, ">I")):
        size = struct.calcsize(form)
        if head[0] == first and len(head) > size:
            (count,) = struct.unpack(form, head[1 : 1 + size])
            return int(count)
    return 0
