"""`farthing ledger reconcile`: an export of what a provider billed against what the ledger says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Cli, values
from tests.support.gateway import RunningGateway

from farthing.ledger.entry import Resolve

Export = Callable[[str], tuple[str, ...]]

COLUMNS = ("--columns", "date=day,model=model,cost_usd=paid,request_id=request")


@pytest.fixture
def asked(gateway: RunningGateway) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a query that was settled, and one that is unresolved, are recorded as."""
    key = gateway.key()
    settled = gateway.chat(key).query
    lost = gateway.chat(key, "no-usage", max_tokens=9).query
    return gateway.record_when_ended(settled, key), gateway.record(lost, key)


@pytest.fixture
def export(tmp_path: Path, gateway: RunningGateway) -> Export:
    """Write the rows of an export; return what to tell the command."""

    def write(rows: str) -> tuple[str, ...]:
        path = tmp_path / "billed.csv"
        path.write_text("day,model,paid,request\n" + rows)
        data = ("--data", str(gateway.data.root), "--provider", "test")
        return ("--invoice", str(path), *COLUMNS, *data)

    return write


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def test_each_query_is_matched_and_what_could_be_resolved_is_told(
    cli: Cli, asked: tuple[dict[str, Any], dict[str, Any]], export: Export
) -> None:
    settled, lost = asked
    rows = (
        f"{today()},m,{settled['cost_usd']},{settled['id']}\n{today()},m,0.000000002,{lost['id']}\n"
    )
    provider = settled["model"].partition("/")[0]
    arguments = (*export(rows), "--provider", provider)
    (told,) = values(cli("ledger", "reconcile", *arguments, "--json"))
    verdicts = {line["request"]: line["verdict"] for line in told["lines"]}
    assert verdicts == {settled["id"]: "match", lost["id"]: "unresolved"}
    (one,) = told["resolvable"]
    assert (one["id"], one["usd"]) == (lost["id"], "0.000000002")
    assert told["invoice"]["sha256"] in one["evidence"]
    printed = cli("ledger", "reconcile", *arguments).stdout
    assert f"unresolved {lost['id']} cost $0.000000002 by this invoice" in printed


def resolving(asked: tuple[dict[str, Any], dict[str, Any]], export: Export) -> tuple[str, ...]:
    """What settles the lost query at two nanodollars."""
    settled, lost = asked
    rows = (
        f"{today()},m,{settled['cost_usd']},{settled['id']}\n{today()},m,0.000000002,{lost['id']}\n"
    )
    provider = settled["model"].partition("/")[0]
    return ("ledger", "reconcile", *export(rows), "--provider", provider, "--resolve")


@pytest.mark.parametrize("running", [True, False])
def test_what_the_invoice_proves_is_settled(
    cli: Cli,
    asked: tuple[dict[str, Any], dict[str, Any]],
    export: Export,
    gateway: RunningGateway,
    running: bool,
) -> None:
    """Through the gateway that runs, or in the journal; a second time nothing is left to settle."""
    if not running:
        gateway.stop()
    (told,) = values(cli(*resolving(asked, export), "--yes", "--json"))
    lost = asked[1]["id"]
    assert told["resolved"] == [lost]
    (resolve,) = (entry for entry in gateway.entries() if isinstance(entry, Resolve))
    assert (resolve.id, resolve.usd) == (lost, 2)
    assert told["invoice"]["sha256"] in resolve.evidence
    data = ("--data", str(gateway.data.root))
    (shown,) = values(cli("ledger", "show", lost, "--json", *data))
    assert (shown["status"], shown["cost_usd"]) == ("settled", "0.000000002")
    (row,) = values(cli("log", "-n", "1", "--json", *data))
    assert (row["id"], row["status"], row["reason"]) == (lost, "settled", resolve.evidence)
    (again,) = values(cli(*resolving(asked, export), "--yes", "--json"))
    assert (again["resolvable"], again["resolved"]) == ([], [])
    assert "nothing contradicts" in cli("ledger", "verify", *data).stdout


def test_it_asks_before_it_settles(
    cli: Cli,
    asked: tuple[dict[str, Any], dict[str, Any]],
    export: Export,
    gateway: RunningGateway,
) -> None:
    arguments = resolving(asked, export)
    refused = cli(*arguments, stdin="n\n", status=1)
    assert f"unresolved {asked[1]['id']} cost $0.000000002" in refused.stdout
    assert not any(isinstance(entry, Resolve) for entry in gateway.entries())
    assert "add --yes" in cli(*arguments, "--json", status=2).stderr
    taken = cli(*arguments, stdin="y\n")
    assert "1 of 1 unresolved queries at $0.000000002 in all are settled" in taken.stderr
    assert any(isinstance(entry, Resolve) for entry in gateway.entries())


def test_above_the_tolerance_it_ends_with_status_1(
    cli: Cli, asked: tuple[dict[str, Any], dict[str, Any]], export: Export
) -> None:
    settled, _ = asked
    paid = Decimal(settled["cost_usd"]) * Decimal("1.1")
    provider = settled["model"].partition("/")[0]
    rows = f"{today()},m,{paid:f},{settled['id']}\n"
    arguments = ("ledger", "reconcile", *export(rows), "--provider", provider)
    (told,) = values(cli(*arguments, "--json", status=1))
    line = next(line for line in told["lines"] if line["request"] == settled["id"])
    assert (line["verdict"], line["percent"]) == ("variance", "10.00")
    assert "variance" in cli(*arguments, status=1).stdout
    cli(*arguments, "--tolerance", "10%")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--tolerance", "much"), "write percent"),
        (("--tolerance", "-1"), "write percent"),
        (("--columns", "date"), "--columns: write"),
        (("--model", "x="), "--model: write"),
    ],
)
def test_options_that_make_no_sense(
    cli: Cli, tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    arguments = ("ledger", "reconcile", "--invoice", str(tmp_path / "x.csv"), *more)
    assert said in cli(*arguments, status=2).stderr


def test_whose_it_is_must_be_known(
    cli: Cli, shared_gateway: RunningGateway, tmp_path: Path
) -> None:
    path = tmp_path / "billed.csv"
    path.write_text("day,model,paid\n2026-11-01,m,1\n")
    arguments = ("--invoice", str(path), "--columns", "date=day,model=model,cost_usd=paid")
    data = ("--data", str(shared_gateway.data.root))
    assert "--provider NAME" in cli("ledger", "reconcile", *arguments, *data, status=1).stderr
    whose = ("--provider", "nobody")
    said = cli("ledger", "reconcile", *arguments, *whose, *data, status=1).stderr
    assert "no query to nobody" in said
