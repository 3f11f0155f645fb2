"""All entries of a log, and that they are the ones that were signed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.evidence import VERIFIER, configs, make_log

from farthing.evidence.entries import read_entries
from farthing.evidence.merkle import ProofError
from farthing.evidence.note import NoteError, Signer
from farthing.evidence.source import source_of
from farthing.evidence.tiles import TileError
from farthing.ledger.entry import Genesis


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 700, 768])
def test_all_entries_are_read_and_make_the_signed_tree(tmp_path: Path, size: int) -> None:
    log = make_log(tmp_path, [Genesis(1, "one"), *configs(size - 1)])
    fetch = source_of(str(log.folder))
    entries = read_entries(fetch, VERIFIER)
    found = [entry for bundle in entries for entry in bundle]
    assert found == [log.reader.entry(index) for index in range(size)]
    assert entries.verified and entries.head == log.head
    unchecked = read_entries(fetch, None)
    assert [entry for bundle in unchecked for entry in bundle] == found and not unchecked.verified


@pytest.mark.parametrize("index", [0, 300, 599])
def test_a_changed_entry_is_found_where_there_is_a_key(tmp_path: Path, index: int) -> None:
    log = make_log(tmp_path, [Genesis(1, "one"), *configs(599)])
    path = log.folder / "tile/entries" / ("000", "001", "002.p/88")[index // 256]
    data = bytearray(path.read_bytes())
    place = data.index(b'"digest":"c', 0) if index else data.index(b"one")
    data[place + 11 if index else place] ^= 1
    path.write_bytes(data)
    fetch = source_of(str(log.folder))
    assert sum(map(len, read_entries(fetch, None))) == 600
    with pytest.raises(ProofError, match="do not make the tree"):
        list(read_entries(fetch, VERIFIER))


def test_a_bundle_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    log = make_log(tmp_path, [Genesis(1, "one"), *configs(300)])
    path = log.folder / "tile/entries/001.p/45"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(TileError):
        list(read_entries(source_of(str(log.folder)), None))


def test_another_logs_key_is_refused(tmp_path: Path) -> None:
    log = make_log(tmp_path, [Genesis(1, "one")])
    other = Signer("other.example", bytes(32)).verifier
    with pytest.raises(NoteError):
        read_entries(source_of(str(log.folder)), other)
