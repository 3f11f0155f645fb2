"""What the ledger costs: holds and settlements in process and through its socket, their latency,
their bytes and memory, and reading them again."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measure import BUILD, check_disk

from farthing.ledger.client import RemoteLedger
from farthing.ledger.commit import Committer
from farthing.ledger.entry import Hold, Key, Limit, Settle
from farthing.ledger.journal import Journal
from farthing.ledger.ledger import Ledger, LedgerPort, replay
from farthing.ledger.snapshotter import Snapshotter
from farthing.ledger.state import State
from farthing.paths import DataFolder
from farthing.runtime import Runtime
from farthing.settings import Settings
from farthing.wire.dialect import Usage

QUERIES, OPEN = 100_000, 64
RATE, RATE_SECONDS = 1_000, 5
USAGE = Usage(input=100, output=50)


def query_id(number: int) -> str:
    """Return an id as a worker makes them, in their order."""
    return f"q01a2087b013c0123456789{number + 1:08x}"


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


async def queries(ledger: LedgerPort, numbers: Iterator[int]) -> None:
    """Hold and settle queries, one after the other, until all have been."""
    for number in numbers:
        assert await ledger.hold(hold(number)).in_task() is None
        assert await ledger.end(settle(number)).in_task() is None


async def measure(folder: Path, durability: str) -> tuple[float, float, float]:
    """Return queries a second, CPU µs and journal bytes for each."""
    journal = Journal(folder)
    ledger = Ledger(journal, replay(journal), Committer(journal, durability))
    await ledger.record(Key(1, "bench", "k1", "bench", b"d" * 32)).in_task()
    await ledger.record(Limit(1, "bench", "key:k1", "usd", 10**18)).in_task()
    cpu = time.process_time()
    speed = await closed_loop(ledger)
    used = time.process_time() - cpu
    await ledger.close()
    size = sum(path.stat().st_size for path in folder.glob("*.journal"))
    return speed, used * 1e6 / QUERIES, size / QUERIES


async def closed_loop(ledger: LedgerPort) -> float:
    """Return queries a second with so many open."""
    numbers, began = iter(range(QUERIES)), time.perf_counter()
    await asyncio.gather(*(queries(ledger, numbers) for _ in range(OPEN)))
    return QUERIES / (time.perf_counter() - began)


async def open_loop(ledger: LedgerPort) -> tuple[float, float]:
    """Return the median and the 99th percentile of what holding and settling add to a query, in
    milliseconds, at RATE queries a second."""
    took: list[float] = []

    async def query(number: int) -> None:
        began = time.perf_counter()
        assert await ledger.hold(hold(number)).in_task() is None
        assert await ledger.end(settle(number)).in_task() is None
        took.append(time.perf_counter() - began)

    begin, asked = time.perf_counter(), list[asyncio.Task[None]]()
    for number in range(RATE * RATE_SECONDS):
        await asyncio.sleep(max(0.0, begin + number / RATE - time.perf_counter()))
        asked.append(asyncio.ensure_future(query(QUERIES + number)))  # behind the closed loop's
    await asyncio.gather(*asked)
    took.sort()
    return took[len(took) // 2] * 1e3, took[len(took) * 99 // 100] * 1e3


@contextmanager
def ledger_process(folder: Path, durability: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a ledger as a gateway with several workers does: a process of its own."""
    settings = msgspec.structs.replace(Settings(), durability=durability)
    told = Runtime("ledger", str(folder), settings, "bench", price_book="bench")
    pipe = subprocess.PIPE
    command = [sys.executable, "-P", "-m", "farthing.ledger.process"]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(msgspec.json.encode(told) + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        try:
            yield process
        finally:
            process.stdin.close()
            process.wait()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def megabytes(pid: int) -> float:
    """Return a process's resident memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


async def through_socket(folder: Path, pid: int) -> tuple[str, ...]:
    """Return the cells of what a ledger process does for one worker."""
    remote = RemoteLedger(DataFolder(folder).socket("ledger"), "worker-1-0a0b0c0d")
    await remote.connect()
    for entry in (
        Key(1, "bench", "k1", "bench", b"d" * 32),
        Limit(1, "b", "key:k1", "usd", 10**18),
    ):
        await remote.end(entry).in_task()  # type: ignore[arg-type]  # whatever it is, it is sent
    cpu, memory = cpu_seconds(pid), megabytes(pid)
    speed = await closed_loop(remote)
    each = (cpu_seconds(pid) - cpu) * 1e6 / QUERIES
    grown = (megabytes(pid) - memory) * 1e6 / QUERIES
    median, late = await open_loop(remote)
    await remote.close()
    return f"{speed:,.0f}", f"{each:.1f}", f"{median:.2f}", f"{late:.2f}", f"{grown:.0f}"


def socket_table() -> Table:
    """Measure a ledger process behind its socket."""
    columns = (
        "durability",
        "queries/s",
        "CPU µs/query",
        f"ms at {RATE:,}/s, p50",
        "p99",
        "MB more for a million",
    )
    table = _table(f"The ledger as a process, through its socket, {OPEN} queries open", columns)
    for durability in ("power", "process"):
        folder = Path(tempfile.mkdtemp(prefix="ledger-", dir=BUILD))
        try:
            with ledger_process(folder, durability) as process:
                table.add_row(durability, *uvloop.run(through_socket(folder, process.pid)))
        finally:
            shutil.rmtree(folder)
    return table


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, box=None, title_style="bold")
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left")
    return table


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
    table = _table(f"The ledger, in process, {OPEN} queries open", columns)
    for durability in ("power", "process"):
        folder = Path(tempfile.mkdtemp(prefix="ledger-", dir=BUILD))
        try:
            speed, cpu, size = uvloop.run(measure(folder / "journal", durability))
            whole, after = openings(folder / "journal")
        finally:
            shutil.rmtree(folder)
        cells = (f"{speed:,.0f}", f"{cpu:.1f}", f"{size:.0f}", f"{whole:.1f}", f"{after:.3f}")
        table.add_row(durability, *cells)
    console = Console(highlight=False, width=200)
    console.print(table)
    console.print(socket_table())


if __name__ == "__main__":
    main()
