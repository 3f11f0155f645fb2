"""`farthing ledger`: rebuilt, verified, shown; in tables for people and in JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Cli, values
from tests.support.gateway import RunningGateway
from tests.support.postgres import PostgresServer

from farthing.ledger.journal import FIRST_SEGMENT


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Each database in turn, told by the environment."""
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.new_database()
    monkeypatch.setenv("FARTHING_DATABASE", url)
    return url


@pytest.mark.parametrize("command", ["rebuild", "verify", "show q1"])
def test_without_a_ledger_it_says_what_to_do(cli: Cli, command: str) -> None:
    said = cli("ledger", *command.split(), status=1).stderr
    assert "`farthing up` starts one" in " ".join(said.split())


def test_a_running_gateways_ledger_is_rebuilt_and_verified(
    cli: Cli, shared_gateway: RunningGateway, database: str | None
) -> None:
    data, key = ("--data", str(shared_gateway.data.root)), shared_gateway.key()
    query = shared_gateway.chat(key).query
    (rebuilt,) = values(cli("ledger", "rebuild", "--json", *data))
    entries = len(shared_gateway.entries())
    assert rebuilt["entries"] == entries
    assert rebuilt["records"].startswith("PostgreSQL" if database else "SQLite")
    (verified,) = values(cli("ledger", "verify", "--json", *data))
    assert verified["verified"]
    assert verified["contradiction"] is None
    assert entries in verified["checked"].values()
    (row,) = values(cli("log", "-n", "1", "--json", *data))
    assert row["id"] == query
    assert "nothing contradicts" in cli("ledger", "verify", *data).stdout
    assert f"{entries} entries" in cli("ledger", "rebuild", *data).stdout


def test_a_contradiction_is_named_and_ends_with_status_1(
    cli: Cli, tmp_path: Path, gateway: RunningGateway, database: str | None
) -> None:
    gateway.chat(gateway.key())
    gateway.stop()
    data = ("--data", str(gateway.data.root))
    cli("ledger", "rebuild", *data)
    file = gateway.data.journal / FIRST_SEGMENT
    raw = bytearray(file.read_bytes())
    raw[-2] ^= 1
    file.write_bytes(raw)
    (told,) = values(cli("ledger", "verify", "--json", *data, status=1))
    assert not told["verified"]
    assert told["contradiction"]["entry"] > 1
    assert "cannot be read" in told["contradiction"]["what"]
    said = " ".join(cli("ledger", "verify", *data, status=1).stderr.split())
    assert f"at entry {told['contradiction']['entry']}: cannot be read" in said


def test_a_query_is_shown(cli: Cli, shared_gateway: RunningGateway) -> None:
    data, key = ("--data", str(shared_gateway.data.root)), shared_gateway.key()
    query = shared_gateway.chat(key).query
    record = shared_gateway.record_when_ended(query, key)
    (told,) = values(cli("ledger", "show", query, "--json", *data))
    assert (told["status"], told["cost_usd"]) == ("settled", record["cost_usd"])
    assert told["held_usd"] == record["held_usd"]
    hold, settle = told["entries"]
    assert (hold["kind"], settle["kind"]) == ("hold", "settle")
    printed = cli("ledger", "show", query, *data).stdout
    for text in (query, f"${record['cost_usd']}", f"key:{key.split('_')[1]}", "Meter", "Z"):
        assert text in printed
    printed = cli("ledger", "show", str(hold["entry"]), *data).stdout
    assert printed.startswith(f"entry {hold['entry']}: hold")
    (entry,) = values(cli("ledger", "show", str(hold["entry"]), "--json", *data))
    assert entry == hold


def test_what_is_unresolved_shows_its_maximum(cli: Cli, shared_gateway: RunningGateway) -> None:
    key = shared_gateway.key()
    query = shared_gateway.chat(key, "no-usage", max_tokens=9).query
    printed = cli("ledger", "show", query, "--data", str(shared_gateway.data.root)).stdout
    assert "unknown, at most $" in printed


@pytest.mark.parametrize("name", ["nobody", "99999999"])
def test_what_is_not_there_is_said(cli: Cli, shared_gateway: RunningGateway, name: str) -> None:
    data = ("--data", str(shared_gateway.data.root))
    assert f"{name}" in cli("ledger", "show", name, *data, status=1).stderr


def test_a_database_that_is_away_is_a_sentence(
    cli: Cli, shared_gateway: RunningGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARTHING_DATABASE", f"postgresql://ann:s3cret@/books?host={tmp_path}")
    data = ("--data", str(shared_gateway.data.root))
    for command in (("ledger", "verify"), ("ledger", "rebuild"), ("log",)):
        said = cli(*command, *data, status=1).stderr
        assert "PostgreSQL database books" in said
        assert "s3cret" not in said
        assert "Traceback" not in said
