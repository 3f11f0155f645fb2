"""Reading the records for a command: what the journal says now, and nothing left open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from farthing.ledger.entry import Genesis, encode
from farthing.ledger.journal import Journal
from farthing.ledger.reading import Reader
from farthing.paths import DataFolder

Build = Callable[..., Any]


@pytest.fixture
def reader(tmp_path: Path, database: str | None) -> Iterator[Reader]:
    made = Reader(DataFolder(tmp_path), database)
    yield made
    made.close()


def names(rows: list[dict[str, Any]]) -> str:
    return " ".join(row["id"] for row in rows)


@pytest.fixture
def running(open_journal: Callable[..., Journal], key: Build, hold: Build) -> Journal:
    """The journal of a gateway that runs, with three queries of two keys."""
    journal = open_journal()
    entries = [key("k1"), key("k2"), hold("q1"), hold("q2", key="k2"), hold("q3")]
    journal.append([encode(entry) for entry in [Genesis(1, "one"), *entries]])
    return journal


def test_without_a_journal_there_is_nothing(reader: Reader) -> None:
    assert reader.recent(5) == []
    assert reader.ended_after(0) == []


def test_the_latest_queries_of_a_running_gateway(
    reader: Reader, running: Journal, hold: Build
) -> None:
    assert names(reader.recent(5)) == "q1 q2 q3"
    running.append([encode(hold("q4", key="k2"))])
    assert names(reader.recent(2)) == "q3 q4"
    assert names(reader.recent(5, "k2")) == "q2 q4"
    assert reader.recent(5, "nobody") == []


def test_queries_as_they_end(reader: Reader, running: Journal, settle: Build) -> None:
    assert reader.ended_after(0) == []
    running.append([encode(settle("q2", at=60)), encode(settle("q1", at=50))])
    began = reader.position()
    assert names(reader.ended_after(began)) == "q2 q1"
    assert names(reader.ended_after(began, "k1")) == "q1"
    assert reader.ended_after(reader.position()) == []


def test_a_query_by_its_id(reader: Reader, running: Journal, settle: Build) -> None:
    running.append([encode(settle("q1"))])
    found = reader.find("q1")
    assert found is not None and (found["status"], found["end_position"]) == ("settled", 7)
    assert reader.find("q9") is None


def test_queries_are_read_while_the_journal_goes_on_in_a_new_segment(
    reader: Reader, running: Journal, hold: Build, settle: Build
) -> None:
    assert names(reader.recent(5)) == "q1 q2 q3"
    running.append([encode(settle("q1"))])
    running.roll()
    assert names(reader.ended_after(6)) == "q1"
    running.append([encode(hold("q4")), encode(settle("q4"))])
    assert names(reader.recent(2)) == "q3 q4"
    assert names(reader.ended_after(reader.position() - 1)) == "q4"


def test_nothing_is_left_open(tmp_path: Path, running: Journal, database: str | None) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    reader = Reader(DataFolder(tmp_path), database)
    assert names(reader.recent(5)) == "q1 q2 q3"
    reader.close()
    assert len(list(Path("/dev/fd").iterdir())) == before
    assert not list(tmp_path.glob("records.sqlite-*"))  # SQLite put its own away
