"""`farthing export`: what was bought and what was used, in the formats that others read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from farthing import clock, money
from farthing.cli.ledger import records
from farthing.cli.output import (
    ConfigFile,
    Data,
    Json,
    console,
    errors,
    examples,
    existing_ledger,
    expected,
    print_json,
    stop,
)
from farthing.paths import DataFolder
from farthing.settings import Settings, load_settings

app = typer.Typer(
    help="Bills in FOCUS, bills of materials, model cards, and a checklist, from the ledger.",
    no_args_is_help=True,
)

FORMATS = ("csv", "parquet")

Period = Annotated[
    str, typer.Option(show_default="this month", help="2026, 2026-Q3, 2026-09 or 2026-09-15; UTC.")
]
Since = Annotated[str, typer.Option(show_default=False, help="From this time on (UTC).")]
Until = Annotated[str, typer.Option(show_default=False, help="Up to this time.")]
Out = Annotated[Path, typer.Option("--out", help="Write it to this file.")]
Form = Annotated[str, typer.Option("--format", help="csv, or parquet with farthing[report].")]
Users = Annotated[bool, typer.Option("--users", help="Name end users, which may be personal data.")]
Operator = Annotated[str, typer.Option("--operator", help="Who sells prepaid credit here.")]


@app.command(
    "focus",
    epilog=examples(
        "export focus --period 2026-09 --out september.csv",
        "export focus --version 1.2 --period 2026-Q3 --format parquet --out q3.parquet",
    ),
)
def focus(
    out: Out,
    period: Period = "",
    since: Since = "",
    until: Until = "",
    version: Annotated[str, typer.Option("--version", help="Of FOCUS: 1.2 or 1.4.")] = "1.4",
    form: Form = "csv",
    users: Users = False,
    account: Annotated[str, typer.Option("--account", help="The billing account's name.")] = "",
    operator: Operator = "farthing",
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Write FOCUS Cost and Usage: a row for each hour, account and meter.

    A query belongs to the period in which its cost became known, so what was exported stays true.
    Amounts are exact, and sum to the ledger's. Queries whose cost is unknown are in no row: they
    are counted on standard error and in OUT.metadata.json.
    """
    from farthing.report.focus import VERSIONS  # noqa: PLC0415  (imports what takes long)

    _check("--version", version, VERSIONS)
    _check("--format", form, FORMATS)
    with _opened(data, config) as (folder, settings, engine), expected():
        from farthing.report.billing import Kept, Wanted, export  # noqa: PLC0415

        wanted = Wanted(version, *span(period, since, until), form, out, users)
        kept = Kept(folder.journal, folder.price_books, _price_lists(settings))
        with _consistent(engine) as connection, _progress("Queries") as tell:
            made = export(
                connection, _ledger(folder, settings, account, operator), kept, wanted, tell
            )
    if made.unknown.queries:
        _warn_of_unknown(made.unknown)
    if made.beyond:
        errors.print(
            f"{made.beyond} rows are not covered by the log's newest checkpoint yet; a running "
            "gateway publishes them", soft_wrap=True,
        )  # fmt: skip
    told = {name: money.dollars(usd) for name, usd in made.costs._asdict().items()}
    if json:
        print_json({"rows": made.rows, "queries": made.queries, "usd": told, "out": str(out)})
    else:
        console.print(
            f"{out}: {made.rows} rows, {made.queries} queries, ${told['contracted']} contracted, "
            f"${told['billed']} billed; ${money.dollars(made.purchased)} of purchases",
            soft_wrap=True, markup=False,
        )  # fmt: skip


