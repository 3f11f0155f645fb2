"""Statements for tests: a small simulated month, published, and statements made from it."""

from __future__ import annotations

import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from bench.month import BEGIN, DAYS, write
from tests.support.evidence import IDENTITY, ORIGIN, SEED, VERIFIER, Log, publish

from farthing.evidence.entries import read_entries
from farthing.evidence.source import source_of
from farthing.evidence.tiles import Fetch, TreeReader
from farthing.paths import DataFolder, write_private
from farthing.report.asking import Asking
from farthing.report.columns import Facts
from farthing.report.draft import Draft, Inputs, System
from farthing.report.facts import read_facts
from farthing.report.regulated import sampled
from farthing.report.statement import Document, Source, compose

QUERIES = 2_000
END = BEGIN + DAYS * 86_400 * 10**9
SYSTEMS = {"openai/gpt-5": System(purpose="drafts", role="deployer", documents="card held")}


class Month(NamedTuple):
    """A published month."""

    log: Log
    fetch: Fetch
    facts: Facts


@lru_cache
def month() -> Month:
    """Return a month that is made once for all tests; nobody may write to it."""
    root = Path(tempfile.mkdtemp(prefix="farthing-month-"))
    log = Log(root / "log", root / "journal")
    log.folder.mkdir()
    write(log.journal, QUERIES)
    publish(log.journal, log.folder, IDENTITY)
    fetch = source_of(str(log.folder))
    return Month(log, fetch, read_facts(read_entries(fetch, VERIFIER), BEGIN, END))


def inputs(edition: str = "regulator", scope: str = "", **said: Any) -> Inputs:
    given = {
        "entity": "Acme Ltd.", "period": "2026-09", "until": "2026-10-01T00:00:00.000Z",
        "made": "2026-10-02T08:00:00.000Z", "version": "1",
        "systems": SYSTEMS if edition == "regulator" else {}, **said,
    }  # fmt: skip
    return Inputs(edition=edition, scope=scope, **given)


def asking() -> Asking:
    return Asking(month().facts)


def draft(edition: str = "regulator", scope: str = "") -> Draft:
    return Draft(asking(), inputs(edition, scope))


def source(edition: str = "regulator") -> Source:
    made = month()
    found, head = made.facts.range, made.log.head
    reader = TreeReader(made.fetch, head.size)
    samples = sampled(reader, head.root, found.first, found.last)
    return Source(
        made.facts, made.log.checkpoint.decode(), samples if edition == "regulator" else []
    )


@lru_cache
def statement(edition: str = "regulator", scope: str = "") -> Document:
    """Return a statement; whoever changes it copies it before."""
    return compose(inputs(edition, scope), source(edition))


def figures(document: Document) -> dict[str, dict[str, Any]]:
    return {figure["id"]: figure for figure in document["figures"]}


EDITIONS = (("shareholder", ""), ("regulator", ""), ("customer", "team:search"))


def data_folder(root: Path) -> DataFolder:
    """Return a data folder with a copy of the month and of its log, and the keys of that."""
    made = month()
    shutil.copytree(made.log.journal, root / "journal")
    shutil.copytree(made.log.folder, root / "log")
    data = DataFolder(root)
    write_private(data.log_key, SEED.hex())
    write_private(data.log_salt, IDENTITY.salt.hex())
    (root / "farthing.toml").write_text(
        f'log_origin = "{ORIGIN}"\n[statement]\nentity = "Acme Ltd."\n'
        '[statement.systems."openai/gpt-5"]\npurpose = "drafts"\n'
    )
    return data
