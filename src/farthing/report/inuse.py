"""Which models were in use in a period, how much, and how they did: from the log's leaves alone."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from farthing import money
from farthing.report.columns import UNKNOWN, Facts, Flags
from farthing.report.figures import Leaves, leaves_of, percentiles, rate
from farthing.report.performance import classified

# Times, in the words of a metric.
TIMES = {"first_event": "time to first event", "latency": "time to the whole answer"}
PERCENTS = ("p50", "p95", "p99")


class Metric(NamedTuple):
    """A figure that was measured, with its interval of 95 %."""

    type: str
    value: str
    low: str
    """"" where there are too few for an interval."""
    high: str
    n: int
    slice: str


class Use(NamedTuple):
    """One version of a model at one provider."""

    provider: str
    model: str
    """As the provider spells it."""
    version: str
    """As the provider named it in its answers; "" where none did."""
    queries: int
    usage: dict[str, int]
    cost: str
    """What is known of it, in dollars."""
    unknown: int
    """Queries whose cost nobody knows."""
    leaves: Leaves
    metrics: tuple[Metric, ...]
    evaluations: tuple[tuple[int, dict[str, Any]], ...]
    """Leaves that say how the model was evaluated, alone, with their indices."""

    @property
    def name(self) -> str:
        """The provider's and the model's name."""
        return f"{self.provider}/{self.model}"


def in_use(facts: Facts) -> list[Use]:
    """Return all models that were asked in a period, a version after the other."""
    counted, classes = classified(facts)
    columns = (facts.provider, facts.model, facts.answered_model)
    triples = np.unique(np.stack([column[counted] for column in columns]), axis=1)
    found = []
    for provider, model, version in zip(*triples.tolist(), strict=True):
        of_model = counted & (facts.provider == provider) & (facts.model == model)
        rows = of_model & (facts.answered_model == version)
        if version or not facts.answered_model[of_model].any():
            named = (facts.name(provider), facts.name(model), facts.name(version))
            found.append(_use(facts, named, rows, of_model, classes))
    return sorted(found, key=lambda use: use[:3])


def _use(
    facts: Facts,
    named: tuple[str, str, str],
    rows: Flags,
    of_model: Flags,
    classes: dict[str, Flags],
) -> Use:
    leaves, costs = leaves_of(facts, rows), facts.cost[rows]
    assert leaves is not None, "a model that nobody asked is not in use"
    used = {meter: int(amounts[rows].sum()) for meter, amounts in sorted(facts.usage.items())}
    return Use(
        *named,
        queries=int(rows.sum()),
        usage={meter: amount for meter, amount in used.items() if amount},
        cost=money.dollars(int(costs[costs != UNKNOWN].sum())),
        unknown=int((costs == UNKNOWN).sum()),
        leaves=leaves,
        metrics=(_availability(facts, "/".join(named[:2]), of_model, classes),
                 *_times(facts, named, rows & classes["answered"])),
        evaluations=tuple(
            (index, leaf) for index, leaf in facts.others
            if leaf["kind"] == "evaluation" and leaf.get("served") == ["/".join(named[:2])]
        ),
    )  # fmt: skip


def scored_of(leaf: dict[str, Any]) -> str:
    """Return how far an evaluation came, in words: a run that stopped is not told as whole."""
    wanted = int(leaf["samples"]) * int(leaf["epochs"])
    return f"{leaf['outcome']}, {leaf['completed']} of {wanted} answers scored"


def _availability(facts: Facts, name: str, rows: Flags, classes: dict[str, Flags]) -> Metric:
    """Return how many were answered, of those that could be: of all versions, as what failed tells
    no version."""
    able = rows & ~(classes["rejected"] | classes["gateway"])
    told = rate(facts, rows & (classes["answered"] | classes["answered_without_usage"]), able)
    shown, low, high = (_share(value) for value in (told.rate, told.low, told.high))
    return Metric("availability", shown, low, high, told.of, f"{name}, all versions")


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.6f}"


def _times(facts: Facts, named: tuple[str, str, str], answered: Flags) -> list[Metric]:
    columns = {"first_event": (answered & facts.stream, facts.first_byte_us),
               "latency": (answered, facts.total_us)}  # fmt: skip
    name = f"{'/'.join(named[:2])}, version {named[2] or 'unknown'}"
    found = []
    for what, (rows, values) in columns.items():
        told = percentiles(facts, rows, values, "microseconds")
        for percent in PERCENTS:
            value = getattr(told, percent)
            if value is not None:
                low, high = ("" if edge is None else str(edge) for edge in (value.low, value.high))
                kind = f"{TIMES[what]}, {percent}, microseconds"
                found.append(Metric(kind, str(value.value), low, high, told.n, name))
    return found