@app.command("commitments", epilog=examples("export commitments --out commitments.csv"))
def commitments(
    out: Out,
    version: Annotated[str, typer.Option("--version", help="Of FOCUS: 1.3 or 1.4.")] = "1.4",
    form: Form = "csv",
    users: Users = False,
    operator: Operator = "farthing",
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Write FOCUS Contract Commitment: tranches of commitments, and credits, as they are now."""
    from farthing.report.contracts import VERSIONS, contracts  # noqa: PLC0415

    _check("--version", version, VERSIONS)
    _check("--format", form, FORMATS)
    with _opened(data, config) as (folder, settings, engine), expected():
        from farthing.report.layout import CONTRACT_COMMITMENT, of_version  # noqa: PLC0415
        from farthing.report.postings import Draws, Lineage, entered  # noqa: PLC0415
        from farthing.report.tabular import write  # noqa: PLC0415

        ledger = _ledger(folder, settings, "", operator)
        with _consistent(engine) as connection:
            found = entered(connection, ledger.id, "top-up", "commitment", "exercise")
            lineage = Lineage(connection, ledger.id)
        terms = [row for row in found if row["kind"] == "commitment"]
        draws = Draws(folder.journal, terms, read=bool(found))
        rows = contracts(ledger, found, draws, lineage, clock.wall(), users=users)
        count = write(out, form, of_version(CONTRACT_COMMITMENT, version), rows)
    if json:
        print_json({"rows": count, "out": str(out)})
    else:
        console.print(f"{out}: {count} commitments and credits", soft_wrap=True, markup=False)


def span(period: str, since: str, until: str) -> tuple[int, int]:
    """Return from which moment up to which one was chosen; this month where nothing was."""
    from farthing.report.period import moment_of, month_of, period_of  # noqa: PLC0415

    begin, end = period_of(period) if period else month_of(clock.wall())
    begin, end = moment_of(since) if since else begin, moment_of(until) if until else end
    if begin >= end:
        stop(f"the period ends at {clock.iso(end)}, before it begins at {clock.iso(begin)}")
    return begin, end


def _check(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        stop(f"{option}: write {' or '.join(known)}, not {value}", status=2)


@contextlib.contextmanager
def _opened(data: Path | None, config: Path | None) -> Iterator[tuple[DataFolder, Settings, Any]]:
    """Open the records of a data folder, brought up to the journal."""
    folder = existing_ledger(data)
    with expected():
        settings, _ = load_settings(config, folder.root)
        from farthing.ledger.database import speaking  # noqa: PLC0415  (SQL takes long to import)
        from farthing.ledger.project import catch_up  # noqa: PLC0415

        with records(folder, settings.database) as engine:
            with speaking(settings.database):
                catch_up(engine, folder.journal)
            yield folder, settings, engine


@contextlib.contextmanager
def _consistent(engine: Any) -> Iterator[Any]:
    """Yield a connection that sees the records as they are now, whoever writes meanwhile."""
    from farthing.ledger.database import still  # noqa: PLC0415  (SQL takes long to import)

    with engine.connect() as connection:
        still(connection)
        yield connection


def _ledger(folder: DataFolder, settings: Settings, account: str, operator: str) -> Any:
    """Return which ledger rows are of, and how far its transparency log goes."""
    from farthing.evidence.identity import origin_of  # noqa: PLC0415  (imports what takes long)
    from farthing.ledger.search import ledger_in  # noqa: PLC0415
    from farthing.report.focus import Ledger  # noqa: PLC0415

    name = ledger_in(folder.journal)
    origin = origin_of(folder, settings.log_origin) or ""
    with contextlib.suppress(FileNotFoundError):
        origin, size, *_ = (folder.log / "checkpoint").read_text().split("\n")
        return Ledger(name, account or name, operator, origin, int(size))
    return Ledger(name, account or name, operator, origin, None)


def _price_lists(settings: Settings) -> dict[str, str]:
    """Return by whose prices each provider's models go."""
    from farthing.providers import load_providers  # noqa: PLC0415

    return {name: provider.prices for name, provider in load_providers(settings, {}).items()}


def _warn_of_unknown(unknown: Any) -> None:
    most = f"at most ${money.dollars(unknown.at_most)}"
    if unknown.unbounded:
        most += f", and {unknown.unbounded} of them without a bound"
    errors.print(
        f"[bold yellow]unknown:[/] {unknown.queries} queries of the period are in no row, as "
        f"nobody knows what they cost: {most}. `farthing holds list` shows them.", soft_wrap=True,
    )  # fmt: skip


@contextlib.contextmanager
def _progress(what: str) -> Iterator[Any]:
    """Show a bar on a terminal; yield what hears how much of how much is done."""
    parts = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*parts, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total)
