"""The comparison's tables."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from bench.workloads import Sample, Workload
from rich.console import Console
from rich.table import Table

# A turn counts as disturbed when others used more than this of one of the two cores.
DISTURBED = 0.05

# Whose speed is told relative to the others'.
MINE = "farthing, power"

# Below this share of idle time the rig, not the system under test, may be what is measured.
LEAST_IDLE = 0.03

Value = Callable[[Sample], float]


class Figures:
    """The samples of one workload, and those it is held against."""

    def __init__(self, workload: Workload, samples: Sequence[Sample]) -> None:
        self.taken = [sample for sample in samples if sample.workload == workload.name]
        self.systems = list(dict.fromkeys(sample.system for sample in self.taken))
        baseline = [sample for sample in samples if sample.workload == workload.baseline]
        self._of_round = {(s.system, s.round): s for s in [*baseline, *self.taken]}

    def of(self, system: str) -> list[Sample]:
        """Return a system's samples."""
        return [sample for sample in self.taken if sample.system == system]

    def pairs(self, system: str, other: str, value: Value) -> list[tuple[float, float]]:
        """Return a system's values, each with another system's of the same round.

        Of who does not do this workload, the one counts that it is held against.
        """
        return [
            (value(sample), value(self._of_round[other, sample.round]))
            for sample in self.of(system)
            if (other, sample.round) in self._of_round
        ]

    def ratio(self, system: str, value: Value, other: str = "nginx") -> float | None:
        """Return the median of each round's ratio to another system."""
        ratios = [mine / base for mine, base in self.pairs(system, other, value) if base]
        return statistics.median(ratios) if any(ratios) else None


Cell = Callable[[Figures, str], str]


def show(
    console: Console, workloads: list[Workload], samples: list[Sample], facts: dict[str, str]
) -> None:
    """Print the machine, and a table for each workload."""
    width = max(map(len, facts))
    for name, value in facts.items():
        console.print(f"[bold]{name:{width}}[/]  {value}")
    for workload in workloads:
        figures = Figures(workload, samples)
        if figures.taken:
            console.print()
            console.print(_table(workload, figures))
    console.print()
    if any(sample.system == MINE for sample in samples):
        console.print(_summary(workloads, samples))
        console.print()
    _warn(console, samples)


def _table(workload: Workload, figures: Figures) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(workload.title, no_wrap=True)
    columns = COLUMNS[workload.shape]
    for heading in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for system in figures.systems:
        table.add_row(system, *(cell(figures, system) for cell in columns.values()))
    return table


def _summary(workloads: list[Workload], samples: list[Sample]) -> Table:
    """Return how many times as fast farthing is as each of the others."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(f"{MINE}: times the speed of", no_wrap=True)
    others = [s for s in dict.fromkeys(s.system for s in samples) if not s.startswith("farthing")]
    others = [other for other in others if other != "direct"]
    for other in others:
        table.add_column(other, justify="right", no_wrap=True)
    for workload in workloads:
        if workload.shape in ("whole", "streams"):
            figures = Figures(workload, samples)
            ratios = [figures.ratio(MINE, speed(workload), other) for other in others]
            table.add_row(workload.name, *(f"{r:.3g}" if r else "–" for r in ratios))
    return table


def speed(workload: Workload) -> Value:
    """Return what counts as a workload's speed: queries or events each second."""
    if workload.shape in ("streams", "paced"):
        return lambda sample: sample.result.events_per_second
    return lambda sample: sample.result.per_second


def cpu(sample: Sample) -> float:
    """Return the CPU time of one query, all processes together, in microseconds."""
    return sample.worker_us + sample.rest_us


def cpu_per_event(sample: Sample) -> float:
    """Return the CPU time of one event, its share of the query included."""
    return cpu(sample) * sample.result.sent / max(sample.result.events, 1)


# -- cells --------------------------------------------------------------------------------------


def _spread(value: Value, form: str, *, spread: bool = True) -> Cell:
    """Return a cell with the median, and the least and the most beside it."""

    def cell(figures: Figures, system: str) -> str:
        values = [value(sample) for sample in figures.of(system)]
        if not any(values):
            return "–"
        middle = form.format(statistics.median(values))
        if not spread or len(values) == 1:
            return middle
        return f"{middle} [dim]({form.format(min(values))}–{form.format(max(values))})[/]"

    return cell


def _median(value: Value, form: str) -> Cell:
    return _spread(value, form, spread=False)


