"""The comparison's tables."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import msgspec
from bench.measure import Result
from rich.console import Console
from rich.table import Table

# A turn counts as disturbed when others used more than this of one of the two cores.
DISTURBED = 0.05

# Below this share of idle time the rig, not the system under test, may be what is measured.
LEAST_IDLE = 0.03


class Workload(msgspec.Struct, frozen=True):
    """What is asked of every system."""

    name: str
    title: str
    arguments: tuple[str, ...] = ()
    """Of the rig."""
    rate: int = 0
    """Queries a second of an open loop; 0 for a closed one, which asks as fast as it can."""


class Sample(msgspec.Struct):
    """One turn of one system."""

    round: int
    workload: str
    system: str
    result: Result
    worker_us: float
    """CPU time for each query of what serves queries, in microseconds; the warm-up included."""
    rest_us: float
    """The same of its other processes, until their work on the queries was done."""
    behind_seconds: float
    """How long that took after the last answer."""
    resident_mb: float
    disturbed: float
    """The share of a core that others used meanwhile."""


Value = Callable[[Sample], float]


def show(workloads: list[Workload], samples: list[Sample], facts: dict[str, str]) -> None:
    """Print the machine, and a table for each workload."""
    # Tables are never cut: a narrow terminal wraps their lines, a pipe gets them whole.
    console = Console(highlight=False, width=400)
    console.print()
    for name, value in facts.items():
        console.print(f"[bold]{name:9}[/] {value}")
    for workload in workloads:
        taken = [sample for sample in samples if sample.workload == workload.name]
        console.print()
        console.print(_table(workload, taken))
    console.print()
    _warn(console, samples)


def _table(workload: Workload, samples: list[Sample]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(workload.title, no_wrap=True)
    columns = _open_loop() if workload.rate else _closed_loop(streams=bool(workload.arguments))
    systems = list(dict.fromkeys(sample.system for sample in samples))
    for heading in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for system in systems:
        table.add_row(system, *(cell(samples, system) for cell in columns.values()))
    return table


Cell = Callable[[list[Sample], str], str]


def _closed_loop(*, streams: bool) -> dict[str, Cell]:
    def speed(sample: Sample) -> float:
        return sample.result.events_per_second if streams else sample.result.per_second

    what = "stream" if streams else "query"
    return {
        "events/s" if streams else "queries/s": _spread(speed, "{:,.0f}"),
        "× nginx": _ratio(speed),
        f"CPU µs/{what}": _spread(_cpu, "{:.1f}"),
        "× nginx ": _ratio(_cpu),
        "worker": _spread(lambda s: s.worker_us, "{:.1f}", spread=False),
        "rest": _spread(lambda s: s.rest_us, "{:.1f}", spread=False),
        "p50 µs": _spread(lambda s: s.result.p50_us, "{:,.0f}", spread=False),
        "p99 µs": _spread(lambda s: s.result.p99_us, "{:,.0f}", spread=False),
        **_common(),
    }


def _open_loop() -> dict[str, Cell]:
    return {
        "p50 µs": _spread(lambda s: s.result.p50_us, "{:,.0f}"),
        "added": _added(lambda s: s.result.p50_us),
        "p99 µs": _spread(lambda s: s.result.p99_us, "{:,.0f}"),
        "added ": _added(lambda s: s.result.p99_us),
        "max µs": _spread(lambda s: s.result.max_us, "{:,.0f}", spread=False),
        "CPU µs/query": _spread(_cpu, "{:.0f}"),
        "worker": _spread(lambda s: s.worker_us, "{:.0f}", spread=False),
        "rest": _spread(lambda s: s.rest_us, "{:.0f}", spread=False),
        **_common(),
    }


def _common() -> dict[str, Cell]:
    return {
        "MB": _spread(lambda s: s.resident_mb, "{:.0f}", spread=False),
        "behind s": _spread(lambda s: s.behind_seconds, "{:.1f}", spread=False),
        "rig idle": _spread(lambda s: s.result.idle, "{:.0%}", spread=False),
    }


def _cpu(sample: Sample) -> float:
    return sample.worker_us + sample.rest_us


def _values(samples: list[Sample], system: str, value: Value) -> list[float]:
    return [value(sample) for sample in samples if sample.system == system]


def _spread(value: Value, form: str, *, spread: bool = True) -> Cell:
    """Return a cell with the median, and the least and the most beside it."""

    def cell(samples: list[Sample], system: str) -> str:
        values = _values(samples, system, value)
        if not any(values):
            return "–"
        middle = form.format(statistics.median(values))
        if not spread or len(values) == 1:
            return middle
        return f"{middle} [dim]({form.format(min(values))}–{form.format(max(values))})[/]"

    return cell


def _ratio(value: Value) -> Cell:
    """Return a cell with the median of each round's ratio to nginx."""

    def cell(samples: list[Sample], system: str) -> str:
        pairs = zip(_values(samples, system, value), _values(samples, "nginx", value), strict=False)
        ratios = [mine / base for mine, base in pairs if mine and base]
        return f"{statistics.median(ratios):.2f}" if ratios else "–"

    return cell


def _added(value: Value) -> Cell:
    """Return a cell with the median of what each round's latency is above the rig's own."""

    def cell(samples: list[Sample], system: str) -> str:
        pairs = zip(
            _values(samples, system, value), _values(samples, "direct", value), strict=False
        )
        added = [mine - base for mine, base in pairs]
        return f"{statistics.median(added):,.0f}" if added and system != "direct" else "–"

    return cell


def _warn(console: Console, samples: list[Sample]) -> None:
    worst = max(samples, key=lambda sample: sample.disturbed)
    console.print(
        f"Others used up to {worst.disturbed:.0%} of a core (round {worst.round}, "
        f"{worst.workload}, {worst.system}).",
        style="dim" if worst.disturbed <= DISTURBED else "bold yellow",
    )
    bound = {
        (s.workload, s.system)
        for s in samples
        if s.system != "direct" and s.result.idle < LEAST_IDLE
    }
    for workload, system in sorted(bound):
        console.print(
            f"{workload}, {system}: the rig was hardly ever idle, so this may be its own limit; "
            "the CPU time counts all the same.",
            style="yellow",
        )
    console.print("The ledgers agree with the rig to the last nanodollar; nothing is held.")
