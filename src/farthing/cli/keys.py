"""`farthing keys`: make, change, list and revoke the keys that clients call the gateway with."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from farthing import clock, money
from farthing.cli.amounts import count, dollars, done, enter, said, seconds, shown, text, window
from farthing.cli.named import key_id
from farthing.cli.output import (
    Data,
    Json,
    console,
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
from farthing.ledger.entry import ChangeKey, Entry, Key, Limit, Revoke
from farthing.ledger.registry import KeyState
from farthing.ledger.standing import Standing
from farthing.ledger.window import WINDOWS
from farthing.paths import DataFolder
from farthing.policy.keys import make_key
from farthing.policy.limits import told_limit

app = typer.Typer(help="Make, change, list and revoke keys.", no_args_is_help=True)

# What people write to take something away from a key.
NEVER, NONE = "never", "none"

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


@app.command(
    "create",
    epilog=examples(
        "keys create my-app --usd 25 --max-cost 0.01 --expires 30d",
        "keys create my-app --in project:faq --usd 5 --per day",
    ),
)
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, such as an app's name.")],
    usd: Annotated[
        str | None,
        typer.Option(metavar="DOLLARS", show_default=False, help="All its queries together."),
    ] = None,
    tokens: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", show_default=False, help="All its queries' tokens together."
        ),
    ] = None,
    per: Annotated[
        str | None,
        typer.Option(
            metavar="WINDOW",
            show_default=False,
            help=f"What --usd and --tokens count: {', '.join(WINDOWS)}. [default: ever]",
        ),
    ] = None,
    max_cost: MaxCost = None,
    expires: Annotated[
        str | None,
        typer.Option(metavar="TIME", show_default=False, help="How long it opens: 12h, 30d, 8w."),
    ] = None,
    within: Within = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a key and print it; it is shown this once. `farthing limits` sets all other limits."""
    if per is not None and usd is None and tokens is None:
        stop("--per is of --usd or --tokens: name one of them as well", status=2)
    now, every = clock.wall(), window("--per", per or "ever")
    cap = dollars("--max-cost", max_cost) if max_cost is not None else None
    limits = {
        "usd": dollars("--usd", usd) if usd is not None else None,
        "tokens": count("--tokens", tokens),
    }
    ends = now + seconds("--expires", expires) * clock.SECOND if expires is not None else None
    folder, name = data_folder(data), said("NAME", name)
    _check_parent(within, folder)
    new = make_key(name, folder.pepper(), now, admin.who(), ends, cap, within or "")
    entries: list[Entry] = [
        Limit(now, admin.who(), f"key:{new.entry.id}", unit, amount, every)
        for unit, amount in limits.items()
        if amount is not None
    ]
    # The limits first: a key must not be open for a moment without them.
    enter(folder, [*entries, new.entry])
    if json:
        print_json({"id": new.entry.id, "name": name, "key": new.text})
    else:
        console.print(new.text, soft_wrap=True)


@app.command(
    "change",
    epilog=examples(
        "keys change ac5d143479b7 --in project:faq --expires never",
        "keys change ac5d143479b7 --max-cost none",
    ),
)
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
    within: Annotated[
        str | None,
        typer.Option(
            "--in", metavar="SCOPE", show_default=False, help='What it belongs to, or "none".'
        ),
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Change what is said of a key; its secret stays. Limits are changed by `farthing limits`."""
    if all(value is None for value in (name, max_cost, expires, within)):
        stop("say what to change: --name, --max-cost, --expires or --in", status=2)
    folder, now = data_folder(data), clock.wall()
    known = _known(key, run(admin.read_standing(folder)))
    ends, cap, parent = known.expires, known.max_cost, known.parent
    if expires is not None:
        later = None if expires == NEVER else seconds("--expires", expires)
        ends = None if later is None else now + later * clock.SECOND
    if max_cost is not None:
        cap = None if max_cost == NONE else dollars("--max-cost", max_cost)
    if within is not None:
        parent = "" if within == NONE else within
    called = known.name if name is None else said("--name", name)
    enter(folder, [ChangeKey(now, admin.who(), known.id, called, ends, cap, parent)])
    done(json, {"id": known.id, "changed": True}, f"{known.id} is changed")


@app.command("list")
def list_keys(data: Data = None, json: Json = False) -> None:
    """List the keys: what each has spent and holds, and what it is limited to."""
    told = run(admin.read_standing(data_folder(data)))
    balances: dict[str, list[Balance]] = {}
    for balance in told.balances:
        balances.setdefault(balance.scope, []).append(balance)
    keys = sorted(told.keys, key=lambda k: k.key.at)
    if json:
        print_json([_row(key, balances[f"key:{key.key.id}"]) for key in keys])
        return
    made = table(
        "ID", "Name", "In", "State", "Spent $", "Held $", "Tokens", "Limits",
        right=("Spent $", "Held $", "Tokens"),
    )  # fmt: skip
    columns = ("id", "name", "in", "state", "spent_usd", "held_usd", "tokens")
    for key in keys:
        mine = balances[f"key:{key.key.id}"]
        row = _row(key, mine)
        made.add_row(*(text(row[c]) for c in columns), text(_limits(key, mine) or None))
    show(made, "there is no key; `farthing keys create` makes one")


@app.command("revoke")
def revoke(key: Id, data: Data = None, json: Json = False) -> None:
    """Revoke a key: no further query of it is admitted."""
    public = key_id(key)
    refusals = run(admin.record(data_folder(data), [Revoke(clock.wall(), admin.who(), public)]))
    if refusals[0] is not None:
        stop(f"there is no key {public}; `farthing keys list` shows them")
    done(json, {"id": public, "revoked": True}, f"{public} is revoked")


def _check_parent(within: str | None, folder: DataFolder) -> None:
    """See that a new key's scope is there before its limits are recorded."""
    if within is not None and within not in run(admin.read_standing(folder)).parents:
        stop(f"there is no {within}; `farthing scopes create {within}` makes it")


def _known(key: str, told: Standing) -> Key:
    """Return a key that can still be changed."""
    known = {state.key.id: state for state in told.keys}.get(key_id(key))
    if known is None:
        stop(f"there is no key {key_id(key)}; `farthing keys list` shows them")
    if known.revoked_at is not None:
        stop(f"{known.key.id} is revoked, for good; `farthing keys create` makes another")
    return known.key


def _row(key: KeyState, balances: list[Balance]) -> dict[str, Any]:
    ever = {b.unit: b for b in balances if b.window == "ever"}
    usd, tokens = ever["usd"], ever["tokens"]
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
        "limits": [
            {
                "unit": b.unit,
                "window": b.window,
                "limit": shown(b.limit) if b.unit == "usd" else b.limit,
                "soft": b.soft,
            }
            for b in balances
            if b.limit is not None
        ],
    }


def _limits(key: KeyState, balances: list[Balance]) -> str:
    """Return the words for all that a key is limited to."""
    words = [
        told_limit(b.unit, b.limit, b.window) + (" (warns)" if b.soft else "")
        for b in balances
        if b.limit is not None
    ]
    if key.key.max_cost is not None:
        words.append(f"${money.dollars(key.key.max_cost)} a query")
    return ", ".join(words)
