"""Reads all entries of a log, bundle after bundle, and checks that they make the signed tree.

Entries stand in the journal's order, which is not quite that of their times: endings wait while the
ledger is away, and clocks are set back. So whoever wants a period reads all of the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from farthing.evidence.merkle import ProofError, peaks_root, perfect_root
from farthing.evidence.note import Head, Verifier, read_checkpoint, said_by
from farthing.evidence.tiles import HASH, WIDTH, Fetch, TreeReader

Bundle = list[bytes]


class Entries:
    """The entries under one checkpoint of a log."""

    def __init__(self, fetch: Fetch, head: Head, *, verified: bool) -> None:
        """Read what a head covers; `verified`: and compare it with the head."""
        self.head = head
        self.verified = verified
        """Whether entries were, or will have been at their end, checked against the checkpoint."""
        self.bundles = -(-head.size // WIDTH)
        self._reader = TreeReader(fetch, head.size)

    def __iter__(self) -> Iterator[Bundle]:
        """Yield bundle after bundle; only once the last one was taken is any of them verified.

        Raises:
            ProofError: the entries do not make the tree that was signed.
            TileError: a bundle is not what it must be.
            OSError: one cannot be read.
        """
        roots = bytearray()
        edge = b""
        for number in range(self.bundles):
            entries = self._reader.bundle(number)
            if self.verified:
                hashes = b"".join([sha256(b"\0" + entry).digest() for entry in entries])
                if len(entries) == WIDTH:
                    roots += perfect_root(hashes)
                else:
                    edge = hashes
            yield entries
        if self.verified and peaks_root([*_peaks(bytes(roots)), *_peaks(edge)]) != self.head.root:
            raise ProofError("the entries do not make the tree that was signed")


def read_entries(fetch: Fetch, verifier: Verifier | None) -> Entries:
    """Return the entries under a log's checkpoint; without its public key nothing is verified.

    Raises:
        NoteError: the checkpoint is not the log's.
        OSError: it cannot be read; FileNotFoundError, if there is none.
    """
    checkpoint = fetch("checkpoint")
    head = read_checkpoint(checkpoint, verifier) if verifier else said_by(checkpoint)
    return Entries(fetch, head, verified=verifier is not None)


def _peaks(hashes: bytes) -> Iterator[bytes]:
    """Yield the roots of the perfect subtrees over some hashes, the largest first."""
    at, left = 0, len(hashes) // HASH
    while left:
        count = 1 << left.bit_length() - 1
        yield perfect_root(hashes[at : at + count * HASH])
        at, left = at + count * HASH, left - count
