"""Verifies a statement: its bytes against the log, and its figures by asking them again.

The first needs the statement's receipt and the log's public key; the second, the log's entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from farthing.evidence.entries import Entries
from farthing.evidence.note import Head, NoteError, Verifier, read_checkpoint
from farthing.evidence.receipt import Receipt
from farthing.evidence.tiles import Fetch, TreeReader
from farthing.report.asking import Asking, QueryError, moment
from farthing.report.draft import Inputs, figure_of
from farthing.report.facts import read_facts
from farthing.report.measure import answer
from farthing.report.regulated import sampled
from farthing.report.render import embedded_in
from farthing.report.spans import period_of
from farthing.report.statement import EDITIONS, FORMAT, Document, Source, canonical, compose

FILES = {"json_sha256": "JSON", "html_sha256": "HTML", "pdf_sha256": "PDF"}
# What of a figure must be what its query comes to.
ASKED = ("value", "n", "range", "interval", "query_sha256")


class StatementError(ValueError):
    """A statement that is not what was logged, or no statement."""


class Logged(NamedTuple):
    """The entry of a statement, found under a signed checkpoint."""

    entry: dict[str, Any]
    number: int
    head: Head


def logged(receipt: bytes, verifier: Verifier) -> Logged:
    """Return the entry that a statement's receipt shows.

    Raises:
        NoteError, ProofError: the receipt shows nothing.
        StatementError: it is of another kind of entry.
    """
    found = Receipt.decode(receipt)
    head = found.check(verifier)
    entry = msgspec.json.decode(found.entry, type=dict[str, Any])
    if entry.get("kind") != "statement":
        raise StatementError("the receipt is no statement's")
    return Logged(entry, found.number, head)


def check_bytes(data: bytes, entry: dict[str, Any]) -> str:
    """Return which of the files that were logged these bytes are.

    Raises:
        StatementError: none.
    """
    digest = sha256(data).hexdigest()
    for field, name in FILES.items():
        if entry.get(field) == digest:
            return name
    raise StatementError("the file is not one that was logged: something in it was changed")


def read_document(data: bytes) -> Document:
    """Return the document that JSON is.

    Raises:
        StatementError: it is none, or not in its one form.
    """
    try:
        document: Document = msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.DecodeError as problem:
        raise StatementError(f"the statement's JSON cannot be read: {problem}") from None
    if document.get("format") != FORMAT:
        raise StatementError(f"its format is {document.get('format')!r}, and this reads {FORMAT}")
    if canonical(document) != data:
        raise StatementError("the JSON is not in its one form (RFC 8785)")
    return document


def differences(
    document: Document,
    fetch: Fetch,
    verifier: Verifier,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Ask every figure again; return what is not as the log says, a sentence each.

    Raises:
        StatementError: it is not of a tree that this log has signed, or not a statement's shape.
        ProofError, TileError, OSError: the log's entries are not those that were signed.
    """
    try:
        return list(_differences(document, fetch, verifier, progress))
    except NoteError as problem:
        raise StatementError(f"the statement's own checkpoint: {problem}") from None
    except (KeyError, TypeError, AttributeError, msgspec.ValidationError) as problem:
        raise StatementError(f"it has not the shape of a statement ({problem!r})") from None


def _differences(
    document: Document,
    fetch: Fetch,
    verifier: Verifier,
    progress: Callable[[int, int], None] | None,
) -> Iterator[str]:
    inputs = msgspec.convert(document["inputs"], type=Inputs)
    log = document["log"]
    head = read_checkpoint(log["checkpoint"].encode(), verifier)
    if (head.size, head.root.hex()) != (log["size"], log["root"]):
        raise StatementError("its root is not the one of the checkpoint in it")
    since, until = period_of(inputs.period).begins, moment(inputs.until)
    facts = read_facts(Entries(fetch, head, verified=True), since, until, progress)
    asking = Asking(facts)
    for figure in document["figures"]:
        yield from _figure(figure, asking)
    found = facts.range
    regulator = inputs.edition == "regulator"
    reader = TreeReader(fetch, head.size)
    chosen = sampled(reader, head.root, found.first, found.last) if regulator else []
    again = compose(inputs, Source(facts, log["checkpoint"], chosen))
    yield from _whole(document, again)


