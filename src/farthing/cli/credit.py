"""`farthing credits`: prepaid credit of a scope, drawn from what expires first."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from farthing import clock, money
from farthing.cli.amounts import dollars, done, enter, moment, text
from farthing.cli.output import Data, Json, data_folder, print_json, run, table, wide
from farthing.ledger import admin
from farthing.ledger.entry import TopUp
from farthing.ledger.window import EVER

app = typer.Typer(help="Top up and list prepaid credit.", no_args_is_help=True)


@app.command("add")
def add(
    scope: Annotated[str, typer.Argument(help='Whose credit it is, such as "team:search".')],
    usd: Annotated[str, typer.Argument(metavar="DOLLARS", help="How much.")],
    expires: Annotated[
        str | None,
        typer.Option(metavar="WHEN", show_default=False, help="A day (2026-12-31), or 90d."),
    ] = None,
    note: Annotated[str, typer.Option(help="What it is, such as an invoice's number.")] = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Add credit. From its first credit on a scope spends credit, or nothing."""
    now, amount = clock.wall(), dollars("DOLLARS", usd)
    ends = moment("--expires", expires, now) if expires is not None else None
    entry = TopUp(now, admin.who(), secrets.token_hex(6), scope, amount, ends, note)
    enter(data_folder(data), [entry])
    told = {"id": entry.id, "scope": scope, "usd": money.dollars(amount)}
    done(json, told, f"{scope} has ${told['usd']} more ({entry.id})")


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
    made = table("ID", "Scope", *numbers, "Expires", "State", right=numbers)
    for row in rows:
        made.add_row(*map(text, row.values()))
    wide.print(made)
