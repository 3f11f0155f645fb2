"""Checks a log by nothing but its public key: its whole folder, or that it only ever grew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from farthing.evidence.merkle import ProofError, check_consistency, consistency_proof
from farthing.evidence.note import Head, NoteError, Verifier, read_checkpoint, read_note
from farthing.evidence.source import source_of
from farthing.evidence.tiles import (
    ENTRIES,
    HASH,
    WIDTH,
    Fetch,
    Tile,
    TileError,
    TreeReader,
    bundled,
    unbundled,
)
from farthing.evidence.tree import Piece, Tree

ROTATION = b'"kind":"log-key"'


class Checked(NamedTuple):
    """What a folder held."""

    head: Head
    beyond: int
    """Files of tiles that the checkpoint does not cover yet; they were not checked."""
    key: Verifier
    """The key that signed: the one given, or one that it was handed over to."""


def verify_folder(folder: Path, verifier: Verifier) -> Checked:
    """Make a log's tree from its entries, and compare it with the checkpoint and all tiles.

    Raises:
        NoteError: the checkpoint is not the log's, or its key not the one that the entries name.
        TileError: a file is not what the entries make of it, or is no file of a log.
        ProofError: the entries do not make the tree that was signed.
        FileNotFoundError: a file is missing.
    """
    fetch = source_of(str(folder))
    note = read_note(fetch("checkpoint"))
    head, key, named = note.head, note.follow(verifier), ""
    reader, tree = TreeReader(fetch, head.size), Tree()
    for number in range(-(-head.size // WIDTH)):
        for entry in reader.bundle(number):
            _compare(fetch, tree.add(entry))
            named = _key_named(entry) or named
    _compare(fetch, tree.edge())
    if tree.root() != head.root:
        raise ProofError("the entries do not make the tree that was signed")
    if named and named != str(key):
        raise NoteError(f"the entries say that {named} signs, and {key} signed")
    beyond = sum(_is_beyond(folder, path, head.size) for path in _files(folder))
    return Checked(head, beyond, key)


class _Named(msgspec.Struct):
    kind: str
    key: str = ""


def _key_named(entry: bytes) -> str:
    """Return the key that an entry names as the one that signs from there on, if it is such."""
    if ROTATION not in entry:  # no text can hold that: its quotes would be escaped
        return ""
    told = msgspec.json.decode(entry, type=_Named)
    return told.key if told.kind == "log-key" else ""


def _compare(fetch: Fetch, pieces: list[Piece] | Iterator[Piece]) -> None:
    for tile, data in pieces:
        try:
            found = fetch(tile.path)
        except FileNotFoundError:
            if tile.width == WIDTH:
                raise
            whole = fetch(tile._replace(width=WIDTH).path)
            found = _first(tile, whole)
        if found != data:
            raise TileError(f"{tile.path} is not what the entries make")


def _files(folder: Path) -> Iterator[str]:
    """Yield the files under tile/; a name with a dot before it is not published."""
    for path in sorted((folder / "tile").rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(folder).as_posix()


def _is_beyond(folder: Path, path: str, size: int) -> bool:
    """Check a file against the ones that were compared; true if the checkpoint has none."""
    tile = Tile.of(path)
    if tile is None:
        raise TileError(f"{path} is no file of a log")
    hashes = size if tile.level == ENTRIES else size >> 8 * tile.level
    known = min(WIDTH, hashes - tile.number * WIDTH)
    if tile.width > known:
        return True
    if tile.width < known:  # an older part of what was compared
        part, fetch = (folder / path).read_bytes(), source_of(str(folder))
        newer = TreeReader(fetch, size).tile(tile.level, tile.number)
        if part != _first(tile, newer):
            raise TileError(f"{path} is not what the entries make")
    return False


def _first(tile: Tile, data: bytes) -> bytes:
    """Return what a narrower tile holds of the same tile's data."""
    if tile.level == ENTRIES:
        return bundled(unbundled(data)[: tile.width])
    return data[: tile.width * HASH]


def verify_consistency(
    one: bytes, other: bytes, verifier: Verifier, fetch: Fetch
) -> tuple[Head, Head]:
    """Check that the later of two checkpoints goes on from the earlier; return both in order.

    Raises:
        NoteError: one is not the log's.
        ProofError: the log showed two histories.
        TileError: a tile is not as long as it must be.
        OSError: a tile cannot be read.
    """
    heads = (read_checkpoint(one, verifier), read_checkpoint(other, verifier))
    old, new = sorted(heads, key=lambda head: head.size)
    proof = consistency_proof(TreeReader(fetch, new.size).subtree, old.size, new.size)
    check_consistency(old.size, old.root, new.size, new.root, proof)
    return old, new
