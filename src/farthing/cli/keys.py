"""`farthing keys`: make, change, list and revoke the keys that clients call the gateway with."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from farthing import clock, money
from farthing.cli.amounts import dollars, done, enter, seconds, shown, text
from farthing.cli.output import Data, Json, console, data_folder, print_json, run, stop, table, wide
from farthing.ledger import admin
from farthing.ledger.account import Balance
from farthing.ledger.entry import ChangeKey, Entry, Limit, Revoke
from farthing.ledger.registry import KeyState
from farthing.ledger.window import WINDOWS
from farthing.policy.keys import make_key

app = typer.Typer(help="Make, change, list and revoke keys.", no_args_is_help=True)

NEVER = "never"

MaxCost = Annotated[
    str | None,
    typer.Option(metavar="DOLLARS", show_default=False, help="The most one query may cost."),
]
Within = Annotated[
    str | None,
    typer.Option(
        "--in",
        metavar="SCOPE",
        show_default=False,
        help='What it belongs to, such as "project:search"; `farthing scopes` makes them.',
    ),
]
Id = Annotated[str, typer.Argument(help="The key's id, as `farthing keys list` shows it.")]


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, such as an app's name.")],
    usd: Annotated[
        str | None,
        typer.Option(metavar="DOLLARS", show_default=False, help="All its queries together."),
    ] = None,
    tokens: Annotated[
        int | None,
        typer.Option(min=0, show_default=False, help="All its queries' tokens together."),
    ] = None,
    per: Annotated[
        str, typer.Option(metavar="WINDOW", help=f"When they begin anew: {', '.join(WINDOWS)}.")
    ] = "ever",
    max_cost: MaxCost = None,
    expires: Annotated[
        str | None,
        typer.Option(metavar="TIME", show_default=False, help="How long it opens: 12h, 30d, 8w."),
    ] = None,
    within: Within = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a key and print it; it is shown this once."""
    folder, now = data_folder(data), clock.wall()
    cap = dollars("--max-cost", max_cost) if max_cost is not None else None
    ends = now + seconds("--expires", expires) * clock.SECOND if expires is not None else None
    new = make_key(name, folder.pepper(), now, admin.who(), ends, cap, within or "")
    scope = f"key:{new.entry.id}"
    limits = {"usd": dollars("--usd", usd) if usd is not None else None, "tokens": tokens}
    entries: list[Entry] = [
        Limit(now, admin.who(), scope, unit, amount, per)
        for unit, amount in limits.items()
        if amount is not None
    ]
    # The limits first: a key must not be open for a moment without them.
    enter(folder, [*entries, new.entry])
    if json:
        print_json({"id": new.entry.id, "name": name, "key": new.text})
    else:
        console.print(new.text, soft_wrap=True)


@app.command("change")
def change(
    key: Id,
    name: Annotated[str | None, typer.Option(show_default=False, help="Another name.")] = None,
    max_cost: Annotated[
        str | None,
        typer.Option(
            metavar="DOLLARS", show_default=False, help='The most one query may cost, or "none".'
        ),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", show_default=False, help='How long from now it opens, or "never".'
        ),
    ] = None,
    within: Within = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Change what is said of a key; its secret stays. Limits are changed by `farthing limits`."""
    folder, now = data_folder(data), clock.wall()
    known = {k.key.id: k.key for k in run(admin.read_standing(folder)).keys}.get(_public(key))
    if known is None:
        stop(f"there is no key {key}; `farthing keys list` shows them")
    ends, cap = known.expires, known.max_cost
    if expires is not None:
        later = None if expires == NEVER else seconds("--expires", expires)
        ends = None if later is None else now + later * clock.SECOND
    if max_cost is not None:
        cap = None if max_cost == "none" else dollars("--max-cost", max_cost)
    parent = known.parent if within is None else within
    entry = ChangeKey(now, admin.who(), known.id, name or known.name, ends, cap, parent)
    enter(folder, [entry])
    done(json, {"id": known.id, "changed": True}, f"{known.id} is changed")


@app.command("list")
def list_keys(data: Data = None, json: Json = False) -> None:
    """List the keys, with what each may spend, holds and has spent."""
    told = run(admin.read_standing(data_folder(data)))
    accounts = {(b.scope, b.unit): b for b in told.balances if b.window == "ever"}
    rows = [_row(key, accounts) for key in sorted(told.keys, key=lambda k: k.key.at)]
    if json:
        print_json(rows)
        return
    made = table(
        "ID", "Name", "In", "State", "Spent $", "Held $", "Limit $", "Tokens", "Limit",
        right=("Spent $", "Held $", "Limit $", "Tokens", "Limit"),
    )  # fmt: skip
    for row in rows:
        columns = ("id", "name", "in", "state", "spent_usd", "held_usd", "limit_usd", "tokens")
        made.add_row(*(text(row[c]) for c in (*columns, "limit_tokens")))
    wide.print(made)


@app.command("revoke")
def revoke(key: Id, data: Data = None, json: Json = False) -> None:
    """Revoke a key: no further query of it is admitted."""
    public = _public(key)
    refusals = run(admin.record(data_folder(data), [Revoke(clock.wall(), admin.who(), public)]))
    if refusals[0] is not None:
        stop(f"there is no key {public}; `farthing keys list` shows them")
    done(json, {"id": public, "revoked": True}, f"{public} is revoked")


def _public(key: str) -> str:
    return key.split("_")[1] if key.startswith("fk_") else key


def _row(key: KeyState, accounts: dict[tuple[str, str], Balance]) -> dict[str, Any]:
    scope = f"key:{key.key.id}"
    usd = accounts.get((scope, "usd"), Balance(scope, "usd", 0, 0, None))
    tokens = accounts.get((scope, "tokens"), Balance(scope, "tokens", 0, 0, None))
    expired = key.key.expires is not None and key.key.expires <= clock.wall()
    state = "revoked" if key.revoked_at is not None else "expired" if expired else "open"
    return {
        "id": key.key.id,
        "name": key.key.name,
        "in": key.key.parent or None,
        "state": state,
        "made": clock.iso(key.key.at),
        "made_by": key.key.by,
        "expires": clock.iso(key.key.expires) if key.key.expires is not None else None,
        "spent_usd": money.dollars(usd.posted),
        "held_usd": money.dollars(usd.held),
        "limit_usd": shown(usd.limit),
        "tokens": tokens.posted,
        "held_tokens": tokens.held,
        "limit_tokens": tokens.limit,
        "max_cost_usd": shown(key.key.max_cost),
    }
