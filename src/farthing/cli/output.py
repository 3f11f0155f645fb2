"""How commands speak: tables for people, JSON for programs, errors on standard error."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from farthing.errors import ConfigError, FarthingError
from farthing.paths import DataFolder, default_data
from farthing.settings import load_settings

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="FARTHING_DATA",
        show_default=False,
        help="The data folder. [default: farthing in the XDG data folder]",
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="FARTHING_CONFIG",
        show_default=False,
        help="The settings file. [default: farthing.toml here, in the XDG configuration folder, "
        "or in the data folder]",
    ),
]

console = Console(highlight=False)
# Tables are never cut: a narrow terminal wraps their lines, a pipe gets them whole.
wide = Console(highlight=False, width=400)
errors = Console(stderr=True, highlight=False)


def data_folder(data: Path | None) -> DataFolder:
    """Return the data folder that was chosen, or the usual one."""
    with expected():
        return DataFolder(data or default_data())


def existing_ledger(data: Path | None) -> DataFolder:
    """Return the data folder, in which a ledger must have been begun."""
    folder = data_folder(data)
    if not folder.journal.exists():
        stop(f"there is no ledger in {folder.root} yet; `farthing up` starts one")
    return folder


def database_of(folder: DataFolder, config: Path | None) -> str | None:
    """Return the URL of the records' database, as the settings and the environment say."""
    return load_settings(config, folder.root)[0].database


def print_json(value: Any) -> None:
    """Print one JSON value on one line."""
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """Return a plain table; the columns named in `right` are numbers."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", no_wrap=True)
    return made


def show(made: Table, empty: str) -> None:
    """Print a table; one without rows is a sentence."""
    if made.row_count:
        wide.print(made)
    else:
        console.print(empty, soft_wrap=True, markup=False)


def examples(*lines: str) -> str:
    """Return the end of a command's help, whose lines stay as they are."""
    return "\b\n" + "\n".join(["Examples:", *(_example(line) for line in lines)])


def _example(line: str) -> str:
    """Return a line of examples: a command, or one that goes on with the command before."""
    return f"    {line}" if line.startswith("-") else f"  farthing {line}"


def stop(message: str, status: int = 1) -> NoReturn:
    """Say why it ends here, and end."""
    errors.print("[bold red]farthing:[/] ", end="")
    # What people wrote stands in it, brackets and all.
    errors.print(message, soft_wrap=True, markup=False)
    raise typer.Exit(status)


@contextmanager
def expected() -> Iterator[None]:
    """Let an expected error end the command with a sentence."""
    try:
        yield
    except (ConfigError, FarthingError) as problem:
        stop(str(problem))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; its expected errors end the command with a sentence."""
    with expected():
        return asyncio.run(work)
