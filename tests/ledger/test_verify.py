"""Verifying: everything agrees, or the first thing that does not is found and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from tests.support.everything import everything

from farthing.ledger import audit as audit_module
from farthing.ledger import batch
from farthing.ledger.account import Balance
from farthing.ledger.cursor import Cursor
from farthing.ledger.disk import DISK
from farthing.ledger.entered import ENTERED
from farthing.ledger.entry import Draw, Entry, Genesis, Hold, WriteOff, encode
from farthing.ledger.journal import Journal
from farthing.ledger.project import catch_up
from farthing.ledger.records import STATUSES, entries, keys, progress, queries, scopes
from farthing.ledger.rows import Row
from farthing.ledger.segments import segment_path
from farthing.ledger.snapshot import read_snapshot, snapshot_paths, write_snapshot
from farthing.ledger.snapshotter import Snapshotter
from farthing.ledger.state import State
from farthing.ledger.verify import Report, verify

Build = Callable[..., Any]
Write = Callable[..., Path]
Open = Callable[..., sa.Engine]

GENESIS = Genesis(at=1, ledger="ledger-one")

GROUPS = everything(5, 300)
ENTRIES = [entry for group in GROUPS for entry in group]
HOLDS = sum(isinstance(entry, Hold) for entry in ENTRIES)


SEGMENTS = 4


@pytest.fixture
def engine(open_engine: Open) -> sa.Engine:
    return open_engine()


def write(journal: Journal, groups: list[list[Entry]]) -> Path:
    """Write groups into four segments, and close them."""
    for number, group in enumerate(groups, start=1):
        journal.append([encode(entry) for entry in group])
        journal.sync()
        if number % (len(groups) // SEGMENTS + 1) == 0:
            journal.roll()
    journal.close()
    return journal.folder


@pytest.fixture
def journal(open_journal: Callable[..., Journal], engine: sa.Engine) -> Path:
    """A journal with everything in it, in segments, and its records."""
    folder = write(open_journal(), GROUPS)
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
    engine: sa.Engine, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cursor.read, "__defaults__", (2_000,))
    told = list[tuple[int, int]]()
    report = verify(engine, journal, lambda *bytes_: told.append(bytes_))
    checked = counts(report)
    assert report.ledger == "ledger-one"
    assert checked["segments"] == SEGMENTS
    assert checked["entries"] == len(ENTRIES)
    assert checked["records of queries that are what the journal says"] == HOLDS
    assert checked["keys in the records that are what the journal says"] == 3
    assert checked["scopes in the records that are what the journal says"] == 2
    entered = sum(isinstance(entry, ENTERED) for entry in ENTRIES)
    assert checked["entries in the records that are what the journal says"] == entered
    assert checked["accounts whose sums are the records'"] == 10
    assert checked["balances that are the entries' sums"] == 32
    for what in ("draws", "warnings", "overruns", "limits kept after a hold"):
        assert checked[what] > 0
    assert checked["queries that are open in both"] > 0
    assert checked["queries that are unresolved in both"] > 0
    assert checked["snapshots that are what the journal says"] == 0
    assert told[-1][1] >= told[-1][0] > told[0][0]
    assert report.tail == 0


def test_records_that_are_behind_are_brought_up_first(open_engine: Open, journal: Path) -> None:
    report = verify(open_engine("empty"), journal)
    assert counts(report)["records of queries that are what the journal says"] == HOLDS


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
    "end_position": 2, "stream": False, "reason": "other", "tokens": 5_000, "list_cost": 7_000,
    "from_credit": 8_000, "from_commitment": 9_000, "effective": 9_001,
}  # fmt: skip


@pytest.mark.parametrize("status", STATUSES)
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


@pytest.mark.parametrize("column", ["name", "revoked", "max_cost", "parent"])
def test_a_key_that_was_changed_is_named(engine: sa.Engine, journal: Path, column: str) -> None:
    value = "other" if column in ("name", "parent") else 7
    change(engine, sa.update(keys).where(keys.c.id == "k2").values({column: value}))
    _, id_, what = found(engine, journal)
    assert id_ == "k2"
    assert f"{value!r}" in what


def test_what_administrators_entered_is_compared_entry_by_entry(
    engine: sa.Engine, journal: Path
) -> None:
    number = next(n for n, e in enumerate(ENTRIES, start=1) if isinstance(e, WriteOff))
    mine = entries.c.position == number
    change(engine, sa.update(entries).where(mine).values(by="eve"))
    wrong, _, what = found(engine, journal)
    assert wrong == number
    assert "'eve'" in what
    change(engine, sa.delete(entries).where(mine))
    assert found(engine, journal)[0] == number


def test_a_scope_that_was_invented_is_named(engine: sa.Engine, journal: Path) -> None:
    made = {"ledger": "ledger-one", "parent": "", "made": 1, "made_by": "eve"}
    change(engine, sa.insert(scopes).values(made | {"scope": "team:eve"}))
    _, id_, what = found(engine, journal)
    assert (id_, "None in the journal" in what) == ("team:eve", True)


def test_a_projection_that_adds_wrongly_is_found_by_the_state_machines_accounts(
    monkeypatch: pytest.MonkeyPatch,
    engine: sa.Engine,
    write_journal: Write,
    key: Build,
    hold: Build,
    settle: Build,
) -> None:
    """Rows that are wrong the same way on both sides: only the sums tell."""
    ending = batch._ending

    def wrong(entry: Any, position: int) -> Row:
        return ending(entry, position) | {"cost": entry.usd + 1}

    monkeypatch.setattr(batch, "_ending", wrong)
    folder = write_journal([[GENESIS, key(), hold("q1", usd=100), settle("q1", usd=60)]])
    what = "posted: the records sum to $0.000000061, the journal to $0.00000006"
    assert found(engine, folder) == (4, "key:k1", what)


# -- a journal that was changed -----------------------------------------------------------------


def flipped(path: Path, byte: int) -> bytes:
    """Flip a bit of a byte; return what was there."""
    intact = path.read_bytes()
    path.write_bytes(intact[:byte] + bytes([intact[byte] ^ 4]) + intact[byte + 1 :])
    return intact


@pytest.mark.parametrize("number", range(1, SEGMENTS + 1))
def test_a_flipped_byte_is_found_wherever_it_is(
    engine: sa.Engine, journal: Path, number: int
) -> None:
    """In links, groups and seals; also in the last group, after which nothing knows it."""
    path = segment_path(journal, number)
    size = path.stat().st_size
    for byte in (0, 5, 20, 40, 70, 90, 200, size // 2, size // 2 + 9, size - 20, size - 2):
        intact = flipped(path, byte)
        entry, _, what = found(engine, journal)
        assert 0 < entry <= len(ENTRIES) + 1
        assert "cannot be read" in what or "is not the one" in what, (byte, what)
        path.write_bytes(intact)
    assert verify(engine, journal).contradiction is None


def test_a_segment_that_is_missing_is_found(engine: sa.Engine, journal: Path) -> None:
    for number in range(1, SEGMENTS + 1):
        path = segment_path(journal, number)
        aside = path.rename(path.with_suffix(".aside"))
        _, _, what = found(engine, journal)
        assert path.name in what
        aside.rename(path)
    assert verify(engine, journal).contradiction is None


def test_the_end_that_only_the_records_know_is_missed(engine: sa.Engine, journal: Path) -> None:
    path = segment_path(journal, SEGMENTS)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - 50])
    _, _, what = found(engine, journal)
    assert "is not the one that the records were made from" in what or "cannot be read" in what


def test_an_entry_that_was_left_out_of_every_sum_is_missed(
    open_engine: Open, open_journal: Callable[..., Journal]
) -> None:
    """Whoever can compute checksums leaves a draw out: what follows from an ending tells."""
    left = next(n for n, entry in enumerate(ENTRIES) if isinstance(entry, Draw))
    folder = write(open_journal(), [[e for n, e in enumerate(ENTRIES) if n != left]])
    entry, id_, what = found(open_engine(), folder)
    assert (entry, id_) == (left + 1, ENTRIES[left].id)  # type: ignore[union-attr]
    assert "must follow" in what


def test_a_journal_that_ends_before_what_must_follow_is_found(
    open_engine: Open, open_journal: Callable[..., Journal]
) -> None:
    last = next(n for n, entry in reversed([*enumerate(ENTRIES)]) if isinstance(entry, Draw))
    folder = write(open_journal(), [[entry] for entry in ENTRIES[:last]])
    entry, _, what = found(open_engine(), folder)
    assert (entry, what.startswith("ends where a draw of $")) == (last, True)


def test_an_account_that_the_entries_do_not_sum_to_is_found(
    monkeypatch: pytest.MonkeyPatch, engine: sa.Engine, journal: Path
) -> None:
    """Of a kind of scope, too, that no sum of the records is compared with."""
    balance = State.balance

    def wrong(state: State, scope: str, unit: str) -> Balance:
        told = balance(state, scope, unit)
        if (scope, unit) != ("user:u1", "requests"):
            return told
        return msgspec.structs.replace(told, posted=told.posted + 1)

    monkeypatch.setattr(State, "balance", wrong)
    _, id_, what = found(engine, journal)
    assert (id_, what.startswith("requests: the state machine has")) == ("user:u1", True)


def test_a_torn_tail_is_no_damage(engine: sa.Engine, open_journal: Callable[..., Journal]) -> None:
    running = open_journal()
    for group in GROUPS[:3]:
        running.append([encode(entry) for entry in group])
    catch_up(engine, running.folder)
    running.append([encode(entry) for entry in GROUPS[3]])
    content = running.path.read_bytes()
    end = len(content.rstrip(b"\0"))
    running.path.write_bytes(content[: end - 1] + bytes(len(content) - end + 1))
    report = verify(engine, running.folder)
    assert counts(report)["entries"] == 3
    assert report.tail > 0


def test_records_of_another_copy_are_not_dropped_but_named(
    engine: sa.Engine, journal: Path, write_journal: Write
) -> None:
    for path in journal.glob("*.journal"):
        path.unlink()
    other = ENTRIES[:-9]
    write_journal([other[at : at + 5] for at in range(0, len(other), 5)])
    entry, _, what = found(engine, journal)
    assert "is not the one that the records were made from" in what
    with engine.connect() as connection:
        assert connection.scalar(sa.select(progress.c.position)) == entry


# -- snapshots ----------------------------------------------------------------------------------


@pytest.fixture
def snapshots(journal: Path) -> list[Path]:
    """Two snapshots of the journal, as the follower makes them."""
    made = Snapshotter(journal, State, every=len(ENTRIES) // 3)
    # A piece ends with its segment, so that one falls due in the middle.
    while made.follow():
        pass
    made.close()
    found_ = snapshot_paths(DISK, journal)
    assert found_
    return found_


def test_snapshots_are_what_the_journal_says(
    engine: sa.Engine, journal: Path, snapshots: list[Path]
) -> None:
    checked = counts(verify(engine, journal))
    assert checked["snapshots that are what the journal says"] == len(snapshots)


def test_a_snapshot_that_was_changed_is_named(
    engine: sa.Engine, journal: Path, snapshots: list[Path]
) -> None:
    flipped(snapshots[0], 300)
    _, _, what = found(engine, journal)
    assert what.startswith(f"the snapshot {snapshots[0].name}: its bytes are not those")


def test_a_snapshot_of_another_state_is_named(
    engine: sa.Engine, journal: Path, snapshots: list[Path]
) -> None:
    """Whole, and written by somebody who can compute its digest."""
    snapshot = read_snapshot(DISK, snapshots[0])
    state = State.decoded(snapshot.state)
    state.accounts.by_scope["key:k1"].posted[0] -= 1
    write_snapshot(DISK, journal, msgspec.structs.replace(snapshot, state=state.encoded()))
    _, _, what = found(engine, journal)
    assert what == f"the snapshot {snapshots[0].name}: the journal says otherwise"
