"""`farthing verify`: offline, with the public key alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.support.evidence import IDENTITY, ORIGIN, VERIFIER, Log, entries, make_log

from farthing.evidence.note import Head, Signer

KEY = ("--key", str(VERIFIER))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return make_log(tmp_path, entries(300))


def test_a_receipt(cli: Cli, log: Log, tmp_path: Path) -> None:
    file = tmp_path / "q3.tlog-proof"
    file.write_bytes(log.receipt(4).encode())
    printed = cli("verify", "receipt", str(file), *KEY).stdout
    assert printed.startswith(f"verified: leaf 4 of the 300 that {ORIGIN} has signed\n")
    assert '"id":"q3"' in printed
    told = values(cli("verify", "receipt", str(file), "--json", *KEY))[0]
    assert (told["index"], told["size"], told["origin"]) == (4, 300, ORIGIN)
    assert told["entry"]["id"] == "q3"
    file.write_bytes(log.receipt(4)._replace(number=5).encode())
    failed = one_line(cli("verify", "receipt", str(file), *KEY, status=1))
    assert failed == (
        "farthing: NOT VERIFIED: the inclusion proof does not lead from leaf 5 to the root"
    )


def test_the_key_can_be_in_a_file_and_must_be_the_logs(cli: Cli, log: Log, tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text(f"{VERIFIER}\n")
    folder = str(log.folder)
    assert "verified: 300" in cli("verify", "folder", folder, "--key", f"{tmp_path}/key.txt").stdout
    other = str(Signer(ORIGIN, b"o" * 32).verifier)
    assert "not signed" in one_line(cli("verify", "folder", folder, "--key", other, status=1))
    for wrong in ("a+b", str(tmp_path / "none.txt")):
        assert "NOT VERIFIED" in one_line(cli("verify", "folder", folder, "--key", wrong, status=1))


def test_a_folder(cli: Cli, log: Log) -> None:
    told = values(cli("verify", "folder", str(log.folder), "--json", *KEY))
    assert told == [{"size": 300, "origin": ORIGIN, "beyond": 0, "key": str(VERIFIER)}]
    (log.folder / "tile/0/000").unlink()
    assert "NOT VERIFIED" in one_line(cli("verify", "folder", str(log.folder), *KEY, status=1))


def test_growth(cli: Cli, log: Log, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    old = make_log(tmp_path / "old", entries(257)).folder / "checkpoint"
    arguments = ("verify", "growth", str(old), str(log.folder / "checkpoint"))
    tiles = ("--tiles", str(log.folder))
    assert "the first 257 of the log's 300" in cli(*arguments, *tiles, *KEY).stdout
    told = values(cli(*arguments, *tiles, *KEY, "--json"))
    assert told == [{"from": 257, "to": 300, "origin": ORIGIN}]
    old.write_bytes(IDENTITY.signer.sign(Head(ORIGIN, 257, b"f" * 32)))
    failed = one_line(cli(*arguments, *tiles, *KEY, status=1))
    assert "the tree of 300 does not go on from the tree of 257" in failed
