"""`farthing receipt` and `farthing log-key`: what an auditor is given."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from farthing.cli.output import ConfigFile, Data, Json, data_folder, expected, print_json, stop
from farthing.evidence.identity import verifier_of
from farthing.evidence.receipt import Receipt, receipt_at
from farthing.paths import DataFolder
from farthing.settings import load_settings

# A running gateway publishes every second or so.
PATIENCE_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.1


def receipt(
    query: Annotated[
        str,
        typer.Argument(
            metavar="QUERY",
            help="The query's id, as `farthing log` shows it, or an entry's number.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(show_default=False, help="Write it to this file.")
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Print a query's receipt: its entry in the log, with the proof that it is there.

    Keep it as ID.tlog-proof; `farthing verify receipt` and docs/verify.py check it.
    """
    folder = data_folder(data)
    found = _wait(folder, query, _ending(folder, query))
    if json:
        print_json({"index": found.number, "entry": msgspec.Raw(found.entry)})
    if out is not None:
        out.write_bytes(found.encode())
    elif not json:
        sys.stdout.buffer.write(found.encode())
        sys.stdout.buffer.flush()


def _ending(folder: DataFolder, query: str) -> int:
    """Return the position of a query's ending in the journal, or of the entry that is named."""
    if query.isascii() and query.isdigit():
        return int(query)
    from farthing.ledger.reading import Reader  # noqa: PLC0415  (SQL takes long to import)

    if not folder.journal.exists():
        stop(f"there is no ledger in {folder.root} yet; `farthing up` starts one")
    reader = Reader(folder)
    try:
        record = reader.find(query)
    finally:
        reader.close()
    if record is None:
        stop(f"there is no query {query}; `farthing log` shows them")
    position: int | None = record["end_position"]
    if position is None:
        stop(f"{query} has not ended yet; it has a receipt when it has")
    return position


def _wait(folder: DataFolder, query: str, position: int) -> Receipt:
    until = time.monotonic() + PATIENCE_SECONDS
    while (found := receipt_at(folder.log, position)) is None:
        if time.monotonic() >= until:
            stop(f"the log has not come to {query} yet; a running gateway publishes it")
        time.sleep(LOOK_AGAIN_SECONDS)
    return found


def log_key(config: ConfigFile = None, data: Data = None, json: Json = False) -> None:
    """Print the transparency log's public key, by which receipts and logs are verified."""
    folder = data_folder(data)
    with expected():
        settings, _ = load_settings(config, folder.root)
        key = verifier_of(folder, settings.log_origin)
    if json:
        print_json({"origin": key.name, "key": str(key)})
    else:
        print(key)  # noqa: T201  (to be copied: never wrapped, never coloured)
