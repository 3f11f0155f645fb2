"""Organisations, teams and projects from the command line."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.support.gateway import RunningGateway


def test_scopes_are_made_within_each_other_and_listed_with_their_keys(cli: Cli) -> None:
    assert cli("scopes", "create", "org:acme").stdout == "org:acme is made\n"
    told = values(cli("scopes", "create", "team:search", "--in", "org:acme", "--json"))
    assert told == [{"scope": "team:search", "in": "org:acme"}]
    cli("scopes", "create", "project:faq", "--in", "team:search")
    cli("keys", "create", "app", "--in", "project:faq")
    gone = values(cli("keys", "create", "old", "--in", "team:search", "--json"))[0]
    cli("keys", "revoke", gone["id"])
    nothing = {"spent_usd": "0", "held_usd": "0"}
    assert values(cli("scopes", "list", "--json"))[0] == [
        {"scope": "org:acme", "in": None, "keys": 1, **nothing},
        {"scope": "project:faq", "in": "team:search", "keys": 1, **nothing},
        {"scope": "team:search", "in": "org:acme", "keys": 1, **nothing},
    ]
    lines = [line.split() for line in cli("scopes", "list").stdout.splitlines()]
    assert lines[0] == ["Scope", "In", "Keys", "Spent", "$", "Held", "$"]
    assert lines[1] == ["org:acme", "–", "1", "0", "0"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("foo",), "'foo' is no scope; write org:, team: or project: and a name"),
        (("user:ann",), "'user:ann' is no scope; write org:, team: or project:"),
        (("team:*",), "'team:*' is no scope"),
        (("team:a", "--in", "org:x"), "there is no org:x; `farthing scopes create org:x` makes it"),
        (("org:b", "--in", "org:acme"), "org can belong to nothing, not to org:acme"),
        (("team:b", "--in", "team:a"), "team can belong to org, not to team:a"),
        (("org:acme",), "there is one of that name already; `farthing scopes list` shows them"),
    ],
)
def test_what_is_no_scope(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    cli("scopes", "create", "org:acme")
    if arguments[0] != "team:a":
        cli("scopes", "create", "team:a")
    assert said in one_line(cli("scopes", "create", *arguments, status=1))


def test_no_scope_is_a_sentence(cli: Cli) -> None:
    said = "there is no scope yet; `farthing scopes create` makes one\n"
    assert cli("scopes", "list").stdout == said


def test_what_a_key_spends_its_whole_lineage_spends(
    cli: Cli, shared_gateway: RunningGateway
) -> None:
    data = ("--data", str(shared_gateway.data.root))
    cli("scopes", "create", "org:o", *data)
    cli("scopes", "create", "project:p", "--in", "org:o", *data)
    key = cli("keys", "create", "app", "--in", "project:p", *data).stdout.strip()
    assert shared_gateway.chat(key).status == 200
    rows = values(cli("scopes", "list", "--json", *data))[0]
    assert {row["scope"]: row["spent_usd"] for row in rows} == {
        "org:o": "0.000027",
        "project:p": "0.000027",
    }
