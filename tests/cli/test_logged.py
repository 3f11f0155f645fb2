"""Where a log is read from, and what stops a command that cannot read it."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from tests.support.evidence import IDENTITY, VERIFIER, configs, make_log

from farthing.cli.logged import entries_of, extra, reading
from farthing.evidence.note import Head
from farthing.ledger.entry import Genesis


def test_a_folder_is_read_with_a_key_or_without(tmp_path: Path) -> None:
    log = make_log(tmp_path, [Genesis(1, "one"), *configs(300)])
    (tmp_path / "key.txt").write_text(f"{VERIFIER}\n")
    for key, verified in (("", False), (str(VERIFIER), True), (str(tmp_path / "key.txt"), True)):
        found = entries_of(str(log.folder), key, None, None)
        assert (found.verified, found.head, found.bundles) == (verified, log.head, 2)


def test_a_log_that_is_not_there_or_not_its_keys_ends_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        entries_of(str(tmp_path), "", None, None)
    assert "the log cannot be read" in capsys.readouterr().err
    log = make_log(tmp_path, [Genesis(1, "one")])
    signed = IDENTITY.signer.sign(Head("log.example/farthing", 9, b"r" * 32))
    (log.folder / "checkpoint").write_bytes(signed.replace(b"\n9\n", b"\n1\n"))
    with pytest.raises(typer.Exit):
        entries_of(str(log.folder), str(VERIFIER), None, None)
    assert "NOT VERIFIED" in capsys.readouterr().err


def test_a_bundle_that_is_missing_ends_it_while_it_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = make_log(tmp_path, [Genesis(1, "one"), *configs(300)])
    (log.folder / "tile/entries/000").unlink()
    entries = entries_of(str(log.folder), str(VERIFIER), None, None)
    with pytest.raises(typer.Exit), reading(entries.bundles):
        list(entries)
    assert "the log cannot be read" in capsys.readouterr().err


def test_a_missing_package_is_told_with_its_extra(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), extra("report"):
        raise ModuleNotFoundError("No module named 'numpy'", name="numpy")
    assert "this needs numpy: pip install 'farthing[report]'" in capsys.readouterr().err
