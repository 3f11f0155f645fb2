"""The projection: what the journal says, once, however often and wherever it was interrupted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from tests.support.records import content, projected

from farthing.ledger import groups
from farthing.ledger.entry import (
    Entry,
    Genesis,
    Hold,
    Key,
    Overrun,
    Revoke,
    Settle,
    Unresolved,
    Void,
    encode,
)
from farthing.ledger.journal import FIRST_SEGMENT, Journal
from farthing.ledger.project import catch_up, rebuild
from farthing.ledger.records import find, keys, open_records, progress, queries
from farthing.ledger.state import State
from farthing.paths import DataFolder
from farthing.wire.dialect import Usage

Build = Callable[..., Any]
Write = Callable[..., Path]
Open = Callable[..., sa.Engine]

GENESIS = Genesis(at=1, ledger="ledger-one")


def cut(entries: list[Entry], size: int = 7) -> list[list[Entry]]:
    """Cut entries into groups."""
    return [entries[at : at + size] for at in range(0, len(entries), size)]


# -- what the rows say --------------------------------------------------------------------------


def expected(entries: list[Entry]) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """What the records must hold of queries and keys, entry by entry and without any SQL."""
    held: dict[str, dict[str, Any]] = {}
    asked: dict[str, dict[str, Any]] = {}
    known: dict[str, dict[str, Any]] = {}
    empty = {column.name: None for column in queries.columns}
    same = ("id", "key", "provider", "model", "asked_model", "dialect", "stream", "output_cap")
    meters = Usage.__struct_fields__
    for position, entry in enumerate(entries, start=1):
        match entry:
            case Hold():
                row = empty | {name: getattr(entry, name) for name in (*same, "price_book")}
                row |= {"position": position, "began": entry.at, "status": "open"}
                row |= {"ledger": "ledger-one", "path": f'["key:{entry.key}"]'}
                row |= {"held": entry.usd, "held_tokens": entry.tokens}
                held[entry.id] = asked[entry.id] = row
            case Settle():
                row = held[entry.id] | {m: getattr(entry.usage, m) for m in meters}
                row |= {"ended": entry.at, "status": "settled", "cost": entry.usd}
                row |= {"end_position": position}
                row |= {"http_status": 200, "first_byte_us": 11, "total_us": 22}
                asked[entry.id] = row | {
                    "upstream_id": "up",
                    "answered_model": "gpt-x-2026-01",
                    "losses": "",
                }
            case Void():
                row = {"ended": entry.at, "reason": entry.reason, "status": "void", "cost": 0}
                asked[entry.id] = held[entry.id] | row | {"end_position": position}
            case Unresolved():
                row = {"ended": entry.at, "reason": entry.reason, "status": "unresolved"}
                row |= {"end_position": position}
                asked[entry.id] = held[entry.id] | row | {"http_status": 200, "total_us": 5}
            case Overrun():
                asked[entry.id]["overrun"] = entry.usd
            case Key():
                made = {"made": entry.at, "made_by": "ann", "revoked": None, "max_cost": None}
                made |= {"ledger": "ledger-one", "id": entry.id, "name": entry.name}
                known[entry.id] = made | {"expires": None}
            case Revoke():
                known[entry.id]["revoked"] = entry.at
    return asked, known


@pytest.mark.parametrize("piece", [1, 2_000, 1_000_000])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_rows_are_what_the_journal_says(
    monkeypatch: pytest.MonkeyPatch,
    workload: Build,
    write_journal: Write,
    open_engine: Open,
    seed: int,
    piece: int,
) -> None:
    monkeypatch.setattr(groups, "PIECE", piece)
    entries = workload(seed)
    engine, journal = open_engine(), write_journal(cut(entries))
    assert catch_up(engine, journal) == len(entries)
    found = content(engine)
    asked, known = expected(entries)
    assert {row["id"]: row for row in found["queries"]} == asked
    assert {row["id"]: row for row in found["keys"]} == known
    seen = Counter(row["status"] for row in asked.values())
    assert all(seen[status] for status in ("open", "settled", "void", "unresolved"))


def test_sums_are_the_journals_to_the_nanodollar(
    workload: Build, write_journal: Write, open_engine: Open
) -> None:
    entries, state, engine = workload(5, 400), State(), open_engine()
    for entry in entries:
        assert state.apply(entry) is None
    catch_up(engine, write_journal(cut(entries)))
    with engine.connect() as connection:
        posted = sa.select(queries.c.key, sa.func.sum(queries.c.cost)).group_by(queries.c.key)
        totals = {key: cost or 0 for key, cost in connection.execute(posted)}
        unended = queries.c.status.in_(["open", "unresolved"])
        held = sa.select(queries.c.key, sa.func.sum(queries.c.held).label("usd")).where(unended)
        rows = connection.execute(held.group_by(queries.c.key)).mappings()
        holding = {row["key"]: row["usd"] for row in rows}
    accounts = {key: state.account(f"key:{key}", "usd") for key in ("k1", "k2", "k3")}
    assert totals == {key: account.posted for key, account in accounts.items()}
    assert holding == {key: account.held for key, account in accounts.items() if account.held}


def test_a_key_stays_revoked_at_the_time_it_was_first(
    write_journal: Write, open_engine: Open, key: Build
) -> None:
    entries = [GENESIS, key(), Revoke(5, "ann", "k1"), Revoke(9, "bob", "k1")]
    found = projected(open_engine(), write_journal([entries]))
    assert found["keys"][0]["revoked"] == 5


# -- again and again ----------------------------------------------------------------------------


def test_projecting_again_does_nothing(
    workload: Build, write_journal: Write, open_engine: Open
) -> None:
    engine, journal = open_engine(), write_journal(cut(workload(1)))
    once = projected(engine, journal)
    assert catch_up(engine, journal) == 0
    assert content(engine) == once
    assert [row["ledger"] for row in once["progress"]] == ["ledger-one"]


def test_following_group_by_group_gives_what_one_projection_gives(
    workload: Build, write_journal: Write, open_engine: Open
) -> None:
    engine, groups = open_engine(), cut(workload(2), 11)
    for group in groups:
        assert catch_up(engine, journal := write_journal([group])) == len(group)
    assert content(engine) == projected(open_engine("at-once"), journal)


def test_entries_taken_again_make_the_same_rows(
    workload: Build, write_journal: Write, open_engine: Open
) -> None:
    """The projection says how far it has come in the same transaction; this is the belt to that."""
    engine, journal = open_engine(), write_journal(cut(workload(3)))
    once = projected(engine, journal)
    with engine.begin() as connection:
        connection.execute(sa.update(progress).values(position=0, offset=0))
    assert projected(engine, journal) == once


KILLED_AT_EACH_STEP = """
import os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from farthing.ledger import groups, project
from farthing.ledger.database import open_database
from farthing.ledger.records import open_records
from farthing.paths import DataFolder

