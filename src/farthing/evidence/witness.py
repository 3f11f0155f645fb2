"""A witness (c2sp.org/tlog-witness): cosigns a log's checkpoint if it goes on from the last one.

What it cosigned last is on the disk before anybody has the cosignature, so that no kill and no
power cut makes it cosign two histories of one log.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from farthing.evidence.cosign import cosignature
from farthing.evidence.merkle import EMPTY, ProofError, check_consistency
from farthing.evidence.note import (
    HANDOVER,
    NUMBER,
    Head,
    Note,
    NoteError,
    Signer,
    Verifier,
    decoded,
    read_note,
)
from farthing.evidence.store import Store
from farthing.ledger.disk import DISK, Disk

PROOF_MOST = 63
CHECKPOINT = "checkpoint"

TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"


class Reply(NamedTuple):
    """What is answered over HTTP."""

    status: int
    body: str
    content_type: str = TEXT


class Asked(NamedTuple):
    """What a log asks of a witness."""

    old: int
    proof: list[bytes]
    note: Note

    @classmethod
    def of(cls, body: bytes) -> Asked:
        """Read the body of add-checkpoint.

        Raises:
            NoteError: it is not one.
        """
        text, _, checkpoint = body.partition(b"\n\n")
        try:
            first, *lines = text.decode().split("\n")
        except UnicodeDecodeError:
            raise NoteError("the request is not UTF-8") from None
        word, _, number = first.partition(" ")
        if word != "old" or not NUMBER.fullmatch(number) or len(lines) > PROOF_MOST:
            raise NoteError("the request is not old SIZE, a proof, an empty line, a checkpoint")
        proof = [decoded(line) for line in lines]
        if any(len(step) != 32 for step in proof):
            raise NoteError("a line of the proof is not a hash")
        asked = cls(int(number), proof, read_note(checkpoint))
        if asked.old > asked.note.head.size:
            raise NoteError("the old size is above the checkpoint's")
        return asked


class Witness:
    """Cosigns what some logs publish; each log by its origin."""

    def __init__(
        self,
        folder: Path,
        signer: Signer,
        logs: Iterable[Verifier],
        now: Callable[[], int],
        disk: Disk = DISK,
    ) -> None:
        """Keep what was seen in a folder; `now` tells seconds since 1970."""
        self.signer = signer
        self._now = now
        self._logs: dict[str, _Seen] = {}
        for key in logs:
            if key.name not in self._logs:
                self._logs[key.name] = _Seen(Store(folder / hash_of(key.name), disk))
            self._logs[key.name].keys.append(key)

    def add_checkpoint(self, body: bytes) -> Reply:
        """Cosign a checkpoint, or say why not; requests for one log come one after the other.

        Raises:
            NoteError: what is kept of the log is damaged: better no cosignature than a wrong one.
            OSError: it cannot be kept.
        """
        try:
            asked = Asked.of(body)
        except NoteError as problem:
            return Reply(400, f"{problem}\n")
        seen = self._logs.get(asked.note.head.origin)
        if seen is None:
            return Reply(404, f"this witness does not know {asked.note.head.origin}\n")
        try:
            seen.check(asked.note)
        except NoteError as problem:
            return Reply(403, f"{problem}\n")
        with seen.lock:
            return self._judge(asked, seen)

    def _judge(self, asked: Asked, seen: _Seen) -> Reply:
        head, last = asked.note.head, seen.last()
        if asked.old != last.size:
            return Reply(409, f"{last.size}\n", SIZE)
        try:
            check_consistency(last.size, last.root, head.size, head.root, asked.proof)
            if head.size == 0 and head.root != EMPTY:
                raise ProofError("an empty tree has another root")
        except ProofError as problem:
            return Reply(422, f"{problem}\n")
        line = cosignature(self.signer, head, self._now()).line
        seen.keep(asked.note, line)
        return Reply(200, line)

    def latest(self, origin_hash: str) -> bytes | None:
        """Return the last checkpoint cosigned of a log, by its origin's SHA-256 in hexadecimal."""
        for origin, seen in self._logs.items():
            if hash_of(origin) == origin_hash:
                return seen.store.read(CHECKPOINT)
        return None


class _Seen:
    """One log: its keys, and what was cosigned last."""

    def __init__(self, store: Store) -> None:
        self.keys: list[Verifier] = []
        self.store = store
        self.lock = threading.Lock()

    def check(self, note: Note) -> None:
        """Check that the log has signed it, with a key that is known or that one led to.

        Raises:
            NoteError: it has not, or a signature of a known key is wrong.
        """
        claimed = [
            key
            for key in self.keys
            if note.signed_by(key) or note.signed_by(key._replace(kind=HANDOVER))
        ]
        for key in claimed:
            note.follow(key)
        if not claimed:
            raise NoteError("the checkpoint is not signed with a key that this witness knows")

    def last(self) -> Head:
        data = self.store.read(CHECKPOINT)
        return Head("", 0, EMPTY) if data is None else read_note(data).head

    def keep(self, note: Note, line: str) -> None:
        """Keep what is cosigned, with the log's own signatures; durable when this returns."""
        own = [each.line for each in note.signatures if each.name == note.head.origin]
        text = "".join([note.head.text, "\n", *own, line])
        self.store.replace(CHECKPOINT, text.encode())


def hash_of(origin: str) -> str:
    """Return what a log's checkpoint is asked for by."""
    return sha256(origin.encode()).hexdigest()
