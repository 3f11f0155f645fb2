"""Finding what is asked for in a journal, in however many segments and pieces it is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.everything import everything

from farthing.ledger import groups, search
from farthing.ledger.entry import Config, Entry, Genesis, Hold, Overrun, decode_many, encode
from farthing.ledger.journal import FIRST_SEGMENT, Journal, JournalDamagedError
from farthing.ledger.reported import Erasure, LogKey
from farthing.ledger.search import (
    entries_about,
    entries_of,
    entry_at,
    entry_is_about,
    journal_size,
    ledger_in,
)
from farthing.ledger.segments import segment_path

Open = Callable[..., Journal]


@pytest.fixture(params=[1, 300, 1_000_000])
def entries(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Entry]:
    """A journal's entries, which are read in pieces of several sizes."""
    monkeypatch.setattr(search, "PIECE", request.param)
    return [entry for group in everything(11) for entry in group]


@pytest.fixture
def folder(open_journal: Open, entries: list[Entry]) -> Path:
    """The journal of these entries, in groups of seven and segments of some groups."""
    journal = open_journal()
    for at in range(0, len(entries), 7):
        journal.append([encode(entry) for entry in entries[at : at + 7]])
        if at % 49 == 0:
            journal.roll()
    return journal.folder


def test_a_query_is_found_with_all_that_is_of_it(folder: Path, entries: list[Entry]) -> None:
    for query in {entry.id for entry in entries if isinstance(entry, Overrun)} | {"q3"}:
        expected = [
            (number, entry)
            for number, entry in enumerate(entries, start=1)
            if getattr(entry, "id", None) == query
            or (isinstance(entry, Erasure) and query in entry.queries)
        ]
        assert list(entries_about(folder, query)) == expected
    assert list(entries_about(folder, "somebody else")) == []


def test_groups_that_do_not_name_it_are_not_decoded(
    folder: Path, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    query = [entry.id for entry in entries if isinstance(entry, Hold)][-1]
    known = sum(entry_is_about(entry, query) for entry in entries)
    decoded: list[int] = []
    whole = decode_many

    def count(payload: bytes) -> list[Entry]:
        decoded.append(1)
        return whole(payload)

    monkeypatch.setattr(groups, "decode_many", count)
    assert len(list(entries_about(folder, query))) == known
    assert 0 < len(decoded) <= known
    decoded.clear()
    assert isinstance(entry_at(folder, 1), Genesis)
    assert len(decoded) == 1


def test_entries_of_a_kind_are_found(folder: Path, entries: list[Entry]) -> None:
    numbered = enumerate(entries, 1)
    expected = [(number, entry) for number, entry in numbered if isinstance(entry, LogKey)]
    assert list(entries_of(folder, LogKey)) == expected != []


def test_every_entry_is_found_by_its_number(folder: Path, entries: list[Entry]) -> None:
    assert [entry_at(folder, n) for n in range(1, len(entries) + 1)] == entries
    assert entry_at(folder, 0) is None
    assert entry_at(folder, len(entries) + 1) is None


def test_a_segment_that_is_missing_is_said_and_not_passed_over(folder: Path) -> None:
    segment_path(folder, 2).unlink()
    with pytest.raises(JournalDamagedError, match=r"00000002.journal is missing"):
        list(entries_about(folder, "somebody else"))
    with pytest.raises(JournalDamagedError, match=r"00000002.journal is missing"):
        entry_at(folder, 1)


def test_whose_journal_it_is(tmp_path: Path, folder: Path) -> None:
    assert ledger_in(folder) == "ledger-one"
    assert ledger_in(tmp_path / "nowhere") == ""
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / FIRST_SEGMENT).write_bytes(bytes(4096))
    assert ledger_in(empty) == ""
    assert entry_at(empty, 1) is None


def test_without_a_journal_there_is_nothing_to_search(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(entries_about(tmp_path, "q1"))
    with pytest.raises(FileNotFoundError):
        entry_at(tmp_path, 1)


def test_the_size_is_that_of_all_segments(folder: Path) -> None:
    sizes = [path.stat().st_size for path in folder.glob("*.journal")]
    assert len(sizes) > 3
    assert journal_size(folder) == sum(sizes)


def test_a_torn_group_is_not_there(open_journal: Open) -> None:
    journal = open_journal()
    for number in (1, 2):
        journal.append([encode(Config(number, "c"))])
    content = journal.path.read_bytes()
    end = len(content.rstrip(b"\0"))
    journal.path.write_bytes(content[: end - 1] + bytes(len(content) - end + 1))
    assert entry_at(journal.folder, 1) == Config(1, "c")
    assert entry_at(journal.folder, 2) is None


def test_nothing_is_left_open(folder: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    next(entries_about(folder, "q3"))
    entry_at(folder, 5)
    assert len(list(Path("/dev/fd").iterdir())) == before
