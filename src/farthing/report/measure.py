"""The questions a statement asks of the facts, as data; and their answers.

A query is a JSON object, so that it can stand beside its figure and be asked again by whoever has
the log: `{"measure": "sum", "of": "cost", "where": {"provider": ["one"]}}`. What it may say is the
table `MEASURES` here and docs/reference/statement.md. All arithmetic is of integers; a ratio is a
decimal string of six places, rounded half up.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from farthing import clock, money
from farthing.report import recorded
from farthing.report.asking import (
    PLACES,
    Answer,
    Asking,
    Query,
    QueryError,
    exact_sum,
    ratio,
    span,
    worth,
)
from farthing.report.intervals import rank, ranks, wilson
from farthing.report.outside import chosen
from farthing.report.peak import peak_of
from farthing.report.performance import attempts


def _count(asking: Asking, query: Query) -> Answer:
    """How many rows are as `where` says."""
    n, first, last = span(asking, asking.rows(query["where"]))
    return Answer(n, n, first, last)


def _sum(asking: Asking, query: Query) -> Answer:
    """What a column, `of`, comes to in the rows that are as `where` says."""
    chosen, name = asking.rows(query["where"]), query["of"]
    total = exact_sum(asking.column(name)[chosen])
    return Answer(worth(name, total), *span(asking, chosen))


def _share(asking: Asking, query: Query) -> Answer:
    """What some rows come to, of what others do; of counts where nothing is summed."""
    part, whole = asking.rows(query["where"]), asking.rows(query["among"])
    if "of" in query:
        column = asking.column(query["of"])
        return Answer(
            ratio(exact_sum(column[part]), exact_sum(column[whole])), *span(asking, whole)
        )
    counts = int(part.sum()), int(whole.sum())
    sure = wilson(*counts) if query.get("interval") else None
    interval = () if sure is None else (f"{edge:.{PLACES}f}" for edge in sure)
    return Answer(ratio(*counts), *span(asking, whole), *interval)


def _average(asking: Asking, query: Query) -> Answer:
    """A sum for each of some other rows, rounded up to the nanodollar."""
    chosen, each = asking.rows(query["where"]), int(asking.rows(query["each"]).sum())
    total = exact_sum(asking.column(query["of"])[chosen])
    value = worth(query["of"], -(-total // each)) if each else None
    return Answer(value, *span(asking, chosen))


def _concentration(asking: Asking, query: Query) -> Answer:
    """The Herfindahl-Hirschman index: squares of shares in percent, 10,000 for one alone."""
    chosen = asking.rows(query["where"])
    codes, column = getattr(asking.facts, query["by"])[chosen], asking.column(query["of"])[chosen]
    sums = [exact_sum(column[codes == code]) for code in np.unique(codes)]
    whole = sum(sums)
    squares = sum(part * part for part in sums)
    value = (2 * 10_000 * squares + whole * whole) // (2 * whole * whole) if whole else None
    return Answer(value, *span(asking, chosen))


def _run_rate(asking: Asking, query: Query) -> Answer:
    """What so many days cost at the rate of the period's spans: the least, or the most, of them."""
    column, days = asking.column(query["of"]), query["days"]
    spans = [asking.rows({**query["where"], "at": span}) for span in query["spans"]]
    whole = asking.rows(query["where"])
    if not spans:
        return Answer(None, 0)
    sums = [exact_sum(column[span]) for span in spans]
    chosen = min(sums) if query["take"] == "least" else max(sums)
    return Answer(worth(query["of"], -(-chosen * days // query["span_days"])), *span(asking, whole))


def _quantile(asking: Asking, query: Query) -> Answer:
    """An order statistic (nearest rank), with the distribution-free interval of its rank."""
    chosen = asking.rows(query["where"])
    values, p = asking.column(query["of"])[chosen], query["p"]
    n = len(values)
    if not n:
        return Answer(None, 0)
    at, between = rank(n, p) - 1, ranks(n, p)
    ordered = np.partition(values, sorted({at, *(edge - 1 for edge in between or ())}))
    interval = () if between is None else (int(ordered[edge - 1]) for edge in between)
    return Answer(int(ordered[at]), *span(asking, chosen), *interval)


def _attempts(asking: Asking, query: Query) -> Answer:
    """How often queries were sent once more: `of` is "retries" or "fallbacks"."""
    chosen = asking.rows(query["where"])
    found: int = getattr(attempts(asking.facts, chosen), query["of"])
    return Answer(found, *span(asking, chosen))


def _peak(asking: Asking, query: Query) -> Answer:
    """The most that was posted and held at once, in a `meter`'s unit, in any `window`."""
    found = peak_of(asking, query["where"], query["meter"], query["window"])
    if found.value is None or query["meter"] != "usd":
        return found
    return found._replace(value=money.dollars(int(found.value)))


def _peak_part(asking: Asking, query: Query) -> Answer:
    """A peak as a part of the limit's amount."""
    found = peak_of(asking, query["where"], query["meter"], query["window"])
    limit = recorded.stated(asking, {"where": query["limit"], "of": "amount"}).value
    if found.value is None or limit is None:
        return Answer(None, 0)
    whole = money.nanodollars(str(limit)) if query["meter"] == "usd" else int(limit)
    return found._replace(value=ratio(int(found.value), whole))


def _standing(asking: Asking, query: Query) -> Answer:
    """Queries unresolved at the period's end, from it and before it: how many, or `of` "held"."""
    facts, where = asking.facts, query["where"]
    carried = chosen(facts.carried, where)
    rows = asking.rows({**where, "kind": ["unresolved"], "superseded": False})
    if query.get("since") == "before":
        rows = np.zeros(len(facts), np.bool_)
    found = sorted([*facts.index[rows].tolist(), *(each.leaf for each in carried)])
    edges = (found[0], found[-1]) if found else (None, None)
    if query["of"] == "queries":
        return Answer(len(found), len(found), *edges)
    held = exact_sum(facts.held[rows]) + sum(each.usd for each in carried)
    return Answer(money.dollars(held), len(found), *edges)


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
    return Answer(value, *span(asking, chosen))


MEASURES: dict[str, Callable[[Asking, Query], Answer]] = {
    "count": _count,
    "sum": _sum,
    "share": _share,
    "average": _average,
    "concentration": _concentration,
    "run-rate": _run_rate,
    "quantile": _quantile,
    "attempts": _attempts,
    "peak": _peak,
    "peak-part": _peak_part,
    "standing": _standing,
    "covered": _covered,
    "positions": _positions,
    "size": _size,
    "first": _edge,
    "last": _edge,
    "paid": recorded.paid,
    "paid-ever": recorded.paid_ever,
    "left": recorded.left,
    "entries": recorded.entries,
    "stated": recorded.stated,
    "score": recorded.score,
    "total": recorded.total,
    "tally": recorded.tally,
    "by-people": recorded.by_people,
    "days-kept": recorded.days_kept,
    "version-changes": recorded.version_changes,
}


def answer(asking: Asking, query: Query) -> Answer:
    """Return what a query comes to.

    Raises:
        QueryError: it is none of these.
    """
    try:
        return MEASURES[query["measure"]](asking, query)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as problem:
        raise QueryError(f"a query that cannot be asked: {query} ({problem!r})") from None
