"""The columns of the exports, as data: FOCUS Cost and Usage, and Contract Commitment.

https://focus.finops.org/focus-specification/
"""

from __future__ import annotations

from typing import NamedTuple

TEXT, TIME, JSON, COUNT = "text", "time", "json", "count"
# Decimals by their digits after the point: amounts are nanodollars, prices are of a discount of
# millionths of them.
AMOUNT, PRICE, SHARE = 9, 15, 6


class Column(NamedTuple):
    """A column: its name, what stands in it, and in which versions it is."""

    name: str
    kind: str | int
    versions: frozenset[str]


def _columns(both: str, **only: str) -> tuple[Column, ...]:
    """Read columns as "Name kind", one a line; `only` says which a single version has."""
    versions = frozenset(name.removeprefix("v").replace("_", ".") for name in only)
    found = [_column(line, versions) for line in both.strip().splitlines()]
    for name, lines in only.items():
        version = frozenset({name.removeprefix("v").replace("_", ".")})
        found += [_column(line, version) for line in lines.strip().splitlines()]
    return tuple(sorted(found, key=lambda column: (column.name.startswith("x_"), column.name)))


def _column(line: str, versions: frozenset[str]) -> Column:
    name, kind = line.split()
    return Column(name, _KINDS.get(kind, kind), versions)


_KINDS: dict[str, str | int] = {"amount": AMOUNT, "price": PRICE, "share": SHARE}

COST_AND_USAGE = _columns(
    """
    BilledCost amount
    BillingAccountId text
    BillingAccountName text
    BillingCurrency text
    BillingPeriodEnd time
    BillingPeriodStart time
    ChargeCategory text
    ChargeClass text
    ChargeDescription text
    ChargeFrequency text
    ChargePeriodEnd time
    ChargePeriodStart time
    ConsumedQuantity amount
    ConsumedUnit text
    ContractedCost amount
    ContractedUnitPrice price
    EffectiveCost amount
    InvoiceId text
    InvoiceIssuerName text
    ListCost amount
    ListUnitPrice price
    PricingCategory text
    PricingCurrency text
    PricingCurrencyContractedUnitPrice price
    PricingCurrencyEffectiveCost amount
    PricingCurrencyListUnitPrice price
    PricingQuantity amount
    PricingUnit text
    ServiceCategory text
    ServiceName text
    ServiceSubcategory text
    SkuId text
    SkuMeter text
    SkuPriceDetails json
    SkuPriceId text
    SubAccountId text
    SubAccountName text
    SubAccountType text
    Tags json
    x_AnsweredModel text
    x_FromCommitment amount
    x_FromCredit amount
    x_Key text
    x_LedgerFirstIndex count
    x_LedgerLastIndex count
    x_LedgerOrigin text
    x_LedgerTreeSize count
    x_Project text
    x_RequestCount count
    x_Team text
    x_User text
    """,
    v1_2="""
    ProviderName text
    PublisherName text
    """,
    v1_4="""
    ContractApplied json
    HostProviderName text
    ServiceProviderName text
    """,
)

CONTRACT_COMMITMENT = _columns(
    """
    BillingCurrency text
    ContractCommitmentCategory text
    ContractCommitmentCost amount
    ContractCommitmentDescription text
    ContractCommitmentId text
    ContractCommitmentPeriodEnd time
    ContractCommitmentPeriodStart time
    ContractCommitmentQuantity amount
    ContractCommitmentType text
    ContractCommitmentUnit text
    ContractId text
    ContractPeriodEnd time
    ContractPeriodStart time
    """,
    v1_3="",
    v1_4="""
    ContractCommitmentApplicability json
    ContractCommitmentBenefitCategory text
    ContractCommitmentCreated time
    ContractCommitmentDiscountPercentage share
    ContractCommitmentDurationType text
    ContractCommitmentFulfillmentInterval text
    ContractCommitmentLastUpdated time
    ContractCommitmentLifecycleStatus text
    ContractCommitmentModel text
    ContractCommitmentOfferCategory text
    ContractCommitmentPaymentInterval text
    ContractCommitmentPaymentModel text
    ContractCommitmentPaymentUpfrontPercentage share
    InvoiceIssuerName text
    PricingCurrency text
    PricingCurrencyContractCommitmentCost amount
    ServiceProviderName text
    """,
)


def of_version(columns: tuple[Column, ...], version: str, *, users: bool = True) -> list[Column]:
    """Return a version's columns; that of end users only if it is wanted."""
    return [c for c in columns if version in c.versions and (users or c.name != "x_User")]
