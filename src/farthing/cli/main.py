"""The `farthing` command."""

from __future__ import annotations

from typing import Annotated

import typer

from farthing import __version__
from farthing.cli import (
    ask,
    commitments,
    credit,
    doctor,
    documents,
    export,
    holds,
    keys,
    ledger,
    limits,
    log,
    performance,
    quote,
    receipt,
    reconcile,
    scopes,
    up,
    verify,
)
from farthing.cli.output import Json, console, examples, print_json

app = typer.Typer(
    name="farthing",
    help="The accountable LLM gateway: every query priced before it is sent, capped while it "
    "runs, and provable afterwards.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command("up")(up.up)
app.command("serve")(up.serve)
app.add_typer(keys.app, name="keys")
app.add_typer(scopes.app, name="scopes")
app.add_typer(limits.app, name="limits")
app.add_typer(credit.app, name="credits")
app.add_typer(commitments.app, name="commitments")
app.add_typer(holds.app, name="holds")
app.command("log")(log.log)
ledger.app.command("reconcile")(reconcile.reconcile_command)
app.add_typer(ledger.app, name="ledger")
app.command("receipt")(receipt.receipt)
app.command("log-key")(receipt.log_key)
app.add_typer(verify.app, name="verify")
app.command("performance")(performance.performance_command)
for name, (command, example) in documents.COMMANDS.items():
    export.app.command(name, epilog=examples(example))(command)
app.add_typer(export.app, name="export")
app.command("quote")(quote.quote_command)
app.command("ask")(ask.ask)
app.command("doctor")(doctor.doctor)


@app.command("version")
def version(json: Json = False) -> None:
    """Print the version."""
    if json:
        print_json({"version": __version__})
    else:
        console.print(__version__)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    show: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    if show:
        console.print(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        console.print(context.get_help())


def run() -> None:
    """Run the command line."""
    app()
