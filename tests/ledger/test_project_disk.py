"""The projection and the disk: torn tails, failures, and nothing shown that could vanish."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.records import content, projected

from farthing.ledger.entry import Config, Genesis, encode
from farthing.ledger.journal import FIRST_SEGMENT, Journal
from farthing.ledger.project import catch_up

Build = Callable[..., Any]
Write = Callable[..., Path]
Open = Callable[..., sa.Engine]

GENESIS = Genesis(at=1, ledger="ledger-one")


def test_where_there_is_no_journal_nothing_is_projected(tmp_path: Path, open_engine: Open) -> None:
    folder = tmp_path / "journal"
    engine = open_engine()
    assert catch_up(engine, folder) == 0
    folder.mkdir()
    for content_ in (b"", bytes(4096)):  # as a journal is before its first entry
        (folder / FIRST_SEGMENT).write_bytes(content_)
        assert catch_up(engine, folder) == 0


@pytest.mark.parametrize("left", [1, 27, 28, 29, -1])
@pytest.mark.parametrize("zeros", [0, 4096])
def test_a_torn_tail_is_not_shown_and_what_replaces_it_is(
    write_journal: Write, open_engine: Open, key: Build, hold: Build, left: int, zeros: int
) -> None:
    engine = open_engine()
    folder = write_journal([[GENESIS, key()], [hold("q1")]])
    whole = (file := folder / FIRST_SEGMENT).stat().st_size
    write_journal([[hold("torn"), hold("too")]])
    raw = file.read_bytes()
    file.write_bytes(raw[: whole + left if left > 0 else left] + bytes(zeros))
    assert [row["id"] for row in projected(engine, folder)["queries"]] == ["q1"]
    write_journal([[hold("q2")]])
    assert [row["id"] for row in projected(engine, folder)["queries"]] == ["q1", "q2"]


@pytest.mark.parametrize(
    "later",
    [
        0,
        1,
    ],
)
def test_nothing_is_shown_that_is_not_on_the_disk(
    monkeypatch: pytest.MonkeyPatch,
    open_journal: Callable[..., Journal],
    open_engine: Open,
    hold: Build,
    later: int,
) -> None:
    """Also not what the ledger appends just after the disk has done its work."""
    engine, journal = open_engine(), open_journal()
    journal.append([encode(GENESIS), encode(hold("q0"))])
    safe, waiting = 0, [encode(hold(f"q{n + 1}")) for n in range(later)]

    def sync(_: int) -> None:
        nonlocal safe
        safe = journal.position
        if waiting:
            journal.append([waiting.pop()])

    with monkeypatch.context() as patched:
        for name in ("fsync", "fdatasync"):
            patched.setattr(os, name, sync)
        shown = projected(engine, journal.path.parent)["progress"][0]["position"]
    assert 2 <= shown <= safe


def test_nothing_is_shown_and_nothing_left_open_when_the_disk_fails(
    monkeypatch: pytest.MonkeyPatch, workload: Build, write_journal: Write, open_engine: Open
) -> None:
    engine, journal = open_engine(), write_journal([workload(1)])

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "the disk is gone")

    content(engine)
    before = len(list(Path("/dev/fd").iterdir()))
    with monkeypatch.context() as patched, pytest.raises(OSError, match="the disk is gone"):
        for name in ("fsync", "fdatasync"):
            patched.setattr(os, name, fail)
        catch_up(engine, journal)
    assert content(engine)["queries"] == []
    assert len(list(Path("/dev/fd").iterdir())) == before


CUT_WHILE_READ = """
import mmap, os, resource, sys
from pathlib import Path
from farthing.ledger import project
from farthing.ledger.records import open_records
from farthing.paths import DataFolder

records, journal, end = DataFolder(Path(sys.argv[1])), Path(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
map_ = mmap.mmap

def cut(*arguments, **named):
    made = map_(*arguments, **named)
    os.truncate(journal / "00000001.journal", end)
    return made

mmap.mmap = cut
print(project.catch_up(open_records(records), journal))
"""


def test_a_journal_that_is_closed_while_it_is_read_is_read_to_its_end(
    python: Callable[..., str], tmp_path: Path, open_journal: Callable[..., Journal]
) -> None:
    def entries(size: int) -> list[bytes]:
        return [encode(GENESIS), encode(Config(1, "x" * size))]

    page = os.sysconf("SC_PAGE_SIZE")
    unpadded = 28 + 1 + sum(map(len, entries(1_000))) - 1_000
    journal = open_journal()
    journal.append(entries(page - unpadded))
    folder, records = journal.path.parent, tmp_path / "data"
    assert python(CUT_WHILE_READ, records, folder, page) == "2\n"
