"""`farthing holds`: queries whose cost nobody knows, and models that billed above their bound."""

from __future__ import annotations

from typing import Annotated

import typer

from farthing import clock, money
from farthing.cli.amounts import count, dollars, done, enter, minute, said, text
from farthing.cli.output import (
    Data,
    Json,
    console,
    data_folder,
    examples,
    print_json,
    run,
    show,
    table,
)
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
    began, given_up = "Began (UTC)", "Given up (UTC)"
    made = table("ID", "Key", "Model", "Held $", began, given_up, right=("Held $",))
    for row in rows:
        times = {name: minute(row[name]) for name in ("began", "given_up")}
        made.add_row(*({name: text(value) for name, value in row.items()} | times).values())
    show(made, "no query is unresolved")
    for each in tripped:
        since = f"{each['model']} is tripped since {minute(each['since'])} (UTC): it billed more "
        mend = f"than its bound; `farthing holds reset {each['model']}` opens it again"
        console.print(since + mend, soft_wrap=True, markup=False)


@app.command(
    "resolve", epilog=examples('holds resolve QUERY --usd 0.0042 --evidence "invoice 2041, line 7"')
)
def resolve(
    query: Query,
    usd: Annotated[str, typer.Option(metavar="DOLLARS", help="What was billed; 0 for nothing.")],
    evidence: Annotated[str, typer.Option(help="What tells it, such as an invoice and its line.")],
    tokens: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", show_default=False, help="All its tokens. [default: those held]"
        ),
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Settle an unresolved query from evidence."""
    amount, evidence = dollars("--usd", usd), said("--evidence", evidence)
    all_tokens = count("--tokens", tokens)
    entry = Resolve(clock.wall(), admin.who(), query, amount, evidence, all_tokens)
    enter(data_folder(data), [entry])
    told = {"id": query, "usd": money.dollars(amount)}
    done(json, told, f"{query} is settled at ${told['usd']}")


@app.command(
    "write-off", epilog=examples('holds write-off QUERY --reason "not on the November invoice"')
)
def write_off(
    query: Query,
    reason: Annotated[str, typer.Option(help="Why nothing of it will be billed.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Release an unresolved query at nothing. It stays in the records, with who did it and why."""
    reason = said("--reason", reason)
    enter(data_folder(data), [WriteOff(clock.wall(), admin.who(), query, reason)])
    done(json, {"id": query, "written_off": True}, f"{query} is written off")


@app.command("reset", epilog=examples("holds reset PROVIDER/MODEL"))
def reset(
    model: Annotated[str, typer.Argument(help="PROVIDER/MODEL, as `farthing holds list` shows.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Open a model again that was tripped because it billed more than its queries' bound."""
    provider, _, name = model.partition("/")
    enter(data_folder(data), [Reset(clock.wall(), admin.who(), provider, name)])
    done(json, {"model": model, "reset": True}, f"{model} is open again")
