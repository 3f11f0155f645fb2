"""Limits from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.support.gateway import RunningGateway, entries

from farthing.ledger.entry import Limit
from farthing.paths import DataFolder


def test_limits_are_set_listed_and_lifted(cli: Cli) -> None:
    cli("scopes", "create", "team:search")
    said = cli("limits", "set", "team:search", "--usd", "100", "--requests", "9", "--per", "month")
    assert said.stdout == "team:search is limited to $100 a month and 9 requests a month\n"
    told = values(cli("limits", "set", "team:search", "--usd", "2.5", "--json"))[0]
    assert told == {
        "scope": "team:search", "limits": {"usd": "2.5"}, "window": "ever", "soft": False
    }  # fmt: skip
    rows = values(cli("limits", "list", "--json"))[0]
    assert [(r["unit"], r["window"], r["limit"], r["left"]) for r in rows] == [
        ("usd", "ever", "2.5", "2.5"),
        ("usd", "month", "100", "100"),
        ("requests", "month", 9, 9),
    ]
    assert [r["refills"] is None for r in rows] == [True, False, False]
    assert rows[1]["refills"].endswith("-01T00:00:00.000Z")
    printed = cli("limits", "list").stdout.splitlines()
    assert printed[0].split()[:7] == ["Scope", "Unit", "Per", "Limit", "Spent", "Held", "Left"]
    assert f"{rows[1]['refills'][:10]} 00:00  refuses" in printed[2]
    lifted = cli("limits", "lift", "team:search", "usd", "--per", "month")
    assert lifted.stdout == "team:search has no limit of usd --per month any more\n"
    rows = values(cli("limits", "list", "--json"))[0]
    assert [(r["unit"], r["window"]) for r in rows] == [("usd", "ever"), ("requests", "month")]


def test_a_star_is_each_by_itself_and_listed_for_one(cli: Cli) -> None:
    said = cli("limits", "set", "user:*", "--usd", "1", "--per", "day", "--soft").stdout
    assert said == "user:* warns at $1 a day\n"
    cli("limits", "set", "user:ann", "--tokens", "5", "--per", "hour")
    rows = values(cli("limits", "list", "--json"))[0]
    assert [(r["scope"], r["spent"], r["left"]) for r in rows] == [
        ("user:*", None, None),
        ("user:ann", 0, 5),
    ]
    rows = values(cli("limits", "list", "user:ann", "--json"))[0]
    assert [(r["scope"], r["unit"], r["left"], r["kind"]) for r in rows] == [
        ("user:ann", "usd", "1", "warns"),
        ("user:ann", "tokens", 5, "refuses"),
    ]
    cli("limits", "set", "user:ann", "--usd", "3", "--per", "day")
    rows = values(cli("limits", "list", "user:ann", "--json"))[0]
    assert [(r["limit"], r["kind"]) for r in rows] == [("3", "refuses"), (5, "refuses")]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 2, "name an amount: --usd, --tokens, --requests or --concurrent"),
        (("--usd", "much"), 2, "--usd: 'much' is not a decimal number of dollars"),
        (("--requests", "-1"), 2, "--requests: -1 is not a number from 0 to"),
        (("--usd", "1", "--per", "week"), 2, "--per: 'week' is no window; write one of ever"),
        (("--concurrent", "1", "--per", "day"), 2, "it has no window; set it by itself, without"),
        (("--usd", "1"), 1, "there is no team:x; `farthing scopes create team:x` makes it"),
    ],
)
def test_a_limit_that_cannot_be_meant(
    cli: Cli, folder: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    assert said in one_line(cli("limits", "set", "team:x", *arguments, status=status))
    assert values(cli("limits", "list", "--json")) == [[]]


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("key:abc", "there is no key abc; `farthing keys list` shows them"),
        ("foo:bar", "'foo:bar' is no scope; write one of org, team, project, key"),
        ("foo", "'foo' is no scope"),
        ("provider:nobody", "there is no provider nobody"),
    ],
)
def test_a_scope_that_no_query_passes(cli: Cli, scope: str, said: str) -> None:
    assert said in one_line(cli("limits", "set", scope, "--usd", "1", status=1))
    assert values(cli("limits", "list", "--json")) == [[]]


def test_lifting_what_is_not_there_says_what_is(cli: Cli) -> None:
    cli("limits", "set", "user:ann", "--usd", "1", "--per", "day")
    said = one_line(cli("limits", "lift", "user:ann", "usd", status=1))
    assert "user:ann has no limit of usd --per ever; it has: usd --per day" in said
    said = one_line(cli("limits", "lift", "user:bob", "usd", status=1))
    assert "user:bob has no limit of usd --per ever; it has: none at all" in said
    said = one_line(cli("limits", "lift", "user:ann", "dollars", status=2))
    assert "'dollars' is no unit; write one of usd, tokens, requests, concurrent" in said


def test_a_limit_can_be_lifted_after_its_provider_is_gone(cli: Cli, folder: Path) -> None:
    """What stands in the ledger is found as it stands there."""
    mine = Path("mine.toml")
    mine.write_text(
        '[providers.mine]\nbase_url = "http://127.0.0.1:9"\nauth = "none"\n'
        'dialects = { chat = "/chat" }\n'
    )
    cli("limits", "set", "provider:mine", "--requests", "1", "--config", str(mine))
    cli("limits", "lift", "provider:mine", "requests")
    lifted = [e.amount for e in entries(DataFolder(folder)) if isinstance(e, Limit)]
    assert lifted == [1, None]


def test_no_limit_is_a_sentence(cli: Cli) -> None:
    said = "there is no limit on anything; `farthing limits set` sets one\n"
    assert cli("limits", "list").stdout == said


def test_limits_on_a_running_gateway(cli: Cli, shared_gateway: RunningGateway) -> None:
    data = ("--data", str(shared_gateway.data.root))
    config = ("--config", str(shared_gateway.folder / "farthing.toml"))
    key = shared_gateway.key()
    cli("limits", "set", "tag:nightly", "--requests", "1", "--per", "hour", *data)
    cli("limits", "set", "model:fake/echo", "--usd", "0", "--soft", *data, *config)
    answer = shared_gateway.chat(key, headers={"farthing_tags": "nightly, other"})
    assert answer.status == 200
    assert answer.headers["farthing-warning"].startswith("model:fake/echo is at $0.0")
    refused = shared_gateway.chat(key, headers={"farthing_tags": "nightly"})
    assert (refused.status, refused.headers["farthing-error"]) == (429, "rate_limited")
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert shared_gateway.chat(key).status == 200
    row = values(cli("limits", "list", "tag:nightly", "--json", *data))[0][0]
    assert (row["spent"], row["held"], row["left"]) == (1, 0, 0)
    row = values(cli("limits", "list", "model:fake/echo", "--json", *data))[0][0]
    assert (row["spent"], row["left"], row["kind"]) == ("0.000054", "-0.000054", "warns")
    cli("limits", "lift", "tag:nightly", "requests", "--per", "hour", *data)
    assert shared_gateway.chat(key, headers={"farthing_tags": "nightly"}).status == 200


def test_each_user_has_the_limit_of_all(cli: Cli, shared_gateway: RunningGateway) -> None:
    data = ("--data", str(shared_gateway.data.root))
    key = shared_gateway.key()
    cli("limits", "set", "user:*", "--requests", "1", *data)
    assert shared_gateway.chat(key, headers={"farthing_user": "ann"}).status == 200
    refused = shared_gateway.chat(key, user="ann")
    assert (refused.status, refused.headers["farthing-error"]) == (402, "limit_reached")
    assert "The user ann has a limit of 1 requests" in refused.json["error"]["message"]
    assert shared_gateway.chat(key, user="bob").status == 200
    row = values(cli("limits", "list", "user:ann", "--json", *data))[0][0]
    assert (row["spent"], row["left"]) == (1, 0)
