"""Charges: what was posted, by hour, account and meter, in amounts that sum to the ledger's.

A query's cost is rounded up once, over all its meters. So that a charge is its quantity times its
price and all charges together are the ledger's cost to the nanodollar, charges of an hour are
rounded by the largest remainders, and what more was rounded up is a charge of its own, "Rounding".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import msgspec

from farthing import clock, money
from farthing.report.meters import METERS, PPM, WHOLE, Priced, Pricing
from farthing.report.postings import Draws, Lineage, Places, Row

HOUR = 3600 * clock.SECOND
# How far endings may stand out of order in the journal: the clocks of workers, and their queues.
LATE = HOUR // 6
KINDS = ("org", "team", "project", "key")

ROUNDING = "rounding"


class Account(NamedTuple):
    """Whose a charge is."""

    sub_account: str = ""
    """The topmost scope, such as "org:acme", or a key that belongs to nobody."""
    team: str = ""
    project: str = ""
    key: str = ""
    user: str = ""
    tags: tuple[str, ...] = ()


class Group(NamedTuple):
    """What the queries that are charged together have in common."""

    hour: int
    """When they were served, in hours since 1970."""
    posted: int
    """When their cost became known, likewise."""
    account: Account
    provider: str
    model: str
    answered_model: str
    priced: Priced
    committed: bool
    """Whether commitments paid for them."""
    credited: bool


class Costs(NamedTuple):
    """The four costs and what paid, in nanodollars."""

    list: int = 0
    contracted: int = 0
    effective: int = 0
    billed: int = 0
    from_credit: int = 0
    from_commitment: int = 0


NOTHING = Costs()


class Charge(NamedTuple):
    """One row of Cost and Usage, of whatever version."""

    group: Group
    meter: str
    quantity: int
    """Of the meter's unit; of `WHOLE`, nanodollars at list."""
    list_price: Decimal | None
    """Dollars for a million; of `WHOLE`, for a dollar at list."""
    contracted_price: Decimal | None
    costs: Costs
    applied: tuple[tuple[str, int], ...]
    """What commitments paid: tranches and nanodollars."""
    requests: int
    first: int
    """The first and the last leaf of the transparency log that it comes from."""
    last: int


class Sums(msgspec.Struct):
    """What a group comes to so far."""

    costs: list[int]
    used: dict[str, list[int]]
    """Of each meter: its quantity, the queries that used it, their first and last ending."""
    draws: dict[str, int]
    queries: int = 0
    first: int = 0
    last: int = 0


class Charging:
    """Turns what was posted into charges, an hour after the other."""

    def __init__(self, pricing: Pricing, draws: Draws, places: Places, *, users: bool) -> None:
        self._pricing, self._draws, self._places = pricing, draws, places
        self._open: dict[int, dict[Group, Sums]] = {}
        """By the hour in which they were posted."""
        self._account = lru_cache(4096)(lambda path: account_of(msgspec.json.decode(path), users))
        self.queries = 0
        """Those charged so far."""

    def charges(self, rows: Iterable[Row]) -> Iterator[Charge]:
        """Yield the charges of queries that come in the journal's order."""
        now = 0
        for row in rows:
            if row["ended"] > now:
                now = row["ended"]
                yield from self._closed(now)
            self._take(row)
        yield from self._closed(None)

    def _closed(self, now: int | None) -> Iterator[Charge]:
        """Yield what nothing is to come of any more."""
        over = [h for h in self._open if now is None or (h + 1) * HOUR + LATE <= now]
        for hour in sorted(over):
            groups = self._open.pop(hour)
            for group in sorted(groups):
                yield from _charges(group, groups[group], self._places)

    def _take(self, row: Row) -> None:
        if not row["cost"] and not row["list_cost"] and not row["tokens"]:
            return  # an error, or what is free: nothing was bought
        group = self._group(row)
        groups = self._open.setdefault(group.posted, {})
        sums = groups.get(group)
        if sums is None:
            sums = groups[group] = Sums([0] * 6, {}, {}, first=row["end_position"])
        self.queries += 1
        _add(sums, group, row)
        for source, usd in self._draws.of(row["end_position"]) if group.committed else ():
            sums.draws[source] = sums.draws.get(source, 0) + usd

    def _group(self, row: Row) -> Group:
        # What was settled late was served when it was sent; all else, when it was answered.
        late = row["status"] == "posted" or row["input"] is None
        return Group(
            row["began" if late else "ended"] // HOUR,
            row["ended"] // HOUR,
            self._account(row["path"]),
            row["provider"],
            row["model"],
            row["answered_model"] or "",
            self._pricing.priced(row),
            row["from_commitment"] > 0,
            row["from_credit"] > 0,
        )


