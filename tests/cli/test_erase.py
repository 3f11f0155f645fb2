"""Erasing from the command line: what is chosen, what is asked first, what is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.support.gateway import entries
from tests.support.vault import ORG, Kept, make_ledger, publish_log, queries

from farthing.ledger.reported import Erasure
from farthing.paths import DataFolder
from farthing.vault.erase import PAPER, Intent
from farthing.vault.process import eraser_of

WHY = ("--reason", "ticket 4711")


@pytest.fixture
def data(folder: Path) -> DataFolder:
    made = DataFolder(folder)
    make_ledger(
        made,
        Kept("q1", "ann", ORG),
        Kept("q2", "Ann", ORG),
        Kept("q3", "ann_x", ("key:k2",)),
        Kept("q4", "bob", ("key:k2",), word="committed"),
        Kept("q5", "ann", ("key:k2",), word=""),
    )
    return made


def erasures(data: DataFolder) -> list[Erasure]:
    return [entry for entry in entries(data) if isinstance(entry, Erasure)]


@pytest.mark.parametrize(
    ("chosen", "gone"),
    [
        (("q1",), ["q1"]),
        (("q1", "q4", "q5"), ["q1", "q4"]),
        (("--user", "ann"), ["q1"]),
        (("--user", "ann_x"), ["q3"]),
        (("--scope", "team:legal"), ["q1", "q2"]),
        (("--scope", "key:k2"), ["q3", "q4"]),
        (("--scope", "team:legal", "--user", "Ann"), ["q2"]),
        (("q1", "q3", "--scope", "key:k2"), ["q3"]),
        (("--before", "2100-01-01"), ["q1", "q2", "q3", "q4"]),
        (("--before", "2100-01-01", "--scope", "org:acme"), ["q1", "q2"]),
    ],
)
def test_what_is_chosen_goes_and_nothing_else(
    cli: Cli, data: DataFolder, chosen: tuple[str, ...], gone: list[str]
) -> None:
    left = [query for query in ("q1", "q2", "q3", "q4") if query not in gone]
    told = values(cli("erase", *chosen, "--dry-run", "--json"))[0]
    assert sorted(told["queries"]) == gone and not erasures(data)
    told = values(cli("erase", *chosen, *WHY, "--yes", "--json"))[0]
    (entry,) = erasures(data)
    assert told["entries"] == [entry.id] and sorted(entry.queries) == gone
    assert (entry.reason, entry.cause) == ("ticket 4711", "request")
    assert queries(data.vault) == left
    places = {"q1": 7, "q2": 9, "q3": 11, "q4": 13}
    assert list(entry.endings) == [places[query] for query in entry.queries]


def test_an_organisations_key_goes_with_it(cli: Cli, data: DataFolder) -> None:
    assert len(list((data.vault / "keys").iterdir())) == 2
    said = cli("erase", "--scope", "org:acme", *WHY, "--dry-run").stdout
    assert "would erase contents and salts of 2 queries, and the key of org:acme" in said
    cli("erase", "--scope", "org:acme", *WHY, "--yes")
    (entry,) = erasures(data)
    assert entry.scope == "org:acme" and len(list((data.vault / "keys").iterdir())) == 1
    assert queries(data.vault) == ["q3", "q4"]


def test_it_asks_first(cli: Cli, data: DataFolder) -> None:
    asked = cli("erase", "q1", *WHY, status=1, stdin="n\n")
    assert "Erase contents and salts of 1 query, for ever?" in asked.stderr
    assert queries(data.vault) == ["q1", "q2", "q3", "q4"] and not erasures(data)
    said = cli("erase", "q1", *WHY, stdin="y\n").stdout
    assert said.endswith(f"erased contents and salts of 1 query: {erasures(data)[0].id[:-2]}\n")


@pytest.mark.parametrize(
    ("arguments", "why", "status"),
    [
        ((), "say what to erase", 2),
        (("q1", "--yes"), "--reason: it is empty", 2),
        (("q9", *WHY, "--yes"), "the vault has nothing of what was named", 1),
        (("q5", *WHY, "--yes"), "the vault has nothing of what was named", 1),
        (("--scope", "user:ann", *WHY), "--scope: 'user:ann' is none of org, team", 2),
        (("--scope", "org:*", *WHY), "is none of org, team", 2),
        (("--before", "30d", *WHY), "--before: '30d' is no day", 2),
        (("q1", *WHY, "--json"), "add --yes", 2),
    ],
)
def test_what_cannot_be_meant_is_refused(
    cli: Cli, data: DataFolder, arguments: tuple[str, ...], why: str, status: int
) -> None:
    assert why in one_line(cli("erase", *arguments, status=status))
    assert not erasures(data) and len(queries(data.vault)) == 4


def test_without_a_vault_there_is_nothing_to_erase(cli: Cli, folder: Path) -> None:
    assert "there is no ledger" in one_line(cli("erase", "q1", *WHY, status=1))
    DataFolder(folder).journal.mkdir()
    assert "nothing is kept in" in one_line(cli("erase", "q1", *WHY, status=1))


def test_what_another_began_is_finished_first(cli: Cli, data: DataFolder) -> None:
    eraser_of(data)._write(Intent(5, "bob", "request", ["q2"], "before"))
    cli("erase", "q1", *WHY, "--yes")
    assert [entry.queries for entry in erasures(data)] == [("q2",), ("q1",)]
    assert not (data.vault / PAPER).exists() and queries(data.vault) == ["q3", "q4"]


def test_an_erasure_is_in_the_log_and_what_the_ledger_shows(cli: Cli, data: DataFolder) -> None:
    cli("erase", "q1", *WHY, "--yes")
    publish_log(data)
    number = len(entries(data))
    told = values(cli("receipt", str(number), "--json"))[0]["entry"]
    assert (told["kind"], told["queries"], told["endings"]) == ("erasure", ["q1"], [7])
    assert "ticket" not in str(told)
    assert "erasure" in cli("ledger", "show", "q1").stdout
    why = one_line(cli("contents", "q1", status=1))
    assert "q1 was erased on " in why and f"entry {number} (request)" in why
