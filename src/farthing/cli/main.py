"""The `farthing` command. Of its parts only the one that is asked for is imported."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer

from farthing import __version__
from farthing.cli.output import Json, console, print_json

HELP = (
    "The accountable LLM gateway: every query priced before it is sent, capped while it "
    "runs, and provable afterwards."
)


class Command(NamedTuple):
    """Where a command, or a group of them, is."""

    module: str
    name: str = "app"
    """Of its function; "app" for a group."""
    epilog: str = ""
    """Of the text under its help."""


COMMANDS = {
    "up": Command("up", "up"),
    "serve": Command("up", "serve"),
    "keys": Command("keys"),
    "scopes": Command("scopes"),
    "limits": Command("limits"),
    "credits": Command("credit"),
    "commitments": Command("commitments"),
    "holds": Command("holds"),
    "log": Command("log", "log"),
    "ledger": Command("ledger"),
    "receipt": Command("receipt", "receipt"),
    "log-key": Command("log_key"),
    "verify": Command("verify"),
    "witness": Command("witness", "witness", "EXAMPLES"),
    "contents": Command("contents", "contents"),
    "disclose": Command("contents", "disclose", "EXAMPLES"),
    "erase": Command("erase", "erase", "EXAMPLES"),
    "performance": Command("performance", "performance_command"),
    "eval": Command("evaluate", "evaluate", "EPILOG"),
    "evals": Command("evals", "evals"),
    "report": Command("report", "report", "EXAMPLES"),
    "export": Command("documents"),
    "quote": Command("quote", "quote_command"),
    "ask": Command("ask", "ask"),
    "doctor": Command("doctor", "doctor"),
}


def made(names: Iterable[str]) -> typer.Typer:
    """Return the command with some of its parts."""
    command = typer.Typer(
        name="farthing",
        help=HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for name in names:
        told = COMMANDS[name]
        module = import_module(f"farthing.cli.{told.module}")
        part = getattr(module, told.name)
        if isinstance(part, typer.Typer):
            command.add_typer(part, name=name)
        else:
            epilog = getattr(module, told.epilog) if told.epilog else None
            command.command(name, epilog=epilog)(part)
    command.command("version")(version)
    command.callback(invoke_without_command=True)(_root)
    return command


def version(json: Json = False) -> None:
    """Print the version."""
    if json:
        print_json({"version": __version__})
    else:
        console.print(__version__)


def _root(
    context: typer.Context,
    show: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    if show:
        console.print(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        console.print(context.get_help())


def wanted(words: list[str]) -> Iterable[str]:
    """Return the parts that a command line needs: the one it names, or all to show them."""
    first = words[0] if words else ""
    if first in ("version", "--version"):
        return ()
    return (first,) if first in COMMANDS else COMMANDS


def __getattr__(name: str) -> Any:
    """Return the whole command as `app`: its documents and tests look at all of it."""
    if name == "app":
        return made(COMMANDS)
    raise AttributeError(name)


def run() -> None:
    """Run the command line."""
    made(wanted(sys.argv[1:]))()
