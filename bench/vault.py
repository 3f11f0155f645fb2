"""What contents cost: CPU for each query that is committed to or kept, its files, an erasure."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.ledger import settle
from bench.measure import BUILD, check_disk

from farthing.flow import ready
from farthing.ledger.entry import Commitment, Ending, Hold
from farthing.ledger.ledger import Outcome
from farthing.ledger.registry import KeyState
from farthing.ledger.reported import Erasure
from farthing.settings import ContentsRule
from farthing.vault.drafts import Vault
from farthing.vault.erase import Eraser, Intent
from farthing.vault.keys import Keys
from farthing.vault.rules import Rules
from farthing.vault.writer import Writer

QUERIES = 20_000
LINEAGE = ("key:k1", "team:legal", "org:acme")
PROMPT, ANSWER = b"p" * 2000, b"a" * 1000


class NoLedger:
    """A ledger that costs nothing."""

    ready = True

    def __init__(self) -> None:
        self.keys: dict[str, KeyState] = {}
        self.commitments: dict[str, Commitment] = {}

    def hold(self, entry: Hold) -> Outcome:
        """Take it."""
        return ready(None)

    def end(self, entry: Ending) -> Outcome:
        """Take it."""
        return ready(None)


async def write(folder: Path, keep: str, at_once: int, count: int) -> float:
    """Return the CPU of so many queries, in microseconds each."""
    writer = Writer(folder, f"{keep}-{at_once}", "bench", Keys(folder, b"m" * 32))
    vault = Vault(Rules([ContentsRule(keep)]), 1 << 20, writer)  # type: ignore[arg-type]
    ledger, cpu = NoLedger(), time.process_time()
    for first in range(0, count, at_once):
        waiting: list[Outcome] = []
        for number in range(first, first + at_once):
            draft = vault.draft(f"q{number:032x}", LINEAGE, PROMPT)
            if draft is not None:
                waiting.append(draft.end(settle(number), lambda: ANSWER, ledger))
        for outcome in waiting:
            await outcome.in_task()
    spent = time.process_time() - cpu
    await vault.close()
    return spent * 1e6 / count


def erase(folder: Path) -> float:
    """Return the CPU of erasing a thousand queries of all, in seconds."""
    recorded: list[Erasure] = []
    eraser, cpu = Eraser(folder, folder, recorded.extend), time.process_time()
    with eraser.alone():
        some = [f"q{number:032x}" for number in range(0, QUERIES, QUERIES // 1000)]
        eraser.erase(Intent(1, "bench", "request", some))
    return time.process_time() - cpu


def main() -> None:
    """Write with each rule, alone and many at once."""
    BUILD.mkdir(exist_ok=True)
    check_disk(BUILD)
    root = Path(tempfile.mkdtemp(prefix="vault-", dir=BUILD))
    table = Table(title="The vault: prompts of 2,000 bytes, answers of 1,000", box=None)
    for name in ("keep", "at once", "CPU µs/query", "bytes/query"):
        table.add_column(name, justify="right")
    try:
        for keep in ("nothing", "commitments", "contents"):
            for at_once, count in ((1, QUERIES // 20), (64, QUERIES)):
                folder = root / f"{keep}-{at_once}"
                cpu = asyncio.run(write(folder, keep, at_once, count))
                size = sum(path.stat().st_size for path in folder.glob("*.vault"))
                table.add_row(keep, str(at_once), f"{cpu:.1f}", f"{size / count:.0f}")
        seconds = erase(root / "contents-64")
    finally:
        shutil.rmtree(root)
    Console(highlight=False, width=200).print(table)
    Console(highlight=False).print(
        f"a thousand of {QUERIES:,} queries erased: {seconds:.2f} s of CPU"
    )


if __name__ == "__main__":
    main()
