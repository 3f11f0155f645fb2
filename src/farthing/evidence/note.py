"""Checkpoints as signed notes (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), with Ed25519.

They are read strictly: what we would not have written is refused, so that one checkpoint has one
form. Signatures of unknown keys are passed over, as the specification asks.

A key that was rotated away signs by a handover: a line of a signature type of our own (0xff and a
name, as the specification has it for such). It holds the next key and the old key's signature of
it, and stands for a signature where the next key's is there, by itself or by a handover again. So
whoever has any of a log's keys can follow to the one that signs, and no old key need be kept.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\1"
HANDOVER = b"\xfffarthing/log-key/v1"
MARK = "— "
# More than a log and all its witnesses will ever need; a checkpoint is read whole.
CHECKPOINT_MOST = 16_384
NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteError(ValueError):
    """A checkpoint or a key is not in its form, or not signed by the key."""


class Head(NamedTuple):
    """What a checkpoint says."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{encoded(self.root)}\n"


class Verifier(NamedTuple):
    """A log's public key, or a witness's, under the name it signs with."""

    name: str
    key: bytes
    kind: bytes = ED25519
    """The type of its signatures."""

    @property
    def id(self) -> bytes:
        """The four bytes that stand before each of its signatures."""
        return sha256(self.name.encode() + b"\n" + self.kind + self.key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encoded(self.kind + self.key)}"

    @classmethod
    def of(cls, text: str, kind: bytes = ED25519) -> Verifier:
        """Read the text that `str` makes.

        Raises:
            NoteError: it is not a verifier key of the type.
        """
        name, _, rest = text.strip().partition("+")
        material = decoded(rest.partition("+")[2])
        made = cls(name, material[1:], kind)
        if len(material) != 33 or str(made) != text.strip() or not good_name(name):
            what = f"NAME+ID+KEY, of Ed25519 and of type {kind.hex()}"
            raise NoteError(f"not a public key of the kind it must be ({what}): {text.strip()!r}")
        return made

    def check(self, text: str, signature: bytes, what: str) -> None:
        """Check a signature.

        Raises:
            NoteError: it is wrong.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text.encode())
        except InvalidSignature:
            raise NoteError(f"{what} is wrong") from None


class Handover(NamedTuple):
    """An old key's word for the one that signs after it."""

    before: Verifier
    key: Verifier
    signature: bytes

    def check(self) -> None:
        """Check the old key's signature.

        Raises:
            NoteError: it is wrong.
        """
        self.before.check(handover_text(self.key), self.signature, "the handover to a new key")

    @property
    def line(self) -> str:
        """The line that stands for the old key's signature."""
        id_ = self.before._replace(kind=HANDOVER).id
        return Signature(self.before.name, id_, self.key.key + self.signature).line


def handover_text(key: Verifier) -> str:
    """Return what an old key signs for a new one; it can be no checkpoint's text."""
    return f"{HANDOVER[1:].decode()}\n{key}\n"


class Signer:
    """A log's private key, or a witness's, under the name it signs with."""

    def __init__(self, name: str, seed: bytes, kind: bytes = ED25519) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(name, self._key.public_key().public_bytes_raw(), kind)

    def sign(self, head: Head, handovers: Iterable[Handover] = ()) -> bytes:
        """Return the checkpoint of a head; of the same head it is always the same bytes."""
        own = Signature(self.verifier.name, self.verifier.id, self.raw(head.text))
        return "".join(
            [f"{head.text}\n", own.line, *(handover.line for handover in handovers)]
        ).encode()

    def raw(self, text: str) -> bytes:
        """Return the signature of a text by itself."""
        return self._key.sign(text.encode())

    def hand_over(self, key: Verifier) -> Handover:
        """Return this key's word for the one that is to sign after it."""
        return Handover(self.verifier, key, self.raw(handover_text(key)))


def good_name(name: str) -> bool:
    """Say whether a name can be an origin and a key's name: no spaces, no plus, no controls."""
    return name.isprintable() and bool(name) and "+" not in name and len(name.split()) == 1


