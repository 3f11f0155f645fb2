"""The vault's process: it erases by policy, records it with the ledger, and tries again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.support.evidence import entries
from tests.support.evidence import write as write_journal
from tests.support.gateway import entries as journal_entries
from tests.support.vault import queries, records, write

from farthing import clock
from farthing.errors import ConfigError
from farthing.ledger import admin
from farthing.ledger.entry import Entry, Refusal, Scope
from farthing.ledger.reported import Erasure
from farthing.paths import DataFolder
from farthing.settings import ContentsRule
from farthing.vault.process import (
    AGAIN_SECONDS,
    EVERY_SECONDS,
    Sweeping,
    eraser_of,
    unmade,
)
from farthing.vault.rules import DAY, Rules

RULES = Rules([ContentsRule("contents", retention_days=1)])


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """A ledger's folder, with a query in its vault whose time is over."""
    made = DataFolder(tmp_path)
    write_journal(made.journal, entries(1))
    now = clock.wall()
    monkeypatch.setattr(clock, "wall", lambda: now - 2 * DAY)
    write(made.vault, records("q1", b"old"))
    monkeypatch.setattr(clock, "wall", lambda: now)
    return made


def erasures(data: DataFolder) -> list[Erasure]:
    return [entry for entry in journal_entries(data) if isinstance(entry, Erasure)]


def test_what_is_over_is_erased_and_recorded(data: DataFolder) -> None:
    sweeping = Sweeping(data, RULES)
    assert sweeping.turn() == EVERY_SECONDS
    (entry,) = erasures(data)
    assert (entry.queries, entry.cause) == (("q1",), "retention")
    assert sweeping.turn() == EVERY_SECONDS and len(erasures(data)) == 1


def test_what_the_ledger_does_not_take_is_recorded_later(
    data: DataFolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(_: DataFolder, entries: list[Entry]) -> list[Refusal | None]:
        return [Refusal("journal_full") for _ in entries]

    sweeping, record = Sweeping(data, RULES), admin.record
    monkeypatch.setattr(admin, "record", full)
    assert sweeping.turn() == AGAIN_SECONDS
    assert queries(data.vault) == [] and erasures(data) == []
    assert "journal_full" in caplog.text
    monkeypatch.setattr(admin, "record", record)
    assert sweeping.turn() == EVERY_SECONDS
    assert [entry.queries for entry in erasures(data)] == [("q1",)]


def test_while_another_erases_it_waits(data: DataFolder) -> None:
    sweeping = Sweeping(data, RULES)
    with eraser_of(data).alone():
        assert sweeping.turn() == AGAIN_SECONDS
        with pytest.raises(ConfigError, match="try again"):
            eraser_of(data).alone().__enter__()
    assert queries(data.vault) == ["q1"]
    assert sweeping.turn() == EVERY_SECONDS


def test_a_rule_for_a_scope_that_is_not_there_is_noticed(data: DataFolder) -> None:
    rules = [ContentsRule("contents", scope) for scope in ("", "org:acme", "team:leagl", "key:k9")]
    asyncio.run(admin.record(data, [Scope(5, "ann", "org:acme")]))
    assert asyncio.run(unmade(data, rules)) == ["team:leagl", "key:k9"]
