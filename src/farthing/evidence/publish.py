"""Publishes the journal as a transparency log: its tiles, then its checkpoint.

A checkpoint is signed once what it covers is durable in the journal, and once its tiles are in
place. It is kept as the last one signed before anybody can see it. A start makes the whole tree
again from the journal; if that is not the tree that was signed, nothing is ever signed again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from farthing.evidence.identity import Identity
from farthing.evidence.leaf import Leaves
from farthing.evidence.merkle import EMPTY
from farthing.evidence.note import Handover, Head, Note, NoteError, Verifier, read_note
from farthing.evidence.rotate import handover_of
from farthing.evidence.store import Store
from farthing.evidence.tiles import WIDTH, Tile
from farthing.evidence.tree import Piece, Tree
from farthing.evidence.witnesses import COSIGNED
from farthing.ledger.cursor import Cursor
from farthing.ledger.disk import DISK, Disk
from farthing.ledger.entry import Entry
from farthing.ledger.reported import LogKey

log = logging.getLogger("farthing")

CHECKPOINT = "checkpoint"
SIGNED = "signed"
"""The last checkpoint signed; it is there before the public one."""

# How much is taken in between two checkpoints at most: some 40,000 queries.
PIECES = 20


class ContradictionError(Exception):
    """The journal is not the one whose checkpoints were signed, or the key is not that one."""


class Publisher:
    """Publishes one journal, from its beginning on. What fails is begun again with another."""

    def __init__(self, journal: Path, folder: Path, identity: Identity, disk: Disk = DISK) -> None:
        """Read what was signed before.

        Raises:
            ContradictionError: it was not signed under this name.
            FileNotFoundError: there is no journal.
        """
        self._folder = folder
        self._journal = journal
        self._disk = disk
        self._identity = identity
        self._store = Store(folder, disk)
        self._signed = self._notes()
        heads = (note.head for note in self._signed.values())
        self.head = max(heads, key=_size, default=self._made(0, EMPTY))
        """The last one that was signed."""
        self._cursor = Cursor(journal, disk)
        self._begin()

    def _begin(self) -> None:
        """Begin at the journal's first entry; nothing is written before all heads are met."""
        self._tree = Tree()
        self._leaves = Leaves(self._identity.salt)
        self._handovers: list[Handover] = []
        self._kept: Verifier | None = None
        self._position = 0
        self._completed: list[Tile] = []
        self._damaged: list[Tile] = []
        self._verifying = bool(self._signed)

    def _notes(self) -> dict[str, Note]:
        found = {}
        for name in (SIGNED, CHECKPOINT):
            data = self._store.read(name)
            try:
                if data is not None:
                    found[name] = read_note(data)
                    if found[name].head.origin != self._identity.origin:
                        raise NoteError(f"its name is {found[name].head.origin}")
            except NoteError as problem:
                raise self._foreign(name, problem) from None
        return found

    def _foreign(self, name: str, problem: NoteError) -> ContradictionError:
        return ContradictionError(
            f"{self._folder / name} was not signed by this log ({problem}). Put back the files in "
            "secrets/ that it was signed with, and the setting log_origin"
        )

    def publish(self) -> bool:
        """Publish what is durable and new; true where there may be more.

        Raises:
            ContradictionError: the journal contradicts what was signed.
            JournalDamagedError: the journal cannot be read on.
            OSError: make another publisher, later.
        """
        more = True
        for _ in range(PIECES):
            entries = self._cursor.read()
            if not entries:
                more = False
                break
            self._cursor.sync()  # nobody is shown what a power cut could take back
            self._take(entries)
        if self._tree.size > self.head.size:
            self._publish_head()
        elif not more and self._verifying:
            raise ContradictionError(
                f"the log was signed at {self.head.size} leaves, and the journal makes "
                f"{self._tree.size}: acknowledged entries are missing"
            )
        return more

    def _take(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._position += 1
            leaf = self._leaves.take(entry, self._position)
            if leaf is not None:
                if isinstance(entry, LogKey):
                    self._hand_over(entry)
                complete = self._tree.add(leaf)
                if complete:
                    self._keep(complete)
                if self._verifying:
                    self._meet_heads()

    def _hand_over(self, entry: LogKey) -> None:
        """Sign with another key from here on, if it is the present one's word."""
        try:
            handover = handover_of(entry)
        except NoteError as problem:
            raise ContradictionError(f"entry {self._position}: {problem}") from None
        stale = self._handovers and handover.before != self._key
        if stale or handover.key.name != self._identity.origin:
            raise ContradictionError(
                f"entry {self._position} is not the word of the key that signs"
            )
        self._handovers.append(handover)

    @property
    def _key(self) -> Verifier:
        """The public key that signs at this place of the journal."""
        return self._handovers[-1].key if self._handovers else self._identity.signer.verifier

    def _keep(self, pieces: Iterable[Piece]) -> None:
        """Put tiles in their places, or see whether they are there."""
        for tile, data in pieces:
            if self._verifying:
                if self._store.read(tile.path) != data:
                    self._damaged.append(tile)
                continue
            self._store.ensure(tile.path, data)
            if tile.width == WIDTH:
                self._completed.append(tile)

    def _meet_heads(self) -> None:
        """Check the tree against each head that was signed at its size."""
        size = self._tree.size
        here = {name: note for name, note in self._signed.items() if note.head.size == size}
        if not here:
            return
        made = self._made(size, self._tree.root())
        for name, note in here.items():
            try:
                if note.follow(self._key) != self._key:
                    raise NoteError("its key is one that came later")
            except NoteError as problem:
                raise self._foreign(name, problem) from None
        if any(note.head != made for note in here.values()):
            raise ContradictionError(
                f"the first {size} leaves of the journal are not those that were signed: the "
                "journal was changed, or it is another one, or the file secrets/log-salt is"
            )
        if size == self.head.size:
            self._keep(self._tree.edge())
            self._verified()

    def _verified(self) -> None:
        """Go on from the last head; show it, if a crash came before that."""
        signed, damaged = self._sign(self.head), self._damaged
        self._signed.clear()
        self._verifying = False
        if damaged:
            log.warning(
                "%d tiles of the log, first %s, are not what the journal says; written anew",
                len(damaged), damaged[0].path,
            )  # fmt: skip
            self._repair()
        for name in (SIGNED, CHECKPOINT):
            # What is public may have cosignatures behind ours. Its name is made durable again: who
            # renamed it may have been stopped before that, and the next is shown at once.
            there = self._store.read(name) or b""
            self._store.ensure(name, there if there.startswith(signed) else signed)
            self._store.sync()
        self._forget_old_keys()

    def _repair(self) -> None:
        """Read the journal again up to here and write each tile that is not as it must be."""
        tree, leaves, position = Tree(), Leaves(self._identity.salt), 0
        cursor = Cursor(self._journal, self._disk)
        try:
            while tree.size < self.head.size:
                for entry in cursor.read():
                    position += 1
                    leaf = leaves.take(entry, position)
                    if leaf is not None and tree.size < self.head.size:
                        self._keep(tree.add(leaf))
        finally:
            cursor.close()
        self._keep(tree.edge())
        self._store.sync()

    def _publish_head(self) -> None:
        """Tiles first, then the head as signed, then the checkpoint; each durable before."""
        head = self._made(self._tree.size, self._tree.root())
        edge = list(self._tree.edge())
        for tile, data in edge:
            self._store.write(tile.path, data)
        self._store.sync()
        signed = self._sign(head)
        self._store.replace(SIGNED, signed)
        self.head = head
        self._store.replace(CHECKPOINT, signed)
        self._forget_old_keys()
        for tile in self._completed:
            self._store.remove_parts(tile)
        self._completed.clear()

    def show_cosigned(self, data: bytes) -> None:
        """Publish a checkpoint of this log that witnesses have cosigned."""
        self._store.replace(COSIGNED, data)
        if read_note(data).head == self.head:
            self._store.replace(CHECKPOINT, data)

    def _sign(self, head: Head) -> bytes:
        self._identity = self._identity.signs_with(self._key)
        return self._identity.signer.sign(head, reversed(self._handovers))

    def _forget_old_keys(self) -> None:
        """Once what the new key signed is public, the old one is nowhere any more."""
        if self._handovers and self._kept != self._key and self._identity.keys is not None:
            older = [handover.key for handover in self._handovers[:-1]]
            self._identity.keys.keep(self._key, older)
            self._kept = self._key

    def _made(self, size: int, root: bytes) -> Head:
        return Head(self._identity.origin, size, root)

    def close(self) -> None:
        """Close the journal."""
        self._cursor.close()


def _size(head: Head) -> int:
    return head.size
