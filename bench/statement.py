"""A statement for a month of a million queries: how long it takes, and how much memory."""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measure import BUILD
from bench.month import write

from farthing import clock
from farthing.cli.report import progress, recorder
from farthing.evidence.identity import verifier_of
from farthing.evidence.process import Publishing
from farthing.evidence.source import source_of
from farthing.ledger.snapshotter import Snapshotter
from farthing.ledger.state import State
from farthing.paths import DataFolder
from farthing.report.draft import Inputs, System
from farthing.report.making import maker
from farthing.report.making import write as write_files
from farthing.report.proved import check_bytes, differences, logged

SYSTEMS = {
    "openai/gpt-5": System(
        purpose="Answers of the help desk, drafted", role="deployer", documents="model card held"
    ),
    "anthropic/claude-sonnet-4-5": System(
        purpose="Summaries of papers", role="deployer", documents="system card held"
    ),
    "gemini/gemini-2.5-flash": System(
        purpose="Search on the site", role="deployer", documents="requested, not supplied"
    ),
}


def inputs(edition: str, scope: str = "") -> Inputs:
    """Return what the statement is made from beside the log."""
    now = clock.iso(clock.wall() // clock.SECOND * clock.SECOND)
    return Inputs(
        edition=edition, scope=scope, entity="Acme Ltd.", period="2026-09",
        until="2026-10-01T00:00:00.000Z", made=now, version="bench",
        systems=SYSTEMS if edition == "regulator" else {},
    )  # fmt: skip


def keep(folder: Path, caught_up: Event, stop: Event) -> None:
    """Do what a gateway has done and does: snapshots of the ledger, and a log behind it."""
    data = DataFolder(folder)
    snapshotter = Snapshotter(data.journal, State)
    while snapshotter.follow():
        pass
    snapshotter.close()
    publishing = Publishing(data, "")
    while not stop.is_set():
        pause = publishing.turn()
        if pause:
            caught_up.set()
        stop.wait(pause)
    publishing.finish()


def peak_mb() -> float:
    """Return the most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def make(data: DataFolder, out: Path, edition: str, scope: str) -> tuple[str, ...]:
    """Make one edition and verify it; return a row of the table."""
    began, cpu = time.perf_counter(), time.process_time()
    with progress() as told, maker(data, "", told) as making:
        made = making.make(inputs(edition, scope))
        paths = write_files(made, out)
        composed, own = time.process_time(), peak_mb()
        receipt = making.log(made, "bench", recorder(data))
    paths[-1].write_bytes(receipt.encode())
    took, logged_in = time.perf_counter() - began, time.process_time() - composed
    peak = peak_mb()
    verifying = time.process_time()
    verifier = verifier_of(data, "")
    found = logged(receipt.encode(), verifier)
    for path in paths[:3]:
        check_bytes(path.read_bytes(), found.entry)
    wrong = differences(made.document, source_of(str(data.log)), verifier)
    assert not wrong, wrong
    return (
        edition, f"{took:.1f}", f"{composed - cpu:.1f}", f"{own:.0f}", f"{logged_in:.1f}",
        f"{peak:.0f}",
        str(len(made.document["figures"])), f"{time.process_time() - verifying:.1f}",
    )  # fmt: skip


def main() -> None:
    """Write a month, keep its log as a gateway does, make each edition, and verify it again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="keep the data folder and the statements here")
    chosen = parser.parse_args()
    root = chosen.keep or BUILD / "statement"
    data = DataFolder(root / "data")
    context = get_context("spawn")
    if not data.journal.exists():  # in another process, whose memory is not counted here
        writer = context.Process(target=write, args=(data.journal, chosen.queries))
        writer.start()
        writer.join()
    caught_up, stop = context.Event(), context.Event()
    keeper = context.Process(target=keep, args=(data.root, caught_up, stop))
    keeper.start()
    caught_up.wait()
    table = Table(title=f"A statement of {chosen.queries:,} queries", box=None)
    for name in (
        "edition", "seconds", "CPU s to make", "MiB", "CPU s to log", "MiB with the ledger",
        "figures", "CPU s to verify",
    ):  # fmt: skip
        table.add_column(name, justify="left" if name == "edition" else "right")
    for edition, scope in (("shareholder", ""), ("regulator", ""), ("customer", "team:search")):
        # Each in a process of its own: the most memory that one needed is no other one's.
        with ProcessPoolExecutor(1, context) as alone:
            table.add_row(*alone.submit(make, data, root / "out", edition, scope).result())
    stop.set()
    keeper.join()
    Console(highlight=False, width=200).print(table)
    if chosen.keep is None:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
