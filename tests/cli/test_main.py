"""The command as a whole."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Cli, values
from typer.core import TyperGroup
from typer.main import get_command

from farthing import __version__
from farthing.cli.main import app

COMMANDS = [
    *("up", "serve", "log", "log-key", "receipt", "quote", "ask", "doctor", "version"),
    *("contents", "disclose", "erase"),
]
GROUPS = {
    "keys": ["create", "change", "list", "revoke"],
    "scopes": ["create", "list"],
    "limits": ["set", "lift", "list"],
    "credits": ["add", "list"],
    "commitments": ["add", "exercise", "list"],
    "holds": ["list", "resolve", "write-off", "reset"],
    "ledger": ["rebuild", "verify", "show", "reconcile"],
    "verify": ["receipt", "disclosure", "content", "folder", "growth"],
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
