"""`farthing verify`: check receipts and logs by the log's public key, without a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from farthing import clock
from farthing.cli.logged import extra
from farthing.cli.output import Json, console, errors, examples, print_json, stop
from farthing.cli.report import progress
from farthing.evidence.cosign import COSIGNATURE, cosigned_at
from farthing.evidence.merkle import ProofError
from farthing.evidence.note import ED25519, NoteError, Verifier, read_note
from farthing.evidence.receipt import Receipt
from farthing.evidence.source import source_of
from farthing.evidence.tiles import TileError
from farthing.evidence.verify import verify_consistency, verify_folder
from farthing.vault.disclosure import DisclosureError, check_disclosure, matching

app = typer.Typer(
    help="Verify receipts, logs and statements: that nothing was changed since it was "
    "logged. That nothing was left out is shown by the indices, which have no gaps, and by the "
    "provider's invoices.",
    no_args_is_help=True,
    epilog=examples(
        "verify receipt q01….tlog-proof --key 'farthing/…+…+…'",
        "verify statement statement-2026-Q3-shareholder.pdf --key key.txt --log LOG-FOLDER",
        "verify folder ~/.local/share/farthing/log --key key.txt",
        "verify disclosure q01….json --receipt q01….tlog-proof --key key.txt",
        "verify content answer.txt --receipt q01….tlog-proof --salt 9f3c… --key key.txt",
        "verify timestamp 1234.tsr --checkpoint 1234.checkpoint --ca tsa-root.pem --key key.txt",
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
    except (NoteError, ProofError, TileError, DisclosureError, OSError) as problem:
        stop(f"NOT VERIFIED: {problem}")


def _verifier(key: str, kind: bytes = ED25519) -> Verifier:
    with _checked():
        return Verifier.of(key if "+" in key else Path(key).read_text(), kind)


def _cosigned(checkpoint: bytes, witnesses: list[Verifier], need: int) -> dict[str, str]:
    """Return when each witness cosigned; raises NoteError if too few did."""
    note = read_note(checkpoint)
    found = {each.name: cosigned_at(note, each) for each in dict.fromkeys(witnesses)}
    times = {name: clock.iso(at * clock.SECOND) for name, at in found.items() if at is not None}
    if len(times) < need:
        missing = ", ".join(name for name, at in found.items() if at is None)
        raise NoteError(
            f"{len(times)} of the witnesses cosigned it, and {need} must have; without: {missing}"
        )
    return times


def _tell_key(given: Verifier, signed_by: Verifier) -> None:
    """Say so where the key that was given only led to the one that signed."""
    if given != signed_by:
        said = f"signed with {signed_by}, which your key was handed over to"
        console.print(said, soft_wrap=True, markup=False)


@app.command("receipt")
def receipt(
    file: File,
    key: Key,
    witness: Annotated[
        list[str] | None,
        typer.Option(
            show_default=False,
            help="A witness's public key, as `farthing witness` prints it, or a file that holds "
            "it; may be repeated.",
        ),
    ] = None,
    need: Annotated[
        int | None,
        typer.Option(
            min=1,
            show_default=False,
            help="How many of the witnesses must have cosigned. [default: all]",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Verify a query's receipt, and print the entry that it shows.

    With --witness, that those had seen the log as it is in the receipt, and when.
    """
    verifier, peers = _verifier(key), [_verifier(each, COSIGNATURE) for each in witness or ()]
    with _checked():
        found = Receipt.decode(file.read_bytes())
        head = found.check(verifier)
        signed_by = read_note(found.checkpoint).follow(verifier)
        times = _cosigned(found.checkpoint, peers, len(peers) if need is None else need)
    if json:
        told = {"index": found.number, "size": head.size, "origin": head.origin}
        seen = [{"witness": name, "at": at} for name, at in times.items()]
        entry = msgspec.Raw(found.entry)
        print_json({**told, "key": str(signed_by), "cosigned": seen, "entry": entry})
    else:
        said = f"verified: leaf {found.number} of the {head.size} that {head.origin} has signed"
        console.print(said, soft_wrap=True, markup=False)
        _tell_key(verifier, signed_by)
        for name, at in times.items():
            console.print(f"cosigned by {name} at {at}", soft_wrap=True, markup=False)
        console.print(found.entry.decode(), soft_wrap=True, markup=False)


