"""What facts are: the endings of a period as columns, and what stands beside them."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from farthing.report.outside import Held, Spent, Whose

Integers = NDArray[np.int64]
Codes = NDArray[np.int32]
Flags = NDArray[np.bool_]
Other = tuple[int, dict[str, Any]]
"""A leaf that ends no query: its index, and what it says."""
UNKNOWN = -1
"""A cost that nobody knows."""
NONE, EARLIER = -1, -2


class Range(NamedTuple):
    """Which leaves facts are of."""

    origin: str
    size: int
    """Of the tree whose leaves were read."""
    root: bytes
    first: int
    """The first leaf of the period; with none, it is the tree's size."""
    last: int
    """The last one; with none, it is one less than the first."""
    since: int
    until: int
    """The period, in nanoseconds since 1970; it ends before this moment."""
    verified: bool
    """Whether all entries were checked against the checkpoint, and that against the key."""


class Draws(msgspec.Struct, frozen=True, eq=False):
    """What paid for queries: columns of the leaves that say it."""

    index: Integers
    row: Integers
    """The row of its query's ending."""
    source: Codes
    """"credit:ID" or "commitment:ID/TRANCHE"."""
    usd: Integers
    effective: Integers


class Drawn(NamedTuple):
    """What was drawn of a source before the period."""

    n: int
    usd: int
    effective: int
    first: int
    """The first leaf that drew."""
    last: int


class Facts(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Endings as columns, a row for each, in the log's order. Amounts are nanodollars."""

    range: Range
    names: list[str]
    """What the codes in the columns mean; code 0 is "", nothing."""
    kinds: tuple[str, ...]
    others: list[Other]
    """The period's leaves that end no query and are no draws."""
    earlier: list[Other]
    """Those before the period, by which limits and commitments are in force in it."""
    draws: Draws
    drawn: dict[str, Drawn]
    """What was drawn of each source before the period."""
    spent: dict[Whose, Spent]
    """What queries that ended before the period came to."""
    carried: list[Held]
    """Queries that were unresolved before the period, and still are at its end."""
    running: list[Held]
    """Those that were admitted before its end and ended after it, or became unresolved after it;
    the log knows of them once they have."""
    usage: dict[str, Integers]
    """Of each meter, what each query used."""

    index: Integers
    at: Integers
    """When it ended, in nanoseconds since 1970 (to the millisecond)."""
    began: Integers
    hold: Integers
    """The hold's place in the journal: one query's, for ever."""
    entry: Integers
    """The ending's place in the journal."""
    kind: NDArray[np.uint8]
    """An index of `kinds`."""
    superseded: Flags
    """Whether a later row is of the same query, which is then no more unresolved."""
    resolves: Integers
    """The row that this one supersedes; `NONE` where there is none, and `EARLIER` where that ending
    came before the period."""
    key: Codes
    org: Codes
    team: Codes
    project: Codes
    provider: Codes
    model: Codes
    answered_model: Codes
    asked_model: Codes
    dialect: Codes
    reason: Codes
    finish: Codes
    price_book: Codes
    cost: Integers
    """`UNKNOWN` where it is."""
    list_cost: Integers
    """Without a commitment's discount; `UNKNOWN` as the cost is. Where evidence told the cost, or
    it was posted at its most, no list price is known, and this is that cost."""
    effective: Integers
    """What its cost was bought for; `UNKNOWN` as the cost is."""
    held: Integers
    http_status: Codes
    first_byte_us: Integers
    total_us: Integers
    stream: Flags
    unpriced: Flags

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.index)

    def of(self, *kinds: str) -> Flags:
        """Return which rows are of some kinds."""
        return np.isin(self.kind, [self.kinds.index(kind) for kind in kinds])

    def name(self, code: int) -> str:
        """Return what a code means."""
        return self.names[code]
