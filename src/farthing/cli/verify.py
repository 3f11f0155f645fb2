"""`farthing verify`: check receipts and logs by the log's public key, without a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from farthing.cli.logged import extra
from farthing.cli.output import Json, console, errors, examples, print_json, stop
from farthing.cli.report import progress
from farthing.evidence.merkle import ProofError
from farthing.evidence.note import NoteError, Verifier
from farthing.evidence.receipt import Receipt
from farthing.evidence.source import source_of
from farthing.evidence.tiles import TileError
from farthing.evidence.verify import verify_consistency, verify_folder

app = typer.Typer(
    help="Verify receipts, logs and statements: that nothing was changed since it was "
    "logged. That nothing was left out is shown by the indices, which have no gaps, and by the "
    "provider's invoices.",
    no_args_is_help=True,
    epilog=examples(
        "verify receipt q01….tlog-proof --key 'farthing/…+…+…'",
        "verify statement statement-2026-Q3-shareholder.pdf --key key.txt --log LOG-FOLDER",
        "verify folder ~/.local/share/farthing/log --key key.txt",
        "verify growth last-year.txt checkpoint --tiles https://llm.example.com/log --key key.txt",
    ),
)

Key = Annotated[
    str,
    typer.Option(
        show_default=False,
        help="The log's public key, as `farthing log-key` prints it, or a file that holds it.",
    ),
]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, show_default=False)]


@contextmanager
def _checked() -> Iterator[None]:
    """Let what is not shown end the command."""
    try:
        yield
    except (NoteError, ProofError, TileError, OSError) as problem:
        stop(f"NOT VERIFIED: {problem}")


def _verifier(key: str) -> Verifier:
    with _checked():
        return Verifier.of(key if "+" in key else Path(key).read_text())


@app.command("receipt")
def receipt(file: File, key: Key, json: Json = False) -> None:
    """Verify a query's receipt, and print the entry that it shows."""
    verifier = _verifier(key)
    with _checked():
        found = Receipt.decode(file.read_bytes())
        head = found.check(verifier)
    if json:
        told = {"index": found.number, "size": head.size, "origin": head.origin}
        print_json({**told, "entry": msgspec.Raw(found.entry)})
    else:
        said = f"verified: leaf {found.number} of the {head.size} that {head.origin} has signed"
        console.print(said, soft_wrap=True, markup=False)
        console.print(found.entry.decode(), soft_wrap=True, markup=False)


@app.command("folder")
def folder(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, show_default=False)],
    key: Key,
    json: Json = False,
) -> None:
    """Verify all entries and all tiles of a log."""
    verifier = _verifier(key)
    with _checked():
        head, beyond = verify_folder(folder, verifier)
    if json:
        print_json({"size": head.size, "origin": head.origin, "beyond": beyond})
        return
    said = f"verified: {head.size} entries are what {head.origin} has signed"
    more = f"; {beyond} files go beyond the checkpoint and were not checked" if beyond else ""
    console.print(said + more, soft_wrap=True, markup=False)


@app.command("growth")
def growth(
    one: File,
    other: File,
    tiles: Annotated[
        str, typer.Option(show_default=False, help="The log's folder, or its http address.")
    ],
    key: Key,
    json: Json = False,
) -> None:
    """Verify that of two checkpoints the later goes on from the earlier."""
    verifier = _verifier(key)
    with _checked():
        heads = verify_consistency(one.read_bytes(), other.read_bytes(), verifier, source_of(tiles))
    old, new = (head.size for head in heads)
    if json:
        print_json({"from": old, "to": new, "origin": verifier.name})
    else:
        said = f"verified: the first {old} of the log's {new} entries are what they were"
        console.print(said, soft_wrap=True, markup=False)


@app.command("statement")
def statement(
    file: File,
    key: Key,
    log: Annotated[
        str,
        typer.Option(
            show_default=False,
            help="The log's folder, or its http address: every figure is asked of its entries "
            "again. Without it only the file's bytes are checked.",
        ),
    ] = "",
    receipt: Annotated[
        Path | None,
        typer.Option(show_default=False, help="Its receipt. [default: beside it, .tlog-proof]"),
    ] = None,
    json: Json = False,
) -> None:
    """Verify a statement, as PDF, JSON or HTML: its bytes, and with --log each of its figures."""
    verifier, proof = _verifier(key), receipt or file.with_suffix(".tlog-proof")
    with extra("report"), _checked(), progress() as told:
        from farthing.report.proved import examine  # noqa: PLC0415  (numpy takes long to import)

        found = examine(
            file.read_bytes(),
            proof.read_bytes() if proof.exists() else None,
            verifier,
            source_of(log) if log else None,
            lambda done, of: told("Reading the log", done, of),
        )
    if json:
        print_json(found._asdict())
    else:
        for line in found.wrong:
            errors.print(f"wrong: {line}", soft_wrap=True, markup=False)
        for line in found.shown:
            console.print(line, soft_wrap=True, markup=False)
    if found.wrong:
        stop(f"NOT VERIFIED: {file}")
