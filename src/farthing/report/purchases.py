"""What was bought before it was used: prepaid credit, and the tranches of commitments.

A tranche is bought when it can first be drawn: when it starts, once the one before it is drawn far
enough, or when it is called; never before it was entered, so that a month that was exported stays
as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from farthing.report.charges import Account, account_of_scope
from farthing.report.postings import Draws, Lineage, Places, Row


class Purchase(NamedTuple):
    """One thing bought."""

    at: int
    sku: str
    description: str
    unit: str
    usd: int
    """What of list prices, or of cost, it covers."""
    paid: int
    provider: str
    """Whose commitment it is; "" for credit."""
    account: Account
    leaf: int

    @property
    def credit(self) -> bool:
        """Whether it is prepaid credit."""
        return not self.provider


def purchases(
    found: list[Row], draws: Draws, lineage: Lineage, places: Places, *, users: bool
) -> list[Purchase]:
    """Return all purchases in the order of their time. `found` are top-ups, commitments, calls."""
    commitments = {row["id"]: row for row in found if row["kind"] == "commitment"}
    bought = [
        _credit(row, lineage, places, users) for row in found if row["kind"] == "top-up"
    ]  # fmt: skip
    for commitment in commitments.values():
        bought += _starting(commitment, places)
    for opening in draws.openings:
        row, leaf = commitments[opening.commitment], places.leaf(opening.position)
        tranche = row["tranches"][opening.tranche - 1]
        at = max(opening.at, tranche["starts"])
        bought.append(_tranche(row, opening.tranche, at, tranche["usd"], tranche["paid"], leaf))
    bought += _called([row for row in found if row["kind"] == "exercise"], commitments, places)
    return sorted(bought)


def _credit(row: Row, lineage: Lineage, places: Places, users: bool) -> Purchase:
    account = account_of_scope(row["scope"], lineage, users=users)
    told = f"Prepaid credit {row['id']}"
    leaf = places.leaf(row["position"])
    return Purchase(
        row["at"], "farthing/credit", told, "Credit", row["usd"], row["usd"], "", account, leaf
    )


def _starting(row: Row, places: Places) -> Iterator[Purchase]:
    """Yield the tranches that nothing but time opens."""
    for number, tranche in enumerate(row["tranches"], start=1):
        if not tranche["on_call"] and not tranche["after_ppm"]:
            at = max(row["at"], tranche["starts"])
            leaf = places.leaf(row["position"])
            yield _tranche(row, number, at, tranche["usd"], tranche["paid"], leaf)


def _called(calls: list[Row], commitments: dict[str, Row], places: Places) -> Iterator[Purchase]:
    """Yield what was called; the parts of a tranche together cost what the whole of it does."""
    before: dict[tuple[str, int], int] = {}
    for call in calls:
        which = (call["commitment"], call["tranche"])
        row = commitments[call["commitment"]]
        tranche = row["tranches"][call["tranche"] - 1]
        begin = before.get(which, 0)
        before[which] = end = begin + call["usd"]
        paid = tranche["paid"] * end // tranche["usd"] - tranche["paid"] * begin // tranche["usd"]
        at = max(call["at"], tranche["starts"])
        yield _tranche(row, call["tranche"], at, call["usd"], paid, places.leaf(call["position"]))


def _tranche(row: Row, number: int, at: int, usd: int, paid: int, leaf: int) -> Purchase:
    provider = row["provider"]
    told = f"Tranche {number} of the commitment {row['id']} with {provider}"
    sku = f"{provider}/commitment"
    return Purchase(at, sku, told, "Tranche", usd, paid, provider, Account(), leaf)