def _figure(figure: dict[str, Any], asking: Asking) -> Iterator[str]:
    """Yield how a figure differs from what its own query comes to."""
    name = figure["id"]
    try:
        found = figure_of(name, figure["unit"], figure["query"], answer(asking, figure["query"]))
    except QueryError as problem:
        yield f"{name}: {problem}"
        return
    for field in ASKED:
        if figure.get(field) != found.get(field):
            stated, told = figure.get(field), found.get(field)
            yield f"{name}: its {field} is stated as {stated}, and is {told} by the log"


def _whole(document: Document, again: Document) -> Iterator[str]:
    """Yield what was left out, added or said otherwise than this log makes it."""
    missing = [s for s in EDITIONS[again["inputs"]["edition"]] if s not in _sections(document)]
    for section in missing:
        yield f"section {section}: it was left out"
    stated = {figure["id"]: figure for figure in document["figures"]}
    made = {figure["id"]: figure for figure in again["figures"]}
    for name in made.keys() - stated.keys():
        yield f"{name}: it was left out; the log says {made[name]['value']}"
    for name in stated.keys() - made.keys():
        yield f"{name}: no statement has this figure"
    for name in made.keys() & stated.keys():
        if (
            stated[name]["query"] != made[name]["query"]
            or stated[name]["unit"] != made[name]["unit"]
        ):
            yield f"{name}: it asks something else than a statement does"
    for name, section in _sections(again).items():
        if name not in missing and _sections(document)[name] != section:
            yield f"section {name}: it does not say what the log makes of it"
    for part in ("summary", "log", "currency"):
        if document[part] != again[part]:
            yield f"{part}: it is not what the log makes of it"


def _sections(document: Document) -> dict[str, Any]:
    return {section["id"]: section for section in document["sections"]}


class Examined(NamedTuple):
    """What examining a statement's file showed."""

    wrong: list[str]
    """What is not as it must be; empty if it is verified."""
    shown: list[str]


def examine(
    data: bytes,
    receipt: bytes | None,
    verifier: Verifier,
    tiles: Fetch | None,
    progress: Callable[[int, int], None] | None = None,
) -> Examined:
    """Check a file's bytes by its receipt and, with a log's tiles, all of its figures.

    Raises:
        NoteError, ProofError, TileError, OSError: the receipt or the log is not what it must be.
    """
    wrong, shown = list[str](), list[str]()
    entry: dict[str, Any] | None = None
    if receipt is None:
        wrong.append("there is no receipt beside it; say where it is with --receipt")
    else:
        entry, number, head = logged(receipt, verifier)
        try:
            name = check_bytes(data, entry)
            shown.append(
                f"verified: this is the {name} of leaf {number} of the {head.size} that "
                f"{head.origin} has signed"
            )
        except StatementError as problem:
            wrong.append(str(problem))
    try:
        document = read_document(embedded_in(data))
        wrong += _unlike(document, entry)
        if tiles is not None:
            found = differences(document, tiles, verifier, progress)
            wrong += found
            if not found:
                count = len(document["figures"])
                shown.append(f"verified: all {count} figures are what the log's entries make")
    except (StatementError, ValueError) as problem:
        wrong.append(str(problem))
    if tiles is None:
        shown.append("its figures were not asked again; --log FOLDER does that")
    return Examined(wrong, shown)


def _unlike(document: Document, entry: dict[str, Any] | None) -> Iterator[str]:
    """Yield in what a document is not the one that was logged."""
    if entry is None:
        return
    inputs, log = document.get("inputs", {}), document.get("log", {})
    said = {**{name: inputs.get(name) for name in ("edition", "period", "scope")},
            "tree_size": log.get("size"), "root": log.get("root")}  # fmt: skip
    for name, value in said.items():
        if (entry.get(name) or "") != (value or ""):
            yield f"{name}: it says {value!r}, and the entry {entry.get(name)!r}"
