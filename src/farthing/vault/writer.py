"""Appends records to the vault's segments, encrypted and on the disk; for one thread alone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from farthing import clock
from farthing.ledger.disk import DISK, Disk
from farthing.vault.keys import NONCE_BYTES, Keys, TenantKey, segment_cipher
from farthing.vault.rules import DAY
from farthing.vault.segment import BEGINS, ID_BYTES, MAGIC, Label, encode, encoded

# As large as a segment of the journal; and of one day, so that its end comes for all of it at once.
SEGMENT_BYTES = 64 * 1024 * 1024
# The room that must be there before queries are taken again after the disk was full.
PROBE_BYTES = 1024 * 1024


class Record(NamedTuple):
    """What becomes a frame."""

    query: str
    lineage: tuple[str, ...]
    field: str
    part: int
    data: bytes


class _Segment(NamedTuple):
    file: int
    id: bytes
    day: int
    ciphers: dict[bytes, AESGCM]


class Writer:
    """Writes the segments of one run of one process."""

    def __init__(self, folder: Path, run: str, ledger: str, keys: Keys, disk: Disk = DISK) -> None:
        """`run` names the run of the process, `ledger` whose queries they are."""
        self._folder = folder
        self._run = run
        self._ledger = ledger.encode()
        self._keys = keys
        self._disk = disk
        self._segment: _Segment | None = None
        self._size = 0

    def write(self, records: Iterable[Record]) -> None:
        """Write records; they are on the disk when this returns, or none of them counts.

        Raises:
            OSError: the disk does not take them.
            ConfigError: there is no key to encrypt them with.
        """
        try:
            with self._keys.held():
                segment = self._current()
                known: dict[str, TenantKey] = {}
                data = b"".join(self._frame(segment, record, known) for record in records)
                self._disk.write(segment.file, data, self._size)
                self._disk.sync(segment.file)
                self._size += len(data)
        except BaseException:
            self._abandon()
            raise

    def probe(self) -> None:
        """Find out whether the disk takes something again.

        Raises:
            OSError: it does not.
        """
        try:
            segment = self._current()
            self._disk.allocate(segment.file, self._size, PROBE_BYTES)
            self._disk.truncate(segment.file, self._size)
        except BaseException:
            self._abandon()
            raise

    def close(self) -> None:
        """Write no more."""
        if self._segment is not None:
            self._disk.close(self._segment.file)
            self._segment = None

    def _abandon(self) -> None:
        """Leave a segment that could not be written, without what does not count."""
        if self._segment is not None:
            with contextlib.suppress(OSError):
                self._disk.truncate(self._segment.file, self._size)
        with contextlib.suppress(OSError):
            self.close()
        self._segment = None

    def _frame(self, segment: _Segment, record: Record, known: dict[str, TenantKey]) -> bytes:
        """Return a record's frame; `known` are the keys of this group, which are held."""
        now, tenant = clock.wall(), record.lineage[-1]
        key = known.get(tenant)
        if key is None:
            key = known[tenant] = self._keys.of(tenant)
        cipher = segment.ciphers.get(key.id)
        if cipher is None:
            cipher = segment.ciphers[key.id] = segment_cipher(key, segment.id)
        label = encode(Label(record.query, now, record.lineage, record.field, record.part, key.id))
        nonce = os.urandom(NONCE_BYTES)
        beside = label + self._ledger + segment.id
        return encoded(label, nonce + cipher.encrypt(nonce, record.data, beside))

    def _current(self) -> _Segment:
        """Return the segment that is written, another one when it is full or of another day."""
        now = clock.wall()
        segment = self._segment
        if segment is None or self._size >= SEGMENT_BYTES or segment.day != now // DAY:
            self.close()
            segment = self._segment = self._begin(now)
        return segment

    def _begin(self, now: int) -> _Segment:
        path = self._folder / f"{now:016x}-{self._run}.vault"
        file, id_ = self._disk.lock(path, "another process writes it"), os.urandom(ID_BYTES)
        try:
            self._disk.write(file, MAGIC + id_, 0)
            self._disk.sync_folder(self._folder)
        except BaseException:
            self._disk.close(file)
            raise
        self._size = BEGINS
        return _Segment(file, id_, now // DAY, {})


def opened(key: TenantKey, segment: bytes, ledger: str, label: bytes, sealed: bytes) -> bytes:
    """Return what was sealed in a frame.

    Raises:
        cryptography.exceptions.InvalidTag: it was changed, or is another's.
    """
    nonce, data = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    return segment_cipher(key, segment).decrypt(nonce, data, label + ledger.encode() + segment)
