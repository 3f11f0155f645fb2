"""The vault's files: segments of frames, appended to by one process and erased in place by others.

`TIME-RUN.vault` begins with magic "FVLT0001" and 16 random bytes, the segment's id. A frame is

    bytes that follow u32 | bytes of its label u16 | CRC-32 of its label u32 | label | sealed

little-endian. The label is a MessagePack array: whose and what it is. What is sealed is a nonce and
AES-256-GCM with the label and the ids of ledger and segment beside it, so that no frame can be put
in another's place. An erased frame keeps its length; all else of it is zeros. A file ends where no
whole frame follows: what a crash tore was never acknowledged.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import msgspec

from farthing.errors import ConfigError
from farthing.ledger.disk import Disk

MAGIC = b"FVLT0001"
ID_BYTES = 16
BEGINS = len(MAGIC) + ID_BYTES
HEAD = struct.Struct("<IHI")
NAME = re.compile(r"([0-9a-f]{16})-(.+)\.vault")
# A frame's head and label are read at once: a label has ids and scopes of a few hundred bytes.
PIECE = 1024


class Label(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What can be read of a frame without a key."""

    query: str
    at: int
    """When it was written, in nanoseconds since 1970."""
    lineage: tuple[str, ...]
    """The query's key and the scopes it belongs to, the nearest first."""
    field: str
    """"prompt", "answer", or "seal", the last of a query's frames."""
    part: int
    """Which part of the field, from 0."""
    key: bytes
    """The id of the tenant's key."""


class Frame(NamedTuple):
    """A frame and where it is."""

    path: Path
    offset: int
    size: int
    """With its head."""
    label: Label | None
    """None where it is damaged."""

    def read(self, disk: Disk) -> tuple[bytes, bytes]:
        """Return its label and what is sealed, as bytes."""
        file = disk.open(self.path, os.O_RDONLY)
        try:
            data = disk.read(file, self.size, self.offset)
        finally:
            disk.close(file)
        begins = HEAD.size + HEAD.unpack_from(data)[1]
        return data[HEAD.size : begins], data[begins:]


encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Label).decode


def encoded(label: bytes, sealed: bytes) -> bytes:
    """Return a frame's bytes."""
    return HEAD.pack(len(label) + len(sealed), len(label), zlib.crc32(label)) + label + sealed


def segments(disk: Disk, folder: Path) -> list[Path]:
    """Return the vault's segments, the oldest first."""
    try:
        return [folder / name for name in sorted(disk.names(folder)) if NAME.fullmatch(name)]
    except FileNotFoundError:
        return []


def run_of(path: Path) -> str:
    """Return which run of which process wrote a segment."""
    match = NAME.fullmatch(path.name)
    assert match is not None, "it is a segment's name"
    return match[2]


def segment_id(disk: Disk, path: Path) -> bytes:
    """Return a segment's id; empty if it has none, as it was never begun."""
    file = disk.open(path, os.O_RDONLY)
    try:
        begin = disk.read(file, BEGINS, 0)
    finally:
        disk.close(file)
    return begin[len(MAGIC) :] if len(begin) == BEGINS and begin.startswith(MAGIC) else b""


def walk(disk: Disk, path: Path) -> Iterator[Frame]:
    """Yield a segment's frames that are not erased, in their order."""
    try:
        file = disk.open(path, os.O_RDONLY)
    except FileNotFoundError:  # it was empty, and deleted meanwhile
        return
    try:
        offset, size = BEGINS, disk.size(file)
        while offset + HEAD.size <= size:
            piece = disk.read(file, PIECE, offset)
            length, labelled, checksum = HEAD.unpack_from(piece)
            if not length or offset + HEAD.size + length > size:
                return
            whole = HEAD.size + length
            if labelled or checksum:
                if HEAD.size + labelled > len(piece):
                    piece = disk.read(file, HEAD.size + labelled, offset)
                label = piece[HEAD.size : HEAD.size + labelled]
                yield Frame(path, offset, whole, _label(label, checksum))
            offset += whole
            size = max(size, disk.size(file))
    finally:
        disk.close(file)


def _label(data: bytes, checksum: int) -> Label | None:
    if zlib.crc32(data) != checksum:
        return None
    try:
        return _decode(data)
    except msgspec.DecodeError:
        return None


def end_of(disk: Disk, path: Path) -> int:
    """Return where a segment's last whole frame ends."""
    file = disk.open(path, os.O_RDONLY)
    try:
        offset, size = BEGINS, disk.size(file)
        while offset + HEAD.size <= size:
            (length, _, _) = HEAD.unpack(disk.read(file, HEAD.size, offset))
            if not length or offset + HEAD.size + length > size:
                break
            offset += HEAD.size + length
        return offset
    finally:
        disk.close(file)


def erase(disk: Disk, frames: Iterable[Frame]) -> None:
    """Overwrite frames with zeros, on the disk; frames of one file must follow on each other.

    What is sealed goes first, the head after it: after a crash between a frame is damaged and not
    erased, so that it is found, and erased again.
    """
    for path, some in groupby(frames, attrgetter("path")):
        here = list(some)
        file = disk.open(path, os.O_RDWR)
        try:
            for frame in here:
                disk.write(file, bytes(frame.size - HEAD.size), frame.offset + HEAD.size)
            disk.sync(file)
            for frame in here:
                disk.write(file, HEAD.pack(frame.size - HEAD.size, 0, 0), frame.offset)
            disk.sync(file)
        finally:
            disk.close(file)


def is_dead(disk: Disk, path: Path) -> bool:
    """Say whether no process writes a segment any more."""
    try:
        disk.close(disk.lock(path, "a worker writes it"))
    except ConfigError:
        return False
    return True
