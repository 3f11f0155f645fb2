"""Where the records are: URLs that are understood, never shown, and what a server's absence is."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.postgres import PostgresServer

from farthing.errors import ConfigError
from farthing.ledger import database as database_module
from farthing.ledger.database import (
    DatabaseAwayError,
    open_database,
    shown,
    speaking,
    still,
    take_turn,
)
from farthing.ledger.records import open_records
from farthing.paths import DataFolder

Open = Callable[..., sa.Engine]


@pytest.mark.parametrize(
    ("url", "where"),
    [
        (None, "SQLite in the data folder"),
        ("", "SQLite in the data folder"),
        ("postgresql://ann:s3cret@db:5433/books", "PostgreSQL database books at db:5433"),
        ("postgres://db/books?password=s3cret", "PostgreSQL database books at db"),
        ("postgresql://ann@/books?host=/run/pg", "PostgreSQL database books at /run/pg"),
        ("postgresql://ann:s3/cret@db/books", "PostgreSQL database books at db"),
        ("postgresql:///books", "PostgreSQL database books at the usual socket"),
    ],
)
def test_where_the_records_are_is_shown_without_credentials(url: str | None, where: str) -> None:
    assert shown(url) == where


@pytest.mark.parametrize(
    "url",
    [
        "s3cret",
        "mysql://ann:s3cret@db/books",
        "sqlite:///s3cret",
        "postgresql://ann:s3cret@db",
        "postgresql://ann:a:s3cret@db:s3cret/books",
    ],
)
def test_what_is_no_url_of_a_database_is_said_without_its_password(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(ConfigError) as problem:
        open_database(DataFolder(tmp_path), url)
    assert "postgresql://farthing:PASSWORD@" in str(problem.value)
    assert "s3" not in str(problem.value)
    assert problem.value.__cause__ is None


def test_without_its_driver_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_ = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("psycopg"):
            raise ModuleNotFoundError(name)
        return import_(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"farthing\[postgres\]"):
        open_database(DataFolder(tmp_path), "postgresql://ann:s3cret@db/books")


def test_a_server_that_is_away_is_said_in_a_sentence(tmp_path: Path) -> None:
    url = f"postgresql://ann:s3cret@/books?host={tmp_path}"
    with pytest.raises(DatabaseAwayError) as problem, speaking(url):
        open_records(DataFolder(tmp_path), url)
    assert str(problem.value).startswith(f"PostgreSQL database books at {tmp_path}: ")
    assert "s3cret" not in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_wrong_password_is_not_shown(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.new_database().replace("postgres@", "nobody-here:s3cret@")
    with pytest.raises(DatabaseAwayError, match="does not exist") as problem, speaking(url):
        open_records(DataFolder(tmp_path), url)
    assert "s3cret" not in str(problem.value)


def test_one_who_works_keeps_another_waiting_and_then_away(
    monkeypatch: pytest.MonkeyPatch, open_engine: Open, kind: str
) -> None:
    monkeypatch.setattr(database_module, "TURN_SECONDS", 1 if kind == "postgresql" else 0)
    engine = open_engine()
    with engine.connect() as one, engine.connect() as other:
        take_turn(one, "ledger-one")
        with pytest.raises(sa.exc.OperationalError, match="lock"):
            take_turn(other, "ledger-one")
        one.rollback()
        other.rollback()
        take_turn(other, "ledger-one")


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_on_a_server_ledgers_do_not_wait_for_each_other(open_engine: Open) -> None:
    engine = open_engine()
    with engine.connect() as one, engine.connect() as other:
        take_turn(one, "ledger-one")
        take_turn(other, "ledger-two")


def test_what_is_still_does_not_move(open_engine: Open) -> None:
    engine = open_engine()
    insert = sa.text("INSERT INTO progress VALUES (:l, 1, 1, 1, 1)")
    with engine.connect() as reader, engine.begin() as writer:
        still(reader)
        count = sa.text("SELECT count(*) FROM progress")
        assert reader.scalar(count) == 0
        writer.execute(insert, {"l": "one"})
        writer.commit()
        assert reader.scalar(count) == 0
