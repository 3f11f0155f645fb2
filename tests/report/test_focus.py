"""Cost and Usage is what FOCUS says, by the judgement of programs that nobody here wrote."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.exports import ALL, Billed
from tests.support.focus import failing_rules, toolkit

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "focus.md"
# How far the validators let a product be from a cost.
NEAR = Decimal("1e-9")


def test_the_validators_failing_rules_are_the_ones_explained(sqlite_bills: Billed) -> None:
    """A rule that fails anew, or fails no longer, turns this red."""
    sqlite_bills.export("1.2")
    failed, passed = failing_rules(sqlite_bills.out / f"focus-1.2-{ALL}.csv")
    explained = set(re.findall(r"^\| `(\w+-[CD]-\d{3}-[A-Z])` \|", PAGE.read_text(), re.M))
    assert failed == explained
    assert passed > 240


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_toolkit_finds_nothing_wrong(sqlite_bills: Billed, form: str) -> None:
    sqlite_bills.export("1.4", form=form)
    file = sqlite_bills.out / f"focus-1.4-{ALL}.{form}"
    supports = ("SupportsUnitPricing", "SupportsMultiplePricingCategories")
    said = toolkit("validate", str(file), *(f"--supports={one}" for one in supports))
    assert "OK (STRUCTURAL_VALID, SEMANTIC_VALID)" in said


def test_costs_are_price_times_quantity(sqlite_bills: Billed) -> None:
    rows, _ = sqlite_bills.export()
    used = [row for row in rows if row["ChargeCategory"] == "Usage"]
    for row in used:
        for cost, price in (
            ("ListCost", "ListUnitPrice"),
            ("ContractedCost", "ContractedUnitPrice"),
        ):
            exact = Decimal(row["PricingQuantity"]) * Decimal(row[price])
            assert abs(exact - Decimal(row[cost])) < NEAR
    assert {row["ChargeCategory"] for row in rows} == {"Usage", "Purchase", "Adjustment"}
    assert {row["PricingCategory"] for row in used} == {"Standard", "Committed"}


def test_meters_and_tiers_are_skus_of_their_own(sqlite_bills: Billed) -> None:
    rows, _ = sqlite_bills.export()
    prices = {row["SkuPriceId"] for row in rows}
    assert {
        "openai/gpt-4o-mini/input/standard", "openai/gpt-4o-mini/output/standard",
        "anthropic/claude-sonnet-4-5/cache_read/standard",
        "anthropic/claude-opus-5/output/speed=fast",
        "openai/text-embedding-3-small/input/standard",
        "deepseek/deepseek-chat/whole/stated", "deepseek/deepseek-chat/whole/evidence",
    } <= prices  # fmt: skip
    row = next(r for r in rows if r["SkuId"] == "anthropic/claude-sonnet-4-5/cache_read")
    assert json.loads(row["SkuPriceDetails"]) == {
        "x_ModelId": "claude-sonnet-4-5", "x_PriceTier": "standard",
        "x_TokenCacheAction": "Read", "x_TokenDirection": "Input",
    }  # fmt: skip
    assert (row["ConsumedUnit"], row["PricingUnit"]) == ("Tokens", "1000000 Tokens")
    assert row["x_AnsweredModel"] == "claude-sonnet-4-5-0901"


def test_long_input_pays_another_price(sqlite_bills: Billed) -> None:
    rows, _ = sqlite_bills.export()
    found = {r["ListUnitPrice"] for r in rows if r["SkuId"] == "openai/gpt-5.5/input"}
    assert len(found) == 2


def test_commitments_are_linked_to_what_they_paid(sqlite_bills: Billed) -> None:
    rows, made = sqlite_bills.export()
    applied, tranches = Decimal(0), set()
    for row in rows:
        parts = json.loads(row["ContractApplied"] or '{"Elements": []}', parse_float=Decimal)
        paid = sum(
            (Decimal(e["ContractCommitmentAppliedCost"]) for e in parts["Elements"]), Decimal()
        )
        assert paid == Decimal(row["x_FromCommitment"])
        tranches |= {e["ContractCommitmentId"] for e in parts["Elements"]}
        applied += paid
    assert applied == Decimal(made.costs.from_commitment).scaleb(-9)
    assert tranches == {"c1/1", "c1/2", "c1/3", "c2/1"}
    assert "ContractApplied" not in sqlite_bills.export("1.2")[0][0]


def test_purchases_have_no_effective_cost(sqlite_bills: Billed) -> None:
    rows, _ = sqlite_bills.export()
    bought = [row for row in rows if row["ChargeCategory"] == "Purchase"]
    assert {row["EffectiveCost"] for row in bought} == {"0.00"}
    assert [row["BilledCost"] for row in bought if "credit" in row["ChargeDescription"]] == [
        "100000000.00", "100000000.00"
    ]  # fmt: skip


def test_accounts_are_scopes_and_people_are_not_named(sqlite_bills: Billed) -> None:
    rows, _ = sqlite_bills.export()
    assert {r["SubAccountId"] for r in rows} == {"org:acme", "key:k3", ""}
    assert {r["SubAccountType"] for r in rows} == {"Organization", "Key", ""}
    mine = next(r for r in rows if r["x_Key"] == "k1")
    assert (mine["x_Team"], mine["x_Project"]) == ("web", "search")
    assert any(json.loads(r["Tags"] or "{}") == {"eval": True, "nightly": True} for r in rows)
    text = (sqlite_bills.out / f"focus-1.4-{ALL}.csv").read_text()
    assert "bob" not in text and "ann's laptop" not in text and "x_User" not in rows[0]


def test_end_users_are_named_where_that_is_wanted(sqlite_bills: Billed) -> None:
    rows, _ = sqlite_bills.export(users=True)
    assert {r["x_User"] for r in rows} == {"", "bob"}
    assert "user:bob" in {r["SubAccountId"] for r in rows if r["ChargeCategory"] == "Purchase"}


def test_times_are_whole_hours_of_utc(sqlite_bills: Billed) -> None:
    rows, _ = sqlite_bills.export("1.4", "2026-09")
    for row in rows:
        assert re.fullmatch(r"2026-09-\d\dT\d\d:00:00Z", row["ChargePeriodStart"])
        assert row["BillingPeriodStart"] == "2026-09-01T00:00:00Z"
        assert row["BillingPeriodEnd"] == "2026-10-01T00:00:00Z"
