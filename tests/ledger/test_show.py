"""Everything of one query, or one entry: dollars, times, and what was held against what it cost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from farthing.ledger.entry import Genesis, Overrun, Unresolved, Void
from farthing.ledger.show import show_entry, show_query, shown

Build = Callable[..., Any]


@pytest.fixture
def journal(
    write_journal: Callable[..., Path], key: Build, hold: Build, settle: Build, limit: Build
) -> Path:
    begin = [Genesis(1, "one"), key(), limit(10**9), limit(50_000, "tokens")]
    held = [hold(name, usd=100) for name in ("open", "settled", "voided", "lost", "proven", "over")]
    ended = [
        settle("settled", usd=60), Void(9, "voided", "upstream_unreachable"),
        Unresolved(9, "lost", "worker_lost"), Unresolved(9, "proven", "worker_lost"),
        settle("proven", usd=70), settle("over", usd=125), Overrun(9, "over", 25),
    ]  # fmt: skip
    return write_journal([begin, held, ended])


@pytest.mark.parametrize(
    ("query", "status", "cost", "released", "over", "entries"),
    [
        ("open", "open", None, None, None, [5]),
        ("settled", "settled", "0.00000006", "0.00000004", None, [6, 11]),
        ("voided", "void", "0", "0.0000001", None, [7, 12]),
        ("lost", "unresolved", None, None, None, [8, 13]),
        ("proven", "settled", "0.00000007", "0.00000003", None, [9, 14, 15]),
        ("over", "settled", "0.000000125", "0", "0.000000025", [10, 16, 17]),
    ],
)
def test_a_query_with_all_its_entries(
    journal: Path,
    query: str,
    status: str,
    cost: str | None,
    released: str | None,
    over: str | None,
    entries: list[int],
) -> None:
    found = show_query(journal, query)
    assert found is not None
    assert found["status"] == status
    assert (found["held_usd"], found["cost_usd"]) == ("0.0000001", cost)
    assert (found["released_usd"], found["overrun_usd"]) == (released, over)
    assert [entry["entry"] for entry in found["entries"]] == entries
    assert found["path"] == ["key:k1"]
    assert found["began"] == "1970-01-01T00:00:00.000Z"
    assert (found["usage"] is not None) == (status == "settled")
    msgspec.json.encode(found)


def test_what_is_not_there(journal: Path) -> None:
    assert show_query(journal, "nobody") is None
    assert show_query(journal, "k1") is None
    assert show_entry(journal, 0) is None
    assert show_entry(journal, 18) is None


def test_an_entry_by_its_number(journal: Path) -> None:
    found = show_entry(journal, 3)
    assert found is not None
    assert (found["entry"], found["kind"], found["amount"]) == (3, "limit", "1")
    tokens = show_entry(journal, 4)
    assert tokens is not None
    assert tokens["amount"] == 50_000


def test_every_kind_of_entry_can_be_shown(workload: Build) -> None:
    kinds = set()
    for entry in workload(3, 200):
        told = shown(entry)
        kinds.add(told["kind"])
        msgspec.json.encode(told)
        assert told["at"].endswith("Z")
    assert len(kinds) == 11


def test_a_digest_is_shown_as_hex(key: Build) -> None:
    assert shown(key())["digest"] == "01" * 32
