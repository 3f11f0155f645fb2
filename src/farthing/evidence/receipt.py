"""Receipts: an entry of the log with the proof that a signed checkpoint covers it.

The form is c2sp.org/tlog-proof, version 1; the entry itself stands in its `extra` line.
"""

from __future__ import annotations

from bisect import bisect_left
from pathlib import Path
from typing import NamedTuple

import msgspec

from farthing.evidence.merkle import check_inclusion, inclusion_proof, leaf_hash
from farthing.evidence.note import (
    NUMBER,
    Head,
    NoteError,
    Verifier,
    decoded,
    encoded,
    read_checkpoint,
    read_note,
)
from farthing.evidence.source import source_of
from farthing.evidence.tiles import WIDTH, Fetch, TreeReader

FIRST_LINE = "c2sp.org/tlog-proof@v1"
# As many as a tree of 2⁶⁴ leaves could need.
HASHES_MOST = 64


class Receipt(NamedTuple):
    """An entry and its proof."""

    entry: bytes
    number: int
    """Which leaf it is, from 0."""
    proof: tuple[bytes, ...]
    checkpoint: bytes

    @property
    def query(self) -> str:
        """The query that the entry is an ending of; "" if it is none's."""
        return msgspec.json.decode(self.entry, type=_Place).id

    def encode(self) -> bytes:
        """Return the file's bytes."""
        lines = [
            FIRST_LINE,
            f"extra {encoded(self.entry)}",
            f"index {self.number}",
            *map(encoded, self.proof),
        ]
        return "\n".join(lines).encode() + b"\n\n" + self.checkpoint

    @classmethod
    def decode(cls, data: bytes) -> Receipt:
        """Read what `encode` wrote, and nothing else.

        Raises:
            NoteError: it is not a receipt of ours.
        """
        text, _, checkpoint = data.partition(b"\n\n")
        try:
            first, extra, index, *proof = text.decode().split("\n")
        except ValueError:
            raise NoteError("not a receipt: lines are missing, or it is not UTF-8") from None
        number = index.removeprefix("index ")
        if first != FIRST_LINE or not NUMBER.fullmatch(number) or len(proof) > HASHES_MOST:
            raise NoteError(f"not a receipt: it does not begin as {FIRST_LINE} does")
        hashes = tuple(map(decoded, proof))
        receipt = cls(decoded(extra.removeprefix("extra ")), int(number), hashes, checkpoint)
        if receipt.encode() != data:
            raise NoteError("not a receipt in its one form")
        return receipt

    def check(self, verifier: Verifier) -> Head:
        """Return the head that covers the entry.

        Raises:
            NoteError: the checkpoint is not the log's.
            ProofError: the entry is not in it.
        """
        head = read_checkpoint(self.checkpoint, verifier)
        leaf = leaf_hash(self.entry)
        check_inclusion(leaf, self.number, head.size, self.proof, head.root)
        return head


def make_receipt(reader: TreeReader, checkpoint: bytes, index: int) -> Receipt:
    """Return the receipt of a leaf from the tiles of a checkpoint's tree."""
    proof = inclusion_proof(reader.subtree, index, reader.size)
    return Receipt(reader.entry(index), index, tuple(proof), checkpoint)


def index_of(reader: TreeReader, position: int) -> int | None:
    """Return which leaf is of the journal's entry at a position; None if the tree has none.

    Leaves are in the journal's order, so they are searched by halves.
    """
    bundles = range(-(-reader.size // WIDTH))
    number = (
        bisect_left(bundles, position + 1, key=lambda n: _position(reader.entry(n * WIDTH))) - 1
    )
    if number < 0:
        return None
    entries = reader.bundle(number)
    inner = bisect_left(entries, position, key=_position)
    found = inner < len(entries) and _position(entries[inner]) == position
    return number * WIDTH + inner if found else None


def receipt_at(folder: Path, position: int) -> Receipt | None:
    """Return the receipt of the journal's entry at a position; None if the log has none yet.

    It is of the last checkpoint that witnesses cosigned, if that covers the entry and the log signs
    with the same key still; else of the latest. It is taken as it is: whoever gets it checks it.
    """
    fetch = source_of(str(folder))
    latest, cosigned = (_found(fetch, name) for name in ("checkpoint", "cosigned"))
    if latest is None:
        return None
    if cosigned is not None and _key_id(cosigned) == _key_id(latest):
        found = _receipt_under(fetch, cosigned, position)
        if found is not None:
            return found
    return _receipt_under(fetch, latest, position)


def _found(fetch: Fetch, name: str) -> bytes | None:
    try:
        return fetch(name)
    except FileNotFoundError:
        return None


def _key_id(checkpoint: bytes) -> bytes:
    """Return the id of the key that signed; the log's own signature is the first line."""
    return read_note(checkpoint).signatures[0].id


def _receipt_under(fetch: Fetch, checkpoint: bytes, position: int) -> Receipt | None:
    size = int(checkpoint.split(b"\n", 2)[1])
    reader = TreeReader(fetch, size)
    index = index_of(reader, position)
    return None if index is None else make_receipt(reader, checkpoint, index)


class _Place(msgspec.Struct):
    entry: int
    id: str = ""


def _position(leaf: bytes) -> int:
    return msgspec.json.decode(leaf, type=_Place).entry
