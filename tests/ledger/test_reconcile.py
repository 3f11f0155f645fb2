"""An invoice against the ledger: matches, variances, what is missing, what could be resolved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from farthing import clock
from farthing.errors import ConfigError
from farthing.ledger.entry import (
    Entry,
    Expire,
    Genesis,
    Resolve,
    Unresolved,
    Void,
    WriteOff,
)
from farthing.ledger.project import catch_up
from farthing.ledger.reconcile import Line, reconcile, resolvable, slug
from farthing.providers.invoices import Billed, Format, Invoice
from farthing.wire.dialect import Usage

Build = Callable[..., Any]
Lines = Callable[..., list[Line]]

FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 2)
NOON = 1_793_534_400 * clock.SECOND  # of the first
ONE = Decimal(1)


def invoice(*rows: Billed, days: tuple[date, date] = (FIRST, SECOND)) -> Invoice:
    return Invoice("may.csv", "ab" * 32, Format("plain", (), "d", "m"), list(rows), days)


@pytest.fixture
def lines(
    open_engine: Callable[..., sa.Engine],
    write_journal: Callable[..., Path],
    key: Build,
    hold: Build,
) -> Lines:
    """Reconcile entries with an invoice: lines(invoice, entry, …, names=)."""

    def lines_(read: Invoice, *entries: Entry, **names: str) -> list[Line]:
        engine = open_engine()
        folder = write_journal([[Genesis(1, "one"), key(), *entries]])
        catch_up(engine, folder)
        with engine.connect() as connection:
            return reconcile(connection, "one", "openai", read, names)

    return lines_


def verdicts(found: list[Line]) -> list[tuple[str, str]]:
    return [(line.model, line.verdict(ONE)) for line in found]


def test_what_agrees_and_what_does_not(lines: Lines, hold: Build, settle: Build) -> None:
    entries = [hold("q1", usd=2000, at=NOON), settle("q1", usd=1000)]
    within = invoice(Billed(FIRST, "GPT-x 2026-01", 1010))
    assert verdicts(lines(within, *entries)) == [("gpt-x-2026-01", "match")]
    above = lines(invoice(Billed(FIRST, "gpt-x-2026-01", 1011)))
    assert verdicts(above) == [("gpt-x-2026-01", "variance")]
    assert above[0].difference == 11
    below = lines(invoice(Billed(FIRST, "gpt-x-2026-01", 989)))
    assert verdicts(below) == [("gpt-x-2026-01", "variance")]


def test_what_is_on_one_side_alone(lines: Lines, hold: Build, settle: Build) -> None:
    entries = [hold("q1", usd=2000, at=NOON), settle("q1", usd=1000)]
    found = lines(
        invoice(Billed(FIRST, "other", 5), Billed(SECOND, "gpt-x-2026-01", 1000)), *entries
    )
    assert [(line.day, line.model, line.verdict(ONE)) for line in found] == [
        (FIRST, "gpt-x-2026-01", "missing there"),
        (FIRST, "other", "missing here"),
        (SECOND, "gpt-x-2026-01", "missing here"),
    ]


def test_only_the_days_and_the_provider_of_the_export_are_compared(
    lines: Lines, hold: Build, settle: Build
) -> None:
    before = [hold("q1", at=NOON - 86_400 * clock.SECOND), settle("q1")]
    other = [msgspec.structs.replace(hold("q2", at=NOON), provider="another"), settle("q2")]
    void = [hold("q3", at=NOON), Void(9, "q3", "upstream_unreachable")]
    assert lines(invoice(days=(FIRST, FIRST)), *before, *other, *void) == []


def test_tokens_are_compared_where_no_cost_is_told(
    lines: Lines, hold: Build, settle: Build
) -> None:
    entries = [hold("q1", at=NOON), settle("q1", usage=Usage(100, 50, 5, 5, 40, reasoning=30))]
    same = Billed(FIRST, "gpt-x-2026-01", None, 200)
    assert verdicts(lines(invoice(same), *entries)) == [("gpt-x-2026-01", "match")]
    more = Billed(FIRST, "gpt-x-2026-01", None, 300)
    assert lines(invoice(more))[0].difference == 100


def test_names_are_told_and_dates_left_out(lines: Lines, hold: Build, settle: Build) -> None:
    entries = [hold("q1", at=NOON), settle("q1", usd=60)]
    read = invoice(Billed(FIRST, "The X", 60))
    assert verdicts(lines(read, *entries, **{"The X": "gpt-x-2026-01"})) == [
        ("gpt-x-2026-01", "match")
    ]
    assert slug("Claude Haiku 4.5") == slug("claude-haiku-4-5-20251001") == "claude-haiku-4-5"
    assert slug("gpt-4o-2024-08-06") == "gpt-4o"


def test_an_export_without_models_is_compared_by_day(
    lines: Lines, hold: Build, settle: Build
) -> None:
    entries = [hold("q1", at=NOON), settle("q1", usd=60), hold("q2", at=NOON), settle("q2", usd=5)]
    assert verdicts(lines(invoice(Billed(FIRST, "all-models", 65)), *entries)) == [
        ("all-models", "match")
    ]


def test_a_provider_the_ledger_does_not_know(lines: Lines) -> None:
    with pytest.raises(ConfigError, match="no query to openai"):
        lines(invoice())


# -- unresolved -----------------------------------------------------------------------------------


def unresolved(hold: Build, settle: Build, *names: str) -> list[Entry]:
    """A query that is settled at 1000, and some that were each held at 500 and got lost."""
    entries = [hold("q1", usd=1000, at=NOON), settle("q1", usd=1000)]
    for name in names:
        model = msgspec.structs.replace(hold(name, usd=500, at=NOON), model="gpt-x-2026-01")
        entries += [model, Unresolved(9, name, "worker_lost")]
    return entries


@pytest.mark.parametrize(
    ("billed", "lost", "verdict", "told"),
    [
        (1300, ["q2"], "unresolved", {"q2": 300}),
        (1500, ["q2"], "unresolved", {"q2": 500}),
        (1000, ["q2"], "match", {"q2": 0}),
        (1000, ["q2", "q3"], "match", {"q2": 0, "q3": 0}),
        (1300, ["q2", "q3"], "unresolved", {}),
        (1501, ["q2"], "variance", {}),
        (900, ["q2"], "variance", {}),
    ],
)
def test_what_the_invoice_tells_of_unresolved_queries(
    lines: Lines,
    hold: Build,
    settle: Build,
    billed: int,
    lost: list[str],
    verdict: str,
    told: dict[str, int],
) -> None:
    read = invoice(Billed(FIRST, "gpt-x-2026-01", billed))
    found = lines(read, *unresolved(hold, settle, *lost))
    assert verdicts(found) == [("gpt-x-2026-01", verdict)]
    could = resolvable(found, read, ONE)
    assert {one.id: one.usd for one in could} == told
    assert all(
        "SHA-256 " + "ab" * 32 in one.evidence and "may.csv" in one.evidence for one in could
    )


def test_a_sum_proves_nothing_while_more_is_billed_elsewhere(
    lines: Lines, hold: Build, settle: Build
) -> None:
    """What is billed under a name, or on a day, that nobody here knows may be the lost query."""
    same = Billed(FIRST, "gpt-x-2026-01", 1000)
    for other in (Billed(FIRST, "another", 300), Billed(SECOND, "gpt-x-2026-01", 300)):
        read = invoice(same, other)
        found = lines(read, *unresolved(hold, settle, "q2"))
        assert resolvable(found, read, ONE) == []


def test_tokens_are_told_where_the_invoice_tells_them(
    lines: Lines, hold: Build, settle: Build
) -> None:
    read = invoice(Billed(FIRST, "gpt-x-2026-01", 1300, 25))
    (one,) = resolvable(lines(read, *unresolved(hold, settle, "q2")), read, ONE)
    assert (one.usd, one.tokens) == (300, 20)  # of the settled one there are five
    fewer = invoice(Billed(FIRST, "gpt-x-2026-01", 1300, 4))
    (one,) = resolvable(lines(fewer), fewer, ONE)
    assert (one.usd, one.tokens) == (300, None)


def test_an_unresolved_query_is_found_by_its_providers_name_for_it(
    lines: Lines, hold: Build
) -> None:
    lost = Unresolved(9, "q2", "usage_missing", 200, 5, "up-2")
    read = invoice(Billed(FIRST, "m", 30, request_id="up-2"))
    found = lines(read, hold("q2", usd=500, at=NOON), lost)
    assert {one.id: one.usd for one in resolvable(found, read, ONE)} == {"q2": 30}


def test_what_nothing_bounds_can_have_cost_anything(lines: Lines, hold: Build) -> None:
    """A query that was passed unpriced holds nothing: that bounds nothing."""
    lost = msgspec.structs.replace(hold("q2", usd=0, at=NOON), unpriced=True)
    read = invoice(Billed(FIRST, "gpt-x-2026", 7_000))
    found = lines(read, lost, Unresolved(9, "q2", "unpriced"))
    assert verdicts(found) == [("gpt-x-2026", "unresolved")]
    assert {one.id: one.usd for one in resolvable(found, read, ONE)} == {"q2": 7_000}


def test_what_was_settled_from_evidence_is_compared_like_any_other(
    lines: Lines, hold: Build, settle: Build
) -> None:
    entries = [*unresolved(hold, settle, "q2", "q3", "q4"), Resolve(9, "ann", "q2", 40, "line 7")]
    entries += [Expire(9, "q3"), WriteOff(9, "ann", "q4", "not billed")]
    read = invoice(Billed(FIRST, "gpt-x-2026-01", 1000 + 40 + 500))
    found = lines(read, *entries)
    assert verdicts(found) == [("gpt-x-2026-01", "match")]
    assert (found[0].difference, resolvable(found, read, ONE)) == (0, [])


def test_request_ids_tell_each_query_by_itself(lines: Lines, hold: Build, settle: Build) -> None:
    """By the id it has at the provider, or by ours, under which an unresolved one is known."""
    read = invoice(
        Billed(FIRST, "m", 1000, request_id="up"),
        Billed(FIRST, "m", 300, request_id="q2"),
        Billed(FIRST, "m", 7, request_id="unknown"),
    )
    found = lines(read, *unresolved(hold, settle, "q2", "q3"))
    assert {line.request: line.verdict(ONE) for line in found} == {
        "up": "match",
        "q2": "unresolved",
        "unknown": "missing here",
        "q3": "unresolved",
    }
    assert {one.id: one.usd for one in resolvable(found, read, ONE)} == {"q2": 300}
