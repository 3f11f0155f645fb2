"""Running commands in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from farthing.cli.main import app

Cli = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, and no provider's key from the environment."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "FARTHING_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FARTHING_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


@pytest.fixture
def cli(folder: Path) -> Iterator[Cli]:
    """Runs a command; its output is in the result."""
    runner = CliRunner()

    def run(*arguments: str, status: int = 0, stdin: str | None = None) -> Result:
        result = runner.invoke(app, list(arguments), input=stdin)
        assert result.exit_code == status, f"{result.output}{result.stderr}{result.exception!r}"
        return result

    yield run


def values(result: Result) -> list[Any]:
    """The JSON values a command printed, one a line."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def one_line(result: Result) -> str:
    """What a command said on standard error, however its lines were broken."""
    return " ".join(result.stderr.split())
