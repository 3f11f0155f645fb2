"""`farthing keys`: make, list and revoke the keys that clients call the gateway with."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from farthing import clock, money
from farthing.cli.output import Data, Json, console, data_folder, print_json, run, stop, table, wide
from farthing.ledger import admin
from farthing.ledger.entry import Entry, Limit, Revoke
from farthing.ledger.ledger import Balance
from farthing.ledger.state import KeyState
from farthing.policy.keys import make_key

app = typer.Typer(help="Make, list and revoke keys.", no_args_is_help=True)

Dollars = typer.Option(metavar="DOLLARS", show_default=False)

# A duration as people write it → seconds.
UNITS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}


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
    max_cost: Annotated[
        str | None,
        typer.Option(metavar="DOLLARS", show_default=False, help="The most one query may cost."),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(metavar="TIME", show_default=False, help="How long it opens: 12h, 30d, 8w."),
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a key and print it; it is shown this once."""
    folder, now = data_folder(data), clock.wall()
    cap = _dollars("--max-cost", max_cost)
    ends = now + _seconds(expires) * clock.SECOND if expires is not None else None
    new = make_key(name, folder.pepper(), now, admin.who(), ends, cap)
    scope = f"key:{new.entry.id}"
    limits = {"usd": _dollars("--usd", usd), "tokens": tokens}
    entries: list[Entry] = [
        Limit(now, admin.who(), scope, unit, amount)
        for unit, amount in limits.items()
        if amount is not None
    ]
    # The limits first: a key must not be open for a moment without them.
    _record_all(run(admin.record(folder, [*entries, new.entry])))
    if json:
        print_json({"id": new.entry.id, "name": name, "key": new.text})
    else:
        console.print(new.text, soft_wrap=True)


@app.command("list")
def list_keys(data: Data = None, json: Json = False) -> None:
    """List the keys, with what each may spend, holds and has spent."""
    balances, keys = run(admin.read_balances(data_folder(data)))
    accounts = {(b.scope, b.unit): b for b in balances}
    rows = [_row(key, accounts) for key in sorted(keys, key=lambda k: k.key.at)]
    if json:
        print_json(rows)
        return
    shown = table(
        "ID", "Name", "State", "Spent $", "Held $", "Limit $", "Tokens", "Limit",
        right=("Spent $", "Held $", "Limit $", "Tokens", "Limit"),
    )  # fmt: skip
    for row in rows:
        columns = ("id", "name", "state", "spent_usd", "held_usd", "limit_usd", "tokens")
        shown.add_row(*(_text(row[c]) for c in (*columns, "limit_tokens")))
    wide.print(shown)


@app.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id, as `farthing keys list` shows it.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Revoke a key: no further query of it is admitted."""
    public = key.split("_")[1] if key.startswith("fk_") else key
    refusals = run(admin.record(data_folder(data), [Revoke(clock.wall(), admin.who(), public)]))
    if refusals[0] is not None:
        stop(f"there is no key {public}; `farthing keys list` shows them")
    if json:
        print_json({"id": public, "revoked": True})
    else:
        console.print(f"{public} is revoked")


def _row(key: KeyState, accounts: dict[tuple[str, str], Balance]) -> dict[str, Any]:
    scope = f"key:{key.key.id}"
    usd = accounts.get((scope, "usd"), Balance(scope, "usd", 0, 0, None))
    tokens = accounts.get((scope, "tokens"), Balance(scope, "tokens", 0, 0, None))
    expired = key.key.expires is not None and key.key.expires <= clock.wall()
    state = "revoked" if key.revoked_at is not None else "expired" if expired else "open"
    return {
        "id": key.key.id,
        "name": key.key.name,
        "state": state,
        "made": clock.iso(key.key.at),
        "made_by": key.key.by,
        "expires": clock.iso(key.key.expires) if key.key.expires is not None else None,
        "spent_usd": money.dollars(usd.posted),
        "held_usd": money.dollars(usd.held),
        "limit_usd": _dollars_of(usd.limit),
        "tokens": tokens.posted,
        "held_tokens": tokens.held,
        "limit_tokens": tokens.limit,
        "max_cost_usd": _dollars_of(key.key.max_cost),
    }


def _dollars_of(amount: int | None) -> str | None:
    return None if amount is None else money.dollars(amount)


def _text(value: Any) -> str:
    return "–" if value is None else str(value)


def _dollars(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return money.nanodollars(text.removeprefix("$"))
    except ValueError as error:
        stop(f"{option}: {error}", status=2)


def _seconds(text: str) -> int:
    match = re.fullmatch(r"(\d+)([hdw])", text)
    if match is None or int(match[1]) == 0:
        stop(f"--expires: {text!r} is no duration; write 12h, 30d or 8w", status=2)
    return int(match[1]) * UNITS[match[2]]


def _record_all(refusals: list[Any]) -> None:
    for refusal in refusals:
        if refusal is not None:
            stop(f"the ledger did not take it: {refusal.code}")
