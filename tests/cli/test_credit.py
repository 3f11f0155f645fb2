"""Prepaid credit from the command line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.support.gateway import RunningGateway

from farthing import clock
from farthing.ledger import admin
from farthing.ledger.entry import TopUp
from farthing.paths import DataFolder


def test_credit_is_added_and_listed_by_its_end(cli: Cli) -> None:
    cli("scopes", "create", "team:search")
    said = cli("credits", "add", "team:search", "5", "--note", "INV-1").stdout
    assert said.startswith("team:search has $5 more (")
    assert said.endswith("; it is prepaid from now on: beyond its credit it is refused\n")
    told = values(cli("credits", "add", "team:search", "$2.5", "--expires", "90d", "--json"))[0]
    assert (told["scope"], told["usd"], told["first"]) == ("team:search", "2.5", False)
    rows = values(cli("credits", "list", "--json"))[0]
    assert [(r["usd"], r["left"], r["held"], r["state"]) for r in rows] == [
        ("2.5", "2.5", "0", "open"),
        ("5", "5", "0", "open"),
    ]
    assert rows[0]["id"] == told["id"]
    assert rows[1]["expires"] is None
    assert rows[0]["expires"][:16].replace("T", " ") in cli("credits", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("user:*", "5"), 1, "credit belongs to one scope; name it"),
        (("user:ann", "0"), 1, "a top-up is an amount above nothing"),
        (("user:ann", "much"), 2, "DOLLARS: 'much' is not a decimal number"),
        (("user:ann", "5", "--expires", "soon"), 2, "--expires: 'soon' is neither a day nor a"),
        (("user:ann", "5", "--expires", "2020-01-01"), 2, "--expires: 2020-01-01 is over"),
        (("team:x", "5"), 1, "there is no team:x; `farthing scopes create team:x` makes it"),
        (("key:abc", "5"), 1, "there is no key abc; `farthing keys list` shows them"),
        (("foo", "5"), 1, "'foo' is no scope"),
    ],
)
def test_credit_that_cannot_be_meant(
    cli: Cli, arguments: tuple[str, ...], status: int, said: str
) -> None:
    assert said in one_line(cli("credits", "add", *arguments, status=status))
    assert values(cli("credits", "list", "--json")) == [[]]


def test_no_credit_is_a_sentence(cli: Cli) -> None:
    said = "there is no credit; `farthing credits add` adds some\n"
    assert cli("credits", "list").stdout == said


def test_credit_whose_time_is_over_is_listed_as_such(cli: Cli, folder: Path) -> None:
    now = clock.wall()
    old = TopUp(now - 9, "ann", "old", "user:ann", 5, now - 1)
    assert asyncio.run(admin.record(DataFolder(folder), [old])) == [None]
    assert values(cli("credits", "list", "--json"))[0][0]["state"] == "expired"


def test_a_prepaid_key_spends_its_credit_or_nothing(
    cli: Cli, shared_gateway: RunningGateway
) -> None:
    data = ("--data", str(shared_gateway.data.root))
    made = values(cli("keys", "create", "prepaid", "--json", *data))[0]
    cli("credits", "add", f"key:{made['key']}", "0.1", "--expires", "1h", *data)
    assert shared_gateway.chat(made["key"], max_tokens=9).status == 200
    row = values(cli("credits", "list", "--json", *data))[0][0]
    assert (row["scope"], row["left"]) == (f"key:{made['id']}", "0.099973")
    refused = shared_gateway.chat(made["key"], max_tokens=200_000)
    assert (refused.status, refused.headers["farthing-error"]) == (402, "credit_exhausted")
