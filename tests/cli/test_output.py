"""How commands speak."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from farthing.cli import output
from farthing.errors import ConfigError


def test_an_expected_error_is_a_sentence_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    async def fails() -> None:
        raise ConfigError("write [this] instead")

    with pytest.raises(typer.Exit) as ended:
        output.run(fails())
    assert ended.value.exit_code == 1
    assert "write [this] instead" in capsys.readouterr().err


def test_a_defect_is_not_hidden() -> None:
    async def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        output.run(fails())


def test_tables_are_never_cut() -> None:
    made = output.table("A", "B", right=("B",))
    made.add_row("x" * 150, "y" * 150)
    with output.wide.capture() as captured:
        output.wide.print(made)
    assert "x" * 150 in captured.get() and "y" * 150 in captured.get()


def test_the_data_folder_is_the_xdg_one_unless_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert output.data_folder(None).root == tmp_path / "farthing"
    assert output.data_folder(tmp_path / "other").root == tmp_path / "other"


def test_a_reason_to_stop_is_said_as_it_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        output.stop("there is no [bold] here", status=2)
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err == "farthing: there is no [bold] here\n"


def test_a_data_folder_that_cannot_be_made_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(typer.Exit):
        output.data_folder(tmp_path / "file" / "data")
    assert "choose another with --data" in " ".join(capsys.readouterr().err.split())


def test_a_table_without_rows_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    made = output.table("A")
    output.show(made, "there is nothing")
    made.add_row("x")
    output.show(made, "there is nothing")
    told = capsys.readouterr().out.split("\n")
    assert [line.strip() for line in told] == ["there is nothing", "A", "x", ""]


def test_examples_stay_line_by_line() -> None:
    told = output.examples("keys list", "keys create a \\", "--usd 5")
    assert told.splitlines()[1:] == [
        "Examples:", "  farthing keys list", "  farthing keys create a \\", "    --usd 5"
    ]  # fmt: skip
