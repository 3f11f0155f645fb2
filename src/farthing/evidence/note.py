"""Checkpoints as signed notes (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), with Ed25519.

They are read strictly: what we would not have written is refused, so that one checkpoint has one
form. Signatures of unknown keys are passed over, as the specification asks.
"""

from __future__ import annotations

import base64
import binascii
import re
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\1"
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
    """A log's public key, under the name it signs with."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that stand before each of its signatures."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encoded(ED25519 + self.key)}"

    @classmethod
    def of(cls, text: str) -> Verifier:
        """Read the text that `str` makes.

        Raises:
            NoteError: it is not a verifier key of the Ed25519 type.
        """
        name, _, rest = text.strip().partition("+")
        material = decoded(rest.partition("+")[2])
        made = cls(name, material[1:])
        if len(material) != 33 or str(made) != text.strip() or not good_name(name):
            raise NoteError(f"not a log's public key (NAME+ID+KEY, of Ed25519): {text.strip()!r}")
        return made


class Signer:
    """A log's private key, under the name it signs with."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    def sign(self, head: Head) -> bytes:
        """Return the checkpoint of a head; of the same head it is always the same bytes."""
        signature = encoded(self.verifier.id + self._key.sign(head.text.encode()))
        return f"{head.text}\n{MARK}{self.verifier.name} {signature}\n".encode()


def good_name(name: str) -> bool:
    """Say whether a name can be an origin and a key's name: no spaces, no plus, no controls."""
    return name.isprintable() and bool(name) and "+" not in name and len(name.split()) == 1


def read_checkpoint(data: bytes, verifier: Verifier) -> Head:
    """Return what a checkpoint says.

    Raises:
        NoteError: it is not in its form, of another log, or not signed by the log.
    """
    head, blank, signatures = _parts(data)
    if not blank or head.origin != verifier.name:
        raise NoteError(f"the checkpoint is of {head.origin!r}, and the key of {verifier.name!r}")
    if not signatures.endswith("\n"):
        raise NoteError("the checkpoint is cut off")
    signed = [_is_signed(line, head, verifier) for line in signatures[:-1].split("\n")]
    if not any(signed):
        raise NoteError("the checkpoint is not signed with the log's key")
    return head


def said_by(data: bytes) -> Head:
    """Return what a checkpoint says, whoever signed it.

    Raises:
        NoteError: it is not in its form.
    """
    return _parts(data)[0]


def _parts(data: bytes) -> tuple[Head, str, str]:
    if len(data) > CHECKPOINT_MOST:
        raise NoteError(f"a checkpoint is not longer than {CHECKPOINT_MOST} bytes")
    try:
        text, blank, signatures = data.decode().rpartition("\n\n")
    except UnicodeDecodeError:
        raise NoteError("the checkpoint is not UTF-8") from None
    return _head(text + "\n"), blank, signatures


def _head(text: str) -> Head:
    lines = text.split("\n")
    if len(lines) != 4 or not NUMBER.fullmatch(lines[1]):
        raise NoteError("the checkpoint is not three lines and signatures")
    head = Head(lines[0], int(lines[1]), decoded(lines[2]))
    if len(head.root) != 32:
        raise NoteError("the checkpoint's root is not 32 bytes")
    return head


def _is_signed(line: str, head: Head, verifier: Verifier) -> bool:
    """Say whether a line is the log's signature; one that is wrong is refused."""
    mark, name, signature = line[:2], *line[2:].rpartition(" ")[::2]
    if mark != MARK or not good_name(name):
        raise NoteError("a line of the checkpoint's signatures is not one")
    material = decoded(signature)
    if name != verifier.name or material[:4] != verifier.id:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(verifier.key).verify(material[4:], head.text.encode())
    except InvalidSignature:
        raise NoteError("the checkpoint's signature is wrong") from None
    return True


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
