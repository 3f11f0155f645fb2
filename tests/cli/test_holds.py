"""What needs a hand: queries whose cost nobody knows, models that billed too much."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.support.gateway import RunningGateway


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("resolve", "q", "--usd", "1", "--evidence", " "), 2, "--evidence: it is empty; say it"),
        (("resolve", "q", "--usd", "x", "--evidence", "e"), 2, "--usd: 'x' is not a decimal"),
        (
            ("resolve", "q", "--usd", "1", "--evidence", "e", "--tokens", "-1"),
            2,
            "--tokens: -1 is not a number from 0",
        ),
        (
            ("resolve", "q", "--usd", "1", "--evidence", "e"),
            1,
            "that query is not unresolved; `farthing holds list` shows all that are",
        ),
        (("write-off", "q", "--reason", ""), 2, "--reason: it is empty; say it in a few words"),
        (
            ("write-off", "q", "--reason", "lost"),
            1,
            "that query is not unresolved; `farthing holds list` shows all that are",
        ),
        (("reset", "a/b"), 1, "that model is not tripped; `farthing holds list` shows all that"),
        (("reset", "a"), 1, "that model is not tripped"),
    ],
)
def test_what_is_not_there(cli: Cli, arguments: tuple[str, ...], status: int, said: str) -> None:
    assert said in one_line(cli("holds", *arguments, status=status))


def test_nothing_to_do_is_a_sentence(cli: Cli) -> None:
    assert cli("holds", "list").stdout == "no query is unresolved\n"
    assert values(cli("holds", "list", "--json")) == [{"unresolved": [], "tripped": []}]


def test_unresolved_queries_are_settled_from_evidence_or_written_off(
    cli: Cli, shared_gateway: RunningGateway
) -> None:
    data = ("--data", str(shared_gateway.data.root))
    made = values(cli("keys", "create", "app", "--json", *data))[0]
    billed, lost = (shared_gateway.chat(made["key"], "no-usage").query for _ in range(2))
    rows = values(cli("holds", "list", "--json", *data))[0]["unresolved"]
    assert [(r["id"], r["key"], r["model"]) for r in rows] == [
        (billed, made["id"], "fake/no-usage"),
        (lost, made["id"], "fake/no-usage"),
    ]
    printed = cli("holds", "list", *data).stdout
    assert billed in printed and rows[0]["began"][:16].replace("T", " ") in printed
    evidence = ("--usd", "0.002", "--tokens", "40", "--evidence", "invoice 7")
    said = cli("holds", "resolve", billed, *evidence, *data).stdout
    assert said == f"{billed} is settled at $0.002\n"
    said = cli("holds", "write-off", lost, "--reason", "not on invoice 7", *data).stdout
    assert said == f"{lost} is written off\n"
    assert values(cli("holds", "list", "--json", *data))[0]["unresolved"] == []
    mine = next(r for r in values(cli("keys", "list", "--json", *data))[0] if r["id"] == made["id"])
    assert (mine["spent_usd"], mine["held_usd"], mine["tokens"]) == ("0.002", "0", 40)
    again = one_line(cli("holds", "write-off", lost, "--reason", "again", *data, status=1))
    assert "that query is not unresolved" in again


def test_a_model_that_billed_too_much_is_tripped_until_it_is_reset(
    cli: Cli, shared_gateway: RunningGateway
) -> None:
    data, key = ("--data", str(shared_gateway.data.root)), shared_gateway.key()
    assert shared_gateway.chat(key, "overruns", max_tokens=9).status == 200
    refused = shared_gateway.chat(key, "overruns", max_tokens=9)
    assert (refused.status, refused.headers["farthing-error"]) == (503, "route_tripped")
    tripped = values(cli("holds", "list", "--json", *data))[0]["tripped"]
    assert [each["model"] for each in tripped] == ["fake/overruns"]
    printed = cli("holds", "list", *data).stdout
    assert "fake/overruns is tripped since" in printed
    assert "`farthing holds reset fake/overruns` opens it again" in printed
    said = cli("holds", "reset", "fake/overruns", *data).stdout
    assert said == "fake/overruns is open again\n"
    assert shared_gateway.chat(key, "overruns", max_tokens=9).status == 200
