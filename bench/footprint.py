"""What a gateway takes without being busy: time to start, memory for streams, memory for ever.

- From the start of its first process to the first answer, on a data folder that is there, without
  the embedded model. The files are in the system's cache.
- 1,000 open streams with an event a second each: the memory of the process that serves them, more
  than before, and how late an event came at worst, which is the longest pause of its loop.
- The memory of that process as it answers queries, which must come to rest.
- The memory of each process before any query: resident, and with what it shares by its share.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import sys
import threading
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.compare import check_cores, open_folder
from bench.gateway import Farthing
from bench.measure import (
    BUILD,
    BenchError,
    Result,
    build_rig,
    proportional_mb,
    resident_mb,
    run_rig,
    start_rig,
)
from bench.mock import Mock, make_mock

STARTS = 5
LINES = 5  # of the last part
STREAMS, EVENTS, SPREAD_SECONDS = 1000, 10, 4
IDLE = [
    *("--stream", "--connections", str(STREAMS), "--burst", "1", "--events", str(EVENTS)),
    *("--interval-us", "1000000", "--spread-us", str(SPREAD_SECONDS * 1_000_000)),
    *("--warmup", str(SPREAD_SECONDS)),
]
QUESTION = b'{"model":"bench-1","max_tokens":256,"messages":[{"role":"user","content":"Why?"}]}'


def main() -> int:
    """Measure and print; return 0 if the figures can be believed."""
    parser = argparse.ArgumentParser(prog="bench/footprint.py", description=__doc__)
    add = parser.add_argument
    add("--queries", type=int, default=100_000, help="of the last part; a million takes minutes")
    add("--cores", type=int, nargs=2, default=[0, 1], help="core under test, core of the rig")
    add("--folder", type=Path, default=BUILD, help="where temporary data folders go: on a disk")
    options = parser.parse_args()
    check_cores(parser, options.cores)
    console = Console(highlight=False, width=400)
    try:
        with open_folder(options.folder) as folder:
            build_rig()
            measure(options, folder, console)
    except BenchError as problem:
        console.print(f"bench: {problem}", style="bold red", markup=False)
        return 1
    return 0


def measure(options: argparse.Namespace, folder: Path, console: Console) -> None:
    """Measure the three parts with one gateway."""
    core, rig_core = options.cores
    mock = make_mock(folder)
    system = Farthing("power", folder, mock, core)
    table = Table(title="What a gateway takes", title_justify="left", box=None, title_style="bold")
    for heading in ("", "", ""):
        table.add_column(heading, no_wrap=True)
    try:
        starts = cold_starts(folder, mock, options.cores)
        spread = f"{min(starts):.2f}–{max(starts):.2f}"
        table.add_row("s to the first answer", f"{statistics.median(starts):.2f}", spread)
        system.start()
        system.resume()
        for name, process in system.processes.items():
            shared = f"{proportional_mb(process):.1f} by its share of what is shared"
            table.add_row(f"MB of {name}, at rest", f"{resident_mb(process):.1f}", shared)
        for name, value, note in idle_streams(system, mock, rig_core):
            table.add_row(name, value, note)
        for queries, megabytes in many_queries(options.queries, system, mock, rig_core):
            table.add_row(f"MB after {queries:,} queries", f"{megabytes:.1f}")
    finally:
        system.stop()
    console.print()
    console.print(table)


def cold_starts(folder: Path, mock: Mock, cores: list[int]) -> list[float]:
    """Return how many seconds pass from a start to the first answer, several times.

    The gateway may use both cores, as the provider only waits.
    """
    told = [*mock.arguments(tls=False), "--connections", "0", "--sleep", "--seconds", "600"]
    provider = start_rig(told, cores[1])
    system = Farthing("process", folder, mock, *cores)
    try:
        system.start()
        system.resume()
        return [_cold_start(system) for _ in range(STARTS)]
    finally:
        system.stop()
        provider.kill()
        provider.wait()


def _cold_start(system: Farthing) -> float:
    system.stop()
    began = time.monotonic()
    system.launch()
    client = http.client.HTTPConnection("127.0.0.1", system.port)
    headers = dict(header.split(": ", 1) for header in system.headers)
    headers["Content-Type"] = "application/json"
    client.request("POST", "/v1/chat/completions", QUESTION, headers)
    answer = client.getresponse()
    told = answer.read()
    took = time.monotonic() - began
    client.close()
    if answer.status != http.HTTPStatus.OK:
        raise BenchError(f"the first answer was {answer.status}: {told.decode()}")
    return took


def idle_streams(system: Farthing, mock: Mock, rig_core: int) -> list[tuple[str, str, str]]:
    """Return what open streams take: memory each, and the latest event of all."""
    _ask(system, mock, rig_core, [], 1.0)  # what any load takes is not the streams'
    before = system.resident()
    watch = Watch(system)
    result = _ask(system, mock, rig_core, IDLE, EVENTS - SPREAD_SECONDS)
    each = (watch.stop() - before) * 1000 / STREAMS
    alone = run_rig([*mock.arguments(tls=False), *IDLE], EVENTS - SPREAD_SECONDS, rig_core)
    by_itself = f"the rig by itself: {alone.delay_max_us / 1000:.1f}"
    return [
        (f"kB for each of {STREAMS:,} open streams", f"{each:.1f}", ""),
        ("ms that an event was late at most", f"{result.delay_max_us / 1000:.1f}", by_itself),
    ]


class Watch:
    """Looks for the most memory that a system takes while others do something."""

    def __init__(self, system: Farthing) -> None:
        self._system = system
        self._most = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def stop(self) -> float:
        """Stop looking; return the most, in megabytes."""
        self._done.set()
        self._thread.join()
        return self._most

    def _look(self) -> None:
        while not self._done.wait(0.1):
            self._most = max(self._most, self._system.resident())


def many_queries(
    number: int, system: Farthing, mock: Mock, rig_core: int
) -> list[tuple[int, float]]:
    """Return the memory in megabytes after some, more, and all of a number of queries."""
    told: list[tuple[int, float]] = []
    answered = 0
    while answered < number:
        answered += _ask(system, mock, rig_core, [], 5.0).answered
        told.append((answered, system.resident()))
    return told[:: max(1, len(told) // LINES)]


def _ask(
    system: Farthing, mock: Mock, rig_core: int, arguments: list[str], seconds: float
) -> Result:
    told = [*mock.arguments(tls=False), *system.arguments(tls=False), *arguments]
    result = run_rig(told, seconds, rig_core)
    system.settle(result)
    return result


if __name__ == "__main__":
    sys.exit(main())
