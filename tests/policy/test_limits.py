"""What a refusal of the ledger's means to the one who asked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from farthing.clock import SECOND
from farthing.errors import CODES
from farthing.ledger.entry import Key, Refusal, Warned
from farthing.ledger.meter import UNITS
from farthing.ledger.window import WINDOWS
from farthing.policy.limits import explain, warning

KEY = Key(0, "ada", "k1", "an app", b"")
NOW = int(datetime(2026, 11, 23, 15, tzinfo=UTC).timestamp()) * SECOND
DAY = 24 * 3600 * SECOND


def reached(
    unit: str = "usd", window: str = "ever", refills: int | None = None, scope: str = "key:k1"
) -> Refusal:
    """Five of something: three are spent, half of one held, and 1.6 are wanted."""
    nano = 10**9 if unit == "usd" else 10
    return Refusal(
        "limit_reached",
        scope,
        unit,
        5 * nano,
        3 * nano,
        nano // 2,
        8 * nano // 5,
        window,
        refills,
    )


# -- sentences --------------------------------------------------------------------------------


def test_a_limit_in_dollars_is_explained_with_every_figure() -> None:
    problem = explain(reached(), KEY, NOW)
    assert (problem.code, problem.status) == ("limit_reached", 402)
    assert problem.message == (
        "The key k1 (an app) has a limit of $5: $3 is spent, $0.5 is held by queries that are "
        "still open, and $1.5 is left, while this query can cost up to $1.6. It was not sent. "
        "Ask for less output (max_tokens), wait for open queries to end, or have the limit raised."
    )


def test_a_limit_in_tokens_is_explained_in_tokens() -> None:
    problem = explain(reached("tokens"), KEY, NOW)
    assert (problem.code, problem.status) == ("limit_reached", 402)
    assert problem.message == (
        "The key k1 (an app) has a limit of 50 tokens: 30 tokens is spent, 5 tokens is held by "
        "queries that are still open, and 15 tokens is left, while this query can cost up to 16 "
        "tokens. It was not sent. Ask for less output (max_tokens), wait for open queries to end, "
        "or have the limit raised."
    )


def test_a_limit_of_requests_is_not_helped_by_less_output() -> None:
    told = (
        "The key k1 (an app) has a limit of 50 requests{}: 30 requests is spent, 5 requests is "
        "held by queries that are still open, and 15 requests is left. It was not sent. {}"
    )
    refills = NOW + 90 * SECOND
    assert explain(reached("requests"), KEY, NOW).message == told.format(
        "", "Wait for open queries to end, or have the limit raised."
    )
    assert explain(reached("requests", "hour", refills), KEY, NOW).message == told.format(
        " an hour", "It refills at 2026-11-23T15:01:30.000Z; wait until then, or have it raised."
    )


def test_a_limit_of_open_requests_says_how_many_are_open() -> None:
    assert explain(reached("concurrent"), KEY, NOW).message == (
        "The key k1 (an app) has a limit of 50 open requests, and 5 are open. It was not sent. "
        "Wait for open queries to end, or have the limit raised."
    )


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("ever", "a limit of $5: "),
        ("month", "a limit of $5 a month: "),
        ("day", "a limit of $5 a day: "),
        ("hour", "a limit of $5 an hour: "),
        ("minute", "a limit of $5 a minute: "),
    ],
)
def test_a_limit_of_a_window_says_which(window: str, words: str) -> None:
    assert words in explain(reached(window=window), KEY, NOW).message


def test_a_limit_that_refills_says_when() -> None:
    message = explain(reached("tokens", "day", NOW + 9 * 3600 * SECOND), KEY, NOW).message
    assert message.endswith(
        " It was not sent. It refills at 2026-11-24T00:00:00.000Z; ask for less output "
        "(max_tokens), or have it raised."
    )


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("key:k1", "The key k1 (an app) has"),
        ("key:other", "The key other has"),
        ("org:acme", "The org acme has"),
        ("team:a:b", "The team a:b has"),
        ("project:search", "The project search has"),
        ("user:ann", "The user ann has"),
        ("model:acme/m", "The model acme/m has"),
        ("provider:acme", "The provider acme has"),
        ("route:fast", "The route fast has"),
        ("tag:blue", "The tag blue has"),
    ],
)
def test_the_scope_whose_limit_it_is_is_named(scope: str, words: str) -> None:
    for refusal in (reached(scope=scope), reached("concurrent", scope=scope)):
        assert explain(refusal, KEY, NOW).message.startswith(words)


def test_less_than_nothing_is_left_as_nothing() -> None:
    lowered = Refusal("limit_reached", "key:k1", "usd", 10**9, 2 * 10**9, 0, 1)
    assert "and $0 is left" in explain(lowered, KEY, NOW).message


# -- 402 against 429 --------------------------------------------------------------------------


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("unit", UNITS)
def test_money_is_402_and_what_comes_back_soon_is_429(unit: str, window: str) -> None:
    rate = unit == "concurrent" or (unit != "usd" and window != "ever")
    problem = explain(reached(unit, window), KEY, NOW)
    expected = ("rate_limited", 429) if rate else ("limit_reached", 402)
    assert (problem.code, problem.status) == expected


@pytest.mark.parametrize("unit", ["usd", "tokens", "requests"])
@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        (-5 * SECOND, 1),
        (0, 1),
        (1, 1),
        (SECOND, 1),
        (SECOND + 1, 2),
        (61 * SECOND - 1, 61),
        (61 * SECOND, 61),
        (DAY - 1, 86_400),
        (DAY, 86_400),
        (DAY + 1, None),
        (8 * DAY, None),
    ],
)
def test_a_retry_is_worth_it_at_the_second_when_it_refills(
    unit: str, wait: int, seconds: int | None
) -> None:
    assert explain(reached(unit, "day", NOW + wait), KEY, NOW).retry_after == seconds


@pytest.mark.parametrize("unit", ["usd", "tokens", "requests"])
def test_a_limit_that_does_not_refill_is_not_worth_a_retry_by_itself(unit: str) -> None:
    assert explain(reached(unit), KEY, NOW).retry_after is None
    assert explain(reached(unit, "day", NOW + 1), KEY).retry_after is None, "when is now?"


def test_open_requests_end_soon() -> None:
    assert explain(reached("concurrent"), KEY, NOW).retry_after == 1


# -- credit, and routes that are shut ---------------------------------------------------------


def test_a_credit_that_is_used_up_says_what_is_left() -> None:
    refusal = Refusal("credit_exhausted", "team:a", "usd", 1_500_000_000, wanted=2_000_000_000)
    problem = explain(refusal, KEY, NOW)
    assert (problem.code, problem.status, problem.retry_after) == ("credit_exhausted", 402, None)
    assert problem.message == (
        "The team a is prepaid and has $1.5 of credit left, while this query can cost up to $2. "
        "It was not sent. Ask for less output (max_tokens), or have the credit topped up."
    )


def test_a_credit_that_is_owed_is_none() -> None:
    refusal = Refusal("credit_exhausted", "team:a", "usd", -5, wanted=1)
    assert "has $0 of credit left" in explain(refusal, KEY, NOW).message


def test_a_route_that_billed_too_much_says_how_it_is_opened_again() -> None:
    problem = explain(Refusal("route_tripped", "model:acme/maker/m:1"), KEY, NOW)
    assert (problem.code, problem.status) == ("route_tripped", 503)
    assert problem.message.startswith("acme/maker/m:1 billed more than the bound")
    assert "`farthing holds reset acme/maker/m:1`" in problem.message


def test_what_cannot_be_priced_is_told_which_limit_forbids_it() -> None:
    problem = explain(Refusal("unpriced_under_limit", "key:k1", "tokens", 1000), KEY)
    assert (problem.code, problem.status) == ("unpriced_under_limit", 402)
    for words in ("The key k1 (an app) has a limit in tokens", "not sent", "a key without limits"):
        assert words in problem.message


# -- the rest ---------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["unknown_key", "revoked_key", "expired_key"])
def test_a_key_that_closed_in_the_meantime_is_refused_as_such(code: str) -> None:
    problem = explain(Refusal(code), KEY)
    assert (problem.code, problem.status) == (code, 401)
    assert "The key k1 (an app) no longer opens." in problem.message


def test_a_full_disk_says_what_its_operator_must_do() -> None:
    problem = explain(Refusal("journal_full"), KEY)
    assert (problem.code, problem.status, problem.retry_after) == ("journal_full", 503, 1)
    assert "free space in the data folder" in problem.message


@pytest.mark.parametrize(
    "code", ["ledger_unavailable", "duplicate", "not_open", "stale_path", "unheard_of", ""]
)
def test_whatever_else_the_ledger_says_nothing_is_sent(code: str) -> None:
    problem = explain(Refusal(code), KEY)
    assert (problem.code, problem.status, problem.retry_after) == ("ledger_unavailable", 503, 1)
    assert "was not sent and costs nothing" in problem.message


@pytest.mark.parametrize(
    "code",
    ["limit_reached", "credit_exhausted", "route_tripped", "journal_full", "revoked_key", "any"],
)
def test_every_explanation_is_an_error_of_the_table(code: str) -> None:
    assert explain(Refusal(code), KEY).code in CODES


# -- soft limits ------------------------------------------------------------------------------


def warned(unit: str, window: str, scope: str = "team:a") -> Warned:
    nano = 10**9 if unit == "usd" else 1
    return Warned(1, "q1", scope, unit, window, 5 * nano, 6 * nano)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (warned("usd", "month"), "team:a is at $6 of $5 a month"),
        (warned("usd", "ever"), "team:a is at $6 of $5"),
        (warned("tokens", "day", "user:u"), "user:u is at 6 tokens of 5 tokens a day"),
        (warned("requests", "minute"), "team:a is at 6 requests of 5 requests a minute"),
        (warned("concurrent", "ever"), "team:a is at 6 open requests of 5 open requests"),
    ],
)
def test_a_soft_limit_that_was_passed_is_told_in_a_line(told: Warned, words: str) -> None:
    assert warning(told) == words
