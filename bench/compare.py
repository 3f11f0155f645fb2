"""Compare farthing with nginx, in the same minutes on the same cores: `make bench`.

One core is for the system under test and all its processes, the other for the rig (rig.c), which
is both the clients and the provider. Systems take turns, round by round, so that a machine that
grows slower does so for all of them; medians count. While one is measured the others rest.

After every turn the ledger must say exactly what the rig's answers cost, and hold nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from rich.console import Console

# As a script this file sees its own folder; its neighbours are found from the one above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.gateway import Farthing
from bench.measure import (
    BUILD,
    BenchError,
    build_rig,
    busy_seconds,
    check_disk,
    machine,
    run_rig,
)
from bench.show import DISTURBED, Sample, Workload, show
from bench.systems import Nginx, System, find_nginx, free_port

# How often a turn that others disturbed is taken, at most.
TRIES = 3

WORKLOADS = (
    Workload("whole", "Whole answers of 1 kB, {connections} connections"),
    Workload("streams", "Streams of 200 events, {connections} connections", ("--stream",)),
    Workload("rate-100", "100 queries/s, evenly", ("--rate", "100"), rate=100),
    Workload("rate-1000", "1,000 queries/s, evenly", ("--rate", "1000"), rate=1000),
)


def main() -> int:
    """Run the comparison; return 0 if its numbers can be believed."""
    options = read_options()
    console = Console(stderr=True, highlight=False)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        with _folder(options.folder) as folder:
            compare(options, folder, console)
    except BenchError as problem:
        console.print(f"bench: {problem}", style="bold red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("bench: stopped", style="bold red")
        return 130
    return 0


def compare(options: argparse.Namespace, folder: Path, console: Console) -> None:
    """Measure every system with every workload and print what came out."""
    build_rig()
    with contextlib.ExitStack() as stack:
        mock = free_port()
        systems = _systems(options, folder, mock)
        for system in systems:
            stack.callback(system.stop)
            system.start()
        facts = {**machine(folder), **_settings(options, systems)}
        samples = list(_measure(options, systems, mock, console))
    show(options.workloads, samples, facts)
    if options.json:
        told = {"facts": facts, "samples": samples}
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(told)) + b"\n")


def _settings(options: argparse.Namespace, systems: list[System]) -> dict[str, str]:
    missing = "not found, so nothing to compare with: apt-get install nginx-light"
    versions = [system.version for system in systems if system.version]
    under_test, rig = options.cores
    return {
        "nginx": versions[0] if versions else missing if "nginx" in options.systems else "left out",
        "settings": f"{options.rounds} rounds of {options.seconds:g} s, each after a warm-up of "
        f"{options.warmup:g} s; systems on core {under_test}, the rig on core {rig}",
    }


def _systems(options: argparse.Namespace, folder: Path, mock: int) -> list[System]:
    core = options.cores[0]
    makers: dict[str, Callable[[], System | None]] = {
        "direct": lambda: System("direct"),
        "nginx": lambda: (
            Nginx(program, folder, mock, core) if (program := find_nginx()) is not None else None
        ),
        "power": lambda: Farthing("power", folder, mock, core),
        "process": lambda: Farthing("process", folder, mock, core),
    }
    made = [makers[name]() for name in options.systems]
    return [system for system in made if system is not None]


def _measure(
    options: argparse.Namespace, systems: list[System], mock: int, console: Console
) -> Iterator[Sample]:
    """Yield a sample for each round, workload and system, in this order."""
    with console.status("") as status:
        for number in range(1, options.rounds + 1):
            for workload in options.workloads:
                for system in systems:
                    status.update(f"round {number}: {workload.name}, {system.name}")
                    yield _undisturbed(options, number, workload, system, mock)


def _undisturbed(
    options: argparse.Namespace, number: int, workload: Workload, system: System, mock: int
) -> Sample:
    """Take a sample in which nobody else used the cores; the best of a few if there is none."""
    samples: list[Sample] = []
    system.resume()
    try:
        while not samples or (samples[-1].disturbed > DISTURBED and len(samples) < TRIES):
            samples.append(_sample(options, number, workload, system, mock))
    finally:
        system.pause()
    return min(samples, key=lambda sample: sample.disturbed)


def _sample(
    options: argparse.Namespace, number: int, workload: Workload, system: System, mock: int
) -> Sample:
    core, rig_core = options.cores
    arguments = ["--mock-port", str(mock), "--warmup", str(options.warmup)]
    arguments += ["--connections", str(options.connections), *workload.arguments]
    arguments += ["--target", str(system.port)] if system.port else []
    for header in system.headers:
        arguments += ["--header", header]
    before, busy, began = system.cpu(), busy_seconds(core), time.monotonic()
    result = run_rig(rig_core, arguments, options.seconds)
    took, after = time.monotonic() - began, system.cpu()
    others = busy_seconds(core) - busy - (sum(after) - sum(before)) / 1e9
    if system.process is None:  # its core is nobody's, so nobody is in its way
        others = 0.0
    behind = system.settle(result)
    return Sample(
        round=number,
        workload=workload.name,
        system=system.name,
        result=result,
        worker_us=(after[0] - before[0]) / 1000 / result.sent,
        rest_us=(system.cpu()[1] - before[1]) / 1000 / result.sent,
        behind_seconds=behind,
        resident_mb=system.resident(),
        disturbed=max(others / took, 1 - result.on_core, 0.0),
    )


# -- the command line ---------------------------------------------------------------------------


SYSTEMS_HELP = (
    "which to measure: direct is the rig asking itself, which is its ceiling; power and process "
    "are farthing with these durabilities"
)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="bench/compare.py",
        description="Compare farthing with nginx on two cores of this machine. It takes about "
        "five minutes; nothing else should run meanwhile (what disturbs it is noticed, and the "
        "turn is taken again).",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    names = [workload.name for workload in WORKLOADS]
    kinds = ["direct", "nginx", "power", "process"]
    add("--quick", action="store_true", help="one round of one second: does everything work?")
    add("--rounds", type=int, default=3, help="turns of every system with every workload")
    add("--seconds", type=float, default=3.0, help="length of a turn, the warm-up not counted")
    add("--warmup", type=float, default=1.0, help="seconds before it that are not counted")
    add("--connections", type=int, default=64, help="clients' connections")
    add("--cores", type=int, nargs=2, default=[0, 1], help="core under test, core of the rig")
    add("--workloads", nargs="+", choices=names, default=names, help="which to measure")
    add("--systems", nargs="+", choices=kinds, default=kinds, help=SYSTEMS_HELP)
    add("--folder", type=Path, default=BUILD, help="where temporary data folders go: on a disk")
    add("--json", type=Path, metavar="FILE", help="write every sample and the machine to a file")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.warmup = 1, 1.0, 0.3
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("there must be a round, and it must take time")
    if not set(options.cores) <= os.sched_getaffinity(0) or len(set(options.cores)) < 2:
        parser.error("two cores are needed that this process may use: --cores A B")
    options.workloads = [
        msgspec.structs.replace(w, title=w.title.format(connections=options.connections))
        for w in WORKLOADS
        if w.name in options.workloads
    ]
    return options


@contextlib.contextmanager
def _folder(parent: Path) -> Iterator[Path]:
    """Make a folder for the run; it stays if the run goes wrong, for its logs' sake."""
    parent.mkdir(parents=True, exist_ok=True)
    check_disk(parent)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    keep = False
    try:
        yield folder
    except Exception:
        keep = True
        print(f"bench: logs and data are kept in {folder}", file=sys.stderr)
        raise
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _stop(number: int, _: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
