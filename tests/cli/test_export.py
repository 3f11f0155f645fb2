"""Exports from the command line: of a gateway that runs, and of a ledger with everything."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Cli, one_line, values
from tests.support.bills import billed, bills
from tests.support.evidence import ORIGIN, publish
from tests.support.exports import read
from tests.support.gateway import RunningGateway


def test_a_query_is_a_row_that_the_log_proves(
    cli: Cli, shared_gateway: RunningGateway, tmp_path: Path
) -> None:
    data = ("--data", str(shared_gateway.data.root))
    key = shared_gateway.key()
    query = shared_gateway.chat(key, "echo").query
    shared_gateway.record_when_ended(query, key)
    index = values(cli("receipt", query, "--json", *data))[0]["index"]
    out = tmp_path / "focus.csv"
    (said,) = values(cli("export", "focus", "--out", str(out), "--json", *data))
    rows = read(out)
    mine = [r for r in rows if int(r["x_LedgerFirstIndex"]) <= index <= int(r["x_LedgerLastIndex"])]
    assert {row["SkuMeter"] for row in mine} >= {"Input Tokens", "Output Tokens"}
    assert all(row["x_LedgerOrigin"].startswith("farthing/") for row in mine)
    assert all(int(row["x_LedgerTreeSize"]) > index for row in mine)
    assert said["rows"] == len(rows) and said["out"] == str(out)


def test_months_of_everything(cli: Cli, folder: Path, tmp_path: Path) -> None:
    made, engine = billed(folder, bills(2, 60))
    engine.dispose()
    made.log.mkdir()
    publish(made.journal, made.log)
    out = tmp_path / "focus.parquet"
    focus = ("export", "focus", "--since", "2026-09-01", "--until", "2026-12-01", "--out", str(out))
    said = cli(*focus, "--version", "1.2", "--format", "parquet")
    assert "contracted" in said.stdout and "of purchases" in said.stdout
    told = json.loads((tmp_path / "focus.parquet.metadata.json").read_text())
    assert (told["specification"], told["ledger"]["log_origin"]) == (
        "FOCUS 1.2, Cost and Usage", ORIGIN,
    )  # fmt: skip
    assert told["ledger"]["rows_beyond_the_tree"] == 0
    unknown = told["unknown"]
    assert unknown["queries"] > 0
    assert f"{unknown['queries']} queries of the period are in no row" in one_line(said)
    assert f"at most ${unknown['at_most_usd']}" in one_line(said)
    terms = tmp_path / "terms.csv"
    cli("export", "commitments", "--version", "1.3", "--out", str(terms))
    assert len(read(terms)) == 6 and len(read(terms)[0]) == 13


def test_a_log_that_has_not_come_so_far_is_said(cli: Cli, folder: Path, tmp_path: Path) -> None:
    made, engine = billed(folder, bills(2, 10))
    engine.dispose()
    out = tmp_path / "focus.csv"
    said = cli("export", "focus", "--period", "2026-09", "--out", str(out))
    assert "not covered by the log's newest checkpoint yet" in one_line(said)
    assert {row["x_LedgerTreeSize"] for row in read(out)} == {""}
    assert made.journal.exists()


def test_what_is_not_known_is_a_sentence(cli: Cli, folder: Path, tmp_path: Path) -> None:
    billed(folder, bills(2, 1))[1].dispose()
    out = ("--out", str(tmp_path / "x.csv"))
    for wrong, word in (
        (("--version", "1.1"), "--version: write 1.2 or 1.4, not 1.1"),
        (("--format", "xls"), "--format: write csv or parquet, not xls"),
    ):
        assert word in one_line(cli("export", "focus", *wrong, *out, status=2))
    assert "is no period" in one_line(cli("export", "focus", "--period", "May", *out, status=1))
    assert "there is no ledger" in one_line(
        cli("export", "focus", *out, "--data", str(tmp_path / "empty"), status=1)
    )
