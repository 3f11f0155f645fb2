"""Receipts: of every leaf, found by its place in the journal, and of one form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.evidence import VERIFIER, Log, entries, make_log, standalone

from farthing.evidence.merkle import ProofError
from farthing.evidence.note import NoteError
from farthing.evidence.receipt import Receipt, index_of, receipt_at
from farthing.ledger.entry import Hold


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return make_log(tmp_path_factory.mktemp("log"), entries(600))


def test_every_leaf_has_one_that_both_verifiers_accept(log: Log) -> None:
    alone = standalone()
    for index in (0, 1, 255, 256, 511, 512, 598, 599):
        receipt = log.receipt(index)
        assert receipt.check(VERIFIER) == log.head
        assert Receipt.decode(receipt.encode()) == receipt
        said = alone.verify_receipt(receipt.encode(), str(VERIFIER))
        assert said == f"leaf {index} of 600: {receipt.entry.decode()}"


def test_the_form_is_tlog_proofs(log: Log) -> None:
    head, _, checkpoint = log.receipt(3).encode().partition(b"\n\n")
    lines = head.decode().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ") and lines[2] == "index 3" and len(lines) == 3 + 10
    assert checkpoint == log.checkpoint


def test_each_ending_is_found_by_its_position(log: Log) -> None:
    """Holds have no leaf of their own; behind the last there is nothing yet."""
    reader = log.reader
    for position, entry in enumerate(entries(600), 1):
        index = index_of(reader, position)
        if isinstance(entry, Hold):
            assert index is None
        else:
            assert index is not None
            assert json.loads(reader.entry(index))["entry"] == position
    assert index_of(reader, 0) is None and index_of(reader, 5000) is None


def test_a_receipt_at_a_position(log: Log, tmp_path: Path) -> None:
    assert receipt_at(tmp_path, 3) is None, "there is no log yet"
    found = receipt_at(log.folder, 3)
    assert found == log.receipt(1)
    assert receipt_at(log.folder, 2) is None


def test_a_receipt_shows_no_other_entry(log: Log) -> None:
    one, other = log.receipt(5), log.receipt(6)
    for wrong in (
        one._replace(entry=other.entry),
        one._replace(number=6),
        one._replace(proof=other.proof),
        one._replace(proof=one.proof[:-1]),
        one._replace(number=600),
    ):
        with pytest.raises(ProofError):
            wrong.check(VERIFIER)
        with pytest.raises(ValueError):
            standalone().verify_receipt(wrong.encode(), str(VERIFIER))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"@v1", b"@v2"),
        (b"index 5", b"index 05"),
        (b"index 5", b"index -5"),
        (b"index", b"index "),
        (b"extra ", b""),
        (b"extra ", b"extra  "),
        (b"\n\n", b"\n"),
        (b"c2sp", b"\nc2sp"),
        (b"c2sp", b"\xffc2sp"),
        (b"\nindex", b"\r\nindex"),
    ],
)
def test_what_is_no_receipt(log: Log, old: bytes, new: bytes) -> None:
    data = log.receipt(5).encode().replace(old, new, 1)
    with pytest.raises(NoteError):
        Receipt.decode(data).check(VERIFIER)
    with pytest.raises(ValueError):
        standalone().verify_receipt(data, str(VERIFIER))


def test_a_proof_longer_than_any_trees_is_refused(log: Log) -> None:
    receipt = log.receipt(5)
    with pytest.raises(NoteError):
        Receipt.decode(receipt._replace(proof=receipt.proof * 10).encode())
