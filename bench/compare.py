"""Compare farthing with other proxies and gateways, in the same minutes on the same cores.

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
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console

# As a script this file sees its own folder; its neighbours are found from the one above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measure import (
    BUILD,
    BenchError,
    build_rig,
    busy_seconds,
    check_disk,
    machine,
    run_rig,
)
from bench.mock import Mock, make_mock
from bench.publish import DOCS, PLOT, draw, publish
from bench.roster import Roster, gather
from bench.show import DISTURBED, show
from bench.systems import System
from bench.workloads import GATEWAYS, SYSTEMS, WORKLOADS, Sample, Workload

# How often a turn that others disturbed is taken, at most.
TRIES = 3

# A slow system's turn, at least: an answer may take a second and more.
SLOW_SECONDS = 6.0


def main() -> int:
    """Run the comparison; return 0 if its numbers can be believed."""
    options = read_options()
    console = Console(stderr=True, highlight=False)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        with open_folder(options.folder) as folder:
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
    has_tls = build_rig()
    workloads = [w for w in options.workloads if has_tls or not w.tls]
    mock = make_mock(folder)
    with contextlib.ExitStack() as stack:
        with console.status("getting and starting the systems"):
            roster = gather(options.systems, folder, mock, options.cores[0])
            for system in roster.systems.values():
                stack.callback(system.stop)
                system.start()
        samples = list(_measure(options, workloads, roster, mock, console))
    facts = {**machine(folder), **roster.facts, "settings": _settings(options)}
    if not has_tls:
        facts["tls"] = "left out: OpenSSL's headers are missing (libssl-dev)"
    out = Console(highlight=False, width=400)  # lines are never cut
    show(out, workloads, samples, facts)
    _save(options, workloads, samples, facts)


def _settings(options: argparse.Namespace) -> str:
    under_test, rig = options.cores
    return (
        f"{options.rounds} rounds of {options.seconds:g} s, each after a warm-up of "
        f"{options.warmup:g} s; systems on core {under_test}, the rig on core {rig}"
    )


def _save(
    options: argparse.Namespace,
    workloads: list[Workload],
    samples: list[Sample],
    facts: dict[str, str],
) -> None:
    if options.json:
        told = {"facts": facts, "samples": samples}
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(told)) + b"\n")
    if options.plot:
        draw(workloads, samples, options.plot)
    if options.docs:
        publish(workloads, samples, facts)


def _measure(
    options: argparse.Namespace,
    workloads: list[Workload],
    roster: Roster,
    mock: Mock,
    console: Console,
) -> Iterator[Sample]:
    """Yield a sample for each round, workload and system, in this order."""
    turn = Turn(options, mock)
    with console.status("") as status:
        for system in roster.systems.values():
            if system.slow:
                status.update(f"{system.name} comes up to speed")
                turn.take(0, WORKLOADS[0], system)
        for number in range(1, options.rounds + 1):
            for workload in workloads:
                wanted = workload.brief if options.brief else workload.systems
                for name in wanted:
                    if name in roster.systems:
                        status.update(f"round {number}: {workload.name}, {name}")
                        yield turn.take(number, workload, roster.systems[name])


class Turn:
    """Takes samples, and remembers what each system carried."""

    def __init__(self, options: argparse.Namespace, mock: Mock) -> None:
        self._options = options
        self._mock = mock
        self._carried: dict[str, float] = {}

    def take(self, number: int, workload: Workload, system: System) -> Sample:
        """Take a sample in which nobody else used the cores; the best of a few if none is."""
        samples: list[Sample] = []
        tries = 1 if self._options.quick else TRIES
        system.resume()
        try:
            while not samples or (samples[-1].disturbed > DISTURBED and len(samples) < tries):
                samples.append(self._sample(number, workload, system))
        finally:
            system.pause()
        best = min(samples, key=lambda sample: sample.disturbed)
        if workload.name == "whole":
            self._carried[system.name] = best.result.per_second
        return best

    def _arguments(self, workload: Workload, system: System) -> list[str]:
        arguments = ["--warmup", str(self._options.warmup), *workload.arguments]
        if workload.share:
            arguments += ["--rate", f"{workload.share * self._carried[system.name]:.0f}"]
        arguments += self._mock.arguments(tls=workload.tls)
        return arguments + system.arguments(tls=workload.tls)

    def _sample(self, number: int, workload: Workload, system: System) -> Sample:
        core, rig_core = self._options.cores
        seconds = self._options.seconds
        if system.slow and not self._options.quick:
            seconds = max(seconds, SLOW_SECONDS)
        arguments = self._arguments(workload, system)
        before, busy, began = system.cpu(), busy_seconds(core), time.monotonic()
        result = run_rig(arguments, seconds, rig_core)
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
    "which to measure, with every workload that they can do: direct is the rig asking itself, "
    "which is its ceiling; power and process are farthing with these durabilities; litellm and "
    "portkey are large, and slow to come up (default: all but these two, and each workload only "
    "with those that say most of it)"
)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="bench/compare.py",
        description="Compare farthing with proxies and gateways on two cores of this machine. It "
        "takes some six minutes; nothing else should run meanwhile (what disturbs it is noticed, "
        "and the turn is taken again).",
    )
    add = parser.add_argument
    names = [workload.name for workload in WORKLOADS]
    add("--quick", action="store_true", help="one round of one second: does everything work?")
    add("--all", action="store_true", help="all systems with all workloads that they can do")
    add("--rounds", type=int, default=3, help="turns of every system (3)")
    add("--seconds", type=float, default=1.5, help="length of a turn without its warm-up (1.5)")
    add("--warmup", type=float, default=0.5, help="seconds before it that do not count (0.5)")
    add("--cores", type=int, nargs=2, default=[0, 1], help="core under test, core of the rig")
    add("--workloads", nargs="+", choices=names, default=names, help="which to measure")
    add("--systems", nargs="+", choices=SYSTEMS, help=SYSTEMS_HELP)
    add("--folder", type=Path, default=BUILD, help="where temporary data folders go: on a disk")
    add("--json", type=Path, metavar="FILE", help="write every sample and the machine to a file")
    add("--plot", type=Path, metavar="FILE", help="draw queries/s relative to nginx's, as SVG")
    add("--docs", action="store_true", help=f"write the tables into {DOCS.name}, and {PLOT.name}")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.warmup = 1, 1.0, 0.3
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("there must be a round, and it must take time")
    check_cores(parser, options.cores)
    options.brief = not (options.all or options.systems)
    if options.systems is None:
        options.systems = [s for s in SYSTEMS if options.all or s not in GATEWAYS]
    options.workloads = [w for w in WORKLOADS if w.name in options.workloads]
    if any(w.share for w in options.workloads) and WORKLOADS[0] not in options.workloads:
        parser.error("the workload `open` needs `whole`, whose figures it takes a share of")
    return options


def check_cores(parser: argparse.ArgumentParser, cores: list[int]) -> None:
    """End the program if there are no two cores to measure on."""
    if not set(cores) <= os.sched_getaffinity(0) or len(set(cores)) < 2:
        parser.error("two cores are needed that this process may use: --cores A B")


@contextlib.contextmanager
def open_folder(parent: Path) -> Iterator[Path]:
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
