"""Amounts, times and windows as people write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import typer

from farthing import clock
from farthing.cli import amounts
from farthing.ledger.entry import Entry, Reset, Revoke, Scope
from farthing.money import MOST
from farthing.paths import DataFolder

NOW = 1_800_000_000 * clock.SECOND  # 2027-01-15T08:00:00Z
DAY = 86_400 * clock.SECOND


def test_what_is_written_is_what_is_meant() -> None:
    assert amounts.dollars("--usd", "$2.50") == 2_500_000_000
    assert [amounts.seconds("--for", t) for t in ("12h", "30d", "8w")] == [43200, 2592000, 4838400]
    assert amounts.moment("--until", "2027-01-31", NOW) == 1_801_353_600 * clock.SECOND
    assert amounts.moment("--until", "30d", NOW) == NOW + 30 * DAY
    assert amounts.moment("--from", "2027-01-15", NOW) < NOW
    assert amounts.to_come("--until", "2027-01-16", NOW) == 1_800_057_600 * clock.SECOND
    assert [amounts.count("--tokens", n) for n in (None, 0, MOST)] == [None, 0, MOST]
    assert amounts.window("--per", "minute") == "minute"
    assert (amounts.shown(None), amounts.shown(1)) == (None, "0.000000001")
    assert amounts.said("--reason", " lost ") == " lost "


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: amounts.dollars("--usd", "NaN"), "--usd: NaN is not an amount"),
        (lambda: amounts.dollars("--usd", "1,5"), "--usd: '1,5' is not a decimal number"),
        (lambda: amounts.seconds("--expires", "0d"), "--expires: '0d' is no duration; write 12h"),
        (lambda: amounts.seconds("--expires", "36501d"), "--expires: '36501d' is no duration"),
        (lambda: amounts.moment("--from", "soon", NOW), "--from: 'soon' is neither a day nor a"),
        (lambda: amounts.moment("--from", "2999-01-01", NOW), "'2999-01-01' is neither a day nor"),
        (lambda: amounts.to_come("--until", "2027-01-15", NOW), "--until: 2027-01-15 is over"),
        (lambda: amounts.count("--tokens", -1), "--tokens: -1 is not a number from 0 to"),
        (lambda: amounts.count("--tokens", MOST + 1), "is not a number from 0 to 9223372036854775"),
        (lambda: amounts.window("--per", "week"), "--per: 'week' is no window; write one of ever"),
        (lambda: amounts.said("--reason", " "), "--reason: it is empty; say it in a few words"),
    ],
)
def test_what_cannot_be_meant_ends_with_a_sentence(
    capsys: pytest.CaptureFixture[str], ask: Callable[[], Any], said: str
) -> None:
    with pytest.raises(typer.Exit) as ended:
        ask()
    assert ended.value.exit_code == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_cells_show_what_they_are_given() -> None:
    assert (amounts.text(None), amounts.text(0)) == ("–", "0")
    assert amounts.text("[app]") == "\\[app]"  # escaped for the table, which would take it as style
    assert amounts.minute("2027-01-15T08:00:59.123Z") == "2027-01-15 08:00"
    assert amounts.minute(None) == "–"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([Revoke(1, "ann", "k")], "there is no such key; `farthing keys list` shows them"),
        ([Scope(1, "ann", "org:a")] * 2, "there is one of that name already; `farthing scopes"),
        ([Reset(1, "ann", "p", "m")], "that model is not tripped; `farthing holds list` shows"),
        ([Scope(1, "ann", "a")], "'a' is no scope; write org:, team: or project: and a name"),
    ],
)
def test_what_the_ledger_refuses_ends_with_its_reason(
    data: DataFolder, capsys: pytest.CaptureFixture[str], asked: list[Entry], said: str
) -> None:
    with pytest.raises(typer.Exit) as ended:
        amounts.enter(data, asked)
    assert ended.value.exit_code == 1
    assert said in " ".join(capsys.readouterr().err.split())


@pytest.fixture
def data(folder: Any) -> DataFolder:
    return DataFolder(folder)
