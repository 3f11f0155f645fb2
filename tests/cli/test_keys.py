"""Keys from the command line, with and without a running gateway."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Cli, values
from tests.support.gateway import RunningGateway, entries
from typer.testing import Result

from farthing.ledger.entry import Key, Limit
from farthing.ledger.journal import FIRST_SEGMENT
from farthing.paths import DataFolder


def test_a_key_is_shown_once_and_kept_nowhere(cli: Cli, folder: Path) -> None:
    text = cli("keys", "create", "app").stdout.strip()
    assert text.startswith("fk_")
    secret = text.rpartition("_")[2].encode()
    assert secret not in (folder / "journal" / FIRST_SEGMENT).read_bytes()
    assert text not in cli("keys", "list", "--json").stdout


def test_limits_are_recorded_before_the_key_opens(cli: Cli, folder: Path) -> None:
    cli("keys", "create", "app", "--usd", "2.50", "--tokens", "1000", "--max-cost", "$0.01")
    made = [e for e in entries(DataFolder(folder)) if isinstance(e, Key | Limit)]
    assert [type(e) for e in made] == [Limit, Limit, Key]
    row = values(cli("keys", "list", "--json"))[0][0]
    assert (row["limit_usd"], row["limit_tokens"], row["max_cost_usd"]) == ("2.5", 1000, "0.01")
    assert (row["spent_usd"], row["held_usd"], row["state"]) == ("0", "0", "open")


def test_a_revoked_key_is_listed_as_such(cli: Cli) -> None:
    public = values(cli("keys", "create", "app", "--json"))[0]["id"]
    assert "is revoked" in cli("keys", "revoke", public).stdout
    assert values(cli("keys", "list", "--json"))[0][0]["state"] == "revoked"
    assert "revoked" in cli("keys", "list").stdout


def test_an_expired_key_is_listed_as_such(cli: Cli) -> None:
    row = values(cli("keys", "create", "app", "--expires", "1h", "--json"))[0]
    listed = values(cli("keys", "list", "--json"))[0][0]
    assert (listed["id"], listed["state"]) == (row["id"], "open")
    assert listed["expires"] > listed["made"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "app", "--usd", "much"), "--usd: 'much' is not a decimal number"),
        (("create", "app", "--usd", "-1"), "--usd: -1 is not an amount"),
        (("create", "app", "--max-cost", "0.0000000001"), "more than nine decimals"),
        (("create", "app", "--expires", "soon"), "write 12h, 30d or 8w"),
    ],
)
def test_a_value_that_cannot_be_meant(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    assert said in one_line(cli("keys", *arguments, status=2))
    assert values(cli("keys", "list", "--json")) == [[]]


def one_line(result: Result) -> str:
    return " ".join(result.stderr.split())


def test_revoking_what_is_not_there(cli: Cli) -> None:
    assert "there is no key abc" in one_line(cli("keys", "revoke", "abc", status=1))


def test_a_key_made_beside_a_running_gateway_opens_at_once(
    cli: Cli, shared_gateway: RunningGateway
) -> None:
    data = ("--data", str(shared_gateway.data.root))
    text = cli("keys", "create", "beside", *data).stdout.strip()
    assert shared_gateway.chat(text).status == 200
    cli("keys", "revoke", text, *data)
    refused = shared_gateway.chat(text)
    assert (refused.status, refused.headers["farthing-error"]) == (401, "revoked_key")
