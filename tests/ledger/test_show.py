"""Everything of one query, or one entry: dollars, times, and what was held against what it cost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from tests.support.everything import everything

from farthing.ledger.entry import (
    Commitment,
    Draw,
    Entry,
    Expire,
    Genesis,
    Overrun,
    Resolve,
    Unresolved,
    Void,
    WriteOff,
)
from farthing.ledger.show import show_entry, show_query, shown

Build = Callable[..., Any]

LATER = ("told", "late", "off")


@pytest.fixture
def journal(
    write_journal: Callable[..., Path], key: Build, hold: Build, settle: Build, limit: Build
) -> Path:
    begin = [Genesis(1, "one"), key(), limit(10**9), limit(50_000, "tokens")]
    held = [
        hold(name, usd=100)
        for name in ("open", "settled", "voided", "lost", "proven", "over", *LATER)
    ]
    ended = [
        settle("settled", usd=60), Void(9, "voided", "upstream_unreachable"),
        Unresolved(9, "lost", "worker_lost"), Unresolved(9, "proven", "worker_lost"),
        settle("proven", usd=70), settle("over", usd=125), Overrun(9, "over", 25),
        *(Unresolved(9, name, "worker_lost") for name in LATER),
        Resolve(9, "ann", "told", 30, "invoice, line 7"), Draw(9, "told", "credit:t1", 30, 30),
        Expire(9, "late"), WriteOff(9, "ann", "off", "not billed"),
    ]  # fmt: skip
    return write_journal([begin, held, ended])


@pytest.mark.parametrize(
    ("query", "status", "cost", "released", "over", "entries"),
    [
        ("open", "open", None, None, None, [5]),
        ("settled", "settled", "0.00000006", "0.00000004", None, [6, 14]),
        ("voided", "void", "0", "0.0000001", None, [7, 15]),
        ("lost", "unresolved", None, None, None, [8, 16]),
        ("proven", "settled", "0.00000007", "0.00000003", None, [9, 17, 18]),
        ("over", "settled", "0.000000125", "0", "0.000000025", [10, 19, 20]),
        ("told", "settled", "0.00000003", "0.00000007", None, [11, 21, 24, 25]),
        ("late", "posted", "0.0000001", "0", None, [12, 22, 26]),
        ("off", "written-off", "0", "0.0000001", None, [13, 23, 27]),
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
    assert (found["usage"] is not None) == (query in ("settled", "proven", "over"))
    paid = "0.00000003" if query == "told" else "0"
    assert found["from_credit_usd"] == (None if cost is None else paid)
    msgspec.json.encode(found)


def test_what_is_not_there(journal: Path) -> None:
    assert show_query(journal, "nobody") is None
    assert show_query(journal, "k1") is None
    assert show_entry(journal, 0) is None
    assert show_entry(journal, 28) is None


def test_an_entry_by_its_number(journal: Path) -> None:
    found = show_entry(journal, 3)
    assert found is not None
    assert (found["entry"], found["kind"], found["amount"]) == (3, "limit", "1")
    tokens = show_entry(journal, 4)
    assert tokens is not None
    assert tokens["amount"] == 50_000


def test_every_kind_of_entry_can_be_shown() -> None:
    kinds = set()
    for entry in (entry for group in everything(3, 300) for entry in group):
        told = shown(entry)
        kinds.add(told["kind"])
        msgspec.json.encode(told)
        assert told["at"].endswith("Z")
    assert len(kinds) == len(get_args(Entry))


def test_a_digest_is_shown_as_hex(key: Build) -> None:
    assert shown(key())["digest"] == "01" * 32


def test_a_commitments_tranches_are_shown_in_dollars_and_times() -> None:
    entries = (entry for group in everything(3) for entry in group)
    told = next(shown(entry) for entry in entries if isinstance(entry, Commitment))
    first = told["tranches"][0]
    assert (first["usd"], first["paid"]) == ("0.000009", "0.000006")
    assert first["starts"] == "1970-01-01T00:00:00.000Z"
