"""`farthing credits`: prepaid credit of a scope, drawn from what expires first."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from farthing import clock, money
from farthing.cli import named
from farthing.cli.amounts import dollars, done, enter, minute, text, to_come
from farthing.cli.output import (
    ConfigFile,
    Data,
    Json,
    data_folder,
    examples,
    print_json,
    run,
    show,
    table,
)
from farthing.ledger import admin
from farthing.ledger.entry import TopUp
from farthing.ledger.window import EVER

app = typer.Typer(help="Top up and list prepaid credit.", no_args_is_help=True)


@app.command(
    "add", epilog=examples("credits add team:search 500 --expires 2027-06-30 --note INV-2041")
)
def add(
    scope: Annotated[str, typer.Argument(help='Whose credit it is, such as "team:search".')],
    usd: Annotated[str, typer.Argument(metavar="DOLLARS", help="How much.")],
    expires: Annotated[
        str | None,
        typer.Option(metavar="WHEN", show_default=False, help="A day (2027-06-30, UTC), or 90d."),
    ] = None,
    note: Annotated[str, typer.Option(help="What it is, such as an invoice's number.")] = "",
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Add credit. From its first credit on a scope spends credit, or nothing, for good."""
    now, amount, folder = clock.wall(), dollars("DOLLARS", usd), data_folder(data)
    ends = to_come("--expires", expires, now) if expires is not None else None
    standing = run(admin.read_standing(folder))
    scope = named.scope(scope, standing, folder, config)
    entry = TopUp(now, admin.who(), secrets.token_hex(6), scope, amount, ends, note)
    enter(folder, [entry])
    first = all(lot.scope != scope for lot in standing.lots)
    told = {"id": entry.id, "scope": scope, "usd": money.dollars(amount), "first": first}
    prepaid = "; it is prepaid from now on: beyond its credit it is refused" if first else ""
    done(json, told, f"{scope} has ${told['usd']} more ({entry.id}){prepaid}")


@app.command("list")
def list_credits(data: Data = None, json: Json = False) -> None:
    """List every credit: what is left of it, what open queries hold of that, and its end."""
    told, now = run(admin.read_standing(data_folder(data))), clock.wall()
    rows = [
        {
            "id": lot.id,
            "scope": lot.scope,
            "usd": money.dollars(lot.usd),
            "left": money.dollars(lot.left),
            "held": money.dollars(lot.reserved),
            "expires": clock.iso(lot.expires) if lot.expires != EVER else None,
            "state": "expired" if now >= lot.expires else "open" if lot.left else "used",
        }
        for lot in told.lots
    ]
    if json:
        print_json(rows)
        return
    numbers = ("Dollars", "Left", "Held")
    made = table("ID", "Scope", *numbers, "Expires (UTC)", "State", right=numbers)
    for row in rows:
        cells = {name: text(value) for name, value in row.items()}
        made.add_row(*(cells | {"expires": minute(row["expires"])}).values())
    show(made, "there is no credit; `farthing credits add` adds some")
