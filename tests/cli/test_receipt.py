"""Receipts and the log's key from the command line, of a gateway that runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.support.evidence import standalone
from tests.support.gateway import RunningGateway

from farthing import clock
from farthing.evidence.receipt import Receipt
from farthing.ledger.entry import Expire


def test_a_querys_receipt_is_verified_by_the_logs_key(
    cli: Cli, shared_gateway: RunningGateway, tmp_path: Path
) -> None:
    """The whole way: a query, its receipt from both doors, both verifiers."""
    data = ("--data", str(shared_gateway.data.root))
    key = shared_gateway.key()
    query = shared_gateway.chat(key, "echo", user="ann").query
    shared_gateway.record_when_ended(query, key)
    file = tmp_path / f"{query}.tlog-proof"
    cli("receipt", query, "--out", str(file), *data)
    public = cli("log-key", *data).stdout.strip()
    said = json.loads(cli("verify", "receipt", str(file), "--key", public, "--json").stdout)
    entry = said["entry"]
    assert (entry["id"], entry["kind"], entry["cost_usd"]) == (query, "settle", "0.000027")
    assert b"ann" not in file.read_bytes() and "user:hmac-sha256:" in str(entry["path"])
    assert query in standalone().verify_receipt(file.read_bytes(), public)
    served = shared_gateway.request("GET", f"/v1/queries/{query}/receipt", key=key)
    assert served.status == 200
    assert query in standalone().verify_receipt(served.body, public)
    told = values(cli("receipt", query, "--json", *data))[0]
    assert told == {"index": said["index"], "entry": entry}


@pytest.mark.parametrize(
    ("kind", "cost"), [("resolve", "0.002"), ("write-off", "0"), ("expire-posted", None)]
)
def test_a_late_ending_has_the_receipt_and_the_first_keeps_its_own(
    cli: Cli, shared_gateway: RunningGateway, kind: str, cost: str | None
) -> None:
    """While the cost is unknown, of that; then of what settled it; from both doors."""
    gateway, key = shared_gateway, shared_gateway.key()
    data = ("--data", str(gateway.data.root))
    query = gateway.chat(key, "no-usage").query

    def leaf(id_: str = query, question: str = "") -> dict[str, object]:
        served = gateway.request("GET", f"/v1/queries/{query}/receipt{question}", key=key)
        assert served.status == 200, served.body
        told: dict[str, object] = json.loads(Receipt.decode(served.body).entry)
        assert values(cli("receipt", id_, "--json", *data))[0]["entry"] == told
        assert told["id"] == query
        return told

    first = leaf()
    assert first["kind"] == "unresolved" and "cost_usd" not in first
    if kind == "resolve":
        cli("holds", "resolve", query, "--usd", "0.002", "--evidence", "invoice 7", *data)
    elif kind == "write-off":
        cli("holds", "write-off", query, "--reason", "not billed", *data)
    else:
        gateway.enter(Expire(clock.wall(), query))
    final = leaf()
    assert (final["kind"], final["cost_usd"]) == (kind, cost or first["held_usd"])
    assert leaf(str(first["entry"]), f"?entry={first['entry']}") == first


def test_a_key_gets_no_entry_but_its_querys(cli: Cli, shared_gateway: RunningGateway) -> None:
    gateway, key = shared_gateway, shared_gateway.key()
    other, mine = (gateway.chat(key, "echo").query for _ in range(2))
    gateway.record_when_ended(mine, key)
    for question in (
        "entry=1",
        f"entry={_ending(gateway, other)}",
        "entry=99999999",
        "entry=x",
        "x=1",
    ):
        refused = gateway.request("GET", f"/v1/queries/{mine}/receipt?{question}", key=key)
        assert (refused.status, refused.headers["farthing-error"]) == (404, "no_receipt"), question
    hold = str(_ending(gateway, mine) - 1)
    data = ("--data", str(gateway.data.root))
    assert "is a hold" in one_line(cli("receipt", hold, *data, status=1))


def _ending(gateway: RunningGateway, query: str) -> int:
    """The place in the journal of a query's ending; each query's hold stands before it."""
    numbered = enumerate(gateway.entries(), 1)
    return max(n for n, entry in numbered if getattr(entry, "id", None) == query)


def test_without_a_file_it_is_printed(cli: Cli, shared_gateway: RunningGateway) -> None:
    data = ("--data", str(shared_gateway.data.root))
    key = shared_gateway.key()
    query = shared_gateway.chat(key).query
    shared_gateway.record_when_ended(query, key)
    assert cli("receipt", query, *data).stdout.startswith("c2sp.org/tlog-proof@v1\nextra ")
    assert "there is no query q0" in one_line(cli("receipt", "q0", *data, status=1))


def test_where_nothing_has_run_there_is_nothing(cli: Cli) -> None:
    assert "there is no ledger" in one_line(cli("receipt", "q1", status=1))
