"""`farthing holds`: queries whose cost nobody knows, and models that billed above their bound."""

from __future__ import annotations

from typing import Annotated

import typer

from farthing import clock, money
from farthing.cli.amounts import dollars, done, enter, text
from farthing.cli.output import Data, Json, data_folder, print_json, run, stop, table, wide
from farthing.ledger import admin
from farthing.ledger.entry import Reset, Resolve, WriteOff

app = typer.Typer(
    help="Queries that stay held because their cost is not known, and models that are tripped.",
    no_args_is_help=True,
)

Query = Annotated[str, typer.Argument(help="The query's id.")]


@app.command("list")
def list_holds(data: Data = None, json: Json = False) -> None:
    """List the unresolved queries, the oldest first, and the models that are tripped."""
    told = run(admin.read_standing(data_folder(data)))
    rows = [
        {
            "id": hold.id,
            "key": hold.key,
            "model": f"{hold.provider}/{hold.model}",
            "held_usd": money.dollars(hold.usd),
            "began": clock.iso(hold.at),
            "given_up": clock.iso(at),
        }
        for hold, at in sorted(told.unresolved, key=lambda each: each[1])
    ]
    tripped = [
        {"model": f"{provider}/{model}", "since": clock.iso(at)}
        for provider, model, at in told.tripped
    ]
    if json:
        print_json({"unresolved": rows, "tripped": tripped})
        return
    made = table("ID", "Key", "Model", "Held $", "Began", "Given up", right=("Held $",))
    for row in rows:
        made.add_row(*map(text, row.values()))
    wide.print(made)
    for each in tripped:
        wide.print(f"{each['model']} is tripped since {each['since']}", markup=False)


@app.command("resolve")
def resolve(
    query: Query,
    usd: Annotated[str, typer.Option(metavar="DOLLARS", help="What was billed; 0 for nothing.")],
    evidence: Annotated[str, typer.Option(help="What tells it, such as an invoice and its line.")],
    tokens: Annotated[
        int | None,
        typer.Option(min=0, show_default=False, help="All its tokens. [default: those held]"),
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Settle an unresolved query from evidence."""
    if not evidence.strip():
        stop("--evidence: say what tells the cost", status=2)
    amount = dollars("--usd", usd)
    entry = Resolve(clock.wall(), admin.who(), query, amount, evidence, tokens)
    enter(data_folder(data), [entry])
    told = {"id": query, "usd": money.dollars(amount)}
    done(json, told, f"{query} is settled at ${told['usd']}")


@app.command("write-off")
def write_off(
    query: Query,
    reason: Annotated[str, typer.Option(help="Why nothing of it will be billed.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Release an unresolved query at nothing. It stays in the records, with who did it and why."""
    enter(data_folder(data), [WriteOff(clock.wall(), admin.who(), query, reason)])
    done(json, {"id": query, "written_off": True}, f"{query} is written off")


@app.command("reset")
def reset(
    model: Annotated[str, typer.Argument(help="PROVIDER/MODEL, as `farthing holds list` shows.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Open a model again that was tripped because it billed more than its queries' bound."""
    provider, _, name = model.partition("/")
    enter(data_folder(data), [Reset(clock.wall(), admin.who(), provider, name)])
    done(json, {"model": model, "reset": True}, f"{model} is open again")
