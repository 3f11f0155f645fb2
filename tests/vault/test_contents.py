"""Reading the vault: what was written, nothing that was changed; and what the journal says."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from msgspec.structs import replace
from tests.support.evidence import hold, settle
from tests.support.evidence import write as write_journal
from tests.support.vault import LEDGER, MASTER, frames, records, write

from farthing.evidence.salt import commitment
from farthing.ledger.entry import Entry, Genesis, Resolve, Settle, Unresolved
from farthing.ledger.reported import Erasure
from farthing.vault.contents import Content, read_contents, story
from farthing.vault.keys import Keys
from farthing.vault.segment import HEAD

SALT = b"s" * 32


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    write(tmp_path, records("q1", b"ask one", b"tell one"), records("q2", b"ask two"))
    return Keys(tmp_path, MASTER)


def test_a_querys_own_contents_are_read(tmp_path: Path, keys: Keys) -> None:
    found = read_contents(tmp_path, keys, LEDGER, "q1")
    assert found is not None
    assert (found["prompt"].data, found["answer"].data) == (b"ask one", b"tell one")
    assert read_contents(tmp_path, keys, LEDGER, "q3") is None


def test_a_changed_bit_is_found(tmp_path: Path, keys: Keys) -> None:
    frame = frames(tmp_path)[0]
    data = bytearray(frame.path.read_bytes())
    data[frame.offset + frame.size - 1] ^= 1
    frame.path.write_bytes(data)
    with pytest.raises(InvalidTag):
        read_contents(tmp_path, keys, LEDGER, "q1")
    assert read_contents(tmp_path, keys, LEDGER, "q2") is not None


def test_a_record_that_is_erased_this_moment_is_no_forgery(tmp_path: Path, keys: Keys) -> None:
    frame = frames(tmp_path)[2]
    data = bytearray(frame.path.read_bytes())
    begins = frame.offset + HEAD.size + HEAD.unpack_from(data, frame.offset)[1]
    data[begins : frame.offset + frame.size] = bytes(frame.offset + frame.size - begins)
    frame.path.write_bytes(data)
    assert read_contents(tmp_path, keys, LEDGER, "q1") is None


def test_a_content_opens_its_own_commitment_alone() -> None:
    content, committed = Content(SALT, 4, b"tell"), commitment(SALT, b"tell")
    assert content.whole and content.opens(committed)
    for other in (
        Content(SALT, 4, b"Tell"),
        Content(b"t" * 32, 4, b"tell"),
        Content(SALT, 3, b"tel"),
    ):
        assert not other.opens(committed)
    assert not Content(SALT, 9, b"tell").whole and not Content(SALT, 4, None).whole


def test_the_journal_tells_where_the_commitments_are_and_what_was_erased(tmp_path: Path) -> None:
    told = {"prompt": b"p" * 32, "answer": b"a" * 32, "contents": "kept"}
    made: list[Entry] = [
        Genesis(1, LEDGER), hold(1), replace(settle(1), **told),
        hold(2), replace(Unresolved(5, "q2", "lost"), **told),
        Resolve(6, "ann", "q2", 7, "invoice"), hold(3), settle(3),
        Erasure(9, "ann", "e1", "request", ("q1", "q9")),
    ]  # fmt: skip
    write_journal(tmp_path / "journal", made)
    one, two, three = (story(tmp_path / "journal", f"q{n}") for n in (1, 2, 3))
    assert (one.position, one.ending, one.erased) == (3, made[2], [(9, made[-1])])
    assert (two.position, two.ending, two.erased) == (5, made[4], [])
    assert three.known and three.ending is None and isinstance(made[7], Settle)
    assert not story(tmp_path / "journal", "q7").known
    nobody = story(tmp_path / "journal", "q9")
    assert nobody.erased and not nobody.known
