"""What `farthing verify timestamp` says: what a time stamp shows, and what was not checked."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.x509 import Certificate, load_pem_x509_certificates

from farthing import clock
from farthing.cli.output import stop
from farthing.evidence.note import NoteError, Verifier, read_note
from farthing.evidence.timestamp import Stamp, TimestampError

NO_CA = (
    "the stamp's signature and whose it is: anybody could have written it "
    "(give --ca the authority's root certificate)"
)
NO_KEY = "the checkpoint's signature (give --key the log's public key)"


class Found(msgspec.Struct):
    """What a time stamp of a checkpoint shows."""

    at: str
    """The time it says, in UTC."""
    authority: str
    origin: str
    size: int
    """How many entries the log had at least by then."""
    key: str | None
    """The key that signed the checkpoint; None where none was given to check it by."""
    not_checked: list[str]

    def lines(self) -> list[str]:
        """Return what is said of it to people; nothing is called verified that was not."""
        what = f"{self.size} entries of {self.origin} were there at {self.at}"
        verdict = "the stamp is of this checkpoint" if self.not_checked else "verified"
        told = [f"{verdict}: {what}, says {self.authority}"]
        return told + [f"NOT CHECKED: {each}" for each in self.not_checked]


def examine(stamp: Path, checkpoint: Path, ca: Path | None, verifier: Verifier | None) -> Found:
    """Check a stored time stamp, or end the command and say what is wrong with it."""
    try:
        data = checkpoint.read_bytes()
        note = read_note(data)
        key = None if verifier is None else note.follow(verifier)
        found = Stamp.of(stamp.read_bytes(), data)
        if ca is not None:
            found.check_signature(_roots(ca))
    except (NoteError, TimestampError, OSError) as problem:
        stop(f"NOT VERIFIED: {problem}")
    missing = [said for given, said in ((ca, NO_CA), (verifier, NO_KEY)) if given is None]
    at, signed = clock.iso(found.at), None if key is None else str(key)
    return Found(at, found.authority, note.head.origin, note.head.size, signed, missing)


def _roots(ca: Path) -> list[Certificate]:
    try:
        return load_pem_x509_certificates(ca.read_bytes())
    except ValueError:
        raise TimestampError(f"{ca} holds no certificates in PEM") from None
