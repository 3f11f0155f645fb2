"""`farthing limits`: what scopes may spend, in dollars, tokens and requests, and in what time."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from farthing import clock, money
from farthing.cli import named
from farthing.cli.amounts import count, dollars, done, enter, minute, text, window
from farthing.cli.output import (
    ConfigFile,
    Data,
    Json,
    data_folder,
    examples,
    print_json,
    run,
    show,
    stop,
    table,
)
from farthing.ledger import admin
from farthing.ledger.account import Balance
from farthing.ledger.entry import Limit
from farthing.ledger.meter import UNITS
from farthing.ledger.standing import Standing
from farthing.ledger.window import WINDOWS
from farthing.policy.limits import told_limit

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


@app.command(
    "set",
    epilog=examples(
        "limits set team:search --usd 500 --per month",
        "limits set project:faq --tokens 100000 --requests 60 --per minute",
        "limits set key:ac5d143479b7 --concurrent 4",
        "limits set 'user:*' --usd 1 --per day --soft",
    ),
)
def set_limits(
    scope: WhichScope,
    usd: Annotated[
        str | None, typer.Option(metavar="DOLLARS", show_default=False, help="Dollars.")
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(metavar="NUMBER", show_default=False, help="Tokens, in and out.")
    ] = None,
    requests: Annotated[
        int | None, typer.Option(metavar="NUMBER", show_default=False, help="Requests.")
    ] = None,
    concurrent: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", show_default=False, help="Requests open at once."),
    ] = None,
    per: Per = "ever",
    soft: Annotated[
        bool, typer.Option("--soft", help="Warn of it, in answers and records; refuse nothing.")
    ] = False,
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Set or change limits. A query must pass every limit on its path, all at once.

    A limit that has no window counts all that the scope has spent, where that is kept (keys,
    projects, teams, organisations); every other limit counts from the moment it is set.
    """
    given = _amounts(usd, tokens, requests, concurrent)
    if concurrent is not None and window("--per", per) != "ever":
        stop(
            "--concurrent counts requests while they are open, so it has no window; set it by "
            "itself, without --per",
            status=2,
        )
    folder, now, who = data_folder(data), clock.wall(), admin.who()
    scope = named.scope(scope, run(admin.read_standing(folder)), folder, config)
    per = window("--per", per)
    enter(folder, [Limit(now, who, scope, u, amount, per, soft) for u, amount in given.items()])
    told = {unit: _say(unit, amount) for unit, amount in given.items()}
    words = " and ".join(told_limit(unit, amount, per) for unit, amount in given.items())
    done(
        json,
        {"scope": scope, "limits": told, "window": per, "soft": soft},
        f"{scope} {'warns at' if soft else 'is limited to'} {words}",
    )


@app.command("lift", epilog=examples("limits lift team:search usd --per month"))
def lift(
    scope: WhichScope,
    unit: Annotated[str, typer.Argument(help=f"One of {', '.join(UNITS)}.")],
    per: Per = "ever",
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Lift a limit: nothing of that unit and window is refused any more."""
    if unit not in UNITS:
        stop(f"{unit!r} is no unit; write one of {', '.join(UNITS)}", status=2)
    folder, per = data_folder(data), window("--per", per)
    told = run(admin.read_standing(folder))
    if not any(n.scope == scope for n in told.limits):
        scope = named.scope(scope, told, folder, config)
    mine = [n for n in told.limits if n.scope == scope]
    if not any((n.unit, n.window) == (unit, per) for n in mine):
        has = ", ".join(f"{n.unit} --per {n.window}" for n in mine) or "none at all"
        stop(f"{scope} has no limit of {unit} --per {per}; it has: {has}")
    enter(folder, [Limit(clock.wall(), admin.who(), scope, unit, None, per)])
    lifted = {"scope": scope, "unit": unit, "window": per, "lifted": True}
    done(json, lifted, f"{scope} has no limit of {unit} --per {per} any more")


@app.command("list", epilog=examples("limits list", "limits list user:ann"))
def list_limits(
    scope: Annotated[
        str | None,
        typer.Argument(help='Only this scope\'s, those of its kind ("user:*") included.'),
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """List the limits: what each allows, what counts against it, and when it begins anew."""
    told = run(admin.read_standing(data_folder(data)))
    limits = told.limits if scope is None else _of(scope, told)
    balances = {(b.scope, b.unit, b.window): b for b in told.balances}
    order = sorted(limits, key=lambda n: (n.scope, UNITS.index(n.unit), WINDOWS.index(n.window)))
    rows = [_row(n, balances.get((n.scope, n.unit, n.window))) for n in order]
    if json:
        print_json(rows)
        return
    numbers = ("Limit", "Spent", "Held", "Left")
    made = table("Scope", "Unit", "Per", *numbers, "Refills (UTC)", "Kind", "Set by", right=numbers)
    for row in rows:
        cells = {name: text(value) for name, value in row.items()}
        made.add_row(*(cells | {"refills": minute(row["refills"])}).values())
    show(made, f"there is no limit on {scope or 'anything'}; `farthing limits set` sets one")


def _amounts(
    usd: str | None, tokens: int | None, requests: int | None, concurrent: int | None
) -> dict[str, int]:
    """Return what was given, by unit."""
    amounts = {
        "usd": dollars("--usd", usd) if usd is not None else None,
        "tokens": count("--tokens", tokens),
        "requests": count("--requests", requests),
        "concurrent": count("--concurrent", concurrent),
    }
    given = {unit: amount for unit, amount in amounts.items() if amount is not None}
    if not given:
        stop("name an amount: --usd, --tokens, --requests or --concurrent", status=2)
    return given


def _of(scope: str, told: Standing) -> list[Limit]:
    """Return a scope's limits: its own, and of those of its kind what it has no own of."""
    kind = scope.partition(":")[0]
    found = {(n.unit, n.window): n for n in told.limits if n.scope == f"{kind}:*"}
    found |= {(n.unit, n.window): n for n in told.limits if n.scope == scope}
    return [Limit(n.at, n.by, scope, n.unit, n.amount, n.window, n.soft) for n in found.values()]


def _row(limit: Limit, balance: Balance | None) -> dict[str, Any]:
    """Return a limit's row; one that stands for every user has no balance of its own."""
    assert limit.amount is not None, "a lifted limit is not listed"
    told = balance or Balance(limit.scope, limit.unit, 0, 0, limit.amount, limit.window)
    each, unit = limit.scope.endswith(":*"), limit.unit
    return {
        "scope": limit.scope,
        "unit": unit,
        "window": limit.window,
        "limit": _say(unit, limit.amount),
        "spent": None if each else _say(unit, told.posted),
        "held": None if each else _say(unit, told.held),
        "left": None if each else _say(unit, limit.amount - told.posted - told.held),
        "refills": clock.iso(told.refills) if told.refills is not None else None,
        "kind": "warns" if limit.soft else "refuses",
        "by": limit.by,
    }


def _say(unit: str, amount: int) -> str | int:
    """Return an amount as it is shown: dollars in dollars."""
    return money.dollars(amount) if unit == "usd" else amount