class Signature(NamedTuple):
    """A line of a note's signatures."""

    name: str
    id: bytes
    data: bytes

    @property
    def line(self) -> str:
        """The line itself."""
        return f"{MARK}{self.name} {encoded(self.id + self.data)}\n"


class Note(NamedTuple):
    """A checkpoint in its form; nobody's signature is checked yet."""

    head: Head
    signatures: tuple[Signature, ...]

    def signed_by(self, verifier: Verifier) -> list[bytes]:
        """Return the signatures that a key seems to have made."""
        named = (verifier.name, verifier.id)
        return [found.data for found in self.signatures if (found.name, found.id) == named]

    def follow(self, verifier: Verifier) -> Verifier:
        """Return the key that signed it: the one given, or one that it was handed over to.

        Raises:
            NoteError: it is of another log, or neither has signed it.
        """
        if self.head.origin != verifier.name:
            of = self.head.origin
            raise NoteError(f"the checkpoint is of {of!r}, and the key of {verifier.name!r}")
        for _ in self.signatures:
            signed = self.signed_by(verifier)
            for signature in signed:
                verifier.check(self.head.text, signature, "the checkpoint's signature")
            if signed:
                return verifier
            verifier = self._handed_over(verifier)
        raise NoteError(NOT_SIGNED)

    def _handed_over(self, verifier: Verifier) -> Verifier:
        found = self.signed_by(verifier._replace(kind=HANDOVER))
        if len(found) != 1 or len(found[0]) != 96:
            raise NoteError(NOT_SIGNED)
        key = verifier._replace(key=found[0][:32])
        Handover(verifier, key, found[0][32:]).check()
        return key


NOT_SIGNED = "the checkpoint is not signed with the log's key"


def read_checkpoint(data: bytes, verifier: Verifier) -> Head:
    """Return what a checkpoint says.

    Raises:
        NoteError: it is not in its form, of another log, or not signed by the log.
    """
    note = read_note(data)
    note.follow(verifier)
    return note.head


def read_note(data: bytes) -> Note:
    """Read a checkpoint's form.

    Raises:
        NoteError: it is not in it.
    """
    if len(data) > CHECKPOINT_MOST:
        raise NoteError(f"a checkpoint is not longer than {CHECKPOINT_MOST} bytes")
    try:
        text, blank, signatures = data.decode().rpartition("\n\n")
    except UnicodeDecodeError:
        raise NoteError("the checkpoint is not UTF-8") from None
    head = _head(text + "\n")
    if not blank or not signatures.endswith("\n"):
        raise NoteError("the checkpoint is cut off")
    return Note(head, read_signatures(signatures))


def read_signatures(lines: str) -> tuple[Signature, ...]:
    """Read the lines of a note's signatures, each with its end.

    Raises:
        NoteError: a line is not one.
    """
    return tuple(_signature(line) for line in lines[:-1].split("\n"))


def _head(text: str) -> Head:
    lines = text.split("\n")
    if len(lines) != 4 or not NUMBER.fullmatch(lines[1]):
        raise NoteError("the checkpoint is not three lines and signatures")
    head = Head(lines[0], int(lines[1]), decoded(lines[2]))
    if len(head.root) != 32:
        raise NoteError("the checkpoint's root is not 32 bytes")
    return head


def _signature(line: str) -> Signature:
    mark, name, signature = line[:2], *line[2:].rpartition(" ")[::2]
    if mark != MARK or not good_name(name):
        raise NoteError("a line of the checkpoint's signatures is not one")
    material = decoded(signature)
    return Signature(name, material[:4], material[4:])


def encoded(data: bytes) -> str:
    """Return bytes in base64."""
    return base64.b64encode(data).decode()


def decoded(text: str) -> bytes:
    """Return what was written in base64, in no other way than we write it.

    Raises:
        NoteError: it is not base64, or has bits that say nothing.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError(f"not base64: {text[:80]!r}") from None
    if encoded(data) != text:
        raise NoteError(f"not base64 in its one form: {text[:80]!r}")
    return data
