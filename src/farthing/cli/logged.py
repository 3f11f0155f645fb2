"""What commands that read the transparency log share: its place, its key, and their progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from farthing.cli.output import data_folder, expected, stop
from farthing.evidence.entries import Entries, read_entries
from farthing.evidence.identity import verifier_of
from farthing.evidence.merkle import ProofError
from farthing.evidence.note import NoteError, Verifier
from farthing.evidence.source import source_of
from farthing.evidence.tiles import TileError
from farthing.settings import load_settings

LogPlace = Annotated[
    str,
    typer.Option(
        "--log",
        show_default="the data folder's own",
        help="A log's folder, or its http address (with `log_entries` on there).",
    ),
]
PublicKey = Annotated[
    str,
    typer.Option(
        "--key",
        show_default=False,
        help="The public key of the log given by --log, or a file that holds it; without it "
        "nothing is verified.",
    ),
]


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Let a command that needs an extra say which, where it is not installed."""
    try:
        yield
    except ModuleNotFoundError as missing:
        stop(f"this needs {missing.name}: pip install 'farthing[{name}]'")


@contextmanager
def verified() -> Iterator[None]:
    """Let a log that cannot be read, or is not what was signed, end the command."""
    try:
        yield
    except (NoteError, ProofError, TileError) as problem:
        stop(f"NOT VERIFIED: {problem}")
    except OSError as problem:
        stop(f"the log cannot be read: {problem}")


def entries_of(log: str, key: str, data: Path | None, config: Path | None) -> Entries:
    """Return the entries of a log that the options name; of the data folder's own, verified."""
    with verified(), expected():
        if log:
            found = Verifier.of(key if "+" in key else Path(key).read_text()) if key else None
            return read_entries(source_of(log), found)
        folder = data_folder(data)
        setting = load_settings(config, folder.root)[0].log_origin
        return read_entries(source_of(str(folder.log)), verifier_of(folder, setting))


@contextmanager
def reading(bundles: int) -> Iterator[Callable[[int, int], None]]:
    """Show how far the log is read, to people on standard error."""
    with verified(), Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("reading the log", total=bundles)
        yield lambda done, _: shown.update(task, completed=done)
