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
from tests.support.everything import everything
from tests.support.records import content, projected

from farthing.ledger import project
from farthing.ledger.entered import ENTERED, entered
from farthing.ledger.entry import (
    ChangeKey,
    Draw,
    Entry,
    Expire,
    Genesis,
    Hold,
    Key,
    Overrun,
    Resolve,
    Revoke,
    Settle,
    Unresolved,
    Void,
    WriteOff,
    encode,
)
from farthing.ledger.journal import FIRST_SEGMENT, Journal, JournalDamagedError
from farthing.ledger.project import catch_up, rebuild
from farthing.ledger.records import STATUSES, find, keys, open_records, progress, queries
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


def flat(seed: int, steps: int = 150) -> list[Entry]:
    """Everything that can happen, as one list."""
    return [entry for group in everything(seed, steps) for entry in group]


# -- what the rows say --------------------------------------------------------------------------


Told = dict[str, dict[str, Any]]

NOTHING = {"from_credit": 0, "from_commitment": 0}
EVIDENCE = {"list_cost": None, **NOTHING}


def expected(entries: list[Entry]) -> tuple[Told, Told]:
    """What the records must hold of queries and keys, entry by entry and without any SQL."""
    asked, known = dict[str, dict[str, Any]](), dict[str, dict[str, Any]]()
    for position, entry in enumerate(entries, start=1):
        match entry:
            case Hold():
                asked[entry.id] = held(entry, position)
            case Settle() | Void() | Unresolved() | Resolve() | Expire() | WriteOff():
                ended = {"ended": entry.at, "end_position": position}
                asked[entry.id] |= ended | ending(entry, asked[entry.id])
            case Draw():
                kind = entry.source.split(":")[0]
                row = asked[entry.id]
                row[f"from_{kind}"] += entry.usd
                row["effective"] += (entry.effective - entry.usd) * (kind == "commitment")
            case Overrun():
                asked[entry.id]["overrun"] = entry.usd
            case Key():
                made = {"made": entry.at, "made_by": "ann", "revoked": None}
                known[entry.id] = {"ledger": "ledger-one", "id": entry.id} | made | terms(entry)
            case ChangeKey():
                known[entry.id] |= terms(entry)
            case Revoke():
                known[entry.id]["revoked"] = known[entry.id]["revoked"] or entry.at
    return asked, known


def held(entry: Hold, position: int) -> dict[str, Any]:
    same = ("id", "key", "provider", "model", "asked_model", "dialect", "stream", "output_cap")
    row: dict[str, Any] = {column.name: None for column in queries.columns}
    row |= {name: getattr(entry, name) for name in (*same, "price_book")}
    row["unpriced"] = entry.unpriced
    row |= {"position": position, "began": entry.at, "status": "open", "ledger": "ledger-one"}
    return row | {
        "path": msgspec.json.encode(entry.path).decode(),
        "held": entry.usd,
        "held_tokens": entry.tokens,
    }


def ending(entry: Entry, row: dict[str, Any]) -> dict[str, Any]:
    match entry:
        case Settle():
            used = {meter: getattr(entry.usage, meter) for meter in Usage.__struct_fields__}
            told: dict[str, Any] = {
                "upstream_id": "up",
                "answered_model": "gpt-x-2026-01",
                "finish": "length",
                "reason": None,
            }
            listed = entry.usd if entry.list_usd is None else entry.list_usd
            told |= {"losses": entry.losses, "list_cost": listed, **NOTHING}
            times = {"http_status": 200, "first_byte_us": 11, "total_us": 22}
            tokens = entry.usage.tokens()
            cost = {"cost": entry.usd, "effective": entry.usd, "tokens": tokens}
            return {"status": "settled", **used, **told, **times, **cost}
        case Void():
            ended: dict[str, Any] = dict.fromkeys(("upstream_id", "http_status", "total_us"))
            free = {"cost": 0, "tokens": 0, "effective": 0, "list_cost": 0, **NOTHING}
            return {"status": "void", "reason": entry.reason, **ended, **free}
        case Unresolved():
            told = {"upstream_id": entry.upstream_id or None, "reason": entry.reason}
            return {"status": "unresolved", "http_status": 200, "total_us": 5, **told}
        case Resolve():
            tokens = row["held_tokens"] if entry.tokens is None else entry.tokens
            cost = {"cost": entry.usd, "effective": entry.usd, "tokens": tokens}
            return {"status": "settled", "reason": entry.evidence, **EVIDENCE, **cost}
        case Expire():
            most = row["held"]
            cost = {"cost": most, "effective": most, "tokens": row["held_tokens"]}
            return {"status": "posted", **EVIDENCE, **cost}
        case WriteOff():
            free = {"cost": 0, "effective": 0, "tokens": 0}
            return {"status": "written-off", "reason": entry.reason, **EVIDENCE, **free}
    raise AssertionError(entry)