def _ratio(value: Value) -> Cell:
    """Return a cell with the median of each round's ratio to nginx."""

    def cell(figures: Figures, system: str) -> str:
        found = figures.ratio(system, value)
        if found is None:
            return "–"
        return f"{found:.2f}" if found >= 0.1 else f"{found:.2g}"

    return cell


def _added(value: Value) -> Cell:
    """Return a cell with the median of what each round's latency is above the rig's own."""

    def cell(figures: Figures, system: str) -> str:
        added = [mine - base for mine, base in figures.pairs(system, "direct", value)]
        return f"{statistics.median(added):,.0f}" if added and system != "direct" else "–"

    return cell


def _closed(value: Value, unit: str, each: str) -> dict[str, Cell]:
    return {
        unit: _spread(value, "{:,.0f}"),
        "× nginx": _ratio(value),
        f"CPU µs/{each}": _spread(cpu, "{:,.1f}"),
        "× nginx ": _ratio(cpu),
        "worker": _median(lambda s: s.worker_us, "{:,.1f}"),
        "rest": _median(lambda s: s.rest_us, "{:,.1f}"),
        "p50 µs": _median(lambda s: s.result.p50_us, "{:,.0f}"),
        "p99 µs": _median(lambda s: s.result.p99_us, "{:,.0f}"),
    }


_COMMON = {
    "MB": _median(lambda s: s.resident_mb, "{:.0f}"),
    "behind s": _median(lambda s: s.behind_seconds, "{:.1f}"),
    "rig idle": _median(lambda s: s.result.idle, "{:.0%}"),
}

COLUMNS: dict[str, dict[str, Cell]] = {
    "whole": {**_closed(lambda s: s.result.per_second, "queries/s", "query"), **_COMMON},
    "streams": {**_closed(lambda s: s.result.events_per_second, "events/s", "stream"), **_COMMON},
    "paced": {
        "events/s": _median(lambda s: s.result.events_per_second, "{:,.0f}"),
        "CPU µs/event": _spread(cpu_per_event, "{:.1f}"),
        "× nginx": _ratio(cpu_per_event),
        "delay p50 µs": _spread(lambda s: s.result.delay_p50_us, "{:,.0f}"),
        "added": _added(lambda s: s.result.delay_p50_us),
        "delay p99 µs": _spread(lambda s: s.result.delay_p99_us, "{:,.0f}"),
        "added ": _added(lambda s: s.result.delay_p99_us),
        "max µs": _median(lambda s: s.result.delay_max_us, "{:,.0f}"),
        **_COMMON,
    },
    "open": {
        "queries/s": _median(lambda s: s.result.per_second, "{:,.0f}"),
        "p50 µs": _spread(lambda s: s.result.p50_us, "{:,.0f}"),
        "added": _added(lambda s: s.result.p50_us),
        "p99 µs": _spread(lambda s: s.result.p99_us, "{:,.0f}"),
        "added ": _added(lambda s: s.result.p99_us),
        "max µs": _median(lambda s: s.result.max_us, "{:,.0f}"),
        "CPU µs/query": _spread(cpu, "{:,.0f}"),
        "worker": _median(lambda s: s.worker_us, "{:,.0f}"),
        "rest": _median(lambda s: s.rest_us, "{:,.0f}"),
        **_COMMON,
    },
}


# -- what is to be doubted ------------------------------------------------------------------------


def _warn(console: Console, samples: list[Sample]) -> None:
    worst = max(samples, key=lambda sample: sample.disturbed)
    console.print(
        f"Others used up to {worst.disturbed:.0%} of a core (round {worst.round}, "
        f"{worst.workload}, {worst.system}).",
        style="dim" if worst.disturbed <= DISTURBED else "bold yellow",
    )
    mine = [sample for sample in samples if sample.system != "direct"]
    _name(
        console,
        [s for s in mine if s.result.idle < LEAST_IDLE],
        "the rig was hardly ever idle, so this may be its own limit; the CPU time counts all the "
        "same.",
    )
    _name(
        console,
        [s for s in mine if s.result.stalled],
        "it did not take events when they were sent, so their delays are told too low.",
    )
    if any(sample.system.startswith("farthing") for sample in samples):
        console.print("The ledgers agree with the rig to the last nanodollar; nothing is held.")


def _name(console: Console, samples: list[Sample], doubt: str) -> None:
    for workload, system in sorted({(s.workload, s.system) for s in samples}):
        console.print(f"{workload}, {system}: {doubt}", style="yellow")
