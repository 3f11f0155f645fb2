"""The log's side of witnesses: asks each for its cosignature of the latest checkpoint.

It is in no way of publishing. A witness that is away is asked again at the next round; what each
cosigned last, and what was wrong, is in `witnesses.json` of the data folder.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import msgspec

from farthing.errors import ConfigError
from farthing.evidence.cosign import COSIGNATURE, cosigned_at
from farthing.evidence.merkle import consistency_proof
from farthing.evidence.note import (
    NUMBER,
    Note,
    NoteError,
    Signature,
    Verifier,
    encoded,
    read_note,
    read_signatures,
)
from farthing.evidence.post import Answer, Target, post
from farthing.evidence.source import source_of
from farthing.evidence.tiles import TileError, TreeReader
from farthing.evidence.witness import CHECKPOINT
from farthing.paths import write_private
from farthing.settings.schema import WitnessSettings

log = logging.getLogger("farthing")

COSIGNED = "cosigned"
"""The last checkpoint that a witness has cosigned; where it is the latest, that is the same."""

Post = Callable[[Target, bytes, str], Answer]


class WitnessError(Exception):
    """A witness did not cosign; the message says why."""


class Standing(msgspec.Struct):
    """What is known of one witness."""

    name: str
    url: str
    key: str
    size: int = 0
    """The last size that it cosigned."""
    at: int = 0
    """When, in seconds since 1970, by its own clock."""
    problem: str = ""
    """Why it did not when it was asked last; empty if it did."""


class _Peer(NamedTuple):
    target: Target
    key: Verifier


class Witnesses:
    """Asks the witnesses of one log."""

    def __init__(
        self, folder: Path, state: Path, settings: Sequence[WitnessSettings], ask: Post = post
    ) -> None:
        """Read what each had cosigned. `folder` is the log's.

        Raises:
            ConfigError: a witness's key is none.
        """
        self._folder = folder
        self._state = state
        self._post = ask
        self._peers = [_Peer(_target(each), _key_of(each)) for each in settings]
        known = {each.key: each for each in standings(state)}
        self._known = [known.get(str(peer.key)) or _new(peer) for peer in self._peers]

    def round(self) -> bytes | None:
        """Ask each witness that has not cosigned the latest checkpoint; return it with what came.

        None if nothing did. It takes as long as the slowest witness.
        """
        checkpoint = self._read(CHECKPOINT)
        if checkpoint is None:
            return None
        note = read_note(checkpoint)
        cosigned = self._read(COSIGNED)
        if cosigned is not None and (before := read_note(cosigned)).head == note.head:
            note = _joined(note, before.signatures)
        asked = [n for n, peer in enumerate(self._peers) if not note.signed_by(peer.key)]
        if not asked:
            return None
        came = self._all(asked, note)
        write_private(self._state, msgspec.json.encode(self._known).decode())
        lines = [line for line in came if line is not None]
        if not lines:
            return None
        whole = _joined(note, lines)
        return "".join([note.head.text, "\n", *(line.line for line in whole.signatures)]).encode()

    def _all(self, asked: list[int], note: Note) -> list[Signature | None]:
        """Ask at once, in threads that no process waits for when it ends."""
        came: dict[int, Signature | None] = {}
        threads = [
            Thread(target=lambda n=n: came.update({n: self._try(n, note)}), daemon=True)
            for n in asked
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [came.get(n) for n in asked]

    def _try(self, number: int, note: Note) -> Signature | None:
        known, peer = self._known[number], self._peers[number]
        try:
            line, at = self._ask(peer, note, min(known.size, note.head.size))
        except (WitnessError, NoteError, TileError, OSError) as problem:
            if known.problem != str(problem):
                log.warning("the witness %s did not cosign: %s", peer.key.name, problem)
            known.problem = str(problem)
            return None
        known.size, known.at, known.problem = note.head.size, at, ""
        return line

    def _ask(self, peer: _Peer, note: Note, old: int) -> tuple[Signature, int]:
        """Ask a witness, once more if it knows the log at another size; return what it signed."""
        answer = self._send(peer, note, old)
        if answer.status == 409:
            answer = self._send(peer, note, _size_known(answer.body, note))
        text = answer.body.decode(errors="replace")
        if answer.status != 200:
            raise WitnessError(f"it answered {answer.status}: {text.strip()[:200]}")
        if not text.endswith("\n"):
            raise WitnessError("its answer is cut off")
        signed = Note(note.head, read_signatures(text))
        at = cosigned_at(signed, peer.key)
        if at is None:
            raise WitnessError("its answer has no cosignature of its key")
        own = (peer.key.name, peer.key.id)
        return next(line for line in signed.signatures if (line.name, line.id) == own), at

    def _send(self, peer: _Peer, note: Note, old: int) -> Answer:
        reader = TreeReader(source_of(str(self._folder)), note.head.size)
        proof = map(encoded, consistency_proof(reader.subtree, old, note.head.size))
        signed = [line.line for line in note.signatures if line.name == note.head.origin]
        text = "".join(["\n".join([f"old {old}", *proof, "", note.head.text]), "\n", *signed])
        return self._post(peer.target, text.encode(), "text/plain; charset=utf-8")

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None


def standings(state: Path) -> list[Standing]:
    """Return what was last known of each witness."""
    try:
        return msgspec.json.decode(state.read_bytes(), type=list[Standing])
    except (FileNotFoundError, msgspec.DecodeError):
        return []


def check_witnesses(settings: Sequence[WitnessSettings]) -> None:
    """Check what the settings say of witnesses.

    Raises:
        ConfigError: a key is none, or two are the same.
    """
    keys = [_key_of(each) for each in settings]
    if len(set(keys)) != len(keys):
        raise ConfigError("farthing.toml: two witnesses have the same key")


def _joined(note: Note, lines: Sequence[Signature]) -> Note:
    """Return a note with more lines of signatures, each once."""
    return Note(note.head, tuple(dict.fromkeys([*note.signatures, *lines])))


def _size_known(body: bytes, note: Note) -> int:
    """Return the size that a witness says it knows."""
    text = body.decode(errors="replace").removesuffix("\n")
    if not NUMBER.fullmatch(text):
        raise WitnessError(f"it knows the log at another size, and does not say which: {text[:80]}")
    if int(text) > note.head.size:
        raise WitnessError(
            f"it has seen a log of {text}, longer than this one of {note.head.size}: this log went "
            "back, or somebody else signs with its key"
        )
    return int(text)


def _target(settings: WitnessSettings) -> Target:
    url = settings.url.rstrip("/") + "/add-checkpoint"
    return Target(url, settings.allow_private_address)


def _key_of(settings: WitnessSettings) -> Verifier:
    try:
        return Verifier.of(settings.key, COSIGNATURE)
    except NoteError as problem:
        raise ConfigError(f"farthing.toml: the witness {settings.url}: {problem}") from None


def _new(peer: _Peer) -> Standing:
    return Standing(peer.key.name, peer.target.url.removesuffix("/add-checkpoint"), str(peer.key))
