"""The facts of a period, read from the log's leaves into columns.

Leaves are what an auditor has, so whoever has the log's files can make every figure again. A query
belongs to the period in which it ended, as its ending's leaf says; `began` tells when it was
admitted. What an administrator or time decides of it later is a fact of that later moment.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import numpy as np

from farthing import clock, money
from farthing.evidence.entries import Entries
from farthing.evidence.query import COUNTS
from farthing.evidence.tiles import WIDTH
from farthing.report.columns import EARLIER, UNKNOWN, Drawn, Draws, Facts, Integers, Other, Range
from farthing.report.outside import Outside
from farthing.report.times import moment

__all__ = ["ENDED", "UNKNOWN", "WITNESSED", "Draws", "Facts", "Range", "read_facts"]

Progress = Callable[[int, int], None]
"""Told how many bundles were read, of how many."""

# The leaf's kind of an ending → what it made of its query.
ENDED = {
    "settle": "settled",
    "void": "void",
    "unresolved": "unresolved",
    "resolve": "resolved",
    "expire-posted": "posted",
    "write-off": "written-off",
}
# What the gateway said of a query; the others are what became of its cost.
WITNESSED = frozenset({"settled", "void", "unresolved"})


class _Ending(msgspec.Struct, gc=False):
    """What facts need of a leaf (`evidence/query.py`)."""

    kind: str
    id: str
    began: str
    entry: int
    hold: int
    key: str
    path: list[str]
    provider: str
    model: str
    asked_model: str
    dialect: str
    price_book: str
    held_usd: str
    cost_usd: str = ""
    list_usd: str = ""
    answered_model: str = ""
    reason: str = ""
    finish: str = ""
    http_status: int = 0
    first_byte_us: int = 0
    total_us: int = 0
    stream: bool = False
    unpriced: bool = False
    usage: dict[str, int] | None = None


class _Names(dict[str, int]):
    """Gives each name a code."""

    def __missing__(self, name: str) -> int:
        code = self[name] = len(self)
        return code


class _Scopes(NamedTuple):
    org: int
    team: int
    project: int


# The columns that are read row by row: their names in `Facts`, and their types there.
COLUMNS: dict[str, type] = {
    **dict.fromkeys(("index", "at", "began", "hold", "entry"), np.int64),
    "kind": np.uint8,
    **dict.fromkeys(("key", "org", "team", "project", "provider", "model"), np.int32),
    **dict.fromkeys(("answered_model", "asked_model", "dialect", "reason", "finish"), np.int32),
    "price_book": np.int32,
    **dict.fromkeys(("cost", "list_cost", "effective", "held"), np.int64),
    "http_status": np.int32,
    **dict.fromkeys(("first_byte_us", "total_us"), np.int64),
    **dict.fromkeys(("stream", "unpriced"), np.bool_),
}
CODES = {np.int64: "q", np.int32: "i", np.uint8: "B", np.bool_: "B"}

_ending = msgspec.json.Decoder(_Ending).decode
_other = msgspec.json.Decoder(dict[str, Any]).decode
# Only an ending has it; in a text the quotes would stand escaped.
_HELD = b'"held_usd":'
_DRAW = b'"kind":"draw"'


def read_facts(entries: Entries, since: int, until: int, progress: Progress | None = None) -> Facts:
    """Return the facts of a period, from a moment up to another (nanoseconds since 1970).

    All bundles are read. Of queries outside of the period only sums and holds are kept.

    Raises:
        ProofError: the entries do not make the tree that was signed.
        TileError: a bundle is not what it must be.
        OSError: one cannot be read.
    """
    reading = _Reading(since, until)
    for number, bundle in enumerate(entries):
        reading.take(number * WIDTH, bundle)
        if progress is not None:
            progress(number + 1, entries.bundles)
    return reading.facts(entries)


class _Reading:
    """The columns while they grow."""

    def __init__(self, since: int, until: int) -> None:
        self._since, self._until = since, until
        self._outside = Outside(clock.iso(until))
        self._names = _Names({"": 0})
        self._scopes = lru_cache(4096)(self._scopes_of)
        self._kinds = {kind: code for code, kind in enumerate(ENDED)}
        self._columns = [array(CODES[kind]) for kind in COLUMNS.values()]
        self._rows: list[tuple[int, ...]] = []
        """Of the bundle that is read."""
        self._count = 0
        self._last = ""
        """The query that ended last: draws follow on it."""
        self._used = {name: (array("q"), array("q")) for name in COUNTS}
        """Of each meter the rows that used it, and how much."""
        self._draws = [array(code) for code in "qqiqq"]
        self._drawn: dict[str, Drawn] = {}
        self._unresolved: dict[int, int] = {}
        """Their rows, by their holds."""
        self._superseded = array("q")
        self._resolves: dict[int, int] = {}
        self._others: list[Other] = []
        self._earlier: list[Other] = []
        self._first, self._end, self._at = -1, 0, 0

    def take(self, first: int, bundle: list[bytes]) -> None:
        """Take a bundle whose first leaf has an index."""
        for index, leaf in enumerate(bundle, start=first):
            at = self._at = moment(text) if (text := _at(leaf)) else self._at
            if self._since <= at < self._until:
                if self._first < 0:
                    self._first = index
                self._end = index + 1
                self._take(index, at, leaf)
            elif at < self._since:
                self._take_earlier(index, leaf)
            elif _HELD in leaf:
                self._outside.after(index, leaf)
        if self._rows:
            for column, values in zip(self._columns, zip(*self._rows, strict=True), strict=True):
                column.extend(values)
            self._rows.clear()

    def _take(self, index: int, at: int, leaf: bytes) -> None:
        if _HELD in leaf:
            self._end_query(index, at, _ending(leaf))
        elif _DRAW in leaf:
            self._draw(index, _other(leaf))
        else:
            self._others.append((index, _other(leaf)))

    def _take_earlier(self, index: int, leaf: bytes) -> None:
        if _HELD in leaf:
            self._outside.before(index, leaf)
        elif _DRAW in leaf:
            self._draw_before(index, _other(leaf))
        else:
            self._earlier.append((index, _other(leaf)))

    def _end_query(self, index: int, at: int, leaf: _Ending) -> None:
        names, row = self._names, self._count
        self._count, self._last = row + 1, leaf.id
        cost = money.exact(leaf.cost_usd) if leaf.cost_usd else UNKNOWN
        listed = money.exact(leaf.list_usd) if leaf.list_usd else cost
        kind, witnessed = leaf.kind, ENDED[leaf.kind] in WITNESSED
        self._rows.append((
            index, at, moment(leaf.began), leaf.hold, leaf.entry, self._kinds[kind],
            names[leaf.key],
            *self._scopes(tuple(leaf.path)), names[leaf.provider], names[leaf.model],
            names[leaf.answered_model], names[leaf.asked_model], names[leaf.dialect],
            names[leaf.reason if witnessed else ""],  # an administrator's is committed
            names[leaf.finish], names[leaf.price_book],
            cost, listed, cost, money.exact(leaf.held_usd),
            leaf.http_status, leaf.first_byte_us, leaf.total_us, leaf.stream, leaf.unpriced,
        ))  # fmt: skip
        for meter, used in (leaf.usage or {}).items():
            rows, amounts = self._used[meter]
            rows.append(row)
            amounts.append(used)
        if kind == "unresolved":
            self._unresolved[leaf.hold] = row
        elif (old := self._unresolved.pop(leaf.hold, None)) is not None:
            self._superseded.append(old)
            self._resolves[row] = old
        elif self._outside.carried.pop(leaf.hold, None) is not None:
            self._resolves[row] = EARLIER

    def _draw_before(self, index: int, leaf: dict[str, Any]) -> None:
        old = self._drawn.get(leaf["source"], Drawn(0, 0, 0, index, index))
        usd, effective = old.usd + _nano(leaf, "usd"), old.effective + _nano(leaf, "effective")
        self._drawn[leaf["source"]] = Drawn(old.n + 1, usd, effective, old.first, index)

    def _draw(self, index: int, leaf: dict[str, Any]) -> None:
        assert leaf["id"] == self._last, "a draw follows on the ending that it pays for"
        paid = (_nano(leaf, "usd"), _nano(leaf, "effective"))
        values = (index, self._count - 1, self._names[leaf["source"]], *paid)
        for column, value in zip(self._draws, values, strict=True):
            column.append(value)

    def _scopes_of(self, path: tuple[str, ...]) -> _Scopes:
        """Return the first organisation, team and project of a path."""
        first = dict(scope.partition(":")[::2] for scope in reversed(path))
        return _Scopes(*(self._names[first.get(kind, "")] for kind in _Scopes._fields))

    def facts(self, entries: Entries) -> Facts:
        """Return what was read."""
        columns = dict(zip(COLUMNS, map(_column, COLUMNS.values(), self._columns), strict=True))
        draws = Draws(*(np.frombuffer(column, column.typecode) for column in self._draws))
        np.add.at(columns["effective"], draws.row, draws.effective - draws.usd)
        superseded, resolves = np.zeros(self._count, bool), np.full(self._count, -1)
        superseded[np.frombuffer(self._superseded, np.int64)] = True
        for row, old in self._resolves.items():
            resolves[row] = old
        head, first = entries.head, self._first if self._first >= 0 else entries.head.size
        period = (self._since, self._until, entries.verified)
        last = self._end - 1 if self._first >= 0 else first - 1
        return Facts(
            range=Range(head.origin, head.size, head.root, first, last, *period),
            names=list(self._names),
            kinds=tuple(ENDED.values()),
            others=self._others,
            earlier=self._earlier,
            draws=draws,
            drawn=self._drawn,
            spent=self._outside.spent,
            carried=list(self._outside.carried.values()),
            running=[
                each for hold, each in self._outside.running.items()
                if hold not in self._unresolved and hold not in self._outside.carried
            ],
            usage=dict(self._usage()),
            superseded=superseded,
            resolves=resolves,
            **columns,
        )  # fmt: skip

    def _usage(self) -> Iterator[tuple[str, Integers]]:
        for meter, (rows, amounts) in self._used.items():
            if not rows:  # no memory for a meter that nobody used
                yield meter, np.broadcast_to(np.int64(0), self._count)
                continue
            column = np.zeros(self._count, np.int64)
            column[np.frombuffer(rows, np.int64)] = np.frombuffer(amounts, np.int64)
            yield meter, column


def _nano(leaf: dict[str, Any], name: str) -> int:
    return money.exact(leaf.get(name, "0"))


def _column(kind: type, values: array[int]) -> Any:
    return np.frombuffer(values, kind)


def _at(leaf: bytes) -> str:
    """Return a leaf's time, undecoded: quotes within its texts stand escaped.

    One that stands for a leaf too long for a bundle has none, and is of the time of the one before.
    """
    begin = leaf.find(b'"at":"')
    return leaf[begin + 6 : begin + 30].decode() if begin >= 0 else ""
