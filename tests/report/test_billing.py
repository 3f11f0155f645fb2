"""An export's rows are what the ledger posted, to the nanodollar, in both databases."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.bills import NOVEMBER, OCTOBER, SEPTEMBER, billed, bills
from tests.support.evidence import publish
from tests.support.exports import ALL, Billed

from farthing import money
from farthing.evidence.source import source_of
from farthing.evidence.tiles import TreeReader
from farthing.ledger.entry import Entry, Expire, Resolve, Settle, Unresolved, WriteOff
from farthing.ledger.records import queries

COSTS = ("ListCost", "ContractedCost", "EffectiveCost", "BilledCost")


def sums(rows: list[dict[str, str]], *names: str) -> tuple[int, ...]:
    """Sum columns of what is no purchase, in nanodollars; each must be a whole number of them."""
    used = [row for row in rows if row["ChargeCategory"] != "Purchase"]
    return tuple(money.nanodollars(sum(Decimal(row[n]) for row in used)) for n in names)


def ledger_sums(engine: sa.Engine, since: int = 0, until: int = 2**62) -> tuple[int, ...]:
    """The same from the records, row by row and without any of what the export does."""
    c = queries.c
    total = Counter[str]()
    with engine.connect() as connection:
        asked = sa.select(queries).where(c.ended >= since, c.ended < until)
        for row in connection.execute(asked).mappings():
            if row["status"] in ("settled", "posted"):
                cost, drawn = row["cost"], row["from_credit"] + row["from_commitment"]
                total["list"] += cost if row["list_cost"] is None else row["list_cost"]
                total["contracted"] += cost
                total["effective"] += row["effective"]
                total["billed"] += cost - drawn if drawn < cost else 0
                total["credit"] += row["from_credit"]
                total["commitment"] += row["from_commitment"]
    names = ("list", "contracted", "effective", "billed", "credit", "commitment")
    return tuple(total[name] for name in names)


@pytest.mark.parametrize("version", ["1.2", "1.4"])
def test_sums_are_the_ledgers(both_bills: Billed, version: str) -> None:
    for period, since, until in (
        (ALL, 0, 2**62), ("2026-09", SEPTEMBER, OCTOBER), ("2026-10", OCTOBER, NOVEMBER),
    ):  # fmt: skip
        rows, made = both_bills.export(version, period)
        posted = ledger_sums(both_bills.engine, since, until)
        assert sums(rows, *COSTS, "x_FromCredit", "x_FromCommitment") == posted
        assert tuple(made.costs) == posted and posted[0] > posted[1] > posted[2] > posted[3] > 0


def test_both_databases_give_the_same_bytes(sqlite_bills: Billed, both_bills: Billed) -> None:
    for bill in (sqlite_bills, both_bills):
        bill.export()
    name = f"focus-1.4-{ALL}.csv"
    assert (sqlite_bills.out / name).read_bytes() == (both_bills.out / name).read_bytes()


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10**6), count=st.integers(0, 40))
def test_sums_of_any_ledger(seed: int, count: int, tmp_path_factory: Any) -> None:
    root = tmp_path_factory.mktemp("any")
    folder, engine = billed(root / "data", bills(seed, count))
    rows, _ = Billed(folder, engine, root).export()
    assert sums(rows, *COSTS) == ledger_sums(engine)[:4]
    engine.dispose()


def test_a_month_stays_as_it_was_exported(tmp_path: Path) -> None:
    """What is settled in October changes nothing of September."""
    made = bills(3, 60)
    cut = max(n for n, entry in enumerate(made) if entry.at < OCTOBER) + 1
    then = Billed(*billed(tmp_path / "then", made[:cut]), tmp_path)
    before, _ = then.export("1.4", "2026-09")
    now = Billed(*billed(tmp_path / "now", made), tmp_path)
    after, _ = now.export("1.4", "2026-09")
    assert before == after != []
    for bill in (then, now):
        bill.engine.dispose()


def test_what_was_settled_late_corrects_the_month_it_was_served_in(sqlite_bills: Billed) -> None:
    late = late_settlements(bills())
    rows, _ = sqlite_bills.export("1.4", "2026-10")
    corrections = [row for row in rows if row["ChargeClass"] == "Correction"]
    assert late and len(corrections) == len(late)
    for row in corrections:
        assert row["ChargePeriodStart"] < "2026-10-01" <= row["BillingPeriodStart"]
    assert sums(corrections, "ContractedCost") == (sum(late),)


def late_settlements(made: list[Entry]) -> list[int]:
    """The costs that became known in October of what was sent in September."""
    lost = {entry.id: entry.at for entry in made if isinstance(entry, Unresolved)}
    return [
        entry.usd if isinstance(entry, Resolve) else 20 * 10**9
        for entry in made
        if isinstance(entry, Resolve | Expire) and lost[entry.id] < OCTOBER <= entry.at
    ]


def test_unknown_costs_are_named_and_in_no_row(sqlite_bills: Billed) -> None:
    _, made = sqlite_bills.export()
    told = json.loads(made.sidecar.read_text())
    lost = [e.id for e in bills() if isinstance(e, Unresolved)]
    ended = {e.id for e in bills() if isinstance(e, Resolve | Expire | WriteOff)}
    unknown = len(set(lost) - ended)
    assert unknown and told["unknown"] == {
        "queries": unknown, "at_most_usd": str(20 * unknown), "without_bound": 0,
    }  # fmt: skip


def test_the_sidecar_says_what_the_file_is(sqlite_bills: Billed) -> None:
    rows, made = sqlite_bills.export()
    told = json.loads(made.sidecar.read_text())
    file = sqlite_bills.out / told["file"]["name"]
    assert told["file"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert told["file"]["rows"] == len(rows) == made.rows
    assert told["sums_usd"]["contracted"] == money.dollars(made.costs.contracted)
    first = min(int(row["x_LedgerFirstIndex"]) for row in rows)
    last = max(int(row["x_LedgerLastIndex"]) for row in rows)
    assert (told["ledger"]["first_index"], told["ledger"]["last_index"]) == (first, last)


def test_rows_point_at_the_leaves_that_they_come_from(sqlite_bills: Billed) -> None:
    """The real log of the same journal: its leaf at an index is of the query that the row is of."""
    log = sqlite_bills.out / "log"
    log.mkdir()
    size = publish(sqlite_bills.folder.journal, log).size
    reader = TreeReader(source_of(str(log)), size)
    rows, _ = sqlite_bills.export()
    seen = set()
    for row in rows:
        for name in ("x_LedgerFirstIndex", "x_LedgerLastIndex"):
            leaf = json.loads(reader.entry(int(row[name])))
            seen.add(leaf["kind"])
            if row["ChargeCategory"] != "Purchase":
                assert leaf["kind"] in ("settle", "resolve", "expire-posted")
                assert leaf["provider"] == row["ServiceProviderName"]
                assert leaf["key"] == row["x_Key"]
    assert {"settle", "resolve", "expire-posted", "top-up", "commitment", "exercise"} <= seen


def test_requests_are_those_that_used_the_meter(sqlite_bills: Billed) -> None:
    rows, _ = sqlite_bills.export()
    output = [r for r in rows if r["SkuMeter"] == "Output Tokens"]
    wanted = sum(e.usage.output for e in bills() if isinstance(e, Settle) and e.usd)
    stated = sum(9 for e in bills() if isinstance(e, Settle) and e.usage.output == 9)
    thrown_away = [r for r in rows if r["PricingUnit"] == "USD"]
    counted = sum(int(Decimal(r["ConsumedQuantity"])) for r in output)
    assert thrown_away and 0 < counted < wanted - stated
    assert any(int(r["x_RequestCount"]) > 1 for r in output)
