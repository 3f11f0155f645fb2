"""A record as it is presented: every ending, from the journal to the JSON of a look-up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from tests.support.records import projected

from farthing import clock
from farthing.ledger.entry import (
    Draw,
    Entry,
    Expire,
    Genesis,
    Key,
    Overrun,
    Resolve,
    Settle,
    Unresolved,
    Void,
    WriteOff,
)
from farthing.ledger.present import presented
from farthing.ledger.records import queries
from farthing.wire.dialect import Usage

Build = Callable[..., Any]
Present = Callable[..., dict[str, Any]]

# 2026-01-02 03:04:05.006 UTC, and something that no millisecond shows.
BEGAN = 1_767_323_045_006_999_999
ENDED = BEGAN + 2 * clock.SECOND

OPEN: dict[str, Any] = {
    "id": "q1",
    "status": "open",
    "model": "openai/gpt-x-2026",
    "asked_model": "gpt-x",
    "answered_model": None,
    "dialect": "chat",
    "stream": True,
    "key": "k1",
    "began": "2026-01-02T03:04:05.006Z",
    "ended": None,
    "cost_usd": None,
    "held_usd": "0.12345678",
    "unpriced": False,
    "overrun_usd": None,
    "list_usd": None,
    "from_credit_usd": None,
    "from_commitment_usd": None,
    "effective_usd": None,
    "usage": None,
    "http_status": None,
    "first_byte_ms": None,
    "total_ms": None,
    "upstream_id": None,
    "finish": None,
    "losses": [],
    "reason": None,
}

METERS = ("input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning")
MEDIA = ("input_audio", "output_audio", "web_searches", "input_image", "output_image")
UNITS = ("characters", "audio_seconds", "search_units")
NONE_USED = dict.fromkeys((*METERS, *MEDIA, *UNITS), 0)
USED = dict(zip(NONE_USED, (3, 4, 5, 6, 7, 2, 8, 9, 1, 10, 11, 12, 13, 14), strict=True))

SETTLED: dict[str, Any] = OPEN | {
    "status": "settled",
    "answered_model": "gpt-x-2026-01",
    "ended": "2026-01-02T03:04:07.006Z",
    "cost_usd": "0.000000001",
    "list_usd": "0.000000001",
    "from_credit_usd": "0",
    "from_commitment_usd": "0",
    "effective_usd": "0.000000001",
    "usage": USED,
    "http_status": 200,
    "first_byte_ms": 0.001,
    "total_ms": 1234.567,
    "upstream_id": "up",
}


def settle(usd: int = 1, usage: Usage | None = None, status: int = 200) -> Settle:
    used = Usage(**USED) if usage is None else usage
    return Settle(ENDED, "q1", usd, used, status, 1, 1_234_567, "up", "gpt-x-2026-01")


FREE = {
    "cost_usd": "0",
    "list_usd": "0",
    "from_credit_usd": "0",
    "from_commitment_usd": "0",
    "effective_usd": "0",
}
UNRESOLVED = Unresolved(ENDED, "q1", "upstream_reset", 502, 40)


@pytest.fixture
def present(
    key: Callable[..., Key],
    hold: Build,
    write_journal: Callable[..., Path],
    open_engine: Callable[..., sa.Engine],
) -> Present:
    """Journal a hold of q1 and what followed, project it, and present the record."""

    def present_(*endings: Entry) -> dict[str, Any]:
        held = hold(usd=123_456_780, at=BEGAN)
        entries = [Genesis(1, "one"), key(), held, *endings]
        rows = projected(open_engine(), write_journal([entries]))["queries"]
        return presented(rows[0])

    return present_


def test_an_open_query_has_no_cost_yet_and_says_what_is_held(present: Present) -> None:
    assert present() == OPEN


def test_a_settled_query_has_its_exact_cost_and_all_of_its_usage(present: Present) -> None:
    assert present(settle()) == SETTLED


def test_a_providers_own_error_costs_nothing(present: Present) -> None:
    shown = present(settle(0, Usage(), 429))
    told = FREE | {"usage": NONE_USED, "http_status": 429}
    assert shown == SETTLED | told


def test_a_query_that_was_never_sent_costs_nothing_and_says_why(present: Present) -> None:
    ended = {"ended": SETTLED["ended"], "reason": "upstream_unreachable"}
    shown = present(Void(ENDED, "q1", "upstream_unreachable"))
    assert shown == OPEN | ended | FREE | {"status": "void"}


def test_an_unresolved_query_has_no_cost_and_stays_held(present: Present) -> None:
    ended = {"ended": SETTLED["ended"], "reason": "upstream_reset"}
    told = {"status": "unresolved", "http_status": 502, "total_ms": 0.04}
    assert present(UNRESOLVED) == OPEN | ended | told


def test_an_unresolved_query_without_an_answer_has_no_status_and_no_time(present: Present) -> None:
    shown = present(Unresolved(ENDED, "q1", "worker_lost"))
    assert (shown["http_status"], shown["total_ms"]) == (None, None)


def test_evidence_that_came_later_leaves_nothing_of_the_doubt(present: Present) -> None:
    assert present(UNRESOLVED, settle()) == SETTLED


def test_a_bill_above_what_was_held_is_shown_as_billed(present: Present) -> None:
    usd = 2**60 + 1  # no float holds it
    shown = present(settle(usd), Overrun(ENDED, "q1", usd - 123_456_780))
    told = dict.fromkeys(("cost_usd", "list_usd", "effective_usd"), "1152921504.606846977")
    told["overrun_usd"] = "1152921504.483390197"
    assert shown == SETTLED | told


LOST = {"ended": SETTLED["ended"], "http_status": 502, "total_ms": 0.04, "list_usd": None}


def test_evidence_settles_a_query_and_is_told(present: Present) -> None:
    shown = present(UNRESOLVED, Resolve(ENDED, "ann", "q1", 5, "invoice 7", 3))
    cost = {"cost_usd": "0.000000005", "effective_usd": "0.000000005"}
    told = {"status": "settled", "reason": "invoice 7"}
    assert shown == OPEN | FREE | LOST | cost | told


def test_a_query_that_was_unresolved_for_too_long_costs_what_was_held(present: Present) -> None:
    shown = present(UNRESOLVED, Expire(ENDED, "q1"))
    cost = {"cost_usd": "0.12345678", "effective_usd": "0.12345678"}
    assert shown == OPEN | FREE | LOST | cost | {"status": "posted", "reason": "upstream_reset"}


def test_a_query_that_is_written_off_costs_nothing_and_says_why(present: Present) -> None:
    shown = present(UNRESOLVED, WriteOff(ENDED, "ann", "q1", "not billed"))
    assert shown == OPEN | FREE | LOST | {"status": "written-off", "reason": "not billed"}


def test_what_paid_is_told_with_what_it_was_bought_for(present: Present) -> None:
    drawn = [Draw(ENDED, "q1", "credit:t1", 40, 40), Draw(ENDED, "q1", "commitment:c1/1", 60, 25)]
    discounted = msgspec.structs.replace(settle(80), list_usd=100)
    shown = present(discounted, *drawn)
    assert (shown["cost_usd"], shown["list_usd"]) == ("0.00000008", "0.0000001")
    assert (shown["from_credit_usd"], shown["from_commitment_usd"]) == ("0.00000004", "0.00000006")
    assert shown["effective_usd"] == "0.000000045"


def test_every_ending_has_the_same_fields_and_is_json() -> None:
    row = {c.name: 1 if isinstance(c.type, sa.BigInteger | sa.Integer) else "x" for c in queries.c}
    shown = presented(row | {"held": 2**60 + 1})
    assert list(shown) == list(OPEN)
    assert json.loads(json.dumps(shown)) == shown
    assert (shown["stream"], shown["held_usd"]) == (True, "1152921504.606846977")
