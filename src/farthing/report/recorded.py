"""Questions of entries that end no query: what they say, and what they paid for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from farthing import clock, money
from farthing.report.asking import Answer, Asking, Query, exact_sum
from farthing.report.changes import changes
from farthing.report.columns import Facts, Integers, Other
from farthing.report.performance import classified
from farthing.report.times import moment

DAY = 86_400 * clock.SECOND


def chosen_entries(facts: Facts, where: dict[str, Any], *, before: bool) -> Iterable[Other]:
    """Return the leaves that are no query's and are as a condition says."""
    all_of_them = [*facts.earlier, *facts.others] if before else facts.others
    return [
        other
        for other in all_of_them
        if all(
            other[1].get(name, "") in (wanted if isinstance(wanted, list) else [wanted])
            for name, wanted in where.items()
        )
    ]


def entries(asking: Asking, query: Query) -> Answer:
    """How many entries are as `where` says; with `before`, those before the period as well."""
    found = [
        index
        for index, _ in chosen_entries(
            asking.facts, query["where"], before=query.get("before", False)
        )
    ]
    span = (found[0], found[-1]) if found else (None, None)
    return Answer(len(found), len(found), *span)


def by_people(asking: Asking, _: Query) -> Answer:
    """How many entries of the period somebody made, of whom the log has a commitment."""
    found = [index for index, entry in asking.facts.others if "by" in entry]
    span = (found[0], found[-1]) if found else (None, None)
    return Answer(len(found), len(found), *span)


def days_kept(asking: Asking, _: Query) -> Answer:
    """How many whole days before the period's end the log's first entry was made."""
    facts = asking.facts
    for index, entry in [*facts.earlier, *facts.others]:
        if "at" in entry:
            return Answer((facts.range.until - moment(entry["at"])) // DAY, 1, index, index)
    return Answer(None, 0)


def version_changes(asking: Asking, _: Query) -> Answer:
    """How often another version of a model answered, while the same was asked for."""
    found = changes(asking.facts, classified(asking.facts)[1]["answered"])
    leaves = sorted(each.leaf for each in found)
    span = (leaves[0], leaves[-1]) if leaves else (None, None)
    return Answer(len(found), len(found), *span)


def stated(asking: Asking, query: Query) -> Answer:
    """What the last of some entries says; nothing, where it says nothing or there is none."""
    found = list(chosen_entries(asking.facts, query["where"], before=True))
    if not found:
        return Answer(None, 0)
    index, last = found[-1]
    value: Any = last
    for name in query["of"].split("/"):
        value = value[int(name)] if isinstance(value, list) else value.get(name)
    return Answer(value, 1, index, index)


def score(asking: Asking, query: Query) -> Answer:
    """What an evaluation's entry says in a `place` of its scores: the value and its interval."""
    found = list(chosen_entries(asking.facts, query["where"], before=False))
    if not found:
        return Answer(None, 0)
    index, entry = found[-1]
    told = entry["scores"][query["place"]]
    if "of" in query:
        return Answer(told.get(query["of"], 0), 1, index, index)
    return Answer(told["value"], 1, index, index, told.get("low"), told.get("high"))


def tally(asking: Asking, query: Query) -> Answer:
    """The sum of a number that some entries say."""
    found = list(chosen_entries(asking.facts, query["where"], before=False))
    whole = sum(int(entry.get(query["of"], 0)) for _, entry in found)
    span = (found[0][0], found[-1][0]) if found else (None, None)
    return Answer(whole, len(found), *span)


def total(asking: Asking, query: Query) -> Answer:
    """The sum of dollars that some entries say."""
    found = list(chosen_entries(asking.facts, query["where"], before=query.get("before", False)))
    whole = sum(money.nanodollars(entry.get(query["of"], "0")) for _, entry in found)
    span = (found[0][0], found[-1][0]) if found else (None, None)
    return Answer(money.dollars(whole), len(found), *span)


def paid(asking: Asking, query: Query) -> Answer:
    """What was drawn of a source: "commitment:ID" is all of its tranches, "credit" all credit."""
    draws, source = asking.facts.draws, query["source"]
    below = (f"{source}/", f"{source}:")
    names = enumerate(asking.facts.names)
    codes = [code for code, name in names if name == source or name.startswith(below)]
    chosen = np.isin(draws.source, codes) & asking.rows(query["where"])[draws.row]
    return _of_draws(draws.index[chosen], getattr(draws, query["of"])[chosen])


def _of_draws(index: Integers, amounts: Integers) -> Answer:
    if not len(index):
        return Answer("0", 0)
    return Answer(money.dollars(exact_sum(amounts)), len(index), int(index[0]), int(index[-1]))


def paid_ever(asking: Asking, query: Query) -> Answer:
    """What was drawn of a source in the period and before it."""
    source = query["source"]
    within = paid(asking, {**query, "where": {}})
    before = asking.facts.drawn.get(source)
    if before is None:
        return within
    ever = money.dollars(getattr(before, query["of"]) + money.exact(str(within.value)))
    return Answer(ever, within.n + before.n, before.first, within.last or before.last)


def left(asking: Asking, query: Query) -> Answer:
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
    drawn = paid(asking, {"source": f"commitment:{which}", "of": "usd", "where": {"at": span}})
    rest = whole - before - money.exact(str(drawn.value))
    return Answer(money.dollars(rest), drawn.n, drawn.first, drawn.last)
