"""The peak of a limit, against the ledger's own accounts, stepped through entry by entry."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from pathlib import Path

import pytest
from bench.month import BEGIN, DAY, SECOND, Month
from tests.support.evidence import VERIFIER, hold, make_log, settle
from tests.support.statements import QUERIES, asking, month

from farthing.evidence.entries import read_entries
from farthing.evidence.source import source_of
from farthing.ledger.entry import Entry, Genesis, Unresolved
from farthing.ledger.meter import UNITS
from farthing.ledger.state import State
from farthing.money import dollars
from farthing.report.asking import Asking
from farthing.report.columns import EARLIER, NONE
from farthing.report.facts import read_facts
from farthing.report.measure import answer
from farthing.report.peak import peak_of


def stepped() -> dict[tuple[str, str, str], int]:
    """Return the most that each meter stood at after any entry."""
    state, peaks = State(), defaultdict[tuple[str, str, str], int](int)
    # The last window of each meter: what began before the period is none of it.
    for entry in Month(QUERIES).entries():
        state.apply(entry)
        for account in state.accounts.by_scope.values():
            for meter in account.meters:
                which = (account.scope, UNITS[meter.unit], meter.window)
                peaks[which] = max(peaks[which], meter.posted + meter.held)
    return peaks


PEAKS = [
    ("team", "search", "usd", "month"), ("org", "acme", "usd", "day"),
    ("provider", "anthropic", "usd", "month"), ("key", "k-app", "requests", "day"),
    ("key", "k-lab", "concurrent", "ever"),
]  # fmt: skip


@pytest.fixture(scope="module")
def accounts() -> dict[tuple[str, str, str], int]:
    return stepped()


@pytest.mark.parametrize("named", PEAKS, ids="-".join)
def test_it_is_what_the_ledger_stood_at(
    named: tuple[str, str, str, str], accounts: dict[tuple[str, str, str], int]
) -> None:
    """All queries of the month ended in it, so that leaves tell all that the ledger knew."""
    kind, name, unit, window = named
    found = peak_of(asking(), {kind: [name]}, unit, window).value
    assert found == accounts[f"{kind}:{name}", unit, window] > 0


def test_a_peak_is_told_in_the_limits_unit_and_as_a_part_of_it(
    accounts: dict[tuple[str, str, str], int],
) -> None:
    asked = {"where": {"team": ["search"]}, "meter": "usd", "window": "month"}
    found = answer(asking(), {"measure": "peak", **asked})
    assert found.value == dollars(accounts["team:search", "usd", "month"])
    limit = {"kind": "limit", "scope": "team:search", "unit": "usd", "window": "month"}
    part = answer(asking(), {"measure": "peak-part", **asked, "limit": limit})
    assert 0 < float(str(part.value)) < 1


@pytest.mark.parametrize(("unit", "window"), [("tokens", "day"), ("usd", "minute")])
def test_what_leaves_do_not_tell_is_unknown(unit: str, window: str) -> None:
    assert peak_of(asking(), {}, unit, window).value is None


def test_nobodys_peak_is_nothing() -> None:
    nobody = {"team": ["nobody"]}
    assert [peak_of(asking(), nobody, "usd", window).value for window in ("day", "ever")] == [0, 0]


FIRST, LAST = BEGIN + 9 * DAY + 11 * 3600 * SECOND, BEGIN + 19 * DAY + 12 * 3600 * SECOND
EVER = [
    ("team", "search", "usd"), ("org", "acme", "usd"), ("provider", "anthropic", "usd"),
    ("team", "growth", "requests"), ("org", "acme", "requests"), ("org", "acme", "concurrent"),
]  # fmt: skip


@pytest.fixture(scope="module")
def stood() -> dict[tuple[str, str], int]:
    """Return the most that each account's totals stood at within ten days of the month."""
    state, peaks = State(), defaultdict[tuple[str, str], int](int)
    names = {f"{kind}:{name}" for kind, name, _ in EVER}
    entries = Month(QUERIES).entries()
    for entry in chain(entries, [None]):
        if entry is None or entry.at >= LAST:
            break
        if entry.at >= FIRST:  # and so what it stood at when they began
            _note(state, names, peaks)
        state.apply(entry)
    _note(state, names, peaks)
    assert state.unresolved
    return peaks


def _note(state: State, names: set[str], peaks: dict[tuple[str, str], int]) -> None:
    for name in names & state.accounts.by_scope.keys():
        account = state.accounts.by_scope[name]
        for unit, posted, held in zip(UNITS, account.posted, account.held, strict=False):
            peaks[name, unit] = max(peaks[name, unit], posted + held)
        peaks[name, "concurrent"] = max(peaks[name, "concurrent"], account.held[3])


@pytest.fixture(scope="module")
def amid() -> Asking:
    return Asking(read_facts(read_entries(month().fetch, VERIFIER), FIRST, LAST))


@pytest.mark.parametrize("named", EVER, ids="-".join)
def test_without_a_window_all_before_the_period_counts(
    named: tuple[str, str, str], stood: dict[tuple[str, str], int], amid: Asking
) -> None:
    kind, name, unit = named
    assert amid.facts.spent and amid.facts.carried
    found = peak_of(amid, {kind: [name]}, unit, "ever")
    assert found.value == stood[f"{kind}:{name}", unit] > 0
    assert found.first is not None and (unit == "concurrent") == (
        found.first >= amid.facts.range.first
    )


def test_what_runs_at_the_end_is_held(tmp_path: Path) -> None:
    """It is in no leaf of the period, and was held in it all the same."""
    entries: list[Entry] = [Genesis(1, "one"), hold(1), hold(2), settle(1), settle(2)]
    log = make_log(tmp_path, entries)
    since, until = 1_700_000_000 * SECOND, 1_700_000_000 * SECOND + SECOND // 2
    running = read_facts(read_entries(source_of(str(log.folder)), VERIFIER), since, until)
    assert len(running) == 0
    for window in ("ever", "day"):
        asked = peak_of(Asking(running), {"provider": ["p"]}, "concurrent", window)
        assert (asked.value, asked.n) == (2, 2)
        assert peak_of(Asking(running), {"provider": ["p"]}, "usd", window).value == 500_000
        assert peak_of(Asking(running), {"provider": ["q"]}, "usd", window).value == 0


@pytest.mark.parametrize("late", [False, True])
def test_a_worker_that_comes_back_ends_the_hold_that_was_unresolved(
    tmp_path: Path, late: bool
) -> None:
    """It is one query, held once; in a later period too."""
    lost = Unresolved(1_700_000_000 * SECOND + 9, "q1", "worker_lost")
    log = make_log(tmp_path, [Genesis(1, "one"), hold(1), lost, settle(1)])
    since = 1_700_000_000 * SECOND + late * SECOND // 2
    facts = read_facts(read_entries(source_of(str(log.folder)), VERIFIER), since, 2**62)
    assert facts.resolves.tolist() == ([EARLIER] if late else [NONE, 0])
    found = [peak_of(Asking(facts), {}, unit, "ever").value for unit in UNITS if unit != "tokens"]
    assert found == [250_000, 1, 0 if late else 1]
