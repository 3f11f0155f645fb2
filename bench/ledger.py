"""What the ledger costs in process: holds and settlements, their bytes, and reading them again."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measure import BUILD, check_disk

from farthing.ledger.commit import Committer
from farthing.ledger.entry import Hold, Key, Limit, Settle
from farthing.ledger.journal import Journal
from farthing.ledger.ledger import Ledger, replay
from farthing.ledger.snapshotter import Snapshotter
from farthing.ledger.state import State
from farthing.wire.dialect import Usage

QUERIES, OPEN = 100_000, 64
USAGE = Usage(input=100, output=50)


def query_id(number: int) -> str:
    """Return an id as a gateway makes them: each of the queries open at once is a process's."""
    run, count = divmod(number, QUERIES // OPEN)
    return f"q01a2087b013c{run:010x}{count + 1:08x}"


def hold(number: int) -> Hold:
    """Return a hold as a query makes it."""
    return Hold(
        at=number, id=query_id(number), key="k1", path=("key:k1",),
        provider="openai", model="gpt-4o-mini", asked_model="gpt-4o-mini", dialect="chat",
        stream=False, usd=250_000, tokens=1500, input_tokens=1400, output_cap=100,
        price_book="a" * 16, worker="worker-1-0a0b0c0d",
    )  # fmt: skip


def settle(number: int) -> Settle:
    """Return its settlement."""
    return Settle(
        at=number, id=query_id(number), usd=27_000, usage=USAGE, status=200,
        first_byte_us=400_000, total_us=500_000, upstream_id="chatcmpl-0123456789",
        answered_model="gpt-4o-mini-2024-07-18",
    )  # fmt: skip


async def queries(ledger: Ledger, numbers: range) -> None:
    """Hold and settle some queries, one after the other."""
    for number in numbers:
        assert await ledger.hold(hold(number)).in_task() is None
        assert await ledger.end(settle(number)).in_task() is None


async def measure(folder: Path, durability: str) -> tuple[float, float, float]:
    """Return queries a second, CPU µs and journal bytes for each."""
    journal = Journal(folder)
    ledger = Ledger(journal, replay(journal), Committer(journal, durability))
    await ledger.record(Key(1, "bench", "k1", "bench", b"d" * 32)).in_task()
    await ledger.record(Limit(1, "bench", "key:k1", "usd", 10**18)).in_task()
    each = QUERIES // OPEN
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(queries(ledger, range(n * each, (n + 1) * each)) for n in range(OPEN)))
    done = each * OPEN
    took, used = time.perf_counter() - began, time.process_time() - cpu
    await ledger.close()
    size = sum(path.stat().st_size for path in folder.glob("*.journal"))
    return done / took, used * 1e6 / done, size / done


def seconds_to_open(folder: Path) -> tuple[float, int]:
    """Return how long a ledger takes to start, and how many entries it then has."""
    began, journal = time.perf_counter(), Journal(folder)
    entries = replay(journal).position
    took = time.perf_counter() - began
    journal.close()
    return took, entries


def openings(folder: Path) -> tuple[float, float]:
    """Return seconds to open a million entries: all read, and from a snapshot at their end."""
    whole, entries = seconds_to_open(folder)
    snapshotter = Snapshotter(folder, State, every=entries)
    while snapshotter.follow():
        pass
    snapshotter.close()
    after, _ = seconds_to_open(folder)
    return whole * 1e6 / entries, after * 1e6 / entries


def main() -> None:
    """Measure both durabilities, and opening: the whole journal, and from a snapshot on."""
    BUILD.mkdir(exist_ok=True)
    check_disk(BUILD)
    columns = (
        "durability",
        "queries/s",
        "CPU µs/query",
        "bytes/query",
        "s to open a million entries",
        "s from a snapshot",
    )
    table = Table(
        title=f"The ledger, in process, {OPEN} queries open", box=None, title_style="bold"
    )
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left")
    for durability in ("power", "process"):
        folder = Path(tempfile.mkdtemp(prefix="ledger-", dir=BUILD))
        try:
            speed, cpu, size = uvloop.run(measure(folder / "journal", durability))
            whole, after = openings(folder / "journal")
        finally:
            shutil.rmtree(folder)
        cells = (f"{speed:,.0f}", f"{cpu:.1f}", f"{size:.0f}", f"{whole:.1f}", f"{after:.3f}")
        table.add_row(durability, *cells)
    Console(highlight=False, width=200).print(table)


if __name__ == "__main__":
    main()
