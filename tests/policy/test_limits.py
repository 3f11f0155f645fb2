"""What a refusal of the ledger's means to the one who asked."""

from __future__ import annotations

import pytest

from farthing.errors import CODES
from farthing.ledger.entry import Key, Refusal
from farthing.policy.limits import explain

KEY = Key(0, "ada", "k1", "an app", b"")


def test_a_limit_in_dollars_is_explained_with_every_figure() -> None:
    refusal = Refusal(
        "limit_reached", "key:k1", "usd", 5 * 10**9, 3 * 10**9, 500_000_000, 1_600_000_000
    )
    problem = explain(refusal, KEY)
    assert (problem.code, problem.status) == ("limit_reached", 402)
    for words in (
        "The key k1 (an app) has a limit of $5:",
        "$3 is spent",
        "$0.5 is held",
        "$1.5 is left",
        "can cost up to $1.6",
        "It was not sent.",
        "Ask for less output (max_tokens)",
    ):
        assert words in problem.message


def test_a_limit_in_tokens_is_explained_in_tokens() -> None:
    problem = explain(Refusal("limit_reached", "key:k1", "tokens", 1000, 700, 100, 201), KEY)
    for words in ("limit of 1000 tokens", "700 tokens is spent", "200 tokens is left"):
        assert words in problem.message
    assert "$" not in problem.message


def test_what_cannot_be_priced_is_told_which_limit_forbids_it() -> None:
    problem = explain(Refusal("unpriced_under_limit", "key:k1", "tokens", 1000), KEY)
    assert (problem.code, problem.status) == ("unpriced_under_limit", 402)
    for words in ("The key k1 (an app) has a limit in tokens", "not sent", "a key without limits"):
        assert words in problem.message


def test_a_limit_is_not_worth_a_retry_by_itself() -> None:
    assert explain(Refusal("limit_reached", "key:k1", "usd"), KEY).retry_after is None


@pytest.mark.parametrize("code", ["unknown_key", "revoked_key", "expired_key"])
def test_a_key_that_closed_in_the_meantime_is_refused_as_such(code: str) -> None:
    problem = explain(Refusal(code), KEY)
    assert (problem.code, problem.status) == (code, 401)
    assert "The key k1 (an app) no longer opens." in problem.message


def test_a_full_disk_says_what_its_operator_must_do() -> None:
    problem = explain(Refusal("journal_full"), KEY)
    assert (problem.code, problem.status, problem.retry_after) == ("journal_full", 503, 1)
    assert "free space in the data folder" in problem.message


@pytest.mark.parametrize("code", ["ledger_unavailable", "duplicate", "not_open", "unheard_of", ""])
def test_whatever_else_the_ledger_says_nothing_is_sent(code: str) -> None:
    problem = explain(Refusal(code), KEY)
    assert (problem.code, problem.status, problem.retry_after) == ("ledger_unavailable", 503, 1)
    assert "was not sent and costs nothing" in problem.message


@pytest.mark.parametrize("code", ["limit_reached", "journal_full", "revoked_key", "anything"])
def test_every_explanation_is_an_error_of_the_table(code: str) -> None:
    assert explain(Refusal(code), KEY).code in CODES
