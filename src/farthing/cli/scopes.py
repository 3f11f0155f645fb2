"""`farthing scopes`: the organisations, teams and projects that keys belong to."""

from __future__ import annotations

from typing import Annotated

import typer

from farthing import clock, money
from farthing.cli.amounts import done, enter, text
from farthing.cli.output import Data, Json, data_folder, examples, print_json, run, show, table
from farthing.ledger import admin
from farthing.ledger.entry import Scope

app = typer.Typer(
    help="Make and list organisations, teams and projects: what limits and keys belong to.",
    no_args_is_help=True,
)


@app.command(
    "create",
    epilog=examples(
        "scopes create org:acme",
        "scopes create team:search --in org:acme",
        "scopes create project:faq --in team:search",
    ),
)
def create(
    scope: Annotated[str, typer.Argument(help='Such as "org:acme", "team:search", "project:faq".')],
    within: Annotated[
        str | None,
        typer.Option(
            "--in",
            metavar="SCOPE",
            show_default=False,
            help="What it belongs to: a team to an organisation, a project to either.",
        ),
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a scope. It stays where it is made; keys can be moved (`farthing keys change`)."""
    enter(data_folder(data), [Scope(clock.wall(), admin.who(), scope, within or "")])
    done(json, {"scope": scope, "in": within}, f"{scope} is made")


@app.command("list")
def list_scopes(data: Data = None, json: Json = False) -> None:
    """List the scopes: what each belongs to, its open keys, and what they spent and hold."""
    told, now = run(admin.read_standing(data_folder(data))), clock.wall()
    opening = [
        key
        for key in told.keys
        if key.revoked_at is None and (key.key.expires is None or key.key.expires > now)
    ]
    usd = {b.scope: b for b in told.balances if (b.unit, b.window) == ("usd", "ever")}
    rows = [
        {
            "scope": scope,
            "in": parent or None,
            "keys": sum(scope in key.lineage for key in opening),
            "spent_usd": money.dollars(usd[scope].posted),
            "held_usd": money.dollars(usd[scope].held),
        }
        for scope, parent in sorted(told.parents.items())
    ]
    if json:
        print_json(rows)
        return
    numbers = ("Keys", "Spent $", "Held $")
    made = table("Scope", "In", *numbers, right=numbers)
    for row in rows:
        made.add_row(*map(text, row.values()))
    show(made, "there is no scope yet; `farthing scopes create` makes one")
