"""Tiles: the specification's paths, and trees that are read from them."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from tests.evidence.test_merkle import numbered

from farthing.evidence.merkle import leaf_hash
from farthing.evidence.tiles import (
    ENTRIES,
    Tile,
    TileError,
    TreeReader,
    bundled,
    tile_in,
    unbundled,
)
from farthing.evidence.tree import Tree


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 999, 1), "tile/0/999.p/1"),
        (Tile(1, 1000, 255), "tile/1/x001/000.p/255"),
        (Tile(63, 1_234_067), "tile/63/x001/x234/067"),
        (Tile(ENTRIES, 1_234_067), "tile/entries/x001/x234/067"),
    ],
)
def test_paths(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert Tile.of(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "", "checkpoint", "tile/0", "tile/0/0", "tile/0/0000", "tile/00/000", "tile/64/000",
        "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/x000/000",
        "tile/0/x001/x000", "tile/-1/000", "tile/entries/../000", "tile/0/000/", "/tile/0/000",
        "tile/0/٠٠٠", "tile/0/000.p/1\n", "tile/0/.new",
    ],
)  # fmt: skip
def test_what_is_no_tile(path: str) -> None:
    assert Tile.of(path) is None


def test_the_specifications_example_of_a_tree_of_70_000() -> None:
    wide = {level: 70_000 >> 8 * level for level in range(3)}
    assert [tile_in(0, 273, 70_000), tile_in(1, 1, 70_000), tile_in(2, 0, 70_000)] == [
        Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1),
    ]  # fmt: skip
    assert wide == {0: 70_000, 1: 273, 2: 1}
    assert tile_in(0, 272, 70_000).width == tile_in(ENTRIES, 0, 70_000).width == 256


def test_bundles() -> None:
    entries = [b"", b"a", b"b" * 65_535]
    assert unbundled(bundled(entries)) == entries
    assert bundled([b"ab"]) == b"\0\2ab"
    for cut in (b"\0", b"\0\2a", b"\0\1ab"):
        with pytest.raises(TileError, match="cut off"):
            unbundled(cut)


def grown(size: int) -> dict[str, bytes]:
    """A log's files, at a size."""
    tree, files = Tree(), dict[str, bytes]()
    for leaf in numbered(size).leaves:
        files |= {tile.path: data for tile, data in tree.add(leaf)}
    return files | {tile.path: data for tile, data in tree.edge()}


def fetch_from(files: dict[str, bytes]) -> Callable[[str], bytes]:
    def fetch(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    return fetch


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
def test_subtrees_and_entries_are_read(size: int) -> None:
    expected = numbered(size)
    reader = TreeReader(fetch_from(grown(size)), size)
    for index in (0, size // 2, size - 1):
        assert reader.entry(index) == expected.leaves[index]
        assert reader.subtree(index, index + 1) == leaf_hash(expected.leaves[index])
    draw = random.Random(size)
    for _ in range(50):
        width = 1 << draw.randrange(size.bit_length())
        begin = draw.randrange(size // width) * width
        assert reader.subtree(begin, begin + width) == expected.root(begin, begin + width)


def test_an_older_tree_is_read_from_tiles_that_have_become_complete() -> None:
    files, expected = grown(600), numbered(600)
    assert TreeReader(fetch_from(files), 300).subtree(256, 288) == expected.root(256, 288)
    assert TreeReader(fetch_from(files), 300).bundle(1) == expected.leaves[256:300]


def test_missing_and_shortened_tiles() -> None:
    files = grown(600)
    del files["tile/0/000"], files["tile/0/002.p/88"]
    files["tile/0/001"] = files["tile/0/001"][:-1]
    files["tile/entries/000"] = bundled(unbundled(files["tile/entries/000"])[:-1])
    reader = TreeReader(fetch_from(files), 600)
    for index in (0, 512):
        with pytest.raises(FileNotFoundError):
            reader.subtree(index, index + 1)
    with pytest.raises(TileError, match="8191 bytes"):
        reader.subtree(256, 257)
    with pytest.raises(TileError, match="255 entries, not 256"):
        reader.bundle(0)
