"""`farthing receipt`: what whoever asked for a query is given."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from farthing.cli.output import (
    Data,
    Json,
    existing_ledger,
    print_json,
    stop,
)
from farthing.evidence.query import ENDINGS
from farthing.evidence.receipt import Receipt, receipt_at
from farthing.ledger.entry import Hold
from farthing.ledger.search import entries_about, entry_at
from farthing.paths import DataFolder

# A running gateway publishes every second or so.
PATIENCE_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.1


def receipt(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A query's id, or an entry's number.")],
    out: Annotated[
        Path | None, typer.Option(show_default=False, help="Write it to this file.")
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Print a query's receipt: its entry in the log, with the proof that it is there.

    It is of the query's last ending: once its cost is settled from evidence, posted or written off,
    of that. Its earlier ending as unresolved has its own, by the number in `farthing ledger show`.

    Keep it as ID.tlog-proof; `farthing verify receipt` and docs/verify.py check it.
    """
    folder = existing_ledger(data)
    position = int(id_) if id_.isascii() and id_.isdigit() else _ending(folder, id_)
    found = _wait(folder, id_, position)
    if json:
        print_json({"index": found.number, "entry": msgspec.Raw(found.entry)})
    if out is not None:
        out.write_bytes(found.encode())
    elif not json:
        sys.stdout.buffer.write(found.encode())
        sys.stdout.buffer.flush()


def _ending(folder: DataFolder, query: str) -> int:
    """Return the position of a query's last ending in the journal."""
    entries = list(entries_about(folder.journal, query))
    if not any(isinstance(entry, Hold) for _, entry in entries):
        stop(f"there is no query {query}; `farthing log` shows them")
    endings = [position for position, entry in entries if type(entry) in ENDINGS]
    if not endings:
        stop(f"{query} has not ended yet; it has a receipt when it has")
    return endings[-1]


def _wait(folder: DataFolder, id_: str, position: int) -> Receipt:
    if position >= 1 and isinstance(entry_at(folder.journal, position), Hold):
        stop(f"entry {position} is a hold: it stands in the receipt of its query's ending")
    until = time.monotonic() + PATIENCE_SECONDS
    while (found := receipt_at(folder.log, position)) is None:
        if time.monotonic() >= until:
            stop(f"the log has not come to {id_} yet; a running gateway publishes it")
        time.sleep(LOOK_AGAIN_SECONDS)
    return found
