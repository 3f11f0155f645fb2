"""Contract Commitment: every tranche and every credit, as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.bills import LEDGER, NOVEMBER, SEPTEMBER
from tests.support.exports import ALL, OF, Billed, read
from tests.support.focus import toolkit

from farthing.report.contracts import contracts
from farthing.report.layout import CONTRACT_COMMITMENT, of_version
from farthing.report.postings import Draws, Lineage, entered
from farthing.report.tabular import write


def exported(
    bill: Billed, out: Path, version: str, now: int = NOVEMBER - 1
) -> list[dict[str, str]]:
    with bill.engine.connect() as connection:
        found = entered(connection, LEDGER, "top-up", "commitment", "exercise")
        lineage = Lineage(connection, LEDGER)
    draws = Draws(bill.folder.journal, [row for row in found if row["kind"] == "commitment"])
    rows = contracts(OF, found, draws, lineage, now, users=False)
    write(out, "csv", of_version(CONTRACT_COMMITMENT, version), rows)
    return read(out)


def test_the_toolkit_finds_nothing_wrong_with_both_together(
    sqlite_bills: Billed, tmp_path: Path
) -> None:
    """What usage says that a commitment paid is of a commitment that is there."""
    sqlite_bills.export()
    used = sqlite_bills.out / f"focus-1.4-{ALL}.csv"
    terms = tmp_path / "terms.csv"
    exported(sqlite_bills, terms, "1.4")
    assert "OK (STRUCTURAL_VALID" in toolkit(
        "validate", str(terms), "--dataset", "contract-commitment"
    )
    said = toolkit("validate-bundle", "--cost-and-usage", str(used),
                   "--contract-commitment", str(terms))  # fmt: skip
    assert "bundle validation: OK" in said
    exported(sqlite_bills, terms, "1.3")
    assert "dataset=Contract Commitment version=1.3" in toolkit("detect", str(terms))


def test_each_tranche_and_each_credit_is_a_row(sqlite_bills: Billed, tmp_path: Path) -> None:
    rows = exported(sqlite_bills, tmp_path / "c.csv", "1.4")
    told = {row["ContractCommitmentId"]: row for row in rows}
    assert set(told) == {"c1/1", "c1/2", "c1/3", "c2/1", "credit:t1", "credit:t2"}
    first = told["c1/1"]
    assert (first["ContractId"], first["ContractCommitmentCost"]) == ("c1", "0.04")
    assert first["ContractCommitmentDiscountPercentage"] == "0.100001"
    assert first["ContractCommitmentLifecycleStatus"] == "Exhausted"
    assert told["c2/1"]["ContractCommitmentLifecycleStatus"] == "Active"
    rule = json.loads(told["credit:t1"]["ContractCommitmentApplicability"])["Inclusions"][0]
    assert rule == {"Dimension": "SubAccountId", "Operator": "In", "Values": ["key:k3"]}
    assert told["credit:t2"]["ContractCommitmentPeriodEnd"] == "9999-12-31T00:00:00Z"
    assert "bob" not in (tmp_path / "c.csv").read_text()


@pytest.mark.parametrize(
    ("now", "state"), [(SEPTEMBER - 1, "Pending"), (NOVEMBER * 2, "Expired"), (NOVEMBER, "Active")]
)
def test_time_decides_where_in_its_life_it_is(
    sqlite_bills: Billed, tmp_path: Path, now: int, state: str
) -> None:
    rows = exported(sqlite_bills, tmp_path / "c.csv", "1.4", now)
    found = {row["ContractCommitmentId"]: row["ContractCommitmentLifecycleStatus"] for row in rows}
    assert found["c2/1"] == state
