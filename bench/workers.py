"""How much more two workers carry than one, with `durability = "power"`.

With three cores the rig has one of its own. On a machine of two it shares both with the gateway
and sleeps when it has nothing to do; what it takes of them is told, for it is missing. Of whole
answers it takes much; of streams that are translated so little that the workers have both cores.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.compare import open_folder
from bench.gateway import Farthing
from bench.measure import BUILD, BenchError, build_rig, run_rig
from bench.mock import make_mock
from bench.workloads import WORKLOADS, Workload

WORKERS = (1, 2)
USUAL = ("whole", "crossing-streams")


def main() -> int:
    """Measure and print; return 0 if the figures can be believed."""
    parser = argparse.ArgumentParser(prog="bench/workers.py", description=__doc__)
    add = parser.add_argument
    names = [workload.name for workload in WORKLOADS if workload.shape in ("whole", "streams")]
    add("--workloads", nargs="+", choices=names, default=USUAL, help="which to measure")
    add("--rounds", type=int, default=3, help="turns of each (3)")
    add("--seconds", type=float, default=3.0, help="length of a turn (3)")
    add("--folder", type=Path, default=BUILD, help="where temporary data folders go: on a disk")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < len(WORKERS):
        parser.error("two cores are needed that this process may use")
    console = Console(highlight=False, width=400)
    try:
        with open_folder(options.folder) as folder:
            build_rig()
            for workload in WORKLOADS:
                if workload.name in options.workloads:
                    console.print()
                    console.print(measure(options, workload, folder, cores))
    except BenchError as problem:
        console.print(f"bench: {problem}", style="bold red", markup=False)
        return 1
    return 0


def measure(
    options: argparse.Namespace, workload: Workload, folder: Path, cores: list[int]
) -> Table:
    """Let both take turns, and return the table."""
    folder = folder / workload.name
    folder.mkdir()
    mock = make_mock(folder)
    shared = len(cores) == len(WORKERS)
    under_test, rig = cores[:2], cores[:2] if shared else cores[2:3]
    systems = {n: Farthing("power", folder, mock, *under_test, workers=n) for n in WORKERS}
    rates: dict[int, list[float]] = {n: [] for n in WORKERS}
    spent: dict[int, list[float]] = {n: [] for n in WORKERS}
    shares: dict[int, list[float]] = {n: [] for n in WORKERS}
    try:
        for system in systems.values():
            system.start()
        for _ in range(options.rounds):
            for number, system in systems.items():
                system.resume()
                before = sum(system.cpu())
                told = [*mock.arguments(tls=workload.tls), *system.arguments(tls=workload.tls)]
                told += workload.arguments
                result = run_rig([*told, *(["--sleep"] if shared else [])], options.seconds, *rig)
                system.settle(result)
                rates[number].append(result.per_second)
                spent[number].append((sum(system.cpu()) - before) / 1000 / result.sent)
                shares[number].append(result.on_core)
                system.pause()
    finally:
        for system in systems.values():
            system.stop()
    where = "sharing both cores with the rig" if shared else "the rig on a third core"
    title = f"{workload.title}; two cores, {where}"
    table = Table(title=title, title_justify="left", box=None, title_style="bold")
    for heading in ("workers", "queries/s", "× one", "CPU µs/query", "cores of the rig"):
        table.add_column(heading, justify="right")
    for number in WORKERS:
        times = [rate / one for rate, one in zip(rates[number], rates[1], strict=True)]
        middle, low, high = statistics.median(rates[number]), min(rates[number]), max(rates[number])
        table.add_row(
            str(number),
            f"{middle:,.0f} ({low:,.0f}–{high:,.0f})",
            f"{statistics.median(times):.2f}",
            f"{statistics.median(spent[number]):.1f}",
            f"{statistics.median(shares[number]):.2f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
