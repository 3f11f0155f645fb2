"""FOCUS Cost and Usage: charges and purchases as rows, of version 1.2 or 1.4.

https://focus.finops.org/focus-specification/ ; docs/reference/focus.md says what each column is
here, and which rules of its validators do not hold, and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from farthing import clock, money
from farthing.report.charges import HOUR, ROUNDING, Account, Charge, display
from farthing.report.meters import METERS, WHOLE
from farthing.report.purchases import Purchase
from farthing.report.tabular import Record

VERSIONS = ("1.2", "1.4")
CURRENCY = "USD"
MILLION = f"{money.PER_MILLION} "
SERVICE = {"ServiceCategory": "AI and Machine Learning", "ServiceSubcategory": "Generative AI"}
TYPES = {"org": "Organization", "team": "Team", "project": "Project", "key": "Key", "user": "User"}


class Ledger(NamedTuple):
    """Which ledger rows are of, and what stands on all of them."""

    id: str
    account: str
    """The name of the billing account."""
    operator: str
    """Who sells prepaid credit."""
    origin: str
    """The transparency log's name."""
    tree_size: int | None
    """Of the newest checkpoint; None while there is none."""


def rows(ledger: Ledger, charges: Iterable[Charge], bought: Iterable[Purchase]) -> Iterator[Record]:
    """Yield the rows of Cost and Usage; columns that a version has not are left to the writer."""
    told = _told_always(ledger)
    for purchase in bought:
        yield _priced(told | _purchase(purchase) | _names(purchase.provider or ledger.operator))
    for charge in charges:
        yield _priced(told | _charge(charge) | _names(charge.group.provider))


def _priced(row: Record) -> Record:
    """Add the columns of the pricing currency, which is the billing currency."""
    for name in ("ContractedUnitPrice", "EffectiveCost", "ListUnitPrice"):
        row[f"PricingCurrency{name}"] = row.get(name)
    return row


def _told_always(ledger: Ledger) -> Record:
    return {
        "BillingAccountId": ledger.id,
        "BillingAccountName": ledger.account,
        "BillingCurrency": CURRENCY,
        "PricingCurrency": CURRENCY,
        "x_LedgerOrigin": ledger.origin,
        "x_LedgerTreeSize": ledger.tree_size,
        **SERVICE,
    }


@lru_cache(256)
def _names(provider: str) -> Record:
    """Return who provides, in the words of every version."""
    words = ("ProviderName", "PublisherName", "HostProviderName", "ServiceProviderName")
    return dict.fromkeys((*words, "InvoiceIssuerName"), provider)


def _charge(charge: Charge) -> Record:
    group = charge.group
    service = f"{group.provider}/{group.model}"
    return {
        **_account(group.account),
        **_times(group.hour, group.posted),
        **_costs(charge),
        **(_rounding(service) if charge.meter == ROUNDING else _usage(charge, service)),
        "ServiceName": f"{group.provider} models",
        "ContractApplied": applied(charge.applied),
        "x_AnsweredModel": group.answered_model or None,
        "x_LedgerFirstIndex": charge.first,
        "x_LedgerLastIndex": charge.last,
        "x_RequestCount": charge.requests,
    }


def _costs(charge: Charge) -> Record:
    costs = charge.costs
    return {
        "ListCost": amount(costs.list),
        "ContractedCost": amount(costs.contracted),
        "EffectiveCost": amount(costs.effective),
        "BilledCost": amount(costs.billed),
        "x_FromCredit": amount(costs.from_credit),
        "x_FromCommitment": amount(costs.from_commitment),
    }


def _rounding(service: str) -> Record:
    return {
        "ChargeCategory": "Adjustment",
        "ChargeFrequency": "Usage-Based",
        "ChargeDescription": f"Rounding of each query of {service} up to a nanodollar",
    }


def _usage(charge: Charge, service: str) -> Record:
    group, name = charge.group, display(charge.meter)
    sku = f"{service}/{charge.meter}"
    return {
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "ChargeDescription": f"{name} of {service}",
        "PricingCategory": "Committed" if group.committed else "Standard",
        "ListUnitPrice": charge.list_price,
        "ContractedUnitPrice": charge.contracted_price,
        "SkuId": sku,
        "SkuMeter": name,
        "SkuPriceId": f"{sku}/{group.priced.tier}",
        "SkuPriceDetails": _details(group.model, charge.meter, group.priced.tier),
        **_quantities(charge),
    }


