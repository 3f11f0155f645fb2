"""`farthing report` and `farthing verify statement`, from the command line."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.support.evidence import VERIFIER
from tests.support.gateway import RunningGateway
from tests.support.statements import data_folder

from farthing import clock

KEY = ("--key", str(VERIFIER))
NOW = 1_790_900_000 * clock.SECOND  # in October 2026


@pytest.fixture
def made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(clock, "wall", lambda: NOW)
    data_folder(folder)
    return folder


def test_a_statement_is_made_verified_and_found_out_when_edited(
    cli: Cli, made: Path, tmp_path: Path
) -> None:
    """The whole way, with a reader who edits one figure."""
    told = values(cli("report", "--period", "2026-09", "--out", str(tmp_path / "out"), "--json"))[0]
    paths = [Path(name) for name in told["files"]]
    assert [path.suffix for path in paths] == [".json", ".html", ".pdf", ".tlog-proof"]
    for path in paths[:3]:
        said = cli("verify", "statement", str(path), *KEY, "--log", str(made / "log")).stdout
        assert f"of leaf {told['index']} of the" in said and "figures are what the log's" in said
    document = json.loads(paths[0].read_text())
    figure = next(f for f in document["figures"] if f["id"] == "bought.contracted")
    paths[0].write_text(paths[0].read_text().replace(f'"{figure["value"]}"', '"1.5"'))
    log = ("--log", str(made / "log"))
    failed = one_line(cli("verify", "statement", str(paths[0]), *KEY, *log, status=1))
    assert "was changed" in failed and "NOT VERIFIED" in failed
    assert f"bought.contracted: its value is stated as 1.5, and is {figure['value']}" in failed


def test_without_the_log_only_the_bytes_are_checked(cli: Cli, made: Path, tmp_path: Path) -> None:
    cli("report", "--period", "2026-09", "--edition", "customer", "--scope", "team:search")
    pdf = tmp_path / "statement-2026-09-customer-team-search.pdf"
    assert "were not asked again" in cli("verify", "statement", str(pdf), *KEY).stdout
    pdf.with_suffix(".tlog-proof").unlink()
    told = values(cli("verify", "statement", str(pdf), "--json", *KEY, status=1))[0]
    assert told["wrong"] == ["there is no receipt beside it; say where it is with --receipt"]


def test_beside_a_running_gateway_of_a_period_that_is_not_over(
    cli: Cli, shared_gateway: RunningGateway, tmp_path: Path
) -> None:
    """Its ledger takes the entry, its publisher publishes it; the statement says "so far"."""
    data = ("--data", str(shared_gateway.data.root))
    key = shared_gateway.key()
    query = shared_gateway.chat(key, "echo").query
    shared_gateway.record_when_ended(query, key)
    cli("receipt", query, "--out", str(tmp_path / "q.tlog-proof"), *data)  # it is published
    time.sleep(1)  # a statement is of whole seconds
    year = clock.iso(clock.wall())[:4]
    out = ("--out", str(tmp_path / "out"), "--edition", "regulator", "--json")
    told = values(cli("report", "--period", year, *out, *data))[0]
    public = cli("log-key", *data).stdout.strip()
    log = ("--log", str(shared_gateway.data.root / "log"))
    for name in told["files"][:3]:
        said = cli("verify", "statement", name, "--key", public, *log).stdout
        assert f"of leaf {told['index']} of the" in said and "figures are what the log's" in said
    assert "so far until" in Path(told["files"][1]).read_text()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (("--period", "2026-13"), "is no period"),
        (("--period", "2031"), "2031 has not begun"),
        (("--period", "2026-09", "--edition", "press"), "write one of shareholder, regulator"),
        (("--period", "2026-09", "--edition", "customer"), "--scope team:NAME"),
        (("--period", "2026-03"), "no query ended in 2026-03"),
    ],
)
def test_what_cannot_be_made_ends_with_a_sentence(
    cli: Cli, made: Path, said: tuple[str, ...], why: str
) -> None:
    assert why in one_line(cli("report", *said, status=1))


def test_without_a_ledger_or_the_extra_it_says_what_to_do(
    cli: Cli, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = str(tmp_path / "none")
    assert "there is no ledger" in one_line(
        cli("report", "--period", "2026", "--data", none, status=1)
    )
    monkeypatch.setitem(sys.modules, "typst", None)
    failed = one_line(cli("report", "--period", "2026-09", status=1))
    assert "pip install 'farthing[report]'" in failed
