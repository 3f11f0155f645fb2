"""`farthing ledger reconcile`: what a provider billed against what the ledger says."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from farthing import clock, money
from farthing.cli.amounts import reason
from farthing.cli.output import (
    ConfigFile,
    Data,
    Json,
    console,
    database_of,
    errors,
    existing_ledger,
    expected,
    print_json,
    run,
    stop,
    table,
    wide,
)
from farthing.ledger import admin
from farthing.ledger.entry import Entry, Resolve
from farthing.ledger.search import ledger_in
from farthing.paths import DataFolder
from farthing.providers.invoices import DECLARED, Invoice, read_invoice

if TYPE_CHECKING:
    from farthing.ledger.reconcile import Line, Resolvable

STYLES = {"match": "", "unresolved": "yellow"}
FINE = ("match", "unresolved")


def reconcile_command(
    invoice: Annotated[Path, typer.Option(help="The provider's usage or cost export, a CSV file.")],
    provider: Annotated[
        str | None,
        typer.Option(show_default=False, help="Whose it is, where the format does not say."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            show_default=False,
            help="What the columns of a plain CSV mean: date=DAY,model=MODEL,cost_usd=COST and "
            f"others of {', '.join(DECLARED)}.",
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(show_default=False, help="A model's name there and here: THEIRS=OURS."),
    ] = None,
    tolerance: Annotated[
        str, typer.Option(help="The largest difference that is none, in percent of a line.")
    ] = "0.5",
    resolve: Annotated[
        bool,
        typer.Option(
            "--resolve", help="Settle the unresolved queries whose cost the invoice tells."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Settle them without asking.")] = False,
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Compare a provider's invoice with the ledger, by day (UTC) and model.

    Reads FOCUS, the usage and cost exports of OpenAI and Anthropic, and any CSV whose columns are
    declared. Exports with request ids are compared query by query. Ends with status 1 where a line
    differs by more than the tolerance or is missing on a side.

    --resolve shows which unresolved queries it can settle, asks, and records each with the
    invoice's name and SHA-256 as its evidence: through the gateway, if one runs.
    """
    if resolve and json and not yes:
        stop("--resolve asks before it settles, and --json cannot: add --yes", status=2)
    most, names = _percent(tolerance), _pairs(model or [], "--model", "THEIRS=OURS")
    declared = _pairs(columns.split(","), "--columns", "date=DAY") if columns else None
    with expected():
        folder = existing_ledger(data)
        read = read_invoice(invoice, declared)
        whose = provider or read.format.provider
        if not whose:
            stop("this export does not say whose it is; name the provider: --provider NAME")
        lines, found = _compared(folder, database_of(folder, config), whose, read, names, most)
    if not json:
        _print(lines, found, read, whose, most)
    settled = _settle(folder, found, ask=not yes) if resolve else []
    if json:
        print_json(_told(lines, found, read, whose, most) | {"resolved": settled})
    failed = resolve and len(settled) < len(found)
    if failed or any(line.verdict(most) not in FINE for line in lines):
        raise typer.Exit(1)


def _compared(
    folder: DataFolder,
    database: str | None,
    provider: str,
    read: Invoice,
    names: dict[str, str],
    tolerance: Decimal,
) -> tuple[list[Line], list[Resolvable]]:
    """Return both sides by line, and what the invoice proves."""
    from farthing.cli.ledger import records  # noqa: PLC0415  (SQL takes long to import)
    from farthing.ledger.project import catch_up  # noqa: PLC0415
    from farthing.ledger.reconcile import reconcile, resolvable  # noqa: PLC0415

    with records(folder, database) as engine:
        catch_up(engine, folder.journal)
        with engine.connect() as connection:
            lines = reconcile(connection, ledger_in(folder.journal), provider, read, names)
    return lines, resolvable(lines, read, tolerance)