def account_of(path: list[str], users: bool) -> Account:
    """Return whose a query is, by its path; its end user only if that is wanted."""
    named = [scope.partition(":")[::2] for scope in path]
    made = [f"{kind}:{name}" for kind, name in named if kind in KINDS]
    first = dict(reversed(named))
    return Account(
        made[-1] if made else "",  # a path has the key first, and what it belongs to after it
        first.get("team", ""),
        first.get("project", ""),
        first.get("key", ""),
        first.get("user", "") if users else "",
        tuple(name for kind, name in named if kind == "tag"),
    )


def account_of_scope(scope: str, lineage: Lineage, *, users: bool) -> Account:
    """Return whose something is that belongs to a scope."""
    kind, _, name = scope.partition(":")
    if kind == "user":
        return Account(scope, user=name) if users else Account()
    return account_of(lineage.of(scope), users)


def _add(sums: Sums, group: Group, row: Row) -> None:
    """Add a query to its group."""
    usd, place = row["cost"], row["end_position"]
    paid = row["from_credit"] + row["from_commitment"]
    listed = usd if row["list_cost"] is None else row["list_cost"]
    told = (listed, usd, row["effective"], max(0, usd - paid))
    for at, amount in enumerate((*told, row["from_credit"], row["from_commitment"])):
        sums.costs[at] += amount
    sums.queries += 1
    sums.last = place
    quantities = {"request": 1, WHOLE: listed}
    for meter, _ in group.priced.prices:
        used = sums.used.setdefault(meter, [0, 0, place, place])
        used[0] += quantities[meter] if meter in quantities else row[meter]
        used[1] += 1
        used[3] = place


def _charges(group: Group, sums: Sums, places: Places) -> Iterator[Charge]:
    """Yield a group's charges, which together are what its queries cost."""
    costs, kept = Costs(*sums.costs), PPM - group.priced.discount_ppm
    products = [(price * sums.used[meter][0], meter) for meter, price in group.priced.prices]
    listed = rounded([product for product, _ in products], money.PER_MILLION, costs.list)
    discounted = [product * kept for product, _ in products]
    contracted = rounded(discounted, money.PER_MILLION * PPM, costs.contracted)
    weights = [max(0, amount) for amount in contracted]
    effective, billed, credit = (
        _split(costs, whole, contracted, weights)
        for whole in (costs.effective, costs.billed, costs.from_credit)
    )
    if not costs.from_credit:
        credit = [0] * len(weights)
    drawn = {source: apportion(usd, weights) for source, usd in sorted(sums.draws.items())}
    meters = [*group.priced.prices, (ROUNDING, 0)]
    for at, (meter, price) in enumerate(meters):
        applied = tuple((source, parts[at]) for source, parts in drawn.items() if parts[at])
        paid = sum(usd for _, usd in applied)
        told = Costs(listed[at], contracted[at], effective[at], billed[at], credit[at], paid)
        if meter == ROUNDING:
            if told != NOTHING:
                span = _span(sums.first, sums.last, places)
                yield Charge(group, meter, 0, None, None, told, applied, sums.queries, *span)
            continue
        quantity, requests, first, last = sums.used[meter]
        scale = -6 if meter == WHOLE else -9
        prices = (Decimal(price).scaleb(scale), Decimal(price * kept).scaleb(scale - 6))
        span = _span(first, last, places)
        yield Charge(group, meter, quantity, *prices, told, applied, requests, *span)


def _span(first: int, last: int, places: Places) -> tuple[int, int]:
    return places.leaf(first), places.leaf(last)


def _split(costs: Costs, whole: int, contracted: list[int], weights: list[int]) -> list[int]:
    """Return a cost over the charges: as contracted where it is that, else in proportion."""
    return contracted if whole == costs.contracted else apportion(whole, weights)


def rounded(products: list[int], by: int, total: int) -> list[int]:
    """Return each product divided by a number, and last what is missing to the total.

    Those with the largest remainders are rounded up, as long as the total is not passed; so each
    is less than one away from what it is exactly.
    """
    parts = [product // by for product in products]
    over = total - sum(parts)
    ranked = sorted(range(len(parts)), key=lambda at: (-(products[at] % by), at))
    for at in ranked[: max(0, over)]:
        if products[at] % by:
            parts[at] += 1
    return [*parts, total - sum(parts)]


def apportion(total: int, weights: list[int]) -> list[int]:
    """Return a total in parts like the weights, to the unit, by the largest remainders."""
    whole = sum(weights)
    if not whole:
        return [*[0] * (len(weights) - 1), total]
    parts = [total * weight // whole for weight in weights]
    ranked = sorted(range(len(parts)), key=lambda at: (-(total * weights[at] % whole), at))
    for at in ranked[: total - sum(parts)]:
        parts[at] += 1
    return parts


def display(meter: str) -> str:
    """Return a meter's display name."""
    return METERS[meter].name if meter in METERS else {WHOLE: "Usage", ROUNDING: "Rounding"}[meter]