ReceiptFile = Annotated[
    Path,
    typer.Option(
        exists=True, dir_okay=False, show_default=False, help="The receipt of the query's ending."
    ),
]


def _entry(receipt: Path, key: str) -> bytes:
    """Return the entry that a receipt shows."""
    verifier = _verifier(key)
    with _checked():
        found = Receipt.decode(receipt.read_bytes())
        found.check(verifier)
        return found.entry


@app.command("disclosure")
def disclosure(file: File, receipt: ReceiptFile, key: Key, json: Json = False) -> None:
    """Verify that what `farthing disclose` wrote is what a receipt's entry commits to."""
    entry = _entry(receipt, key)
    with _checked():
        found = check_disclosure(file.read_bytes(), entry)
    if not json:
        for field, state, data in found:
            size = "" if data is None else f", {len(data)} bytes"
            console.print(f"{field}: {SAYS[state]}{size}", soft_wrap=True, markup=False)
    else:
        print_json({field: state for field, state, _ in found})
    if any(state == "cut" for _, state, _ in found):
        raise typer.Exit(1)


@app.command("content")
def content(
    file: File,
    receipt: ReceiptFile,
    salt: Annotated[str, typer.Option(show_default=False, help="Its salt, in hexadecimal.")],
    key: Key,
    json: Json = False,
) -> None:
    """Verify that a file is, byte for byte, the prompt or the answer that a receipt commits to."""
    entry, data = _entry(receipt, key), file.read_bytes()
    with _checked():
        field = matching(data, salt, entry)
    if json:
        print_json({"verified": field})
    else:
        console.print(f"verified: it is the {field}", soft_wrap=True, markup=False)


# What became of each field of a disclosure.
SAYS = {
    "verified": "verified",
    "cut": "NOT VERIFIED: it was kept only in part",
    "salt only": "not disclosed; its salt is, for `farthing verify content`",
}


@app.command("folder")
def folder(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, show_default=False)],
    key: Key,
    json: Json = False,
) -> None:
    """Verify all entries and all tiles of a log."""
    verifier = _verifier(key)
    with _checked():
        head, beyond, signed_by = verify_folder(folder, verifier)
    if json:
        told = {"size": head.size, "origin": head.origin, "beyond": beyond}
        print_json({**told, "key": str(signed_by)})
        return
    said = f"verified: {head.size} entries are what {head.origin} has signed"
    more = f"; {beyond} files go beyond the checkpoint and were not checked" if beyond else ""
    console.print(said + more, soft_wrap=True, markup=False)
    _tell_key(verifier, signed_by)


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


@app.command("timestamp")
def timestamp(
    file: File,
    checkpoint: Annotated[
        Path,
        typer.Option(
            exists=True, dir_okay=False, show_default=False, help="The checkpoint that is stamped."
        ),
    ],
    ca: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            show_default=False,
            help="The root certificate of an authority that you trust, in PEM; may hold several. "
            "Without it the stamp's signature is not checked.",
        ),
    ] = None,
    key: Annotated[
        str,
        typer.Option(
            show_default=False,
            help="The log's public key, as `farthing log-key` prints it, or a file that holds it. "
            "Without it the checkpoint's signature is not checked.",
        ),
    ] = "",
    json: Json = False,
) -> None:
    """Verify a time stamp (RFC 3161): that a checkpoint was there at the time that it says."""
    from farthing.cli.stamped import examine  # noqa: PLC0415  (its libraries take long to import)

    found = examine(file, checkpoint, ca, _verifier(key) if key else None)
    if json:
        print_json(found)
        return
    for line in found.lines():
        console.print(line, soft_wrap=True, markup=False)


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
