"""What was bought beforehand, and when."""

from __future__ import annotations

from tests.support.bills import DAY, HOUR, LEDGER, OCTOBER, SEPTEMBER
from tests.support.exports import Billed

from farthing.report.postings import Draws, Lineage, Places, entered
from farthing.report.purchases import Purchase, purchases


def bought(bill: Billed) -> list[Purchase]:
    with bill.engine.connect() as connection:
        found = entered(connection, LEDGER, "top-up", "commitment", "exercise")
        lineage, places = Lineage(connection, LEDGER), Places(connection, LEDGER)
    draws = Draws(bill.folder.journal, [row for row in found if row["kind"] == "commitment"])
    return purchases(found, draws, lineage, places, users=False)


def test_purchases_are_what_was_entered(sqlite_bills: Billed) -> None:
    made = bought(sqlite_bills)
    told = {p.description: (p.usd, p.paid, p.provider) for p in made}
    assert told == {
        "Prepaid credit t1": (10**17, 10**17, ""),
        "Prepaid credit t2": (10**17, 10**17, ""),
        "Tranche 1 of the commitment c1 with openai": (40_000_000, 30_000_001, "openai"),
        "Tranche 2 of the commitment c1 with openai": (30_000_000, 20_000_000, "openai"),
        "Tranche 3 of the commitment c1 with openai": (20_000_007, 15_555_561, "openai"),
        "Tranche 1 of the commitment c2 with anthropic": (10**12, 9 * 10**11, "anthropic"),
    }
    assert [p.at for p in made] == sorted(p.at for p in made)


def test_they_are_bought_when_they_can_be_drawn(sqlite_bills: Billed) -> None:
    at = {p.description: p.at for p in bought(sqlite_bills)}
    assert at["Tranche 1 of the commitment c1 with openai"] == SEPTEMBER - DAY
    assert at["Tranche 1 of the commitment c2 with anthropic"] == SEPTEMBER + 3, "entered late"
    assert at["Prepaid credit t2"] == SEPTEMBER + HOUR
    assert SEPTEMBER < at["Tranche 2 of the commitment c1 with openai"] < OCTOBER


def test_credit_is_its_scopes_and_no_persons(sqlite_bills: Billed) -> None:
    accounts = {p.description: p.account.sub_account for p in bought(sqlite_bills) if p.credit}
    assert accounts == {"Prepaid credit t1": "key:k3", "Prepaid credit t2": ""}
