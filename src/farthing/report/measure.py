"""The questions a statement asks of the facts, as data; and their answers.

A query is a JSON object, so that it can stand beside its figure and be asked again by whoever has
the log: `{"measure": "sum", "of": "cost", "where": {"provider": ["one"]}}`. What it may say is the
table `MEASURES` here and docs/reference/statement.md. All arithmetic is of integers; a ratio is a
decimal string of six places, rounded half up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from farthing import clock, money
from farthing.report.columns import UNKNOWN, Facts, Flags, Integers, Other
from farthing.report.peak import peak_of

Query = dict[str, Any]
Value = int | str | None

PLACES = 6
AMOUNTS = frozenset({"cost", "list_cost", "effective", "held"})
TOKENS = (
    "input", "cache_read", "cache_write", "cache_write_1h", "output", "input_audio", "output_audio",
    "input_image", "output_image",
)  # fmt: skip
"""The meters that are tokens; reasoning is a part of output."""
SUMMED = {"tokens": TOKENS, "cache_writes": ("cache_write", "cache_write_1h")}


class Answer(NamedTuple):
    """What a query came to."""

    value: Value
    """A count, an exact decimal string, or None: then there is nothing to tell it from."""
    n: int
    """How many leaves it is made of."""
    first: int | None = None
    """The first and last of them, by index."""
    last: int | None = None
    low: Value = None
    """A 95 % confidence interval, where it has one."""
    high: Value = None


class QueryError(ValueError):
    """A query that cannot be asked."""


class Asking:
    """Asks queries of the same facts, and keeps the rows of conditions that come again."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._codes = {name: code for code, name in enumerate(facts.names)}
        self._condition = lru_cache(48)(self._condition_of)

    def ask(self, query: Query) -> Answer:
        """Return a query's answer.

        Raises:
            QueryError: it is none of these.
        """
        try:
            return MEASURES[query["measure"]](self, query)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as problem:
            raise QueryError(f"a query that cannot be asked: {query} ({problem!r})") from None

    def rows(self, where: dict[str, Any]) -> Flags:
        """Return which rows are as a condition says."""
        chosen = np.ones(len(self.facts), np.bool_)
        for name, wanted in where.items():
            if name == "not":
                for other in wanted:
                    chosen &= ~self.rows(other)
                continue
            chosen &= self._condition(name, tuple(wanted) if isinstance(wanted, list) else wanted)
        return chosen

    def _condition_of(self, name: str, wanted: Any) -> Flags:
        if name in CONDITIONS:
            return CONDITIONS[name](self.facts, wanted)
        column = getattr(self.facts, name)
        if column.dtype == np.bool_:
            return np.asarray(column == bool(wanted))
        return np.isin(column, [self._codes.get(value, UNKNOWN) for value in wanted])

    def column(self, name: str) -> Integers:
        """Return a column of amounts or times, or what was used of a meter."""
        facts = self.facts
        if name in SUMMED:
            return np.sum([facts.usage[meter] for meter in SUMMED[name]], axis=0, dtype=np.int64)
        found: Integers = facts.usage[name] if name in facts.usage else getattr(facts, name)
        return found


def moment(iso: str) -> int:
    """Return a moment as queries write it in nanoseconds since 1970."""
    from datetime import datetime  # noqa: PLC0415

    return int(datetime.fromisoformat(iso).timestamp()) * clock.SECOND


CONDITIONS: dict[str, Callable[[Facts, Any], Flags]] = {
    "at": lambda facts, span: (facts.at >= moment(span[0])) & (facts.at < moment(span[1])),
    "kind": lambda facts, kinds: facts.of(*kinds),
    "cost": lambda facts, word: (facts.cost == UNKNOWN) == (word == "unknown"),
    "http_status": lambda facts, span: (
        (facts.http_status >= span[0]) & (facts.http_status <= span[1])
    ),
    "first_byte_us": lambda facts, word: (facts.first_byte_us > 0) == (word == "known"),
}


