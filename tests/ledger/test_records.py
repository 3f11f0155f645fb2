"""The SQL tables: their shape, their privacy, and the questions that are asked of them."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tests.support.records import content

from farthing.ledger import records
from farthing.ledger.database import migrate, open_database, still
from farthing.ledger.records import (
    committing,
    ended_after,
    find,
    last_position,
    metadata,
    on_path,
    open_records,
    progress,
    queries,
    recent,
)
from farthing.paths import DataFolder

Open = Callable[..., sa.Engine]


@pytest.fixture
def engine(open_engine: Open) -> sa.Engine:
    return open_engine()


def row(query: str, position: int, key: str = "k1", **more: Any) -> dict[str, Any]:
    """A query's row: open, unless more is told."""
    texts = ("provider", "model", "asked_model", "dialect", "price_book")
    told = dict.fromkeys(texts, "x") | {"id": query, "key": key, "status": "open"}
    told |= {"ledger": "one", "path": "[]"}
    numbers = {"position": position, "began": position, "held": 9, "held_tokens": 9}
    empty = {column.name: None for column in queries.columns}
    return empty | told | numbers | {"stream": False, "unpriced": False, "output_cap": 5} | more


@pytest.fixture
def filled(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Six queries of three keys, stored in no order, that ended in another than they began."""
    rows = [
        row("q3", 3, "k2", end_position=70, cost=2**53 + 1, status="settled"),
        row("q1", 1, end_position=90, cost=7, status="settled"),
        row("q5", 5, end_position=80, cost=0, status="void"),
        row("q2", 2),
        row("q6", 6, "k3", end_position=60, status="unresolved"),
        row("q4", 4, "k2", end_position=75, cost=1, status="settled"),
        row("q2", 4, ledger="two", end_position=75, cost=1, status="settled"),
    ]
    with engine.connect() as connection:
        connection.execute(sa.insert(queries), rows)
        yield connection


def names(rows: list[dict[str, Any]]) -> str:
    return " ".join(row["id"] for row in rows)


# -- opening ------------------------------------------------------------------------------------


def test_the_migrations_make_the_tables_that_the_code_knows(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        for table in metadata.sorted_tables:  # which it does not compare
            made = sa.inspect(connection).get_pk_constraint(table.name)["constrained_columns"]
            assert made == [column.name for column in table.primary_key]


def test_records_are_kept_when_they_are_opened_and_migrated_again(
    open_engine: Open, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.insert(queries), [row("q1", 1)])
    migrate(engine)
    with open_engine().connect() as connection:
        assert find(connection, "one", "q1") == row("q1", 1)


@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
def test_records_of_an_older_version_are_made_again(
    tmp_path: Path, database: str | None, revision: str
) -> None:
    """What they lack, a column of it, is told by the journal: they begin anew."""
    engine = open_database(DataFolder(tmp_path), database)
    migrate(engine, revision)
    with engine.begin() as connection:
        place = "'one', 5, 4, 3, 2"
        connection.execute(sa.text(f"INSERT INTO progress VALUES ({place})"))
    migrate(engine)
    assert not any(content(engine).values())
    engine.dispose()


OPEN = """
import sys
from pathlib import Path
from farthing.ledger.records import open_records
from farthing.paths import DataFolder

open_records(DataFolder(Path(sys.argv[1])), sys.argv[2] or None).dispose()
"""


def test_several_who_open_new_records_at_once_make_the_tables_once(
    tmp_path: Path, database: str | None, python: Callable[..., str]
) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: python(OPEN, tmp_path, database or ""), range(3)))


def test_one_who_reads_does_not_keep_another_from_writing(engine: sa.Engine) -> None:
    with engine.connect() as reader, engine.connect() as writer:
        still(reader)
        assert recent(reader, "one", 10) == []
        writer.execute(sa.insert(queries), [row("q1", 1)])
        writer.commit()
        assert recent(reader, "one", 10) == []  # as it was when the reader began
        assert names(recent(writer, "one", 10)) == "q1"


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_writer_waits_for_another(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA busy_timeout")) == 10_000


@contextlib.contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_only_its_owner_can_read_the_file_and_a_folder_made_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with umask(0):
        open_records(DataFolder(folder)).dispose()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "records.sqlite").stat().st_mode & 0o777 == 0o600


def test_only_its_owner_can_read_what_stands_beside_the_file(tmp_path: Path) -> None:
    with umask(0o022):
        engine = open_records(DataFolder(tmp_path))
    try:
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        assert modes == {f"records.sqlite{end}": 0o600 for end in ("", "-wal", "-shm")}
    finally:
        engine.dispose()


# -- asking -------------------------------------------------------------------------------------


def test_the_latest_queries_come_oldest_first(filled: sa.Connection) -> None:
    assert names(recent(filled, "one", 10)) == "q1 q2 q3 q4 q5 q6"
    assert names(recent(filled, "one", 2)) == "q5 q6"
    assert names(recent(filled, "one", 2, key="k1")) == "q2 q5"
    assert names(recent(filled, "one", 10, key="k2")) == "q3 q4"
    assert recent(filled, "one", 10, key="nobody") == []


def test_ended_queries_come_in_the_order_they_ended(filled: sa.Connection) -> None:
    assert names(ended_after(filled, "one", 0)) == "q6 q3 q4 q5 q1"
    assert names(ended_after(filled, "one", 75)) == "q5 q1"
    assert names(ended_after(filled, "one", 74, "k2")) == "q4"
    assert ended_after(filled, "one", 90) == []


def test_how_far_the_records_go(filled: sa.Connection) -> None:
    assert last_position(filled, "one") == 0
    row = {"ledger": "one", "position": 9, "offset": 8, "group": 7, "checksum": 6}
    filled.execute(sa.insert(progress), [row, row | {"ledger": "two", "position": 5}])
    assert last_position(filled, "one") == 9


def test_a_query_is_found_by_its_whole_id(filled: sa.Connection) -> None:
    assert find(filled, "one", "q2") == row("q2", 2)
    assert find(filled, "one", "q") is None
    assert find(filled, "one", "") is None


def test_queries_are_found_by_a_scope_of_their_path(filled: sa.Connection) -> None:
    paths = {
        "a": ["key:k1", "user:ann"], "b": ["key:k1", "user:Ann"], "c": ["user:ann_x"],
        "d": ["user:ann", "tag:100%"], "e": ["tag:100x"], "f": ['user:a"b', "user:é"],
    }  # fmt: skip
    rows = [
        row(query, 100 + n, path=json.dumps(path, separators=(",", ":"), ensure_ascii=False))
        for n, (query, path) in enumerate(paths.items())
    ]
    filled.execute(sa.insert(queries), rows)
    for scope in ("user:ann", "user:Ann", "user:ann_x", "tag:100%", 'user:a"b', "user:é", "user:"):
        expected = [query for query, path in paths.items() if scope in path]
        assert on_path(filled, "one", scope) == expected
    assert on_path(filled, "two", "user:ann") == []


def test_where_commitments_are_is_told_where_it_is_certain(
    filled: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "IDS_AT_ONCE", 3)
    resolved = row("q7", 7, end_position=95, status="settled", reason="invoice, line 7")
    filled.execute(sa.insert(queries), [resolved])
    asked = [f"q{number}" for number in range(1, 9)]
    assert committing(filled, "one", asked) == {"q3": 70, "q1": 90, "q6": 60, "q4": 75}
    assert committing(filled, "one", []) == {}
