"""Purchase commitments from the command line: terms, burn-down, forecast."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.support.gateway import RunningGateway

from farthing import clock
from farthing.cli.commitments import _forecast, _state
from farthing.ledger.commitment import TrancheState
from farthing.ledger.entry import Tranche
from farthing.money import NANO

DAY = 86_400 * clock.SECOND
KNOWN = "local"  # a provider that every gateway knows


def test_a_commitment_is_recorded_tranche_by_tranche(cli: Cli) -> None:
    told = values(
        cli(
            "commitments", "add", KNOWN, "--from", "2026-01-01", "--until", "2100-01-01",
            "--discount", "12.5%", "--note", "C-7", "--json",
            "--tranche", "1000,paid=900,until=2099-01-01",
            "--tranche", "500, on-call", "--tranche", "100,after=80%",
            "--tranche", "50,from=2090-01-01",
        )
    )[0]  # fmt: skip
    rows = values(cli("commitments", "list", "--json"))[0]
    assert {r["id"] for r in rows} == {told["id"]} and told["provider"] == KNOWN
    assert [
        (r["tranche"], r["agreed_usd"], r["paid_usd"], r["open_usd"], r["left_usd"], r["state"])
        for r in rows
    ] == [
        (1, "1000", "900", "1000", "1000", "open"),
        (2, "500", "500", "0", "0", "on call"),
        (3, "100", "100", "0", "0", "waits"),
        (4, "50", "50", "50", "50", "begins later"),
    ]
    assert [(r["from"], r["until"], r["discount"]) for r in rows[::3]] == [
        ("2026-01-01", "2099-01-01", "12.5%"),
        ("2090-01-01", "2100-01-01", "12.5%"),
    ]
    said = cli("commitments", "exercise", told["id"], "2", "200").stdout
    assert said == "$200 of tranche 2 can be drawn\n"
    row = values(cli("commitments", "list", "--json"))[0][1]
    assert (row["open_usd"], row["left_usd"], row["state"]) == ("200", "200", "open")
    lines = cli("commitments", "list").stdout.splitlines()
    assert lines[0].split()[:4] == ["ID", "Provider", "Tranche", "From"]
    assert lines[2].split()[1:3] == [KNOWN, "2"]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("nobody", "--tranche", "5"), 1, "there is no provider nobody"),
        ((KNOWN, "--tranche", "much"), 2, "--tranche: 'much' is not a decimal number"),
        ((KNOWN, "--tranche", "5,foo"), 2, "'foo' is not understood; write DOLLARS[,paid=DOLLARS]"),
        ((KNOWN, "--tranche", "5,on-call=1"), 2, "--tranche: 'on-call=1' is not understood"),
        ((KNOWN, "--tranche", "5,paid=x"), 2, "--tranche paid: 'x' is not a decimal number"),
        ((KNOWN, "--tranche", "5,from=x"), 2, "--tranche from: 'x' is neither a day nor a"),
        ((KNOWN, "--tranche", "5,until=2020-01-01"), 2, "--tranche until: 2020-01-01 is over"),
        ((KNOWN, "--tranche", "5,after=x"), 2, "--tranche after: 'x' is no percentage of 0 to 100"),
        ((KNOWN, "--tranche", "5,after=5%"), 1, "tranche 1 has none before it that it could wait"),
        ((KNOWN, "--tranche", "5", "--tranche", "5,on-call,after=5%"), 1, "tranche 2 cannot wait"),
        ((KNOWN, "--tranche", "0"), 1, "tranche 1 needs an amount above nothing"),
        ((KNOWN, "--tranche", "5,from=400d"), 1, "tranche 1 ends before it begins"),
        ((KNOWN, "--tranche", "5", "--discount", "NaN"), 2, "--discount: 'NaN' is no percentage"),
        ((KNOWN, "--tranche", "5", "--discount", "101"), 2, "write 12.5% for an eighth"),
        ((KNOWN, "--tranche", "5", "--discount", "1.00001"), 2, "with at most four decimals"),
        ((KNOWN, "--tranche", "5", "--from", "400d"), 2, "--from: it begins when it has ended"),
    ],
)
def test_a_commitment_that_cannot_be_meant(
    cli: Cli, arguments: tuple[str, ...], status: int, said: str
) -> None:
    result = cli("commitments", "add", *arguments, "--until", "365d", status=status)
    assert said in one_line(result)
    assert values(cli("commitments", "list", "--json")) == [[]]


def test_what_cannot_be_called(cli: Cli) -> None:
    tranches = ("--tranche", "10", "--tranche", "10,on-call")
    made = values(cli("commitments", "add", KNOWN, "--until", "30d", *tranches, "--json"))[0]["id"]

    def said(*arguments: str, status: int = 1) -> str:
        return one_line(cli("commitments", "exercise", *arguments, status=status))

    assert "there is no such tranche; `farthing commitments list`" in said("abc", "1", "5")
    assert "there is no such tranche; `farthing commitments list`" in said(made, "3", "5")
    assert "nothing of this tranche can be called: it is not on call" in said(made, "1", "5")
    cli("commitments", "exercise", made, "2", "4")
    assert "$6 of this tranche can be called; write an amount up" in said(made, "2", "6.01")
    assert "$6 of this tranche can be called; write an amount up" in said(made, "2", "0")
    assert "DOLLARS: 'x' is not a decimal number" in said(made, "2", "x", status=2)
    cli("commitments", "exercise", made, "2", "6")


def test_no_commitment_is_a_sentence(cli: Cli) -> None:
    said = "there is no commitment; `farthing commitments add` records one\n"
    assert cli("commitments", "list").stdout == said


def tranche(drawn: int, usd: int = 100, ends: int = 100, **terms: bool) -> TrancheState:
    agreed = Tranche(100 * NANO, 90 * NANO, 0, ends * DAY, **terms)
    return TrancheState(agreed, usd * NANO, drawn * NANO)


@pytest.mark.parametrize(
    ("known", "day", "forecast"),
    [
        (tranche(0), 10, (0, None, 100)),
        (tranche(0), -10, (0, None, 100)),
        (tranche(5), 10, (0.5, None, 50)),  # 45 more in the 90 days that are left
        (tranche(10), 10, (1, 100, 0)),  # just to its end
        (tranche(20), 10, (2, 50, 0)),  # the other 80 in 40 days
        (tranche(100), 50, (2, None, 0)),  # used already
        (tranche(60), 120, (0.6, None, 40)),  # ended at day 100, and what is left is lost
    ],
)
def test_the_forecast_goes_on_at_the_pace_so_far(
    known: TrancheState, day: int, forecast: tuple[float, int | None, int]
) -> None:
    pace, used_up, unused = _forecast(known, day * DAY)
    days = used_up // DAY if used_up is not None else None
    assert (pace / NANO, days, unused / NANO) == forecast


@pytest.mark.parametrize(
    ("known", "day", "word"),
    [
        (tranche(0), 1, "open"),
        (tranche(0), -1, "begins later"),
        (tranche(100), 1, "used"),
        (tranche(0), 100, "ended"),
        (tranche(0, usd=0, on_call=True), 1, "on call"),
        (tranche(0, usd=0), 1, "waits"),
    ],
)
def test_a_tranche_is_in_one_state(known: TrancheState, day: int, word: str) -> None:
    assert _state(known, day * DAY) == word


def test_a_query_is_discounted_and_drawn(cli: Cli, shared_gateway: RunningGateway) -> None:
    data = ("--data", str(shared_gateway.data.root))
    config = ("--config", str(shared_gateway.folder / "farthing.toml"))
    terms = ("--until", "30d", "--tranche", "10,paid=8", "--discount", "50%")
    cli("commitments", "add", "fake", *terms, *data, *config)
    answer = shared_gateway.chat(shared_gateway.key())
    assert answer.headers["farthing-cost-usd"] == "0.0000135"  # half of 27 tokens at 1 µ$
    row = values(cli("commitments", "list", "--json", *data))[0][0]
    assert (row["drawn_usd"], row["left_usd"]) == ("0.0000135", "9.9999865")
