"""Rows of what ends queries: the same whether it comes in one batch with the hold or later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.everything import everything
from tests.support.records import Rows, content

from farthing.ledger.batch import Batch
from farthing.ledger.entry import (
    ChangeKey,
    Draw,
    Entry,
    Expire,
    Genesis,
    Resolve,
    Revoke,
    Unresolved,
    WriteOff,
)

Build = Callable[..., Any]
Open = Callable[..., sa.Engine]

LOST = Unresolved(5, "q1", "usage_missing", 200, 7, "up-1")
RESOLVED = Resolve(9, "ann", "q1", 70, "invoice, line 7", 8)
DRAWN = [
    Draw(9, "q1", "credit:t1", 30, 30),
    Draw(9, "q1", "commitment:c1/1", 40, 10),
    Draw(9, "q1", "commitment:c1/2", 20, 15),
]


def written(engine: sa.Engine, *batches: list[Entry]) -> Rows:
    """Write each batch by itself, as one of a ledger."""
    number = 0
    for entries in batches:
        batch = Batch("one")
        for entry in entries:
            number += 1
            batch.take(entry, number)
        with engine.begin() as connection:
            batch.write(connection)
    return content(engine)


@pytest.mark.parametrize(
    ("endings", "told"),
    [
        ([], {"status": "open", "cost": None, "tokens": None, "held_tokens": 10, "reason": None}),
        (
            [LOST],
            {"status": "unresolved", "cost": None, "tokens": None, "reason": "usage_missing",
             "upstream_id": "up-1", "http_status": 200, "end_position": 2, "effective": None},
        ),
        (
            [LOST, RESOLVED, *DRAWN],
            {"status": "settled", "cost": 70, "tokens": 8, "reason": "invoice, line 7",
             "from_credit": 30, "from_commitment": 60, "effective": 70 - 60 + 25,
             "upstream_id": "up-1", "http_status": 200, "ended": 9, "end_position": 3,
             "list_cost": None, "input": None},
        ),
        (
            [LOST, Resolve(9, "ann", "q1", 70, "e")],
            {"cost": 70, "tokens": 10, "effective": 70, "from_credit": 0},
        ),
        (
            [LOST, Expire(9, "q1"), *DRAWN],
            {"status": "posted", "cost": 100, "tokens": 10, "reason": "usage_missing",
             "from_credit": 30, "from_commitment": 60, "effective": 100 - 60 + 25, "ended": 9},
        ),
        (
            [LOST, WriteOff(9, "ann", "q1", "not billed")],
            {"status": "written-off", "cost": 0, "tokens": 0, "reason": "not billed",
             "effective": 0, "from_commitment": 0},
        ),
    ],
)  # fmt: skip
def test_each_ending_of_what_was_unresolved(
    open_engine: Open, hold: Build, endings: list[Entry], told: dict[str, Any]
) -> None:
    entries = [hold("q1", usd=100, tokens=10), *endings]
    for name, batches in {
        "together": [entries],
        "one by one": [[entry] for entry in entries],
        "apart from the hold": [entries[:1], entries[1:]],
        "apart from the doubt": [entries[:2], entries[2:]],
    }.items():
        (row,) = written(open_engine(name), *batches)["queries"]
        assert {column: row[column] for column in told} == told, name


def test_a_settlement_tells_list_price_and_what_paid(
    open_engine: Open, hold: Build, settle: Build
) -> None:
    entries = [hold("q1"), settle("q1", usd=60), *DRAWN]
    (row,) = written(open_engine(), entries)["queries"]
    assert (row["list_cost"], row["cost"], row["tokens"]) == (60, 60, 5)
    assert (row["from_credit"], row["from_commitment"], row["effective"]) == (30, 60, 25)


def test_the_cut_into_batches_is_nowhere_in_the_rows(open_engine: Open) -> None:
    entries = [entry for group in everything(7) for entry in group]
    whole = written(open_engine("whole"), entries)
    for size in (1, 3):
        cut = [entries[at : at + size] for at in range(0, len(entries), size)]
        assert written(open_engine(f"{size}"), *cut) == whole


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_key_has_its_latest_terms_and_its_first_revocation(
    open_engine: Open, key: Build, cut: int
) -> None:
    changed = ChangeKey(5, "bob", "k1", "new", 9, 8, "team:search")
    entries = [Genesis(1, "one"), key(), changed, Revoke(6, "ann", "k1"), Revoke(7, "ann", "k1")]
    (row,) = written(open_engine(), entries[:cut], entries[cut:])["keys"]
    assert (row["name"], row["expires"], row["max_cost"]) == ("new", 9, 8)
    assert (row["parent"], row["made_by"], row["revoked"]) == ("team:search", "ann", 6)
