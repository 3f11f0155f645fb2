"""RFC 6962's tree: known roots, and every proof of every small tree and of random larger ones."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.evidence.merkle import (
    EMPTY,
    ProofError,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    peaks_root,
    perfect_root,
    tree_hash,
)

# The leaves and roots that implementations of Certificate Transparency are tested with.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Grown:
    """A tree by RFC 6962's own recursive definition, independent of what is tested."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves

    def root(self, begin: int, end: int) -> bytes:
        if end - begin == 0:
            return sha256(b"").digest()
        if end - begin == 1:
            return sha256(b"\0" + self.leaves[begin]).digest()
        half = 1
        while half * 2 < end - begin:
            half *= 2
        middle = begin + half
        return sha256(b"\1" + self.root(begin, middle) + self.root(middle, end)).digest()


def numbered(size: int) -> Grown:
    return Grown([str(n).encode() for n in range(size)])


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size: int) -> None:
    tree = Grown(LEAVES[:size])
    assert tree_hash(tree.root, 0, size).hex() == ROOTS[size]
    assert tree.root(0, size).hex() == ROOTS[size]


def test_hashes_of_leaves_and_nodes_differ() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)
    assert perfect_root(left + right) == node_hash(left, right)
    assert peaks_root([]) == EMPTY and peaks_root([left]) == left


def test_every_proof_of_every_small_tree() -> None:
    tree = numbered(34)
    for size in range(1, 34):
        root = tree.root(0, size)
        for index in range(size):
            proof = inclusion_proof(tree.root, index, size)
            check_inclusion(leaf_hash(tree.leaves[index]), index, size, proof, root)
        for old in range(size + 1):
            proof = consistency_proof(tree.root, old, size)
            check_consistency(old, tree.root(0, old), size, root, proof)


@given(st.data())
def test_no_proof_shows_anything_else(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 600))
    index = data.draw(st.integers(0, size - 1))
    tree = numbered(size)
    root, leaf = tree.root(0, size), leaf_hash(tree.leaves[index])
    proof = inclusion_proof(tree.root, index, size)
    check_inclusion(leaf, index, size, proof, root)
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index))
    step = data.draw(st.integers(0, len(proof) - 1))
    wrong = [
        (leaf_hash(b"x"), index, size, proof, root),
        (leaf, other, size, proof, root),
        (leaf, index, size, proof[:-1], root),
        (leaf, index, size, [*proof, root], root),
        (leaf, index, size, [*proof[:step], EMPTY, *proof[step + 1 :]], root),
        (leaf, index, size, proof, EMPTY),
        (leaf, size, size, proof, root),
        (leaf, -1, size, proof, root),
    ]
    for case in wrong:
        with pytest.raises(ProofError):
            check_inclusion(*case)


def test_a_smaller_trees_root_is_no_proof_in_a_larger_tree() -> None:
    leaf = leaf_hash(b"a")
    with pytest.raises(ProofError):
        check_inclusion(leaf, 0, 3, [], leaf)
    with pytest.raises(ProofError):
        check_inclusion(leaf, 0, 5, [leaf], node_hash(leaf, leaf))


@given(st.data())
def test_no_two_histories_are_consistent(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 600))
    old = data.draw(st.integers(1, size - 1))
    tree = numbered(size)
    root, old_root = tree.root(0, size), tree.root(0, old)
    proof = consistency_proof(tree.root, old, size)
    check_consistency(old, old_root, size, root, proof)
    changed = Grown([*tree.leaves])
    changed.leaves[data.draw(st.integers(0, old - 1))] = b"changed"
    wrong = [
        (old, changed.root(0, old), size, root, proof),
        (old, old_root, size, changed.root(0, size), proof),
        (old, old_root, size, changed.root(0, size), consistency_proof(changed.root, old, size)),
        (old, old_root, size, root, proof[:-1]),
        (old, old_root, size, root, [*proof, root]),
        (size, old_root, old, root, proof),
        (size, old_root, size, root, []),
        (old, old_root, size, root, []),
        (0, old_root, size, root, []),
    ]
    for case in wrong:
        with pytest.raises(ProofError):
            check_consistency(*case)
