"""Keys from the command line, with and without a running gateway."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.support.gateway import RunningGateway, entries

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
        (("create", "app", "--expires", "99999999d"), "write 12h, 30d or 8w"),
        (("create", "app", "--tokens", "-1"), "--tokens: -1 is not a number from 0 to 9223372036"),
        (("create", "app", "--tokens", str(2**63)), "is not a number from 0 to 9223372036"),
        (("create", "app", "--per", "day"), "--per is of --usd or --tokens: name one of them"),
        (
            ("create", "app", "--usd", "1", "--per", "week"),
            "'week' is no window; write one of ever",
        ),
        (("create", " "), "NAME: it is empty; say it in a few words"),
    ],
)
def test_a_value_that_cannot_be_meant(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    assert said in one_line(cli("keys", *arguments, status=2))
    assert values(cli("keys", "list", "--json")) == [[]]


def test_a_key_of_a_scope_that_is_not_there_leaves_nothing_behind(cli: Cli, folder: Path) -> None:
    said = one_line(cli("keys", "create", "app", "--usd", "5", "--in", "team:x", status=1))
    assert said == "farthing: there is no team:x; `farthing scopes create team:x` makes it"
    assert not [e for e in entries(DataFolder(folder)) if isinstance(e, Key | Limit)]


def test_what_a_key_is_limited_to_is_told_with_its_window(cli: Cli) -> None:
    cli("scopes", "create", "team:search")
    amounts = ("--usd", "5", "--tokens", "9000", "--per", "day", "--max-cost", "0.01")
    public = values(cli("keys", "create", "[app]", *amounts, "--in", "team:search", "--json"))
    key = f"key:{public[0]['id']}"
    cli("limits", "set", key, "--concurrent", "3", "--soft")
    row = values(cli("keys", "list", "--json"))[0][0]
    assert (row["in"], row["limit_usd"], row["limit_tokens"]) == ("team:search", None, None)
    assert row["limits"] == [
        {"unit": "concurrent", "window": "ever", "limit": 3, "soft": True},
        {"unit": "usd", "window": "day", "limit": "5", "soft": False},
        {"unit": "tokens", "window": "day", "limit": 9000, "soft": False},
    ]
    printed = cli("keys", "list").stdout
    assert "[app]" in printed
    assert "3 open requests (warns), $5 a day, 9000 tokens a day, $0.01 a query" in printed


def test_a_key_is_changed_and_keeps_what_is_not_named(cli: Cli) -> None:
    cli("scopes", "create", "team:search")
    made = values(cli("keys", "create", "app", "--max-cost", "1", "--expires", "1h", "--json"))[0]

    def changed(*arguments: str) -> tuple[str, str | None, str | None, bool]:
        assert "is changed" in cli("keys", "change", made["key"], *arguments).stdout
        row = values(cli("keys", "list", "--json"))[0][0]
        return row["name"], row["in"], row["max_cost_usd"], row["expires"] is not None

    assert changed("--in", "team:search") == ("app", "team:search", "1", True)
    assert changed("--name", "web") == ("web", "team:search", "1", True)
    assert changed("--max-cost", "none") == ("web", "team:search", None, True)
    assert changed("--expires", "never") == ("web", "team:search", None, False)
    assert changed("--in", "none", "--max-cost", "2") == ("web", None, "2", False)


def test_what_cannot_be_changed(cli: Cli) -> None:
    public = values(cli("keys", "create", "app", "--json"))[0]["id"]
    said = one_line(cli("keys", "change", public, status=2))
    assert "say what to change: --name, --max-cost, --expires or --in" in said
    said = one_line(cli("keys", "change", public, "--in", "team:x", status=1))
    assert "there is no team:x; `farthing scopes create team:x` makes it" in said
    said = one_line(cli("keys", "change", "abc", "--name", "b", status=1))
    assert "there is no key abc; `farthing keys list` shows them" in said
    cli("keys", "revoke", public)
    said = one_line(cli("keys", "change", public, "--name", "b", status=1))
    assert f"{public} is revoked, for good; `farthing keys create` makes another" in said


def test_no_key_is_a_sentence(cli: Cli) -> None:
    assert cli("keys", "list").stdout == "there is no key; `farthing keys create` makes one\n"


def test_a_key_that_is_moved_beside_a_running_gateway_spends_from_its_new_team(
    cli: Cli, shared_gateway: RunningGateway
) -> None:
    data = ("--data", str(shared_gateway.data.root))
    cli("scopes", "create", "team:frugal", *data)
    cli("limits", "set", "team:frugal", "--usd", "0", *data)
    made = values(cli("keys", "create", "moved", "--json", *data))[0]
    assert shared_gateway.chat(made["key"]).status == 200
    cli("keys", "change", made["id"], "--in", "team:frugal", *data)
    refused = shared_gateway.chat(made["key"])
    assert (refused.status, refused.headers["farthing-error"]) == (402, "limit_reached")
    cli("keys", "change", made["id"], "--in", "none", *data)
    assert shared_gateway.chat(made["key"]).status == 200


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
