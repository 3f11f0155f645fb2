"""What an answer comes to: one ending, at what was used, or at a cost that is not known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from tests.support.application import BOOK

from farthing import clock
from farthing.ledger.entry import Commitment, Settle, Unresolved
from farthing.ledger.ledger import TEXT_MOST
from farthing.providers import Provider
from farthing.proxy.app import App
from farthing.proxy.ending import LOST_STATUSES, ended, unresolved
from farthing.proxy.head import Head
from farthing.proxy.pricing import Offer, offer
from farthing.proxy.query import Query
from farthing.route.plan import Route
from farthing.settings import Settings
from farthing.wire.dialect import Answer, Ask, Usage

LOOP = Provider("http://x", {"chat": "/chat"}, name="loop", prices="loop", free={"files": "page"})
PASS = Settings(unpriced="pass")
USED = Usage(input=20, output=7)
COST = 27_000
HALF_OFF = Commitment(1, "ann", "c", "loop", 0, 2**62, (), 500_000)


class FakeQuery:
    """As much of a query as its ending is made of."""

    def __init__(self, of: Ask, dialect: str = "chat", model: str = "m") -> None:
        self.id, self.now, self.ask = "q1", clock.wall(), of
        self.route = Route(LOOP, model, dialect)
        self.priced: Offer = offer(of, self.route, BOOK, self.now, PASS, None)
        self.began = 0

    def first_byte(self) -> int:
        return self.began

    def microseconds(self, moment: int) -> int:
        return 5 if moment == self.began else 9

    def losses(self) -> tuple[str, ...]:
        return ("shape seed", "x" * TEXT_MOST)


def ask(**fields: Any) -> Ask:
    return Ask(b"{}", {}, "m", **fields)


def end(
    query: FakeQuery, answer: Answer, status: int = 200, encoded: bool = False, *terms: Commitment
) -> Settle | Unresolved:
    ledger = SimpleNamespace(commitments={t.id: t for t in terms})
    app = cast(App, SimpleNamespace(book=BOOK, ledger=ledger))
    ending = ended(app, cast(Query, query), Head(status, b"", b"", encoded), answer)
    assert isinstance(ending, Settle | Unresolved) and ending.id == "q1"
    return ending


def settled(query: FakeQuery, answer: Answer, *terms: Commitment, status: int = 200) -> Settle:
    ending = end(query, answer, status, False, *terms)
    assert isinstance(ending, Settle)
    return ending


def reason(query: FakeQuery, answer: Answer, status: int = 200, encoded: bool = False) -> str:
    ending = end(query, answer, status, encoded)
    assert isinstance(ending, Unresolved)
    return ending.reason


def test_what_was_used_is_paid_and_told() -> None:
    ending = settled(FakeQuery(ask()), Answer(USED, "m-2026", "up" * TEXT_MOST))
    assert (ending.usd, ending.usage, ending.status) == (COST, USED, 200)
    assert (ending.answered_model, len(ending.upstream_id)) == ("m-2026", TEXT_MOST)
    assert ending.losses.startswith("shape seed, xx") and len(ending.losses) == TEXT_MOST


def test_without_a_first_byte_the_answer_s_end_is_its_moment() -> None:
    query = FakeQuery(ask())
    assert settled(query, Answer(USED)).first_byte_us == settled(query, Answer(USED)).total_us == 9
    query.began = 77
    assert settled(query, Answer(USED)).first_byte_us == 5


@pytest.mark.parametrize("status", [300, 400, 429, 500, 503, 529])
def test_a_provider_s_own_error_is_not_billed(status: int) -> None:
    assert settled(FakeQuery(ask()), Answer(USED), status=status).usd == 0


def test_why_it_ended_is_told_of_answers_and_not_of_errors() -> None:
    assert settled(FakeQuery(ask()), Answer(USED, finish="length")).finish == "length"
    failed = settled(FakeQuery(ask()), Answer(finish="error"), status=400)
    assert failed.finish == ""


@pytest.mark.parametrize("status", sorted(LOST_STATUSES))
def test_an_answer_that_somebody_between_lost_may_have_been_billed(status: int) -> None:
    assert reason(FakeQuery(ask()), Answer(), status) == "upstream_lost"


@pytest.mark.parametrize(("encoded", "why"), [(True, "usage_encoded"), (False, "usage_missing")])
def test_a_usage_that_is_not_told_is_not_nothing(encoded: bool, why: str) -> None:
    assert reason(FakeQuery(ask()), Answer(), 200, encoded) == why


@pytest.mark.parametrize("status", [200, *sorted(LOST_STATUSES)])
def test_the_provider_s_name_for_what_is_unresolved_is_kept(status: int) -> None:
    """An invoice that names requests may tell by it what the query cost."""
    ending = end(FakeQuery(ask()), Answer(None, "m-2026", "up" * TEXT_MOST), status)
    assert isinstance(ending, Unresolved)
    assert ending.upstream_id == ("up" * TEXT_MOST)[:TEXT_MOST]


def test_a_meter_without_a_price_leaves_the_cost_unknown() -> None:
    used = Usage(input=20, web_searches=1)
    assert reason(FakeQuery(ask()), Answer(used)) == "unpriced_model"


def test_what_passed_without_a_price_has_no_cost_that_anybody_knows() -> None:
    query = FakeQuery(ask(unbounded=("a picture",)))
    assert query.priced.unpriced == "unbounded"
    assert reason(query, Answer(USED)) == "unpriced"
    assert settled(query, Answer(USED), status=400).usd == 0, "but an error is not billed"


def test_what_a_request_says_it_uses_counts_where_the_answer_says_nothing() -> None:
    spoken = ask(makes_output=False, meters=("characters",), usage=Usage(characters=4))
    assert settled(FakeQuery(spoken, model="voice"), Answer()).usd == 4_000


def test_what_is_free_costs_nothing_whatever_its_answer_tells() -> None:
    query = FakeQuery(ask(makes_output=False), "files", "")
    assert settled(query, Answer(USED, options={"service_tier": "priority"})).usd == 0


@pytest.mark.parametrize(("served", "usd"), [("priority", 2 * COST), ("", COST)])
def test_the_tier_that_served_it_is_the_one_that_is_paid(served: str, usd: int) -> None:
    told = {"service_tier": served} if served else {}
    assert settled(FakeQuery(ask()), Answer(USED, options=told)).usd == usd


def test_a_contract_s_discount_is_taken_off_and_the_list_price_is_kept() -> None:
    ending = settled(FakeQuery(ask()), Answer(USED), HALF_OFF)
    assert (ending.usd, ending.list_usd) == (COST // 2, COST)
    assert settled(FakeQuery(ask()), Answer(USED)).list_usd is None


def test_what_is_unresolved_says_why_and_how_long_it_took() -> None:
    ending = unresolved(cast(Query, FakeQuery(ask())), "upstream_reset", 502)
    assert (ending.reason, ending.status, ending.total_us) == ("upstream_reset", 502, 9)


def test_what_a_provider_states_that_it_billed_is_the_cost_where_it_is_known_to() -> None:
    query, answer = FakeQuery(ask()), Answer(USED, stated=140_000)
    assert settled(query, answer).usd == COST, "of others it is a field like any other"
    told = msgspec.structs.replace(LOOP, states_cost=True)
    query.route = Route(told, "m", "chat")
    assert settled(query, answer).usd == 140_000
    assert settled(query, Answer(USED)).usd == COST
    discounted = settled(query, answer, HALF_OFF)
    assert (discounted.usd, discounted.list_usd) == (140_000, None), "a bill has its discounts"