def _quantities(charge: Charge) -> Record:
    if charge.meter == WHOLE:
        return {
            "ConsumedQuantity": Decimal(charge.requests),
            "ConsumedUnit": "Requests",
            "PricingQuantity": amount(charge.quantity),
            "PricingUnit": CURRENCY,
        }
    unit = METERS[charge.meter].unit
    return {
        "ConsumedQuantity": Decimal(charge.quantity),
        "ConsumedUnit": unit,
        "PricingQuantity": Decimal(charge.quantity).scaleb(-6),
        "PricingUnit": MILLION + unit,
    }


@lru_cache(1024)
def _details(model: str, meter: str, tier: str) -> dict[str, str]:
    """Return what the price is of. The names are a draft of FOCUS 1.5, and so begin with x_."""
    told = {"x_ModelId": model, "x_PriceTier": tier}
    if meter in METERS:
        told |= {
            "x_TokenDirection": METERS[meter].direction,
            "x_TokenCacheAction": METERS[meter].cache,
        }
    return {name: value for name, value in told.items() if value}


def _purchase(purchase: Purchase) -> Record:
    hour = purchase.at // HOUR
    paid, worth = amount(purchase.paid), amount(purchase.usd)
    return {
        **_account(purchase.account),
        **_times(hour, hour),
        "ChargeCategory": "Purchase",
        "ChargeFrequency": "One-Time",
        "ChargeDescription": purchase.description,
        "ServiceName": "Prepaid credit" if purchase.credit else f"{purchase.provider} models",
        "PricingCategory": "Standard",
        "ListUnitPrice": worth,
        "ContractedUnitPrice": paid,
        "PricingQuantity": Decimal(1),
        "PricingUnit": purchase.unit,
        "SkuId": purchase.sku,
        "SkuMeter": purchase.unit,
        "SkuPriceId": purchase.sku,
        "ListCost": worth,
        "ContractedCost": paid,
        "EffectiveCost": amount(0),
        "BilledCost": paid,
        "ContractApplied": None,
        "x_FromCredit": amount(0),
        "x_FromCommitment": amount(0),
        "x_LedgerFirstIndex": purchase.leaf,
        "x_LedgerLastIndex": purchase.leaf,
        "x_RequestCount": 0,
    }


def _account(account: Account) -> Record:
    kind, _, name = account.sub_account.partition(":")
    return {
        "SubAccountId": account.sub_account or None,
        "SubAccountName": name or None,
        "SubAccountType": TYPES.get(kind),
        "Tags": dict.fromkeys(account.tags, True) if account.tags else None,
        "x_Team": account.team or None,
        "x_Project": account.project or None,
        "x_Key": account.key or None,
        "x_User": account.user or None,
    }


def _times(hour: int, posted: int) -> Record:
    """Return the periods. What was served in a month that is over by now corrects it."""
    begins, ends = _month(posted * HOUR)
    return {
        "ChargePeriodStart": hour * HOUR,
        "ChargePeriodEnd": (hour + 1) * HOUR,
        "BillingPeriodStart": begins,
        "BillingPeriodEnd": ends,
        "ChargeClass": "Correction" if hour * HOUR < begins else None,
    }


@lru_cache(1024)
def _month(at: int) -> tuple[int, int]:
    moment = clock.moment(at)
    first = datetime(moment.year, moment.month, 1, tzinfo=UTC)
    after = datetime(moment.year + moment.month // 12, moment.month % 12 + 1, 1, tzinfo=UTC)
    return int(first.timestamp()) * clock.SECOND, int(after.timestamp()) * clock.SECOND


def amount(nanodollars: int) -> Decimal:
    """Return nanodollars as an exact decimal of dollars."""
    return Decimal(nanodollars).scaleb(-9)


def applied(draws: Iterable[tuple[str, int]]) -> dict[str, Any] | None:
    """Return what commitments paid in the form of the column ContractApplied."""
    elements = []
    for source, usd in draws:
        identity = source.removeprefix("commitment:")
        elements.append(
            {
                "ContractId": identity.rpartition("/")[0],
                "ContractCommitmentId": identity,
                "ContractCommitmentAppliedCost": amount(usd),
            }
        )
    return {"Elements": elements} if elements else None
