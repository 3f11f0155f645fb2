"""`farthing report`: statements of use and performance, signed and logged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from farthing import __version__, clock
from farthing.cli.amounts import enter
from farthing.cli.logged import extra
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
from farthing.ledger import admin
from farthing.settings import Settings, load_settings

if TYPE_CHECKING:
    from farthing.ledger.reported import Statement
    from farthing.paths import DataFolder
    from farthing.report.draft import Inputs
    from farthing.report.making import Record, Told

EXAMPLES = examples(
    "report --edition shareholder --period 2026-Q3",
    "report --edition customer --scope team:search --period 2026-09 --out statements",
    "verify statement statement-2026-Q3-shareholder.pdf --key key.txt",
)


def report(
    period: Annotated[
        str,
        typer.Option(
            show_default=False,
            help="2026, 2026-Q3, 2026-09, 2026-09-15, or 2026-09-01..2026-09-15; UTC.",
        ),
    ],
    edition: Annotated[
        str, typer.Option(help="For whom: shareholder, regulator, or customer.")
    ] = "shareholder",
    scope: Annotated[
        str,
        typer.Option(show_default=False, help='A customer\'s own, such as "team:search".'),
    ] = "",
    out: Annotated[Path, typer.Option(help="The folder for its files.")] = Path(),
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Make a statement of use and performance as JSON, HTML and PDF, and enter it into the log.

    Every figure is made from the log's entries and carries its query and their range. Beside the
    files a receipt is written, by which `farthing verify statement` finds any byte that is changed.
    """
    folder = existing_ledger(data)
    with extra("report"):
        _report(folder, out, config, (edition, scope, period), json=json)


def _report(
    folder: DataFolder, out: Path, config: Path | None, wanted: tuple[str, str, str], *, json: bool
) -> None:
    from farthing.evidence.merkle import ProofError  # noqa: PLC0415
    from farthing.report.making import asked, maker, write  # noqa: PLC0415  (numpy takes long)

    with expected(), progress() as told:
        settings, _ = load_settings(config, folder.root)
        inputs = inputs_of(settings, *wanted)
        asked(inputs)
        try:
            with maker(folder, settings.log_origin, told) as making:
                made = making.make(inputs)
                paths = write(made, out)  # before the log says that they were made
                receipt = making.log(made, admin.who(), recorder(folder))
        except ProofError as problem:
            stop(f"no statement is made of a log that does not verify: {problem}")
        paths[-1].write_bytes(receipt.encode())
    if json:
        print_json({"index": receipt.number, "files": [str(path) for path in paths]})
        return
    console.print(
        f"leaf {receipt.number} of the log is this statement's; its files:", soft_wrap=True
    )
    for path in paths:
        console.print(f"  {path}", soft_wrap=True, markup=False)


def inputs_of(settings: Settings, edition: str, scope: str, period: str) -> Inputs:
    """Return what a statement is made from beside the log."""
    from farthing.report.draft import Inputs, System  # noqa: PLC0415
    from farthing.report.spans import period_of  # noqa: PLC0415

    said, now = settings.statement, clock.wall() // clock.SECOND * clock.SECOND
    systems = {
        name: System(purpose=each.purpose, role=each.role, documents=each.documents)
        for name, each in said.systems.items()
    }
    return Inputs(
        edition=edition, scope=scope, entity=said.entity, period=period,
        until=clock.iso(min(now, period_of(period).ends)), made=clock.iso(now),
        version=__version__, systems=systems if edition == "regulator" else {},
    )  # fmt: skip


def recorder(folder: DataFolder) -> Record:
    """Return what enters a statement into the ledger."""

    def record(entry: Statement) -> None:
        enter(folder, [entry])

    return record


@contextmanager
def progress() -> Iterator[Told]:
    """Show what is done, on a terminal; on standard error, so that output stays clean."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("Publishing the log", total=None)

        def told(what: str, done: int, of: int) -> None:
            bar.update(task, description=what, completed=done, total=of or None)

        yield told
