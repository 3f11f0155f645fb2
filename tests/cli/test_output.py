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
