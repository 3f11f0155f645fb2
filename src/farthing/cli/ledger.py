"""`farthing ledger`: rebuild, verify, show and reconcile what the gateway recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

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
    stop,
    table,
    wide,
)
from farthing.cli.reconcile import reconcile_command
from farthing.paths import DataFolder

app = typer.Typer(
    help="Rebuild, verify, show and reconcile what the gateway recorded.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


# What is listed in one cell; an erasure may name a thousand queries.
LISTED_MOST = 32


@contextlib.contextmanager
def _progress(what: str) -> Iterator[Any]:
    """Show a bar on a terminal; yield what hears how many bytes of how many are done."""
    parts = (TextColumn(what), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*parts, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@app.command("rebuild")
def rebuild_command(data: Data = None, config: ConfigFile = None, json: Json = False) -> None:
    """Make the records again from the journal, in one transaction.

    Until it has ended everybody sees the records as they were; interrupted, they stay so. A gateway
    may run meanwhile: queries are served, and their look-ups wait.
    """
    with expected():
        folder = existing_ledger(data)
        database = database_of(folder, config)
        from farthing.ledger.database import shown  # noqa: PLC0415  (SQL takes long to import)
        from farthing.ledger.project import rebuild  # noqa: PLC0415

        with records(folder, database) as engine, _progress("Rebuilding") as tell:
            entries = rebuild(engine, folder.journal, tell)
        if json:
            print_json({"entries": entries, "records": shown(database)})
        else:
            console.print(f"{entries} entries, {shown(database)}", soft_wrap=True)


@contextlib.contextmanager
def records(folder: DataFolder, database: str | None) -> Iterator[Any]:
    """Open the records for a command; what goes wrong with them is a sentence."""
    from farthing.ledger.database import speaking  # noqa: PLC0415  (SQL takes long to import)
    from farthing.ledger.records import open_records  # noqa: PLC0415

    with speaking(database):
        engine = open_records(folder, database)
        try:
            yield engine
        finally:
            engine.dispose()


@app.command("verify")
def verify_command(data: Data = None, config: ConfigFile = None, json: Json = False) -> None:
    """Check the journal against itself and the records against the journal.

    Ends with status 1 and names the first contradiction: the entry's number, whose it is, and what
    differs. A gateway may run meanwhile.
    """
    with expected():
        folder = existing_ledger(data)
        database = database_of(folder, config)
        from farthing.ledger.verify import verify  # noqa: PLC0415  (SQL takes long to import)

        with records(folder, database) as engine, _progress("Verifying") as tell:
            report = verify(engine, folder.journal, tell)
    found = report.contradiction
    if json:
        wrong = {"entry": found.entry, "id": found.id, "what": found.what} if found else None
        checked = {row.what: row.count for row in report.checked}
        print_json(
            {"ledger": report.ledger, "verified": found is None, "checked": checked,
             "tail_bytes": report.tail, "contradiction": wrong}
        )  # fmt: skip
    else:
        _print_report(report)
    if found is not None:
        raise typer.Exit(1)


def _print_report(report: Any) -> None:
    shown = table("Checked", "Count", right=("Count",))
    for row in report.checked:
        shown.add_row(row.what, str(row.count))
    wide.print(shown)
    if report.tail:
        console.print(
            f"{report.tail} bytes after the last whole entry: being written now, or torn by a "
            "crash; the next start cuts them off",
            style="dim",
        )
    found = report.contradiction
    if found is None:
        console.print(f"ledger {report.ledger}: nothing contradicts", style="green")
        return
    errors.print("[bold red]contradiction[/] ", end="")
    whose = f" ({found.id})" if found.id else ""
    errors.print(f"at entry {found.entry}{whose}: {found.what}", soft_wrap=True, markup=False)


@app.command("show")
def show_command(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A query's id, or an entry's number.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Show everything the journal says of a query, or of one entry."""
    with expected():
        folder = existing_ledger(data)
        from farthing.ledger.show import show_entry, show_query  # noqa: PLC0415  (slow to import)

        if id_.isascii() and id_.isdigit():
            found = show_entry(folder.journal, int(id_))
            missing = f"the journal has no entry {id_}"
        else:
            found = show_query(folder.journal, id_)
            missing = f"the journal has no query {id_}; `farthing log` lists the latest"
    if found is None:
        stop(missing)
    if json:
        print_json(found)
    elif "entries" in found:
        _print_query(found)
    else:
        _print_entry(found)


def _print_query(found: dict[str, Any]) -> None:
    console.print(f"{found['id']}  {found['status']}", style="bold")
    shown = table("", "")
    for name in ("model", "began"):
        shown.add_row(name, found[name])
    shown.add_row("path", " › ".join(found["path"]))
    shown.add_row("held", f"${found['held_usd']}")
    words = {
        "cost_usd": "cost", "list_usd": "list price", "from_credit_usd": "from credit",
        "from_commitment_usd": "from commitments", "effective_usd": "effective",
        "released_usd": "released", "overrun_usd": "overrun",
    }  # fmt: skip
    for name, word in words.items():
        if found[name] is not None:
            shown.add_row(word, f"${found[name]}")
    if found["cost_usd"] is None:
        most = "nothing bounds it" if found["unpriced"] else f"at most ${found['held_usd']}"
        shown.add_row("cost", f"unknown, {most}")
    wide.print(shown)
    if found["usage"] is not None:
        meters = table("Meter", "Count", right=("Count",))
        for meter, count in found["usage"].items():
            meters.add_row(meter, str(count))
        console.print()
        wide.print(meters)
    for entry in found["entries"]:
        console.print()
        _print_entry(entry)


def _print_entry(entry: dict[str, Any]) -> None:
    console.print(f"entry {entry['entry']}: {entry['kind']}", style="bold")
    shown = table("", "")
    for name, value in entry.items():
        if name not in ("entry", "kind"):
            shown.add_row(name, _cell(value))
    wide.print(shown)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items() if count)
    if isinstance(value, list):
        more = f" … {len(value)} in all" if len(value) > LISTED_MOST else ""
        return " › ".join(map(_cell, value[:LISTED_MOST])) + more
    return "–" if value is None else str(value)


app.command("reconcile")(reconcile_command)
