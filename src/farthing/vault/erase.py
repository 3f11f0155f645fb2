"""Delete contents and salts for good, and say so in the journal, whatever crashes meanwhile.

What is to be erased is written down first (`erasing.json`), then a tenant's key is destroyed if
that was asked for, then frames become zeros on the disk, then the erasure is recorded, then the
paper goes. Each step can be done again: whoever erases next, or the next start, finishes what was
begun. So the journal never says of anything that it is erased while it is there; and what is gone
without an entry gets one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from farthing.errors import ConfigError
from farthing.ledger.disk import DISK, Disk
from farthing.ledger.reported import Erasure
from farthing.ledger.search import entries_about
from farthing.vault import segment
from farthing.vault.keys import destroy
from farthing.vault.segment import Frame, segments, walk

PAPER = "erasing.json"
# An entry of so many ids is some 35 kB; a leaf of the log holds 64.
ENTRY_QUERIES = 1000

Record = Callable[[list[Erasure]], None]
"""Records entries, durably; raises ConfigError where that cannot be."""


class Intent(msgspec.Struct):
    """What is to be erased, and what its entries will say."""

    at: int
    by: str
    cause: str
    queries: list[str]
    reason: str = ""
    endings: dict[str, int] = {}
    """The entries that hold the commitments of those queries of which it is known."""
    tenant: str = ""
    """Whose key is to be destroyed."""
    key: str = ""
    """The key's id, in hexadecimal."""
    id: str = ""

    def __post_init__(self) -> None:
        self.id = self.id or f"e{secrets.token_hex(8)}"

    def entries(self) -> Iterator[Erasure]:
        """Yield the entries that say it; one that destroys a key and finds nothing says so, too."""
        starts = range(0, len(self.queries), ENTRY_QUERIES)
        for number, start in enumerate(starts if self.queries else [0]):
            some = tuple(self.queries[start : start + ENTRY_QUERIES])
            endings = tuple(self.endings.get(query, 0) for query in some)
            yield Erasure(
                self.at, self.by, f"{self.id}.{number}", self.cause, some,
                endings if any(endings) else (), self.reason, self.tenant,
            )  # fmt: skip


class Eraser:
    """Erases in one vault; one process at a time."""

    def __init__(self, vault: Path, journal: Path, record: Record, disk: Disk = DISK) -> None:
        self._vault = vault
        self._journal = journal
        self._record = record
        self._disk = disk

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others from erasing meanwhile, and finish what one of them began.

        Raises:
            ConfigError: another process erases now.
        """
        busy = "something is being erased from the vault at this moment; try again shortly"
        guard = self._disk.lock(self._vault / "erasing", busy)
        try:
            self._finish()
            yield
        finally:
            self._disk.close(guard)

    def erase(self, intent: Intent) -> list[Erasure]:
        """Erase and record it; return the entries. While it is `alone`.

        Raises:
            ConfigError: the journal does not take it; it is finished later.
            OSError: the disk fails; it is finished later.
        """
        self._write(intent)
        return self._carry_out(intent, begun=False)

    def _finish(self) -> None:
        """Finish what a crash interrupted."""
        found = self._read()
        if found is not None:
            self._carry_out(found, begun=True)

    def _carry_out(self, intent: Intent, *, begun: bool) -> list[Erasure]:
        if intent.key:
            destroy(self._vault, intent.tenant, intent.key)
            self._name_all(intent)
        wanted, key = set(intent.queries), bytes.fromhex(intent.key)

        def goes(frame: Frame) -> bool:
            label = frame.label
            if label is None:  # torn, perhaps by an erasure that was interrupted
                return begun
            return label.query in wanted or label.key == key

        frames = (f for path in segments(self._disk, self._vault) for f in walk(self._disk, path))
        segment.erase(self._disk, filter(goes, frames))
        entries = list(intent.entries())
        self._record([e for e in entries if not (begun and self._is_recorded(e))])
        self._disk.remove(self._vault / PAPER)
        self._disk.sync_folder(self._vault)
        return entries

    def _name_all(self, intent: Intent) -> None:
        """Add whatever was written with the key until it was destroyed."""
        named = set(intent.queries)
        sealed = sealed_frames(self._disk, self._vault)
        more = {f.label.query for f in sealed if f.label and f.label.key.hex() == intent.key}
        if not more <= named:
            intent.queries += sorted(more - named)
            self._write(intent)

    def _is_recorded(self, entry: Erasure) -> bool:
        return any(found == entry for _, found in entries_about(self._journal, entry.id))

    def _write(self, intent: Intent) -> None:
        temporary = self._vault / f".{PAPER}"
        file = self._disk.open(temporary, os.O_CREAT | os.O_RDWR | os.O_TRUNC)
        try:
            self._disk.write(file, msgspec.json.encode(intent), 0)
            self._disk.sync(file)
        finally:
            self._disk.close(file)
        self._disk.rename(temporary, self._vault / PAPER)
        self._disk.sync_folder(self._vault)

    def _read(self) -> Intent | None:
        try:
            file = self._disk.open(self._vault / PAPER, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            return msgspec.json.decode(self._disk.read(file, self._disk.size(file), 0), type=Intent)
        except msgspec.DecodeError:
            raise ConfigError(
                f"{self._vault / PAPER} cannot be read: it says what an interrupted erasure was "
                "to erase. Erase that again, then delete the file"
            ) from None
        finally:
            self._disk.close(file)


def sealed_frames(disk: Disk, vault: Path) -> Iterator[Frame]:
    """Yield the last frame of each query that has ended: those of which anything can be erased."""
    for path in segments(disk, vault):
        for frame in walk(disk, path):
            if frame.label is not None and frame.label.field == "seal":
                yield frame


def chosen(
    frames: Iterable[Frame],
    scope: str = "",
    before: int | None = None,
    queries: set[str] | None = None,
) -> list[str]:
    """Return the queries that all conditions choose, each once, in their order."""
    labels = (frame.label for frame in frames if frame.label is not None)
    return list(
        dict.fromkeys(
            label.query
            for label in labels
            if (not scope or scope in label.lineage)
            and (before is None or label.at < before)
            and (queries is None or label.query in queries)
        )
    )
