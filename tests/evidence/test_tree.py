"""A growing tree: the root at each size, and each tile exactly when it is complete."""

from __future__ import annotations

import pytest
from tests.evidence.test_merkle import numbered

from farthing.evidence.merkle import EMPTY
from farthing.evidence.tiles import ENTRIES, Tile, bundled
from farthing.evidence.tree import Tree


def test_the_root_at_each_size() -> None:
    tree, expected = Tree(), numbered(520)
    assert tree.root() == EMPTY and list(tree.edge()) == []
    for size, leaf in enumerate(expected.leaves, 1):
        tree.add(leaf)
        assert tree.size == size
        if size < 40 or size > 500 or size % 64 < 2:
            assert tree.root() == expected.root(0, size)


def test_tiles_come_when_they_are_complete() -> None:
    tree, expected = Tree(), numbered(256 * 257 + 3)
    complete: dict[Tile, bytes] = {}
    for leaf in expected.leaves:
        pieces = tree.add(leaf)
        assert not pieces or tree.size % 256 == 0
        complete.update(pieces)
    assert sorted(complete) == sorted(
        [*(Tile(level, n) for level in (ENTRIES, 0) for n in range(257)), Tile(1, 0)]
    )
    assert complete[Tile(ENTRIES, 3)] == bundled(expected.leaves[768:1024])
    roots = [expected.root(n * 256, (n + 1) * 256) for n in range(257)]
    assert complete[Tile(1, 0)] == b"".join(roots[:256])
    edge = dict(tree.edge())
    assert edge[Tile(1, 1, 1)] == roots[256]
    assert edge[Tile(2, 0, 1)] == expected.root(0, 65_536)
    assert set(edge) == {Tile(ENTRIES, 257, 3), Tile(0, 257, 3), Tile(1, 1, 1), Tile(2, 0, 1)}
    assert tree.root() == expected.root(0, tree.size)


def test_a_leaf_that_no_bundle_can_hold_is_a_defect() -> None:
    with pytest.raises(AssertionError):
        Tree().add(b"x" * 65_536)
