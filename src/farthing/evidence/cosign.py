"""Cosignatures of witnesses (c2sp.org/tlog-cosignature, of Ed25519).

A witness says by it: at this time this was the largest tree of the log that I had seen, and it went
on from all that I had seen before.
"""

from __future__ import annotations

from farthing.evidence.note import Head, Note, NoteError, Signature, Signer, Verifier

COSIGNATURE = b"\4"
TIME_BYTES = 8


def cosignature(signer: Signer, head: Head, at: int) -> Signature:
    """Return a witness's cosignature of a head, at seconds since 1970."""
    assert signer.verifier.kind == COSIGNATURE, "a log's key signs no times"
    data = at.to_bytes(TIME_BYTES, "big") + signer.raw(_text(head, at))
    return Signature(signer.verifier.name, signer.verifier.id, data)


def cosigned_at(note: Note, witness: Verifier) -> int | None:
    """Return when a witness cosigned a checkpoint, in seconds since 1970; None if it did not.

    Raises:
        NoteError: what stands under its name is not its cosignature.
    """
    times = [_checked(note.head, data, witness) for data in note.signed_by(witness)]
    return max(times, default=None)


def _checked(head: Head, data: bytes, witness: Verifier) -> int:
    at = int.from_bytes(data[:TIME_BYTES], "big")
    if not 0 < at < 2**63:
        raise NoteError(f"the cosignature of {witness.name} has no time")
    what = f"the cosignature of {witness.name}"
    witness.check(_text(head, at), data[TIME_BYTES:], what)
    return at


def _text(head: Head, at: int) -> str:
    return f"cosignature/v1\ntime {at}\n{head.text}"
