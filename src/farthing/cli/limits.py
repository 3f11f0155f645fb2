"""`farthing limits`: what scopes may spend, in dollars, tokens and requests, and in what time."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from farthing import clock, money
from farthing.cli.amounts import dollars, done, enter, text
from farthing.cli.output import Data, Json, data_folder, print_json, run, stop, table, wide
from farthing.ledger import admin
from farthing.ledger.account import Balance
from farthing.ledger.entry import Entry, Limit
from farthing.ledger.meter import UNITS
from farthing.ledger.standing import Standing
from farthing.ledger.window import WINDOWS

app = typer.Typer(help="Set, list and lift limits on any scope.", no_args_is_help=True)

WhichScope = Annotated[
    str,
    typer.Argument(
        help='What is limited: key:ID, project:, team: or org:NAME, user:NAME, "user:*" for each '
        "user by itself, model:PROVIDER/MODEL, provider:NAME, route:NAME or tag:NAME."
    ),
]
Per = Annotated[
    str,
    typer.Option(
        metavar="WINDOW",
        help=f"What it counts: {', '.join(WINDOWS)}. Months, days and hours are the calendar's, "
        "in UTC; a minute slides.",
    ),
]


@app.command("set")
def set_limits(
    scope: WhichScope,
    usd: Annotated[
        str | None, typer.Option(metavar="DOLLARS", show_default=False, help="Dollars.")
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(min=0, show_default=False, help="Tokens, in and out.")
    ] = None,
    requests: Annotated[
        int | None, typer.Option(min=0, show_default=False, help="Requests.")
    ] = None,
    concurrent: Annotated[
        int | None, typer.Option(min=0, show_default=False, help="Requests open at once.")
    ] = None,
    per: Per = "ever",
    soft: Annotated[
        bool, typer.Option("--soft", help="Warn of it, in answers and records; refuse nothing.")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Set or change limits. A query must pass every limit on its path, all at once.

    A limit that has no window counts all that the scope has spent, where that is kept (keys,
    projects, teams, organisations); every other limit counts from the moment it is set.
    """
    amounts = {
        "usd": dollars("--usd", usd) if usd is not None else None,
        "tokens": tokens,
        "requests": requests,
        "concurrent": concurrent,
    }
    given = {unit: amount for unit, amount in amounts.items() if amount is not None}
    if not given:
        stop("name an amount: --usd, --tokens, --requests or --concurrent", status=2)
    folder, now, who = data_folder(data), clock.wall(), admin.who()
    _check_key(scope, run(admin.read_standing(folder)))
    entries: list[Entry] = [
        Limit(now, who, scope, unit, amount, "ever" if unit == "concurrent" else per, soft)
        for unit, amount in given.items()
    ]
    enter(folder, entries)
    done(json, {"scope": scope, "limits": given, "window": per}, f"{scope} is limited")


@app.command("lift")
def lift(
    scope: WhichScope,
    unit: Annotated[str, typer.Argument(help=f"One of {', '.join(UNITS)}.")],
    per: Per = "ever",
    data: Data = None,
    json: Json = False,
) -> None:
    """Lift a limit: nothing of that unit and window is refused any more."""
    folder = data_folder(data)
    told = run(admin.read_standing(folder))
    if not any((n.scope, n.unit, n.window) == (scope, unit, per) for n in told.limits):
        stop(f"{scope} has no limit of {unit} per {per}; `farthing limits list` shows them")
    enter(folder, [Limit(clock.wall(), admin.who(), scope, unit, None, per)])
    done(json, {"scope": scope, "unit": unit, "window": per, "lifted": True}, "it is lifted")


@app.command("list")
def list_limits(
    scope: Annotated[str | None, typer.Argument(help="Only this scope's.")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """List the limits: what each allows, what counts against it, and when it begins anew."""
    told = run(admin.read_standing(data_folder(data)))
    limits = [n for n in told.limits if scope is None or n.scope == scope]
    balances = {(b.scope, b.unit, b.window): b for b in told.balances}
    rows = [_row(n, balances.get((n.scope, n.unit, n.window))) for n in limits]
    if json:
        print_json(rows)
        return
    numbers = ("Limit", "Spent", "Held", "Left")
    made = table("Scope", "Unit", "Per", *numbers, "Refills", "Kind", "Set by", right=numbers)
    for row in rows:
        made.add_row(*map(text, row.values()))
    wide.print(made)


def _row(limit: Limit, balance: Balance | None) -> dict[str, Any]:
    """Return a limit's row; one that stands for every user has no balance of its own."""
    assert limit.amount is not None, "a lifted limit is not listed"
    say = money.dollars if limit.unit == "usd" else int
    told = balance or Balance(limit.scope, limit.unit, 0, 0, limit.amount, limit.window)
    each = limit.scope.endswith(":*")
    return {
        "scope": limit.scope,
        "unit": limit.unit,
        "window": limit.window,
        "limit": say(limit.amount),
        "spent": None if each else say(told.posted),
        "held": None if each else say(told.held),
        "left": None if each else say(limit.amount - told.posted - told.held),
        "refills": clock.iso(told.refills) if told.refills is not None else None,
        "kind": "warns" if limit.soft else "refuses",
        "by": limit.by,
    }


def _check_key(scope: str, told: Standing) -> None:
    """A limit on a key that does not exist would limit nothing."""
    kind, _, name = scope.partition(":")
    if kind == "key" and name != "*" and name not in {key.key.id for key in told.keys}:
        stop(f"there is no key {name}; `farthing keys list` shows them")
