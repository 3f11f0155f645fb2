"""`farthing commitments`: what was agreed to be bought of a provider, and how it is drawn."""

from __future__ import annotations

import secrets
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from farthing import clock, money
from farthing.cli import named
from farthing.cli.amounts import dollars, done, enter, moment, text, to_come
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
from farthing.ledger.commitment import PPM, CommitmentState, TrancheState
from farthing.ledger.entry import Commitment, Exercise, Tranche

app = typer.Typer(
    help="Purchase commitments with a provider: terms, burn-down and forecast.",
    no_args_is_help=True,
)

SYNTAX = "DOLLARS[,paid=DOLLARS][,from=DAY][,until=DAY][,on-call][,after=80%]"


@app.command(
    "add",
    epilog=examples(
        "commitments add PROVIDER --until 365d --tranche 10000 --discount 12.5%",
        "commitments add PROVIDER --from 2027-01-01 --until 2028-01-01 \\",
        "--tranche 6000,paid=5000,until=2027-07-01 --tranche 4000,after=80% \\",
        "--tranche 2000,on-call",
    ),
)
def add(
    provider: Annotated[str, typer.Argument(help="The provider it was agreed with.")],
    tranche: Annotated[
        list[str],
        typer.Option(
            metavar="TRANCHE",
            show_default=False,
            help=f"{SYNTAX}. On call: none of it until exercised; after: once that part of the "
            "tranche before it is drawn. Give it several times, in order.",
        ),
    ],
    until: Annotated[str, typer.Option(metavar="WHEN", help="Its end: a day, or 365d.")],
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", show_default=False, help="Its start. [default: now]"),
    ] = None,
    discount: Annotated[
        str, typer.Option(metavar="PERCENT", help="Taken off list prices while it is in force.")
    ] = "0",
    note: Annotated[str, typer.Option(help="What it is, such as a contract's number.")] = "",
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Record a commitment. It limits nothing; limits do. Its discount applies from its start on."""
    now, folder = clock.wall(), data_folder(data)
    starts = moment("--from", since, now) if since is not None else now
    ends = to_come("--until", until, now)
    if starts >= ends:
        stop("--from: it begins when it has ended; write a day before --until", status=2)
    entry = Commitment(
        at=now,
        by=admin.who(),
        id=secrets.token_hex(6),
        provider=named.provider(provider, folder, config),
        starts=starts,
        ends=ends,
        tranches=tuple(_tranche(each, starts, ends, now) for each in tranche),
        discount_ppm=_parts("--discount", discount),
        note=note,
    )
    enter(folder, [entry])
    done(json, {"id": entry.id, "provider": provider}, f"{entry.id} is recorded")


@app.command("exercise", epilog=examples("commitments exercise 7714e5db18d7 3 500"))
def exercise(
    commitment: Annotated[str, typer.Argument(help="The commitment's id.")],
    tranche: Annotated[int, typer.Argument(min=1, help="The tranche's number, from 1.")],
    usd: Annotated[str, typer.Argument(metavar="DOLLARS", help="How much of it is called.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Call some of a tranche that is on call: it can be drawn from now on."""
    amount = dollars("DOLLARS", usd)
    entry = Exercise(clock.wall(), admin.who(), commitment, tranche, amount)
    enter(data_folder(data), [entry])
    told = {"commitment": commitment, "tranche": tranche, "usd": money.dollars(amount)}
    done(json, told, f"${told['usd']} of tranche {tranche} can be drawn")


@app.command("list")
def list_commitments(data: Data = None, json: Json = False) -> None:
    """List every tranche: what is drawn, what is left, and what will be, at the present pace."""
    told, now = run(admin.read_standing(data_folder(data))), clock.wall()
    rows = [
        _row(known, number, tranche, now)
        for known in told.commitments
        for number, tranche in enumerate(known.tranches, start=1)
    ]
    if json:
        print_json(rows)
        return
    numbers = ("Agreed $", "Paid $", "Open $", "Drawn $", "Left $", "$ a day", "Unused at end $")
    made = table(
        "ID", "Provider", "Tranche", "From", "Until", *numbers, "Used up", "State", "Discount",
        right=numbers,
    )  # fmt: skip
    for row in rows:
        made.add_row(*map(text, row.values()))
    show(made, "there is no commitment; `farthing commitments add` records one")