def exact_sum(values: Integers) -> int:
    """Return a sum that no number of rows makes overflow."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


def ratio(part: int, whole: int, times: int = 1) -> str | None:
    """Return a decimal of six places, rounded half up; None of nothing."""
    if whole == 0:
        return None
    scaled = (2 * part * times * 10**PLACES + whole) // (2 * whole)
    return f"{scaled // 10**PLACES}.{scaled % 10**PLACES:0{PLACES}d}"


def worth(name: str, total: int) -> Value:
    """Return a total as it is written: dollars as a decimal string, all else as a number."""
    return money.dollars(total) if name in AMOUNTS else total


def _span(asking: Asking, chosen: Flags) -> tuple[int, int | None, int | None]:
    found = np.flatnonzero(chosen)
    if not len(found):
        return 0, None, None
    index = asking.facts.index
    return len(found), int(index[found[0]]), int(index[found[-1]])


def _count(asking: Asking, query: Query) -> Answer:
    n, first, last = _span(asking, asking.rows(query["where"]))
    return Answer(n, n, first, last)


def _sum(asking: Asking, query: Query) -> Answer:
    chosen, name = asking.rows(query["where"]), query["of"]
    total = exact_sum(asking.column(name)[chosen])
    return Answer(worth(name, total), *_span(asking, chosen))


def _share(asking: Asking, query: Query) -> Answer:
    """What some rows come to, of what others do; of counts where nothing is summed."""
    part, whole = asking.rows(query["where"]), asking.rows(query["among"])
    if "of" in query:
        column = asking.column(query["of"])
        sums = exact_sum(column[part]), exact_sum(column[whole])
    else:
        sums = int(part.sum()), int(whole.sum())
    return Answer(ratio(*sums), *_span(asking, whole))


def _average(asking: Asking, query: Query) -> Answer:
    """A sum for each of some other rows, rounded up to the nanodollar."""
    chosen, each = asking.rows(query["where"]), int(asking.rows(query["each"]).sum())
    total = exact_sum(asking.column(query["of"])[chosen])
    value = worth(query["of"], -(-total // each)) if each else None
    return Answer(value, *_span(asking, chosen))


def _concentration(asking: Asking, query: Query) -> Answer:
    """The Herfindahl-Hirschman index: squares of shares in percent, 10,000 for one alone."""
    chosen = asking.rows(query["where"])
    codes, column = getattr(asking.facts, query["by"])[chosen], asking.column(query["of"])[chosen]
    sums = [exact_sum(column[codes == code]) for code in np.unique(codes)]
    whole = sum(sums)
    squares = sum(part * part for part in sums)
    value = (2 * 10_000 * squares + whole * whole) // (2 * whole * whole) if whole else None
    return Answer(value, *_span(asking, chosen))


def _run_rate(asking: Asking, query: Query) -> Answer:
    """What so many days cost at the rate of the period's spans: the least, or the most, of them."""
    column, days = asking.column(query["of"]), query["days"]
    spans = [asking.rows({**query["where"], "at": span}) for span in query["spans"]]
    whole = asking.rows(query["where"])
    if not spans:
        return Answer(None, 0)
    sums = [exact_sum(column[span]) for span in spans]
    chosen = min(sums) if query["take"] == "least" else max(sums)
    return Answer(
        worth(query["of"], -(-chosen * days // query["span_days"])), *_span(asking, whole)
    )


def _quantile(asking: Asking, query: Query) -> Answer:
    """An order statistic (nearest rank), with the distribution-free interval of its rank."""
    chosen = asking.rows(query["where"])
    values, p = asking.column(query["of"])[chosen], query["p"]
    n = len(values)
    if not n:
        return Answer(None, 0)
    at = -(-n * p // 100) - 1
    # Ranks are binomial: ±1.96 √(n p (1−p)), in integers (√ of ten thousands of a unit).
    reach = int(np.ceil(1.96 * np.sqrt(n * p * (100 - p)) / 100))
    places = sorted({max(0, at - reach), at, min(n - 1, at + reach)})
    ordered = np.partition(values, places)
    low, high = int(ordered[places[0]]), int(ordered[places[-1]])
    return Answer(int(ordered[at]), *_span(asking, chosen), low, high)


def _peak(asking: Asking, query: Query) -> Answer:
    chosen = asking.rows(query["where"])
    found = peak_of(asking.facts, chosen, query["meter"], query["window"])
    value = None if found is None else money.dollars(found) if query["meter"] == "usd" else found
    return Answer(value, *_span(asking, chosen))


def _peak_part(asking: Asking, query: Query) -> Answer:
    """A peak as a part of the limit's amount."""
    chosen = asking.rows(query["where"])
    found = peak_of(asking.facts, chosen, query["meter"], query["window"])
    limit = _stated(asking, {"where": query["limit"], "of": "amount"}).value
    if found is None or limit is None:
        return Answer(None, 0)
    whole = money.nanodollars(limit) if query["meter"] == "usd" else int(limit)
    return Answer(ratio(found, whole), *_span(asking, chosen))


def _covered(asking: Asking, query: Query) -> Answer:
    """How many of the period's leaves are rows, draws or entries: all, if none is missing."""
    facts = asking.facts
    n = len(facts) + len(facts.draws.index) + len(facts.others)
    return Answer(n, n, facts.range.first if n else None, facts.range.last if n else None)


def _positions(asking: Asking, _: Query) -> Answer:
    """How many leaves there are from the period's first to its last."""
    found = asking.facts.range
    if found.first > found.last:
        return Answer(0, 0)
    n = found.last - found.first + 1
    return Answer(n, n, found.first, found.last)


def _size(asking: Asking, _: Query) -> Answer:
    """How many leaves the tree has."""
    size = asking.facts.range.size
    return Answer(size, size, 0, size - 1)


def _edge(asking: Asking, query: Query) -> Answer:
    """The least of some times, or the greatest."""
    chosen = asking.rows(query["where"])
    values = asking.column(query["of"])[chosen]
    pick = np.min if query["measure"] == "first" else np.max
    value = clock.iso(int(pick(values))) if len(values) else None
    return Answer(value, *_span(asking, chosen))


def _paid(asking: Asking, query: Query) -> Answer:
    """What was drawn of a source: "commitment:ID" is all of its tranches, "credit" all credit."""
    draws, source = asking.facts.draws, query["source"]
    below = (f"{source}/", f"{source}:")
    names = enumerate(asking.facts.names)
    codes = [code for code, name in names if name == source or name.startswith(below)]
    chosen = np.isin(draws.source, codes) & asking.rows(query["where"])[draws.row]
    return _of_draws(draws.index[chosen], getattr(draws, query["of"])[chosen])


def _left(asking: Asking, query: Query) -> Answer:
    """What is left of a commitment at a moment: what can be drawn of it, less what was."""
    facts, which = asking.facts, query["commitment"]
    (_, entry), *_ = chosen_entries(facts, {"kind": "commitment", "id": which}, before=True)
    called = chosen_entries(facts, {"kind": "exercise", "commitment": which}, before=True)
    until = query["until"]
    whole = sum(money.exact(t["usd"]) for t in entry["tranches"] if not t.get("on_call"))
    whole += sum(money.exact(each["usd"]) for _, each in called if each["at"] < until)
    sources = [f"commitment:{which}/{n}" for n in range(1, len(entry["tranches"]) + 1)]
    before = sum(facts.drawn[source].usd for source in sources if source in facts.drawn)
    span = [clock.iso(facts.range.since), until]
    drawn = _paid(asking, {"source": f"commitment:{which}", "of": "usd", "where": {"at": span}})
    left = whole - before - money.exact(str(drawn.value))
    return Answer(money.dollars(left), drawn.n, drawn.first, drawn.last)


def _of_draws(index: Integers, amounts: Integers) -> Answer:
    if not len(index):
        return Answer("0", 0)
    return Answer(money.dollars(exact_sum(amounts)), len(index), int(index[0]), int(index[-1]))


def _paid_ever(asking: Asking, query: Query) -> Answer:
    """What was drawn of a source in the period and before it."""
    source = query["source"]
    within = _paid(asking, {**query, "where": {}})
    before = asking.facts.drawn.get(source)
    if before is None:
        return within
    total = money.dollars(getattr(before, query["of"]) + money.exact(str(within.value)))
    return Answer(total, within.n + before.n, before.first, within.last or before.last)


def chosen_entries(facts: Facts, where: dict[str, Any], *, before: bool) -> Iterable[Other]:
    """Return the leaves that are no query's and are as a condition says."""
    entries = [*facts.earlier, *facts.others] if before else facts.others
    return [
        other
        for other in entries
        if all(
            other[1].get(name, "") in (wanted if isinstance(wanted, list) else [wanted])
            for name, wanted in where.items()
        )
    ]


def _entries(asking: Asking, query: Query) -> Answer:
    found = [
        index
        for index, _ in chosen_entries(
            asking.facts, query["where"], before=query.get("before", False)
        )
    ]
    span = (found[0], found[-1]) if found else (None, None)
    return Answer(len(found), len(found), *span)


def _stated(asking: Asking, query: Query) -> Answer:
    """What the last of some entries says; nothing, where it says nothing or there is none."""
    found = list(chosen_entries(asking.facts, query["where"], before=True))
    if not found:
        return Answer(None, 0)
    index, last = found[-1]
    value = last
    for name in query["of"].split("/"):
        value = value[int(name)] if isinstance(value, list) else value.get(name)
    return Answer(value, 1, index, index)


def _total(asking: Asking, query: Query) -> Answer:
    """The sum of dollars that some entries say."""
    found = list(chosen_entries(asking.facts, query["where"], before=query.get("before", False)))
    total = sum(money.nanodollars(entry.get(query["of"], "0")) for _, entry in found)
    span = (found[0][0], found[-1][0]) if found else (None, None)
    return Answer(money.dollars(total), len(found), *span)


MEASURES: dict[str, Callable[[Asking, Query], Answer]] = {
    "count": _count,
    "sum": _sum,
    "share": _share,
    "average": _average,
    "concentration": _concentration,
    "run-rate": _run_rate,
    "quantile": _quantile,
    "peak": _peak,
    "peak-part": _peak_part,
    "covered": _covered,
    "positions": _positions,
    "size": _size,
    "first": _edge,
    "last": _edge,
    "paid": _paid,
    "paid-ever": _paid_ever,
    "left": _left,
    "entries": _entries,
    "stated": _stated,
    "total": _total,
}
