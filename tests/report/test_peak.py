"""The peak of a limit, against the ledger's own accounts, stepped through entry by entry."""

from __future__ import annotations

from collections import defaultdict

import pytest
from bench.month import Month
from tests.support.statements import QUERIES, asking, month

from farthing.ledger.meter import UNITS
from farthing.ledger.state import State
from farthing.money import dollars
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
    found = peak_of(month().facts, asking().rows({kind: [name]}), unit, window)
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
    assert peak_of(month().facts, asking().rows({}), unit, window) is None


def test_nobodys_peak_is_nothing() -> None:
    rows = asking().rows({"team": ["nobody"]})
    assert [peak_of(month().facts, rows, *of) for of in (("usd", "day"), ("usd", "ever"))] == [0, 0]
