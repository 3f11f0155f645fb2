"""Making: the log is brought up to date, the files are logged, and their receipt verifies."""

from __future__ import annotations

import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.support.evidence import ORIGIN, VERIFIER, publish
from tests.support.statements import data_folder, inputs

from farthing.errors import ConfigError
from farthing.ledger import admin
from farthing.ledger.reported import Statement
from farthing.paths import DataFolder, lock
from farthing.report import making
from farthing.report.draft import Inputs
from farthing.report.making import asked, entry_of, maker, write
from farthing.report.proved import check_bytes, logged


def quiet(what: str, done: int, of: int) -> None:
    """Show nothing."""


def recorder(data: DataFolder) -> making.Record:
    import asyncio

    def record(entry: Statement) -> None:
        assert asyncio.run(admin.record(data, [entry])) == [None]

    return record


def test_its_files_are_logged_and_provable(tmp_path: Path) -> None:
    data, told = data_folder(tmp_path / "data"), list[str]()
    with maker(data, ORIGIN, lambda what, *_: told.append(what)) as made_by:
        made = made_by.make(inputs("shareholder"))
        paths = write(made, tmp_path / "out")
        receipt = made_by.log(made, "ann", recorder(data))
    found = logged(receipt.encode(), VERIFIER)
    assert found.number == made.document["log"]["size"] == found.entry["tree_size"]
    assert [check_bytes(path.read_bytes(), found.entry) for path in paths[:-1]] == [
        "JSON", "HTML", "PDF",
    ]  # fmt: skip
    assert [path.name for path in paths] == [
        f"statement-2026-09-shareholder.{kind}" for kind in ("json", "html", "pdf", "tlog-proof")
    ]
    assert dict.fromkeys(told).keys() >= {"Reading the log", "Asking the figures", "Logging it"}
    assert "by" in found.entry and "ann" not in str(found.entry)


def test_a_running_gateways_publisher_is_waited_for(tmp_path: Path) -> None:
    data = data_folder(tmp_path / "data")
    held = lock(data.log / "lock", "")
    record = recorder(data)

    def record_and_publish(entry: Statement) -> None:
        record(entry)
        threading.Timer(0.3, publish, (data.journal, data.log)).start()

    with maker(data, ORIGIN, quiet) as made_by:
        made = made_by.make(inputs("shareholder"))
        receipt = made_by.log(made, "ann", record_and_publish)
    assert held >= 0 and logged(receipt.encode(), VERIFIER).number == made.document["log"]["size"]


def test_a_publisher_that_stands_still_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "PATIENCE_SECONDS", 0.0)
    data = data_folder(tmp_path / "data")
    held = lock(data.log / "lock", "")
    with maker(data, ORIGIN, quiet) as made_by:
        made = made_by.make(inputs("shareholder"))
        with pytest.raises(ConfigError, match="has not published"):
            made_by.log(made, "ann", recorder(data))
    assert held >= 0


def test_a_log_that_contradicts_its_journal_makes_no_statement(tmp_path: Path) -> None:
    data = data_folder(tmp_path / "data")
    data.log_salt.write_text("00" * 32)
    with pytest.raises(ConfigError, match="not those that were signed"), maker(data, ORIGIN, quiet):
        pass


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"edition": "internal"}, "write one of shareholder, regulator, customer"),
        ({"edition": "customer"}, "--scope team:NAME"),
        ({"edition": "shareholder", "scope": "team:search"}, "of one scope"),
        ({"edition": "customer", "scope": "user:ann"}, "none of org, team, project, key"),
        ({"period": "2027-01"}, "has not begun"),
        ({"period": "soon"}, "is no period"),
    ],
)
def test_what_cannot_be_made_says_why(said: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        asked(inputs(**said))


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (inputs("shareholder", period="2025"), "no query ended in 2025"),
        (inputs("customer", "team:none"), "no query of team:none ended in 2026-09"),
    ],
)
def test_of_nothing_no_statement_is_made(tmp_path: Path, wanted: Inputs, why: str) -> None:
    until = "2026-01-01T00:00:00.000Z" if wanted.period == "2025" else wanted.until
    wanted = Inputs(**{**{f: getattr(wanted, f) for f in wanted.__struct_fields__}, "until": until})
    data = data_folder(tmp_path / "data")
    with maker(data, ORIGIN, quiet) as made_by, pytest.raises(ConfigError, match=why):
        made_by.make(wanted)


def test_the_entry_tells_what_each_file_hashes_to(tmp_path: Path) -> None:
    data = data_folder(tmp_path / "data")
    with maker(data, ORIGIN, quiet) as made_by:
        made = made_by.make(inputs("customer", "team:search"))
    entry = entry_of(made, "ann")
    hashes = [sha256(made.files[kind]).hexdigest() for kind in ("json", "html", "pdf")]
    assert [entry.json_sha256, entry.html_sha256, entry.pdf_sha256] == hashes
    assert (entry.edition, entry.period, entry.scope) == ("customer", "2026-09", "team:search")
