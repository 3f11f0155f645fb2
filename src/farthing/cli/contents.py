"""`farthing contents` and `farthing disclose`: what the vault has of a query."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from cryptography.exceptions import InvalidTag

from farthing import clock
from farthing.cli.output import (
    Data,
    Json,
    console,
    examples,
    existing_ledger,
    expected,
    print_json,
    stop,
)
from farthing.ledger.search import ledger_in
from farthing.paths import DataFolder
from farthing.vault.contents import FIELDS, Content, Story, read_contents, story
from farthing.vault.disclosure import disclose as disclosure_of
from farthing.vault.keys import Keys, master_key

EXAMPLES = examples(
    "disclose q01… --out q.json",
    "receipt q01… --out q.tlog-proof",
    "verify disclosure q.json --receipt q.tlog-proof --key key.txt",
)

Query = Annotated[str, typer.Argument(help="The query's id, as `farthing log` shows it.")]
Only = Annotated[
    str | None,
    typer.Option(metavar="prompt|answer", show_default=False, help="Only one of both."),
]


def contents(query: Query, only: Only = None, data: Data = None, json: Json = False) -> None:
    """Print a query's prompt and answer, checked against what the ledger committed to.

    With --only its bytes are printed as they are, for another program.
    """
    fields, (told, found) = _fields(only), _kept(existing_ledger(data), query)
    for field in fields:
        _check(told, field, found[field])
    if json:
        print_json(_as_json(query, told, {field: found[field] for field in fields}))
    elif only is not None:
        if found[only].data is None:
            stop(f"of {query} only the salts were kept, not the {only} itself")
        sys.stdout.buffer.write(found[only].data or b"")
        sys.stdout.buffer.flush()
    else:
        for field in fields:
            _print(field, found[field], told.position)


def disclose(
    query: Query,
    out: Annotated[
        Path | None, typer.Option(show_default=False, help="Write it to this file.")
    ] = None,
    only: Only = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Print what an auditor needs to check a query's contents against its receipt: JSON.

    It has the salts, and prompt and answer if they are kept; where only salts are, the auditor
    checks a file of his own with `farthing verify content`.
    """
    _, found = _kept(existing_ledger(data), query)
    told = disclosure_of(query, found, _fields(only))
    if out is not None:
        out.write_bytes(msgspec.json.encode(told) + b"\n")
    if json or out is None:
        print_json(told)


def _fields(only: str | None) -> tuple[str, ...]:
    if only is not None and only not in FIELDS:
        stop(f"--only: {only!r} is neither prompt nor answer", status=2)
    return FIELDS if only is None else (only,)


def _kept(folder: DataFolder, query: str) -> tuple[Story, dict[str, Content]]:
    """Return what there is of a query; of one that has nothing, say why, and end."""
    with expected():
        told = story(folder.journal, query)
        found = None
        if told.known and folder.vault.exists():
            try:
                keys = Keys(folder.vault, master_key(folder))
                found = read_contents(folder.vault, keys, ledger_in(folder.journal), query)
            except InvalidTag:
                stop(f"NOT VERIFIED: what the vault has of {query} was changed, or is another's")
            except OSError as problem:
                stop(f"the vault cannot be read ({problem})")
    if found is None:
        stop(_why_not(query, told))
    return told, found


def _why_not(query: str, told: Story) -> str:
    """Return why the vault has nothing of a query."""
    if not told.known:
        return f"there is no query {query}; `farthing log` shows them"
    if told.erased:
        position, entry = told.erased[-1]
        return f"{query} was erased on {clock.iso(entry.at)}, entry {position} ({entry.cause})"
    if told.ending is None:
        return f"nothing was committed to or kept of {query}, as policy said or as it has not ended"
    if told.ending.contents == "failed":
        return f"when {query} ended the vault could not be written, says entry {told.position}"
    return (
        f"entry {told.position} commits to contents of {query}; the vault has nothing of it, and "
        "no erasure says why: was an older copy of the vault put back?"
    )


def _check(told: Story, field: str, found: Content) -> None:
    if told.ending is None or not found.whole:
        return
    if not found.opens(getattr(told.ending, field)):
        stop(f"NOT VERIFIED: the {field} is not what entry {told.position} commits to")


def _state(found: Content) -> str:
    if found.data is None:
        return "only its salt was kept"
    return "verified" if found.whole else f"cut: {len(found.data)} bytes were kept"


def _as_json(query: str, told: Story, found: dict[str, Content]) -> dict[str, Any]:
    said: dict[str, Any] = {"query": query, "entry": told.position or None}
    for field, content in found.items():
        said[field] = {"bytes": content.size, "state": _state(content)}
        if content.data is not None:
            said[field]["text"] = content.data.decode(errors="replace")
    return said


def _print(field: str, found: Content, position: int) -> None:
    state = _state(found)
    if state == "verified":
        state = f"as entry {position} commits to" if position else "no entry commits to it"
    console.print(f"{field}, {found.size} bytes, {state}", style="bold", soft_wrap=True)
    if found.data is not None:
        console.print(_harmless(found.data), soft_wrap=True, markup=False)


def _harmless(data: bytes) -> str:
    """Return a text that cannot steer a terminal."""
    text = data.decode(errors="backslashreplace")
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)