groups.PIECE = 2_000
folder, journal, database = DataFolder(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3] or None
open_records(folder, database).dispose()
step, killed = 0, True
while killed:
    step += 1
    if (child := os.fork()) == 0:
        engine = open_database(folder, database)
        left = [step]
        def work(*_):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
        for event in ("before_cursor_execute", "after_cursor_execute", "commit"):
            sa.event.listen(engine, event, work)
        getattr(project, sys.argv[4])(engine, journal)
        os._exit(0)
    killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
print(step)
"""


@pytest.mark.parametrize("way", ["catch_up", "rebuild"])
def test_a_projection_that_is_killed_at_every_step_ends_with_the_same_rows(
    python: Callable[..., str],
    tmp_path: Path,
    workload: Build,
    write_journal: Write,
    database: str | None,
    open_engine: Open,
    way: str,
) -> None:
    """Killed before and after its first, second, third … statement, each time begun again."""
    journal = write_journal(cut(workload(4, 90), 10))
    folder = DataFolder(tmp_path / "killed")
    steps = python(KILLED_AT_EACH_STEP, folder.root, journal, database or "", way)
    assert int(steps) > 15
    engine = open_records(folder, database)
    assert content(engine) == projected(open_engine("whole"), journal)
    engine.dispose()


def test_two_who_project_at_once_share_the_work(
    monkeypatch: pytest.MonkeyPatch, workload: Build, write_journal: Write, open_engine: Open
) -> None:
    monkeypatch.setattr(groups, "PIECE", 1)
    entries = workload(7)
    journal, engines = write_journal(cut(entries, 2)), [open_engine(), open_engine()]
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda engine: catch_up(engine, journal), engines))
    assert sum(done) == len(entries)
    assert content(engines[0]) == projected(open_engine("alone"), journal)


# -- thrown away, or of another journal ---------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_records_that_are_thrown_away_are_made_again(
    tmp_path: Path, workload: Build, write_journal: Write, open_engine: Open
) -> None:
    """Even when what SQLite keeps beside them is left, full of rows, as after a kill."""
    engine, journal = open_engine(), write_journal(cut(workload(1)))
    once = projected(engine, journal)
    again = DataFolder(tmp_path / "again")
    for end in ("-wal", "-shm"):
        beside = (tmp_path / "records" / f"records.sqlite{end}").read_bytes()
        (again.root / f"records.sqlite{end}").write_bytes(beside)
    assert projected(open_engine("again"), journal) == once


def of_another_ledger(write: Write, folder: Path, key: Build, hold: Build) -> Path:
    """Write the journal of another ledger, with ids that the first one has as well."""
    entries = [Genesis(at=1, ledger="ledger-two"), key("k1"), key("another"), hold("q3")]
    return write([entries], folder)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_records_of_another_journal_are_dropped_from_the_folders_own_file(
    tmp_path: Path,
    workload: Build,
    write_journal: Write,
    open_engine: Open,
    key: Build,
    hold: Build,
) -> None:
    engine = open_engine()
    catch_up(engine, write_journal(cut(workload(1))))
    other = of_another_ledger(write_journal, tmp_path / "other", key, hold)
    assert projected(engine, other) == projected(open_engine("fresh"), other)


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize("way", [catch_up, rebuild])
def test_ledgers_share_a_server_and_leave_each_others_rows_alone(
    tmp_path: Path,
    workload: Build,
    write_journal: Write,
    open_engine: Open,
    key: Build,
    hold: Build,
    way: Callable[[sa.Engine, Path], int],
) -> None:
    engine, mine = open_engine(), write_journal(cut(workload(1)))
    other = of_another_ledger(write_journal, tmp_path / "other", key, hold)
    alone = [projected(open_engine("mine"), mine), projected(open_engine("other"), other)]
    for journal in (mine, other, mine, other):
        way(engine, journal)
    shared = content(engine)
    for table, rows in shared.items():
        for ledger, rows_alone in zip(("ledger-one", "ledger-two"), alone, strict=True):
            assert [row for row in rows if row["ledger"] == ledger] == rows_alone[table]
    with engine.connect() as connection:
        assert (find(connection, "ledger-two", "q3") or {})["status"] == "open"
        assert (find(connection, "ledger-one", "q3") or {})["status"] != "open"


# -- made again ---------------------------------------------------------------------------------


def test_rebuilding_gives_what_following_gave_and_again_the_same(
    monkeypatch: pytest.MonkeyPatch, workload: Build, write_journal: Write, open_engine: Open
) -> None:
    monkeypatch.setattr(groups, "PIECE", 2_000)
    entries, engine = workload(6), open_engine()
    journal, told = write_journal(cut(entries)), list[tuple[int, int]]()
    once = projected(engine, journal)
    for _ in range(2):
        assert rebuild(engine, journal, lambda *bytes_: told.append(bytes_)) == len(entries)
        assert content(engine) == once
    assert len(told) > 4
    assert told[-1][0] == told[-1][1]


def test_rebuilding_takes_away_what_the_journal_does_not_say(
    workload: Build, write_journal: Write, open_engine: Open
) -> None:
    engine, journal = open_engine(), write_journal(cut(workload(8)))
    once = projected(engine, journal)
    with engine.begin() as connection:
        connection.execute(sa.update(queries).values(cost=1, model="other"))
        connection.execute(sa.insert(queries), [once["queries"][0] | {"id": "invented"}])
        connection.execute(sa.delete(keys))
    rebuild(engine, journal)
    assert content(engine) == once


def test_while_it_is_rebuilt_the_records_are_as_they_were(
    monkeypatch: pytest.MonkeyPatch, workload: Build, write_journal: Write, open_engine: Open
) -> None:
    monkeypatch.setattr(groups, "PIECE", 2_000)
    engine, journal = open_engine(), write_journal(cut(workload(9)))
    once, seen = projected(engine, journal), list[bool]()
    rebuild(engine, journal, lambda *_: seen.append(content(engine) == once))
    assert seen
    assert all(seen)


def test_a_text_that_postgresql_cannot_hold_does_not_stop_the_projection(
    write_journal: Write, open_engine: Open, key: Build, hold: Build
) -> None:
    entry = msgspec.structs.replace(hold("q1"), asked_model="a\0b")
    found = projected(open_engine(), write_journal([[GENESIS, key(), entry]]))
    assert found["queries"][0]["asked_model"] == "a\ufffdb"


@pytest.mark.parametrize(
    "running",
    [
        False,
        True,
    ],
)
def test_records_of_a_longer_journal_are_dropped_when_a_copy_is_put_back(
    write_journal: Write,
    open_journal: Callable[..., Journal],
    open_engine: Open,
    key: Build,
    hold: Build,
    settle: Build,
    running: bool,
) -> None:
    engine, early = open_engine(), [GENESIS, key(), hold("q1")]
    folder = write_journal([early, [hold("q2"), hold("q3"), settle("q1")]])
    catch_up(engine, folder)
    (folder / FIRST_SEGMENT).unlink()
    write_journal([early, [settle("q1", usd=1)]])
    if running:
        open_journal().append([encode(hold("q4"))])
    assert projected(engine, folder) == projected(open_engine("fresh"), folder)
