"""Makes a statement: brings the log up to date, reads it, writes the files, and logs them.

Where a gateway runs, its publisher keeps the log and its ledger takes the entry; where none does,
both are done here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from farthing import clock
from farthing.errors import ConfigError
from farthing.evidence.entries import Entries
from farthing.evidence.identity import Identity, identity_of
from farthing.evidence.note import read_checkpoint
from farthing.evidence.publish import ContradictionError, Publisher
from farthing.evidence.receipt import Receipt, make_receipt
from farthing.evidence.source import source_of
from farthing.evidence.tiles import TreeReader
from farthing.ledger.reported import Statement
from farthing.paths import DataFolder, lock
from farthing.report.asking import Asking
from farthing.report.draft import Inputs
from farthing.report.facts import read_facts
from farthing.report.regulated import sampled
from farthing.report.render import html_of, pdf_of
from farthing.report.spans import Period, period_of
from farthing.report.statement import EDITIONS, Document, Source, canonical, compose

Told = Callable[[str, int, int], None]
"""Told what is done now, and how much of it, of how much (0: nobody knows)."""
Record = Callable[[Statement], None]
"""Records an entry, or raises ConfigError."""

# A running gateway publishes about every second; a busy one is a little behind.
PATIENCE_SECONDS = 15.0
LOOK_AGAIN_SECONDS = 0.1
RECEIPT = "tlog-proof"
SCOPES = ("org", "team", "project", "key")


class Made(NamedTuple):
    """The files of a statement."""

    document: Document
    files: dict[str, bytes]
    """By their kind: "json", "html", "pdf"."""


def asked(inputs: Inputs) -> Period:
    """Return the period that a statement is asked of, if it can be made.

    Raises:
        ConfigError: it cannot; the message says why.
    """
    if inputs.edition not in EDITIONS:
        editions = ", ".join(EDITIONS)
        raise ConfigError(f"--edition: {inputs.edition!r} is none; write one of {editions}")
    if bool(inputs.scope) != (inputs.edition == "customer"):
        raise ConfigError(
            "a customer's statement is of one scope, and no other is: write "
            "--edition customer --scope team:NAME (or org:, project: or key:)"
        )
    if inputs.scope and inputs.scope.partition(":")[0] not in SCOPES:
        raise ConfigError(
            f"--scope: {inputs.scope!r} is none of {', '.join(SCOPES)}; see scopes list"
        )
    period = period_of(inputs.period)
    if clock.iso(period.begins) >= inputs.made:
        raise ConfigError(f"{inputs.period} has not begun; there is nothing to tell of it yet")
    return period


class Maker:
    """Makes statements from one data folder's log."""

    def __init__(self, data: DataFolder, log_origin: str, told: Told) -> None:
        """Bring the log up to date, unless a gateway does.

        Raises:
            ConfigError: there is no log, or it contradicts the journal.
        """
        identity = identity_of(data, log_origin)
        if identity is None:
            raise ConfigError(f"there is no ledger in {data.root} yet; `farthing up` starts one")
        self._identity: Identity = identity
        self._data = data
        self._told = told
        self._fetch = source_of(str(data.log))
        self._publisher: Publisher | None = None
        self._lock: int | None = None
        self._open()
        self._publish()

    def _open(self) -> None:
        self._data.log.mkdir(exist_ok=True, mode=0o700)
        try:
            self._lock = lock(self._data.log / "lock", "a gateway publishes it")
        except ConfigError:
            return  # its gateway keeps it up to date
        try:
            self._publisher = Publisher(self._data.journal, self._data.log, self._identity)
        except ContradictionError as problem:
            raise ConfigError(str(problem)) from None

    def _publish(self) -> None:
        if self._publisher is None:
            return
        try:
            while self._publisher.publish():
                self._told("Publishing the log", 0, 0)
        except ContradictionError as problem:
            raise ConfigError(str(problem)) from None

    def close(self) -> None:
        """Let the log go."""
        if self._publisher is not None:
            self._publisher.close()
        if self._lock is not None:
            os.close(self._lock)

    def make(self, inputs: Inputs) -> Made:
        """Return a statement's files.

        Raises:
            ConfigError: it cannot be made; the message says why.
            ProofError: the log's entries are not those that were signed.
        """
        period = asked(inputs)
        until = min(period.ends, _moment(inputs.made))
        source = self._source(period.begins, until, samples=inputs.edition == "regulator")
        _expect_queries(source, inputs)
        self._told("Asking the figures", 0, 0)
        document = compose(inputs, source)
        self._told("Setting the pages", 0, 0)
        files = {"json": canonical(document), "html": html_of(document), "pdf": pdf_of(document)}
        return Made(document, files)

    def _source(self, since: int, until: int, *, samples: bool) -> Source:
        try:
            checkpoint = self._fetch("checkpoint")
        except FileNotFoundError:
            raise ConfigError("the log has no checkpoint yet; try again in a second") from None
        head = read_checkpoint(checkpoint, self._identity.signer.verifier)
        entries = Entries(self._fetch, head, verified=True)
        facts = read_facts(
            entries, since, until, lambda done, of: self._told("Reading the log", done, of)
        )
        found = facts.range
        reader = TreeReader(self._fetch, head.size)
        chosen = sampled(reader, head.root, found.first, found.last) if samples else []
        return Source(facts, checkpoint.decode(), chosen)

    def log(self, made: Made, by: str, record: Record) -> Receipt:
        """Enter a statement into the ledger; return the receipt of its entry.

        Raises:
            ConfigError: the ledger did not take it, or nobody publishes it.
        """
        self._told("Logging it", 0, 0)
        entry = entry_of(made, by)
        record(entry)
        self._publish()
        first, until = entry.tree_size, time.monotonic() + PATIENCE_SECONDS
        while (found := self._find(entry.json_sha256, first)) is None:
            if time.monotonic() >= until:
                raise ConfigError(
                    "the statement is made and entered, and the running gateway has not published "
                    "the entry; see its log, and make the statement again"
                )
            time.sleep(LOOK_AGAIN_SECONDS)
        return found

    def _find(self, digest: str, first: int) -> Receipt | None:
        """Return the receipt of the entry that has a statement's digest."""
        checkpoint = self._fetch("checkpoint")
        head = read_checkpoint(checkpoint, self._identity.signer.verifier)
        reader = TreeReader(self._fetch, head.size)
        for index in range(first, head.size):
            if digest.encode() in reader.entry(index):
                return make_receipt(reader, checkpoint, index)
        return None


