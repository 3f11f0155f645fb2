"""Verifying: everything agrees, or the first thing that does not is found and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from farthing.ledger import audit as audit_module
from farthing.ledger import groups as groups_module
from farthing.ledger import project
from farthing.ledger.entry import Entry, Genesis, encode
from farthing.ledger.groups import JournalGroups
from farthing.ledger.journal import FIRST_SEGMENT, Journal
from farthing.ledger.project import catch_up
from farthing.ledger.records import keys, progress, queries
from farthing.ledger.verify import Report, verify

Build = Callable[..., Any]
Write = Callable[..., Path]
Open = Callable[..., sa.Engine]

GENESIS = Genesis(at=1, ledger="ledger-one")


def cut(entries: list[Entry], size: int = 7) -> list[list[Entry]]:
    return [entries[at : at + size] for at in range(0, len(entries), size)]


@pytest.fixture
def engine(open_engine: Open) -> sa.Engine:
    return open_engine()


@pytest.fixture
def journal(workload: Build, write_journal: Write, engine: sa.Engine) -> Path:
    """A journal with everything in it, and its records."""
    folder = write_journal(cut(workload(5, 300)))
    catch_up(engine, folder)
    return folder


def counts(report: Report) -> dict[str, int]:
    assert report.contradiction is None
    return {row.what.split(",")[0]: row.count for row in report.checked}


def found(engine: sa.Engine, journal: Path) -> tuple[int, str, str]:
    """Verify what was changed; return what is named."""
    wrong = verify(engine, journal).contradiction
    assert wrong is not None
    return wrong.entry, wrong.id, wrong.what


def change(engine: sa.Engine, statement: sa.Executable) -> None:
    with engine.begin() as connection:
        connection.execute(statement)


def test_a_ledger_that_is_right(
    engine: sa.Engine, journal: Path, workload: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups_module, "PIECE", 2_000)
    entries, told = workload(5, 300), list[tuple[int, int]]()
    kinds = [type(entry).__name__ for entry in entries]
    report = verify(engine, journal, lambda *bytes_: told.append(bytes_))
    checked = counts(report)
    assert report.ledger == "ledger-one"
    assert checked["entries"] == len(entries)
    assert checked["records of queries that are what the journal says"] == kinds.count("Hold")
    assert checked["keys that are what the journal says"] == 3
    assert checked["accounts whose sums are the records'"] == 6
    assert checked["queries that are open in both"] > 0
    assert checked["queries that are unresolved in both"] > 0
    assert told[-1][0] == told[-1][1] > told[0][0]
    assert report.tail == 0


def test_records_that_are_behind_are_brought_up_first(
    open_engine: Open, journal: Path, workload: Build
) -> None:
    holds = sum(type(entry).__name__ == "Hold" for entry in workload(5, 300))
    report = verify(open_engine("empty"), journal)
    assert counts(report)["records of queries that are what the journal says"] == holds


def test_while_a_gateway_writes_it_is_compared_as_it_was_at_one_entry(
    monkeypatch: pytest.MonkeyPatch,
    open_engine: Open,
    open_journal: Callable[..., Journal],
    key: Build,
    hold: Build,
    settle: Build,
) -> None:
    """What is journaled and projected in the middle neither is missed nor disturbs."""
    running, engine, other = open_journal(), open_engine(), open_engine()
    running.append([encode(e) for e in (GENESIS, key(), hold("q1"), hold("q2"))])
    take = audit_module.Audit.take

    def taken(audit: audit_module.Audit, entry: Entry, number: int) -> None:
        take(audit, entry, number)
        if number == 2:
            running.append([encode(settle("q1")), encode(hold("q3"))])
            catch_up(other, running.path.parent)

    monkeypatch.setattr(audit_module.Audit, "take", taken)
    checked = counts(verify(engine, running.path.parent))
    assert checked["entries"] == 6
    assert checked["records of queries that are what the journal says"] == 2


# -- records that were changed --------------------------------------------------------------------


def row_of(engine: sa.Engine, status: str) -> dict[str, Any]:
    with engine.connect() as connection:
        one = sa.select(queries).where(queries.c.status == status).order_by(queries.c.position)
        return dict(connection.execute(one.limit(1)).mappings().one())


CHANGES = {
    "cost": 1, "held": 1, "input": 77, "model": "other", "key": "k9", "began": 5,
    "path": '["key:k9"]', "status": "lost", "upstream_id": "other", "overrun": 3,
    "end_position": 2, "stream": False, "reason": "other",
}  # fmt: skip


@pytest.mark.parametrize("status", ["settled", "open", "unresolved", "void"])
def test_a_row_that_was_changed_is_named_with_what_differs(
    engine: sa.Engine, journal: Path, status: str
) -> None:
    row = row_of(engine, status)
    mine = sa.update(queries).where(queries.c.id == row["id"])
    for column, value in CHANGES.items():
        change(engine, mine.values({column: value}))
        what = f"{column} is {value!r} in the records and {row[column]!r} in the journal"
        assert found(engine, journal) == (row["position"], row["id"], what)
        change(engine, mine.values({column: row[column]}))
    assert verify(engine, journal).contradiction is None


def test_a_row_that_was_dropped_is_named(engine: sa.Engine, journal: Path) -> None:
    row = row_of(engine, "settled")
    change(engine, sa.delete(queries).where(queries.c.id == row["id"]))
    expected = (row["position"], row["id"], "is in the journal and not in the records")
    assert found(engine, journal) == expected


def test_a_row_that_was_invented_is_named(engine: sa.Engine, journal: Path) -> None:
    row = row_of(engine, "settled")
    change(engine, sa.insert(queries).values(row | {"id": "invented", "position": 3}))
    assert found(engine, journal) == (3, "invented", "is in the records, not in the journal")


@pytest.mark.parametrize("column", ["name", "revoked", "max_cost"])
def test_a_key_that_was_changed_is_named(engine: sa.Engine, journal: Path, column: str) -> None:
    value = "other" if column == "name" else 7
    change(engine, sa.update(keys).where(keys.c.id == "k2").values({column: value}))
    _, id_, what = found(engine, journal)
    assert id_ == "k2"
    assert f"{value!r}" in what


def test_a_projection_that_adds_wrongly_is_found_by_the_state_machines_accounts(
    monkeypatch: pytest.MonkeyPatch,
    engine: sa.Engine,
    write_journal: Write,
    key: Build,
    hold: Build,
    settle: Build,
) -> None:
    """Rows that are wrong the same way on both sides: only the sums tell."""
    ending = project._ending

    def wrong(entry: Any, position: int) -> dict[str, Any]:
        return ending(entry, position) | {"cost": entry.usd + 1}

    monkeypatch.setattr(project, "_ending", wrong)
    folder = write_journal([[GENESIS, key(), hold("q1", usd=100), settle("q1", usd=60)]])
    what = "posted: the records sum to $0.000000061, the journal to $0.00000006"
    assert found(engine, folder) == (4, "key:k1", what)


# -- a journal that was changed -------------------------------------------------------------------


def test_a_flipped_byte_is_found_wherever_it_is(engine: sa.Engine, journal: Path) -> None:
    """Also in the last group, after which nothing knows it: the records do."""
    with JournalGroups(journal) as groups:
        whole = list(groups.read())
    file = journal / FIRST_SEGMENT
    intact = file.read_bytes()
    for group in (whole[0], whole[len(whole) // 2], whole[-1]):
        for byte in (group.offset, group.offset + 9, group.end - 2):
            file.write_bytes(intact[:byte] + bytes([intact[byte] ^ 4]) + intact[byte + 1 :])
            entry, _, what = found(engine, journal)
            named = {group.first, group.first + len(group.entries) - 1}
            assert entry in named or (group is whole[0] and entry <= 7), (byte, entry, what)
            assert f"{group.offset}" in what or "ledger" in what
    file.write_bytes(intact)
    assert verify(engine, journal).contradiction is None


def test_records_of_another_copy_are_not_dropped_but_named(
    engine: sa.Engine, journal: Path, write_journal: Write, workload: Build
) -> None:
    (journal / FIRST_SEGMENT).unlink()
    write_journal(cut(workload(5, 300)[:-9], 5))
    entry, _, what = found(engine, journal)
    assert "is not the one that the records were made from" in what
    with engine.connect() as connection:
        assert connection.scalar(sa.select(progress.c.position)) == entry