def terms(entry: Key | ChangeKey) -> dict[str, Any]:
    told = {"expires": entry.expires, "max_cost": entry.max_cost, "parent": entry.parent}
    return told | {"name": entry.name.replace("\0", "\ufffd")}


@pytest.mark.parametrize("piece", [1, 2_000, 1_000_000])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_rows_are_what_the_journal_says(
    monkeypatch: pytest.MonkeyPatch,
    write_journal: Write,
    open_engine: Open,
    seed: int,
    piece: int,
) -> None:
    monkeypatch.setattr(project, "PIECE", piece)
    entries = flat(seed, 300)
    engine, journal = open_engine(), write_journal(cut(entries))
    assert catch_up(engine, journal) == len(entries)
    found = content(engine)
    asked, known = expected(entries)
    assert {row["id"]: row for row in found["queries"]} == asked
    assert {row["id"]: row for row in found["keys"]} == known
    seen = Counter(row["status"] for row in asked.values())
    assert all(seen[status] for status in STATUSES)
    assert [row["scope"] for row in found["scopes"]] == ["org:acme", "project:search"]
    assert [(row["position"], row["entry"]) for row in found["entries"]] == [
        (position, entered(entry, position)["entry"])
        for position, entry in enumerate(entries, start=1)
        if isinstance(entry, ENTERED)
    ]


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
    accounts = {key: state.balance(f"key:{key}", "usd") for key in ("k1", "k2", "k3")}
    assert totals == {key: account.posted for key, account in accounts.items()}
    assert holding == {key: account.held for key, account in accounts.items() if account.held}


def test_a_key_stays_revoked_at_the_time_it_was_first(
    write_journal: Write, open_engine: Open, key: Build
) -> None:
    entries = [GENESIS, key(), Revoke(5, "ann", "k1"), Revoke(9, "bob", "k1")]
    found = projected(open_engine(), write_journal([entries]))
    assert found["keys"][0]["revoked"] == 5


# -- again and again ----------------------------------------------------------------------------


def test_projecting_again_does_nothing(write_journal: Write, open_engine: Open) -> None:
    engine, journal = open_engine(), write_journal(cut(flat(1)))
    once = projected(engine, journal)
    assert catch_up(engine, journal) == 0
    assert content(engine) == once
    assert [row["ledger"] for row in once["progress"]] == ["ledger-one"]


def test_following_group_by_group_gives_what_one_projection_gives(
    write_journal: Write, open_engine: Open
) -> None:
    engine, groups = open_engine(), cut(flat(2), 11)
    for group in groups:
        assert catch_up(engine, journal := write_journal([group])) == len(group)
    assert content(engine) == projected(open_engine("at-once"), journal)


def test_entries_taken_again_make_the_same_rows(write_journal: Write, open_engine: Open) -> None:
    """The projection says how far it has come in the same transaction; this is the belt to that."""
    engine, journal = open_engine(), write_journal(cut(flat(3)))
    once = projected(engine, journal)
    with engine.begin() as connection:
        connection.execute(sa.update(progress).values(position=0, offset=0))
    assert projected(engine, journal) == once