@contextmanager
def maker(data: DataFolder, log_origin: str, told: Told) -> Iterator[Maker]:
    """Return what makes statements, until it is closed."""
    made = Maker(data, log_origin, told)
    try:
        yield made
    finally:
        made.close()


def _moment(iso: str) -> int:
    from farthing.report.asking import moment  # noqa: PLC0415

    return moment(iso)


def _expect_queries(source: Source, inputs: Inputs) -> None:
    facts = source.facts
    if not len(facts):
        raise ConfigError(
            f"no query ended in {inputs.period}; `farthing log` shows when the latest did"
        )
    if inputs.scope:
        kind, _, name = inputs.scope.partition(":")
        if not Asking(facts).rows({kind: [name]}).any():
            raise ConfigError(
                f"no query of {inputs.scope} ended in {inputs.period}; `farthing scopes list` and "
                "`farthing keys list` show what there is"
            )


def entry_of(made: Made, by: str) -> Statement:
    """Return the entry that stands for a statement's files."""
    inputs, log = made.document["inputs"], made.document["log"]
    return Statement(
        at=clock.wall(),
        by=by,
        edition=inputs["edition"],
        period=inputs["period"],
        scope=inputs["scope"],
        json_sha256=sha256(made.files["json"]).hexdigest(),
        html_sha256=sha256(made.files["html"]).hexdigest(),
        pdf_sha256=sha256(made.files["pdf"]).hexdigest(),
        tree_size=log["size"],
        root=log["root"],
    )


def write(made: Made, folder: Path) -> list[Path]:
    """Write the files into a folder; return where they are, and last where their receipt goes."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = made.document["inputs"]
    whose = "-" + inputs["scope"].replace(":", "-") if inputs["scope"] else ""
    stem = f"statement-{inputs['period']}-{inputs['edition']}{whose}"
    paths = [folder / f"{stem}.{kind}" for kind in (*made.files, RECEIPT)]
    for path, data in zip(paths, made.files.values(), strict=False):
        path.write_bytes(data)
    return paths
