"""What the transparency log costs: CPU for each query published, its files, receipts, a start."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.ledger import hold, settle
from bench.measure import BUILD, check_disk

from farthing.evidence.identity import Identity
from farthing.evidence.note import Signer
from farthing.evidence.publish import Publisher
from farthing.evidence.receipt import receipt_at
from farthing.evidence.verify import verify_folder
from farthing.ledger.entry import Genesis, encode
from farthing.ledger.journal import Journal

QUERIES, GROUP, RECEIPTS = 200_000, 256, 200
IDENTITY = Identity("bench", Signer("bench", bytes(32)), bytes(32))


def write(folder: Path) -> None:
    """Write a journal of queries in groups, as it is under load."""
    journal = Journal(folder)
    list(journal.recover())
    journal.append([encode(Genesis(1, "bench"))])
    for first in range(0, QUERIES, GROUP):
        numbers = range(first, min(QUERIES, first + GROUP))
        journal.append([encode(make(n)) for n in numbers for make in (hold, settle)])
    journal.sync()
    journal.close()


def publish(root: Path) -> tuple[float, float]:
    """Publish all of it; return seconds, and microseconds of CPU for each query."""
    began, cpu = time.perf_counter(), time.process_time()
    publisher = Publisher(root / "journal", root / "log", IDENTITY)
    while publisher.publish():
        pass
    publisher.close()
    return time.perf_counter() - began, (time.process_time() - cpu) * 1e6 / QUERIES


def receipts(log: Path) -> float:
    """Return milliseconds for a receipt, somewhere in the log."""
    began = time.perf_counter()
    for number in range(RECEIPTS):
        assert receipt_at(log, 3 + 2 * (number * QUERIES // RECEIPTS)) is not None
    return (time.perf_counter() - began) * 1e3 / RECEIPTS


def main() -> None:
    """Publish, publish again as a start does, verify, and make receipts."""
    BUILD.mkdir(exist_ok=True)
    check_disk(BUILD)
    root = Path(tempfile.mkdtemp(prefix="evidence-", dir=BUILD))
    try:
        (root / "log").mkdir()
        write(root / "journal")
        seconds, cpu = publish(root)
        _, again = publish(root)
        size = sum(path.stat().st_size for path in (root / "log").rglob("*") if path.is_file())
        began = time.perf_counter()
        verify_folder(root / "log", IDENTITY.signer.verifier)
        verified = time.perf_counter() - began
        receipt = receipts(root / "log")
    finally:
        shutil.rmtree(root)
    table = Table(title=f"The transparency log of {QUERIES:,} queries", box=None)
    for name in (
        "queries/s",
        "CPU µs/query",
        "at a start",
        "bytes/query",
        "verified/s",
        "ms/receipt",
    ):
        table.add_column(name, justify="right")
    table.add_row(
        f"{QUERIES / seconds:,.0f}", f"{cpu:.1f}", f"{again:.1f}", f"{size / QUERIES:.0f}",
        f"{QUERIES / verified:,.0f}", f"{receipt:.1f}",
    )  # fmt: skip
    Console(highlight=False, width=200).print(table)


if __name__ == "__main__":
    main()