KILLED_AT_EACH_STEP = """
import os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from farthing.ledger import project
from farthing.ledger.database import open_database
from farthing.ledger.records import open_records
from farthing.paths import DataFolder

project.PIECE = 2_000
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
    write_journal: Write,
    database: str | None,
    open_engine: Open,
    way: str,
) -> None:
    """Killed before and after its first, second, third … statement, each time begun again."""
    journal = write_journal(cut(flat(4, 90), 10))
    folder = DataFolder(tmp_path / "killed")
    steps = python(KILLED_AT_EACH_STEP, folder.root, journal, database or "", way)
    assert int(steps) > 15
    engine = open_records(folder, database)
    assert content(engine) == projected(open_engine("whole"), journal)
    engine.dispose()


def test_two_who_project_at_once_share_the_work(
    monkeypatch: pytest.MonkeyPatch, write_journal: Write, open_engine: Open
) -> None:
    monkeypatch.setattr(project, "PIECE", 1)
    entries = flat(7)
    journal, engines = write_journal(cut(entries, 2)), [open_engine(), open_engine()]
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda engine: catch_up(engine, journal), engines))
    assert sum(done) == len(entries)
    assert content(engines[0]) == projected(open_engine("alone"), journal)


# -- from segment to segment --------------------------------------------------------------------


def in_segments(journal: Journal, groups: list[list[Entry]], engine: sa.Engine | None) -> None:
    """Write each group in a segment of its own, perhaps projecting at every step."""
    for group in groups:
        journal.append([encode(entry) for entry in group])
        if engine is not None:
            catch_up(engine, journal.folder)
        journal.roll()


@pytest.mark.parametrize("piece", [1, 1_000_000])
def test_the_rows_are_the_same_in_however_many_segments(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    write_journal: Write,
    open_journal: Callable[..., Journal],
    open_engine: Open,
    piece: int,
) -> None:
    monkeypatch.setattr(project, "PIECE", piece)
    groups = cut(flat(6))
    rows = projected(open_engine("one"), write_journal(groups))
    journal, engine = open_journal(tmp_path / "many"), open_engine("followed")
    in_segments(journal, groups, engine)
    for found in (content(engine), projected(open_engine("at-once"), journal.folder)):
        assert (found["queries"], found["keys"]) == (rows["queries"], rows["keys"])
    assert len(list(journal.folder.glob("*.journal"))) == len(groups) + 1


def test_records_that_end_where_a_segment_does_go_on_in_the_next(
    open_journal: Callable[..., Journal], open_engine: Open, key: Build, hold: Build
) -> None:
    journal, engine = open_journal(), open_engine()
    in_segments(journal, [[GENESIS, key()], [hold("q1")]], None)
    catch_up(engine, journal.folder)
    assert catch_up(engine, journal.folder) == 0
    journal.append([encode(hold("q2"))])
    assert catch_up(engine, journal.folder) == 1
    assert [row["id"] for row in content(engine)["queries"]] == ["q1", "q2"]


def test_records_are_dropped_when_a_copy_with_fewer_segments_is_put_back(
    open_journal: Callable[..., Journal], open_engine: Open, key: Build, hold: Build
) -> None:
    journal, engine = open_journal(), open_engine()
    in_segments(journal, [[GENESIS, key()], [hold("q1")], [hold("q2")]], engine)
    journal.close()
    for path in journal.folder.glob("*.journal"):
        path.unlink()
    again = open_journal()
    in_segments(again, [[GENESIS, key()], [hold("q9")]], None)
    assert [row["id"] for row in projected(engine, again.folder)["queries"]] == ["q9"]


# -- thrown away, or of another journal ---------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_records_that_are_thrown_away_are_made_again(
    tmp_path: Path, write_journal: Write, open_engine: Open
) -> None:
    """Even when what SQLite keeps beside them is left, full of rows, as after a kill."""
    engine, journal = open_engine(), write_journal(cut(flat(1)))
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
    write_journal: Write,
    open_engine: Open,
    key: Build,
    hold: Build,
) -> None:
    engine = open_engine()
    catch_up(engine, write_journal(cut(flat(1))))
    other = of_another_ledger(write_journal, tmp_path / "other", key, hold)
    assert projected(engine, other) == projected(open_engine("fresh"), other)


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize("way", [catch_up, rebuild])
def test_ledgers_share_a_server_and_leave_each_others_rows_alone(
    tmp_path: Path,
    write_journal: Write,
    open_engine: Open,
    key: Build,
    hold: Build,
    way: Callable[[sa.Engine, Path], int],
) -> None:
    engine, mine = open_engine(), write_journal(cut(flat(1)))
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
    monkeypatch: pytest.MonkeyPatch, write_journal: Write, open_engine: Open
) -> None:
    monkeypatch.setattr(project, "PIECE", 2_000)
    entries, engine = flat(6), open_engine()
    journal, told = write_journal(cut(entries)), list[tuple[int, int]]()
    once = projected(engine, journal)
    for _ in range(2):
        assert rebuild(engine, journal, lambda *bytes_: told.append(bytes_)) == len(entries)
        assert content(engine) == once
    assert len(told) > 4
    assert told[-1][0] == told[-1][1]


def test_rebuilding_takes_away_what_the_journal_does_not_say(
    write_journal: Write, open_engine: Open
) -> None:
    engine, journal = open_engine(), write_journal(cut(flat(8)))
    once = projected(engine, journal)
    with engine.begin() as connection:
        connection.execute(sa.update(queries).values(cost=1, model="other"))
        connection.execute(sa.insert(queries), [once["queries"][0] | {"id": "invented"}])
        connection.execute(sa.delete(keys))
    rebuild(engine, journal)
    assert content(engine) == once


def test_a_journal_that_is_damaged_is_not_rebuilt_from(
    write_journal: Write, open_engine: Open
) -> None:
    """Neither what comes before the damage alone, nor anything else, takes the rows' place."""
    engine, journal = open_engine(), write_journal(cut(flat(8)))
    once = projected(engine, journal)
    path = journal / FIRST_SEGMENT
    content_ = path.read_bytes()
    middle = len(content_) // 2
    path.write_bytes(content_[:middle] + bytes([content_[middle] ^ 1]) + content_[middle + 1 :])
    with pytest.raises(JournalDamagedError, match="was acknowledged"):
        rebuild(engine, journal)
    assert content(engine) == once


def test_while_it_is_rebuilt_the_records_are_as_they_were(
    monkeypatch: pytest.MonkeyPatch, write_journal: Write, open_engine: Open
) -> None:
    monkeypatch.setattr(project, "PIECE", 2_000)
    engine, journal = open_engine(), write_journal(cut(flat(9)))
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
