"""Reading the journal beside whoever writes it: all of it, from a place on, or one query's part."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from farthing.ledger import groups as groups_module
from farthing.ledger.entry import Entry, Genesis, Overrun, encode
from farthing.ledger.groups import JournalGroups, ledger_in
from farthing.ledger.journal import FIRST_SEGMENT, Journal

Build = Callable[..., Any]
Write = Callable[..., Path]


@pytest.fixture(params=[1, 300, 1_000_000])
def entries(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, workload: Build
) -> list[Entry]:
    """A journal's entries, which are read in pieces of several sizes."""
    monkeypatch.setattr(groups_module, "PIECE", request.param)
    made: list[Entry] = workload(11)
    return made


@pytest.fixture
def folder(write_journal: Write, entries: list[Entry]) -> Path:
    return write_journal([entries[at : at + 7] for at in range(0, len(entries), 7)])


def test_everything_is_read_in_order_and_with_its_numbers(
    folder: Path, entries: list[Entry]
) -> None:
    with JournalGroups(folder) as groups:
        found = list(groups.read())
        assert [entry for group in found for entry in group.entries] == entries
        assert [group.first for group in found] == list(range(1, len(entries) + 1, 7))
        assert found[0].offset == 0
        assert all(a.end == b.offset for a, b in itertools.pairwise(found))
        assert found[-1].end == groups.size


def test_it_goes_on_from_any_group(folder: Path) -> None:
    with JournalGroups(folder) as groups:
        found = list(groups.read())
        for place, group in enumerate(found):
            assert list(groups.read(group.offset, group.first - 1)) == found[place:]
            assert list(groups.read(group.offset, group.first)) == []
            assert groups.has(group.offset, group.checksum)
            assert not groups.has(group.offset, group.checksum ^ 1)
        assert not groups.has(groups.size, 0)


def test_a_query_is_found_with_all_that_is_of_it(folder: Path, entries: list[Entry]) -> None:
    with JournalGroups(folder) as groups:
        for query in {entry.id for entry in entries if isinstance(entry, Overrun)} | {"q3"}:
            expected = [
                (number, entry)
                for number, entry in enumerate(entries, start=1)
                if getattr(entry, "id", None) == query
            ]
            assert list(groups.about(query)) == expected
        assert list(groups.about("nobody")) == []


def test_every_entry_is_found_by_its_number(folder: Path, entries: list[Entry]) -> None:
    with JournalGroups(folder) as groups:
        assert [groups.at(n) for n in range(1, len(entries) + 1)] == entries
        assert groups.at(0) is None
        assert groups.at(len(entries) + 1) is None


def test_whose_journal_it_is(tmp_path: Path, folder: Path) -> None:
    assert ledger_in(folder) == "ledger-one"
    assert ledger_in(tmp_path / "nowhere") == ""
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / FIRST_SEGMENT).write_bytes(bytes(4096))
    assert ledger_in(empty) == ""


def test_the_unused_end_is_no_tail(open_journal: Callable[..., Journal], key: Build) -> None:
    journal = open_journal()
    journal.append([encode(Genesis(1, "one")), encode(key())])
    with JournalGroups(journal.path.parent) as groups:
        (group,) = groups.read()
        assert groups.size > group.end
        assert groups.tail(group.end) == 0
        assert groups.damage(group.end, 2) is None


def test_nothing_is_left_open(folder: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    with JournalGroups(folder) as groups:
        list(groups.read())
    assert len(list(Path("/dev/fd").iterdir())) == before
