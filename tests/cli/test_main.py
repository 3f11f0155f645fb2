"""The command as a whole."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Cli, values
from typer.core import TyperGroup
from typer.main import get_command

from farthing import __version__
from farthing.cli.main import COMMANDS as PARTS
from farthing.cli.main import app, wanted

COMMANDS = [
    *("up", "serve", "log", "receipt", "quote", "ask", "doctor", "version", "witness"),
    *("contents", "disclose", "erase", "performance", "eval", "evals", "report"),
]
GROUPS = {
    "keys": ["create", "change", "list", "revoke"],
    "scopes": ["create", "list"],
    "limits": ["set", "lift", "list"],
    "credits": ["add", "list"],
    "commitments": ["add", "exercise", "list"],
    "holds": ["list", "resolve", "write-off", "reset"],
    "export": ["focus", "commitments", "mlbom", "model-card", "ai-act"],
    "ledger": ["rebuild", "verify", "show", "reconcile"],
    "log-key": ["rotate"],
    "verify": ["receipt", "disclosure", "content", "folder", "growth", "statement"],
}


def test_the_version(cli: Cli) -> None:
    assert cli("version").stdout.strip() == __version__
    assert values(cli("version", "--json")) == [{"version": __version__}]
    assert cli("--version").stdout.strip() == __version__


@pytest.mark.parametrize(
    "command", [*COMMANDS, *(f"{g} {c}" for g, of in GROUPS.items() for c in of)]
)
def test_every_command_has_help_and_json(cli: Cli, command: str) -> None:
    printed = cli(*command.split(), "--help").stdout
    assert "--json" in printed
    assert len(printed.splitlines()) > 5


def test_the_commands_are_these() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    assert set(group.commands) == {*COMMANDS, *GROUPS}


def test_no_command_shows_the_help(cli: Cli) -> None:
    assert "Usage: " in cli(status=2).output


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["keys", "list"], {"keys"}),
        (["--version"], set()),
        (["version"], set()),
        (["--help"], set(PARTS)),
        ([], set(PARTS)),
        (["kyes"], set(PARTS)),
    ],
)
def test_of_its_parts_only_the_one_that_is_asked_for_is_imported(
    words: list[str], parts: set[str]
) -> None:
    assert set(wanted(words)) == parts