def _row(known: CommitmentState, number: int, tranche: TrancheState, now: int) -> dict[str, Any]:
    terms = tranche.terms
    pace, used_up, unused = _forecast(tranche, now)
    return {
        "id": known.terms.id,
        "provider": known.terms.provider,
        "tranche": number,
        "from": clock.iso(terms.starts)[:10],
        "until": clock.iso(terms.ends)[:10],
        "agreed_usd": money.dollars(terms.usd),
        "paid_usd": money.dollars(terms.paid),
        "open_usd": money.dollars(tranche.usd),
        "drawn_usd": money.dollars(tranche.drawn),
        "left_usd": money.dollars(tranche.usd - tranche.drawn),
        "usd_a_day": money.dollars(pace),
        "unused_at_end_usd": money.dollars(unused),
        "used_up": clock.iso(used_up)[:10] if used_up is not None else None,
        "state": _state(tranche, now),
        "discount": f"{Decimal(known.terms.discount_ppm) / 10_000:f}%",
    }


def _forecast(tranche: TrancheState, now: int) -> tuple[int, int | None, int]:
    """Return nanodollars drawn a day, when it is used up at that pace, and what is left unused."""
    terms, day = tranche.terms, 24 * 3600 * clock.SECOND
    left = tranche.usd - tranche.drawn
    elapsed = min(now, terms.ends) - terms.starts
    if elapsed <= 0 or not tranche.drawn:
        return 0, None, left
    pace = tranche.drawn * day // elapsed
    lasts = left * elapsed // tranche.drawn
    remaining = max(0, terms.ends - now)
    used_up = now + lasts if left and lasts <= remaining else None
    return pace, used_up, max(0, left - tranche.drawn * remaining // elapsed)


def _state(tranche: TrancheState, now: int) -> str:
    if now >= tranche.terms.ends:
        return "ended"
    if not tranche.usd:
        return "on call" if tranche.terms.on_call else "waits"
    if tranche.drawn >= tranche.usd:
        return "used"
    return "open" if now >= tranche.terms.starts else "begins later"


def _tranche(written: str, starts: int, ends: int, now: int) -> Tranche:
    """Return a tranche as SYNTAX says it."""
    first, *rest = written.split(",")
    usd = dollars("--tranche", first)
    told = {"paid": usd, "from": starts, "until": ends, "on-call": False, "after": 0}
    for word in rest:
        name, _, value = word.strip().partition("=")
        if word.strip() == "on-call":
            told[name] = True
        elif name == "paid":
            told[name] = dollars("--tranche paid", value)
        elif name == "from":
            told[name] = moment("--tranche from", value, now)
        elif name == "until":
            told[name] = to_come("--tranche until", value, now)
        elif name == "after":
            told[name] = _parts("--tranche after", value)
        else:
            stop(f"--tranche: {word!r} is not understood; write {SYNTAX}", status=2)
    return Tranche(
        usd, told["paid"], told["from"], told["until"], bool(told["on-call"]), told["after"]
    )


def _parts(option: str, percent: str) -> int:
    """Return a percentage in millionths."""
    try:
        parts = Decimal(percent.removesuffix("%")) * PPM / 100
    except InvalidOperation:
        parts = Decimal("NaN")
    if not parts.is_finite() or parts != int(parts) or not 0 <= parts <= PPM:
        stop(
            f"{option}: {percent!r} is no percentage of 0 to 100 with at most four decimals; "
            "write 12.5% for an eighth",
            status=2,
        )
    return int(parts)
