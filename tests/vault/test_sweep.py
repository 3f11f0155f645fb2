"""Sweeping: what is over goes by policy, what crashes left goes without a word of the journal's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.vault import LEDGER, MASTER, ORG, frames, queries, records, write
from tests.vault.test_erase import Ledger, ListedEraser

from farthing import clock
from farthing.ledger.disk import DISK
from farthing.settings import ContentsRule
from farthing.vault.keys import Keys
from farthing.vault.rules import DAY, Rules
from farthing.vault.segment import segments
from farthing.vault.sweep import YOUNG, sweep
from farthing.vault.writer import Writer

RULES = Rules([ContentsRule("contents", "team:legal", 30), ContentsRule("commitments")])
NOW = 20_000 * DAY + 7


def at(monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    monkeypatch.setattr(clock, "wall", lambda: moment)


def swept(folder: Path, now: int = NOW) -> Ledger:
    ledger = Ledger()
    sweep(folder, RULES, ListedEraser(folder, ledger), now)
    return ledger


def test_what_is_over_goes_and_the_entry_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, NOW - 40 * DAY)
    write(tmp_path, records("old"), records("kept", lineage=("key:k9",)), run="a")
    at(monkeypatch, NOW - 30 * DAY)
    write(tmp_path, records("today"), run="b")
    at(monkeypatch, NOW - 30 * DAY + 1)
    write(tmp_path, records("tomorrow"), run="c")
    (entry,) = swept(tmp_path).entries
    assert (entry.queries, entry.cause, entry.by) == (("old", "today"), "retention", "farthing")
    assert queries(tmp_path) == ["kept", "tomorrow"]
    assert len(segments(DISK, tmp_path)) == 2, "a segment in which nothing is left is deleted"
    assert swept(tmp_path).entries == []


def test_what_a_process_that_died_left_unfinished_goes(tmp_path: Path) -> None:
    write(tmp_path, records("whole", b"w"), records("open", b"o")[:2], run="dead")
    keys = Keys(tmp_path, MASTER)
    living = Writer(tmp_path, "living", LEDGER, keys)
    living.write(records("begun", b"b")[:1])
    assert swept(tmp_path, clock.wall()).entries == []
    assert queries(tmp_path) == ["begun", "whole"]
    living.write(records("begun", b"b")[1:])
    living.close()
    assert swept(tmp_path, clock.wall()).entries == []
    assert queries(tmp_path) == ["begun", "whole"]


def test_parts_and_their_end_may_stand_in_two_segments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(tmp_path, "w", LEDGER, Keys(tmp_path, MASTER))
    at(monkeypatch, NOW - DAY)
    writer.write(records("q1", b"long")[:2])
    at(monkeypatch, NOW)
    writer.write(records("q1", b"long")[2:])
    writer.close()
    assert len(segments(DISK, tmp_path)) == 2
    assert swept(tmp_path).entries == [] and len(frames(tmp_path)) == 3


def test_a_torn_end_is_cut_off_once_its_process_is_gone(tmp_path: Path) -> None:
    write(tmp_path, records("q1", b"one"))
    (path,) = segments(DISK, tmp_path)
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(path.read_bytes()[24:80])
    later = clock.wall() + 2 * YOUNG
    swept(tmp_path, clock.wall())
    assert path.stat().st_size > size, "so young that it may be written"
    swept(tmp_path, later)
    assert path.stat().st_size == size and queries(tmp_path) == ["q1"]


def test_a_segment_that_is_written_is_left_alone(tmp_path: Path) -> None:
    writer = Writer(tmp_path, "w", LEDGER, Keys(tmp_path, MASTER))
    writer.write(records("q1", lineage=ORG))
    ledger = swept(tmp_path, clock.wall() + 40 * DAY)
    assert [entry.queries for entry in ledger.entries] == [("q1",)]
    assert queries(tmp_path) == [] and len(segments(DISK, tmp_path)) == 1
    writer.write(records("q2"))
    assert queries(tmp_path) == ["q2"]
    writer.close()
