"""FOCUS Contract Commitment: commitments by their tranches, and prepaid credits.

https://focus.finops.org/focus-specification/ ; layout.py has the columns of 1.3 and of 1.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from farthing import clock
from farthing.report.charges import account_of_scope
from farthing.report.focus import CURRENCY, Ledger, amount
from farthing.report.postings import Draws, Lineage, Row
from farthing.report.tabular import Record

VERSIONS = ("1.3", "1.4")
# What never ends, as a column says it that must have an end.
NEVER = 253_402_214_400 * clock.SECOND  # 9999-12-31
DAY = 86_400 * clock.SECOND


def contracts(
    ledger: Ledger, found: list[Row], draws: Draws, lineage: Lineage, now: int, *, users: bool
) -> Iterator[Record]:
    """Yield the rows of Contract Commitment as of a moment."""
    calls = [row for row in found if row["kind"] == "exercise"]
    opened = {(opening.commitment, opening.tranche): opening.at for opening in draws.openings}
    for row in found:
        if row["kind"] == "top-up":
            yield _credit(ledger, row, draws.drawn, lineage, now, users)
        elif row["kind"] == "commitment":
            for number in range(1, len(row["tranches"]) + 1):
                mine = [
                    call for call in calls
                    if (call["commitment"], call["tranche"]) == (row["id"], number)
                ]  # fmt: skip
                changed = [opened.get((row["id"], number), 0), *(call["at"] for call in mine)]
                called = sum(call["usd"] for call in mine)
                yield _tranche(row, number, draws.drawn, called, max(changed), now)


def _tranche(
    row: Row, number: int, drawn: Counter[str], called: int, changed: int, now: int
) -> Record:
    """Return a tranche. `called` is what was called of it; `changed`, when it last was, or 0."""
    tranche, identity = row["tranches"][number - 1], f"{row['id']}/{number}"
    waits = (tranche["on_call"] and not called) or (tranche["after_ppm"] and not changed)
    usable = called if tranche["on_call"] else tranche["usd"]
    left = usable - drawn[f"commitment:{identity}"]
    kind = "on call" if tranche["on_call"] else "after another" if tranche["after_ppm"] else "fixed"
    cheaper = row["discount_ppm"] or tranche["paid"] < tranche["usd"]
    return {
        **_money(tranche["usd"]),
        **_terms(row["id"], identity, f"Purchase commitment, tranche {kind}"),
        **_span("ContractCommitment", tranche["starts"], tranche["ends"]),
        **_span("Contract", row["starts"], row["ends"]),
        **_parties(row["provider"], "ServiceProviderName", row["provider"]),
        "ContractCommitmentDescription": f"Tranche {number} of the commitment {row['id']}",
        "ContractCommitmentBenefitCategory": "Discount" if cheaper else "Entitlement",
        "ContractCommitmentDiscountPercentage": Decimal(row["discount_ppm"]).scaleb(-6),
        "ContractCommitmentCreated": row["at"],
        "ContractCommitmentLastUpdated": max(row["at"], changed),
        "ContractCommitmentDurationType": _duration(tranche["ends"] - tranche["starts"]),
        "ContractCommitmentLifecycleStatus": _status(
            bool(waits), left, tranche["starts"], tranche["ends"], now
        ),
    }


def _credit(
    ledger: Ledger, row: Row, drawn: Counter[str], lineage: Lineage, now: int, users: bool
) -> Record:
    account = account_of_scope(row["scope"], lineage, users=users)
    ends = row["expires"] or NEVER
    identity, left = f"credit:{row['id']}", row["usd"] - drawn[f"credit:{row['id']}"]
    return {
        **_money(row["usd"]),
        **_terms(identity, identity, "Prepaid credit"),
        **_span("ContractCommitment", row["at"], ends),
        **_span("Contract", row["at"], ends),
        **_parties(ledger.operator, "SubAccountId", account.sub_account or "*"),
        "ContractCommitmentDescription": f"Prepaid credit {row['id']}",
        "ContractCommitmentBenefitCategory": "Entitlement",
        "ContractCommitmentDiscountPercentage": Decimal(0),
        "ContractCommitmentCreated": row["at"],
        "ContractCommitmentLastUpdated": row["at"],
        "ContractCommitmentDurationType": _duration(ends - row["at"]),
        "ContractCommitmentLifecycleStatus": _status(False, left, row["at"], ends, now),
    }


def _money(usd: int) -> Record:
    return {
        "BillingCurrency": CURRENCY,
        "PricingCurrency": CURRENCY,
        "ContractCommitmentCost": amount(usd),
        "PricingCurrencyContractCommitmentCost": amount(usd),
        "ContractCommitmentPaymentUpfrontPercentage": Decimal(1),
    }


def _terms(contract: str, identity: str, kind: str) -> Record:
    return {
        "ContractId": contract,
        "ContractCommitmentId": identity,
        "ContractCommitmentType": kind,
        "ContractCommitmentCategory": "Spend",
        "ContractCommitmentFulfillmentInterval": "Full Period",
        "ContractCommitmentModel": "Continuous",
        "ContractCommitmentOfferCategory": "Negotiated",
        "ContractCommitmentPaymentInterval": "One-Time",
        "ContractCommitmentPaymentModel": "All Upfront",
    }


def _span(what: str, starts: int, ends: int) -> Record:
    return {f"{what}PeriodStart": starts, f"{what}PeriodEnd": ends}


def _parties(provider: str, dimension: str, value: str) -> Record:
    """Return who sells it, and what it is good for: the rows with a value in a column."""
    rule = {"Dimension": dimension, "Operator": "In", "Values": [value]}
    return {
        "InvoiceIssuerName": provider,
        "ServiceProviderName": provider,
        "ContractCommitmentApplicability": {"InclusionOperator": "And", "Inclusions": [rule]},
    }


def _duration(nanoseconds: int) -> str:
    days = nanoseconds // DAY
    number, unit = (days, "Day") if days else (max(1, nanoseconds // (60 * clock.SECOND)), "Minute")
    return f"{number} {unit}{'s' if number > 1 else ''}"


def _status(waits: bool, left: int, starts: int, ends: int, now: int) -> str:
    """Return where in its life it is: the first that holds."""
    states = {
        "Expired": now >= ends,
        "Proposed": waits,
        "Pending": now < starts,
        "Exhausted": left <= 0,
    }
    return next((name for name, holds in states.items() if holds), "Active")
