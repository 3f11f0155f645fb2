"""Where the records are: a SQLite file in the data folder, or a PostgreSQL database by its URL.

The two differ in how a writer waits for its turn and in how they are opened; that is all here.
A URL's credentials go to the driver and nowhere else: not into a log, an error or the journal.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from farthing.errors import ConfigError
from farthing.paths import DataFolder

# How long a writer waits for its turn, and how long a connection may take to come about.
TURN_SECONDS = 10
CONNECT_SECONDS = 5

SCHEMES = ("postgresql", "postgres")
EXAMPLE = "postgresql://farthing:PASSWORD@db.example.com:5432/farthing"

SCRIPTS = Path(__file__).parent / "migrations"

# Where migrations wait for each other; a projection's turn is its own ledger's.
MIGRATIONS = "farthing: migrations"


class DatabaseAwayError(ConfigError):
    """The database cannot be reached, or does not take what it is told."""


def open_database(folder: DataFolder, database: str | None) -> sa.Engine:
    """Return the records' engine. Only a file is touched: a server is connected to when used.

    Raises:
        ConfigError: the URL is none, or its driver is not installed.
    """
    if not database:
        return open_file(folder.records)
    options = {"connect_timeout": CONNECT_SECONDS, "application_name": "farthing"}
    try:
        return sa.create_engine(
            _url(database),
            pool_pre_ping=True,  # a server that was started again costs no failed look-up
            connect_args=options,
            hide_parameters=True,
        )
    except ModuleNotFoundError:
        raise ConfigError(
            "`database` is a PostgreSQL URL and its driver is not installed; "
            "pip install 'farthing[postgres]'"
        ) from None


def open_file(path: Path) -> sa.Engine:
    """Open SQLite records in a file that only its owner can read, made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Before SQLite opens it: the files it makes beside it become as private as this one.
    path.touch(mode=0o600)
    path.chmod(0o600)
    engine = sa.create_engine(f"sqlite:///{path}")

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")  # the journal is what must be durable
        connection.execute(f"PRAGMA busy_timeout={TURN_SECONDS * 1000}")

    return engine


def _url(database: str) -> sa.URL:
    try:
        url = sa.make_url(database)
    except (sa.exc.ArgumentError, ValueError):  # whose text may hold a part of the password
        url = None
    if url is None or url.drivername not in SCHEMES or not url.database:
        raise ConfigError(
            f'`database` is not the URL of a PostgreSQL database; write "{EXAMPLE}", a password '
            "with each character but letters and digits as %XX, or leave it out for SQLite in the "
            "data folder"
        )
    return url.set(drivername="postgresql+psycopg")


def shown(database: str | None) -> str:
    """Return where the records are, without anybody's name or password."""
    if not database:
        return "SQLite in the data folder"
    url = _url(database)
    host = url.host or str(url.query.get("host", "")) or "the usual socket"
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL database {url.database} at {host}{port}"


def take_turn(connection: sa.Connection, what: str) -> None:
    """Begin a transaction in which nobody else does the same work: one waits for the other.

    Raises:
        sqlalchemy.exc.OperationalError: the other is not done in TURN_SECONDS.
    """
    _TURNS[connection.dialect.name](connection, what)


def _sqlite_turn(connection: sa.Connection, _: str) -> None:
    connection.execute(sa.text("BEGIN IMMEDIATE"))  # the file's only writer


def _postgresql_turn(connection: sa.Connection, what: str) -> None:
    number = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big", signed=True)
    connection.execute(sa.text(f"SET LOCAL lock_timeout = '{TURN_SECONDS}s'"))
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


_TURNS = {"sqlite": _sqlite_turn, "postgresql": _postgresql_turn}


def still(connection: sa.Connection) -> None:
    """Begin a transaction that sees the records as they are now, whoever writes meanwhile."""
    connection.execute(sa.text(_STILL[connection.dialect.name]))


_STILL = {
    "sqlite": "BEGIN",
    "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
}


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Bring the tables to this version's shape, or an older one's; one process at a time."""
    if revision == "head" and _is_newest(engine):
        return
    from alembic import command  # noqa: PLC0415  (a fifth of a second that most starts do not need)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with engine.begin() as connection:
        take_turn(connection, MIGRATIONS)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _is_newest(engine: sa.Engine) -> bool:
    """Whether the tables have the shape of the last of our migrations."""
    newest = max(script.name.partition("_")[0] for script in SCRIPTS.glob("versions/[0-9]*.py"))
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return False
        told = connection.execute(sa.text("SELECT version_num FROM alembic_version"))
        return told.scalars().all() == [newest]


@contextlib.contextmanager
def speaking(database: str | None) -> Iterator[None]:
    """Say what a database's error means to whoever runs a command.

    Raises:
        DatabaseAwayError: the database failed; which one, and why.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise DatabaseAwayError(f"{shown(database)}: {reason(error)}") from None


def reason(error: sa.exc.DBAPIError) -> str:
    """Return what the database said, on one line."""
    return " ".join(str(error.orig).split())
