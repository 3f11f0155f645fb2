"""Merkle trees of RFC 6962 §2.1: roots, inclusion proofs, consistency proofs, and their checks.

What makes a proof asks for the hashes of perfect subtrees and keeps no tree; the checks are the
algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2, and need nothing but what they are given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()

Subtree = Callable[[int, int], bytes]
"""Returns the hash of the leaves from one index up to another, a perfect subtree's."""


class ProofError(ValueError):
    """What was to be proven is not, or not by this."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees."""
    return sha256(b"\1" + left + right).digest()


def perfect_root(hashes: bytes) -> bytes:
    """Return the root over 2ᵏ hashes that stand one behind the other."""
    while len(hashes) > 32:
        hashes = b"".join(
            [sha256(b"\1" + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 64)]
        )
    return bytes(hashes)


def peaks_root(peaks: Sequence[bytes]) -> bytes:
    """Return a tree's root from the roots of its perfect subtrees, the largest first."""
    if not peaks:
        return EMPTY
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def tree_hash(subtree: Subtree, begin: int, end: int) -> bytes:
    """Return the hash of any leaves of a tree that begin where a subtree does."""
    size = end - begin
    if size == 0:
        return EMPTY
    if size & (size - 1) == 0:
        return subtree(begin, end)
    middle = begin + _split(size)
    return node_hash(subtree(begin, middle), tree_hash(subtree, middle, end))


def inclusion_proof(subtree: Subtree, index: int, size: int) -> list[bytes]:
    """Return the proof that a leaf is in the tree of a size, from its sibling upwards."""
    assert 0 <= index < size, "a leaf of the tree"
    begin, end, proof = 0, size, list[bytes]()
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            proof.append(tree_hash(subtree, middle, end))
            end = middle
        else:
            proof.append(tree_hash(subtree, begin, middle))
            begin = middle
    return proof[::-1]


def consistency_proof(subtree: Subtree, old: int, size: int) -> list[bytes]:
    """Return the proof that the tree of a size begins with the tree of an older size."""
    assert 0 <= old <= size, "an older tree"
    if old in (0, size):
        return []
    begin, end, proof = 0, size, list[bytes]()
    while end != old:
        middle = begin + _split(end - begin)
        if old <= middle:
            proof.append(tree_hash(subtree, middle, end))
            end = middle
        else:
            proof.append(tree_hash(subtree, begin, middle))
            begin = middle
    if begin:  # else the old tree is that subtree, and its root is known
        proof.append(tree_hash(subtree, begin, end))
    return proof[::-1]


def check_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf's hash is in the tree with a root (RFC 9162 §2.1.3.2).

    Raises:
        ProofError: it is not shown.
    """
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    at, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if at & 1 or at == last:
            found = node_hash(step, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    if last != 0 or found != root:
        raise ProofError(f"the inclusion proof does not lead from leaf {index} to the root")


def check_consistency(
    old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that a tree begins with an older one (RFC 9162 §2.1.4.2).

    Raises:
        ProofError: it is not shown.
    """
    if not 0 <= old <= size:
        raise ProofError(f"a tree of {size} cannot go on from one of {old}")
    if old in (0, size):
        if proof or old_root != (root if old else EMPTY):
            raise ProofError(f"two roots, or a proof, where there is one tree of {old}")
        return
    steps = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not steps:
        raise ProofError("the consistency proof is empty")
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    found_old = found = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if at & 1 or at == last:
            found_old, found = node_hash(step, found_old), node_hash(step, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    if last != 0 or found_old != old_root or found != root:
        raise ProofError(f"the tree of {size} does not go on from the tree of {old}")


def _split(size: int) -> int:
    """Return the largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1
