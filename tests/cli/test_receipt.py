"""Receipts and the log's key from the command line, of a gateway that runs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Cli, one_line, values
from tests.support.evidence import standalone
from tests.support.gateway import RunningGateway


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


def test_without_a_file_it_is_printed(cli: Cli, shared_gateway: RunningGateway) -> None:
    data = ("--data", str(shared_gateway.data.root))
    key = shared_gateway.key()
    query = shared_gateway.chat(key).query
    shared_gateway.record_when_ended(query, key)
    assert cli("receipt", query, *data).stdout.startswith("c2sp.org/tlog-proof@v1\nextra ")
    assert "there is no query q0" in one_line(cli("receipt", "q0", *data, status=1))


def test_the_key_and_its_origin(cli: Cli, shared_gateway: RunningGateway) -> None:
    told = values(cli("log-key", "--json", "--data", str(shared_gateway.data.root)))[0]
    assert told["origin"].startswith("farthing/") and told["key"].startswith(told["origin"] + "+")


def test_where_nothing_has_run_there_is_nothing(cli: Cli) -> None:
    assert "there is no ledger" in one_line(cli("receipt", "q1", status=1))
    assert "there is no log" in one_line(cli("log-key", status=1))