def _settle(folder: DataFolder, found: list[Resolvable], *, ask: bool) -> list[str]:
    """Record what the invoice tells, if it is wanted; return the queries that are settled now."""
    total = money.dollars(sum(one.usd for one in found))
    what = f"{len(found)} unresolved queries at ${total} in all"
    if found and ask:
        typer.confirm(f"Settle {what}?", abort=True, err=True)
    at, by = clock.wall(), admin.who()
    entries: list[Entry] = [
        Resolve(at, by, one.id, one.usd, one.evidence, one.tokens) for one in found
    ]
    settled = list[str]()
    for one, refusal in zip(found, run(admin.record(folder, entries)), strict=True):
        if refusal is None:
            settled.append(one.id)
        else:
            errors.print(f"{one.id}: {reason(refusal)}", soft_wrap=True, markup=False)
    errors.print(f"{len(settled)} of {what} are settled", soft_wrap=True, markup=False)
    return settled


def _percent(text: str) -> Decimal:
    try:
        percent = Decimal(text.removesuffix("%"))
    except InvalidOperation:
        percent = Decimal(-1)
    if not 0 <= percent <= 100:
        stop("--tolerance: write percent of a line, such as 0.5", status=2)
    return percent


def _pairs(texts: list[str], option: str, example: str) -> dict[str, str]:
    pairs = dict(text.partition("=")[::2] for text in texts)
    if not all(name and value for name, value in pairs.items()):
        stop(f"{option}: write {example}", status=2)
    return {name.strip(): value.strip() for name, value in pairs.items()}


def _told(
    lines: list[Line], found: list[Resolvable], read: Invoice, provider: str, most: Decimal
) -> dict[str, Any]:
    return {
        "invoice": {"file": read.name, "sha256": read.sha256, "format": read.format.name},
        "provider": provider,
        "days": [day.isoformat() for day in read.days],
        "lines": [_line(line, most) for line in lines],
        "resolvable": [
            {
                "id": one.id,
                "usd": money.dollars(one.usd),
                "tokens": one.tokens,
                "evidence": one.evidence,
            }
            for one in found
        ],
    }


def _line(line: Line, most: Decimal) -> dict[str, Any]:
    theirs, ours = line.compared
    dollars = line.theirs_usd is not None or line.theirs_tokens is None
    return {
        "day": line.day.isoformat(),
        "model": line.model,
        "request": line.request or None,
        "verdict": line.verdict(most),
        "ours_usd": money.dollars(line.ours_usd),
        "theirs_usd": None if line.theirs_usd is None else money.dollars(line.theirs_usd),
        "ours_tokens": line.ours_tokens,
        "theirs_tokens": line.theirs_tokens,
        "difference": money.dollars(theirs - ours) if dollars else str(theirs - ours),
        "percent": _of(theirs - ours, ours),
        "unresolved": [one.id for one in line.unresolved],
    }


def _of(difference: int, ours: int) -> str | None:
    """Return a difference in percent of ours, with two decimals."""
    return None if not ours else f"{Decimal(difference) * 100 / ours:.2f}"


def _print(
    lines: list[Line], found: list[Resolvable], read: Invoice, provider: str, most: Decimal
) -> None:
    numbers = ("Ours $", "Theirs $", "Ours tokens", "Theirs tokens", "Difference", "%")
    shown = table("Day", "Model", *numbers, "Verdict", right=numbers)
    for row, line in ((_line(line, most), line) for line in lines):
        known = [row[n] for n in ("ours_usd", "theirs_usd", "ours_tokens", "theirs_tokens")]
        cells = [*known, row["difference"], row["percent"]]
        name = f"{line.model} {line.request}".strip()
        texts = ["–" if cell is None else str(cell) for cell in cells]
        verdict = row["verdict"]
        shown.add_row(row["day"], name, *texts, verdict, style=STYLES.get(verdict, "red"))
    wide.print(shown)
    first, last = read.days
    ours = sum(line.ours_usd for line in lines)
    theirs = sum(line.theirs_usd or 0 for line in lines)
    console.print(
        f"{provider}, {first} to {last}: ours ${money.dollars(ours)}, theirs "
        f"${money.dollars(theirs)} ({read.format.name}, SHA-256 {read.sha256[:16]})",
        style="bold",
        soft_wrap=True,
    )
    for one in found:
        console.print(
            f"unresolved {one.id} cost ${money.dollars(one.usd)} by this invoice", soft_wrap=True
        )
