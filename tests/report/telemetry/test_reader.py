"""The reader: every query that ended once, however often it is started again."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.evidence import configs, hold, settle, write

from farthing.ledger.entry import Expire, Genesis, Unresolved, Void
from farthing.ledger.segments import segment_path
from farthing.report.telemetry.reader import Ended, Reader


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "telemetry"


def reader(journal: Path, place: Path) -> closing[Reader]:
    return closing(Reader(journal, place))


def ids(ended: list[Ended]) -> list[str]:
    return [query.hold.id for query in ended]


def test_what_ended_before_the_first_start_is_not_told_and_all_after_it_is(
    journal: Path, place: Path
) -> None:
    write(journal, [Genesis(1, "one"), hold(1), settle(1), hold(2)])
    with reader(journal, place) as read:
        assert read.read() == [] and not read.moved
        write(journal, [settle(2), hold(3), settle(3)])
        assert read.read() == [Ended(7, hold(3), settle(3))]


def test_from_a_journals_beginning_nothing_is_left_out(journal: Path, place: Path) -> None:
    """A gateway's first start: the process is there before the journal."""
    with reader(journal, place) as read:
        assert read.read() == []
        write(journal, [Genesis(1, "one"), hold(1), settle(1)])
        assert ids(read.read()) == ["q1"] and read.moved
    with reader(journal, place) as again:  # it was not kept
        assert ids(again.read()) == ["q1"]


def test_what_was_kept_is_not_told_again_and_what_was_not_is(journal: Path, place: Path) -> None:
    write(journal, [Genesis(1, "one")])
    with reader(journal, place) as read:
        write(journal, [hold(1), hold(2), settle(1), hold(3)])
        assert ids(read.read()) == ["q1"]
        read.keep()
        assert not read.moved
        write(journal, [Void(5, "q2", "why")])
        assert ids(read.read()) == ["q2"]
    assert place.stat().st_mode & 0o777 == 0o600
    with reader(journal, place) as again:
        assert ids(again.read()) == ["q2"]
        again.keep()
        write(journal, [Unresolved(6, "q3", "lost"), Expire(7, "q3")])
        assert ids(again.read()) == ["q3"], "told when it first ended, and not once more"


def test_another_journal_is_told_from_its_end_and_that_is_said(
    journal: Path, place: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("farthing"), "propagate", True)
    write(journal, [Genesis(1, "one"), *configs(3)])
    with reader(journal, place) as read:
        write(journal, configs(5))
        read.read()
        read.keep()
    segment_path(journal, 1).unlink()
    write(journal, [Genesis(1, "one"), hold(1), settle(1)])
    with reader(journal, place) as read:
        assert "another than the one told so far" in caplog.text
        assert read.read() == []
        write(journal, [hold(2), settle(2)])
        assert ids(read.read()) == ["q2"]
    segment_path(journal, 1).unlink()
    write(journal, [Genesis(1, "two"), hold(1), settle(1)])
    with reader(journal, place) as read:
        assert (read.read(), read.ledger) == ([], "two")


def test_a_place_that_cannot_be_read_is_made_anew(journal: Path, place: Path) -> None:
    write(journal, [Genesis(1, "one"), hold(1), settle(1)])
    place.write_text("{")
    with reader(journal, place) as read:
        assert read.read() == []
        write(journal, [hold(2), settle(2)])
        assert ids(read.read()) == ["q2"]
