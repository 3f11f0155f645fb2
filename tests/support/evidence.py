"""Logs for tests: a journal of real entries, published by the real publisher."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from farthing.evidence.identity import Identity
from farthing.evidence.note import Head, Signer, Verifier, read_checkpoint
from farthing.evidence.publish import Publisher
from farthing.evidence.receipt import Receipt, make_receipt
from farthing.evidence.source import source_of
from farthing.evidence.tiles import TreeReader
from farthing.ledger.disk import DISK, Disk
from farthing.ledger.entry import Config, Entry, Genesis, Hold, Settle, encode
from farthing.ledger.journal import Journal
from farthing.wire.dialect import Usage

ORIGIN = "log.example/farthing"
SEED = bytes(range(32))
IDENTITY = Identity(ORIGIN, Signer(ORIGIN, SEED), b"s" * 32)
VERIFIER: Verifier = IDENTITY.signer.verifier
STANDALONE = Path(__file__).parents[2] / "docs" / "verify.py"


@lru_cache
def standalone() -> ModuleType:
    """Load docs/verify.py, the verifier that needs nothing."""
    spec = importlib.util.spec_from_file_location("standalone_verify", STANDALONE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hold(number: int, path: tuple[str, ...] = ("key:k1",)) -> Hold:
    return Hold(
        at=1_700_000_000_000_000_000 + number, id=f"q{number}", key="k1", path=path, provider="p",
        model="m", asked_model="m", dialect="chat", stream=False, usd=250_000, tokens=1500,
        input_tokens=1400, output_cap=100, price_book="b" * 16, worker="w",
    )  # fmt: skip


def settle(number: int) -> Settle:
    return Settle(
        at=1_700_000_001_000_000_000 + number, id=f"q{number}", usd=27_000,
        usage=Usage(input=100, output=50), status=200, first_byte_us=4, total_us=5,
    )  # fmt: skip


def entries(leaves: int) -> list[Entry]:
    """Return entries that make so many leaves: a genesis, and queries after it."""
    made: list[Entry] = [Genesis(1, "ledger-one")]
    for number in range(leaves - 1):
        made += [hold(number), settle(number)]
    return made


def configs(count: int, first: int = 0) -> list[Entry]:
    """Return entries that are a leaf each."""
    return [Config(first + n + 1, f"c{first + n}") for n in range(count)]


def write(folder: Path, made: Iterable[Entry], disk: Disk = DISK) -> None:
    """Write entries to a journal, in groups."""
    journal = Journal(folder, disk=disk)
    list(journal.recover())
    some = [encode(entry) for entry in made]
    for at in range(0, len(some), 1000):
        journal.append(some[at : at + 1000])
    journal.sync()
    journal.close()


def publish(journal: Path, log: Path, identity: Identity = IDENTITY, disk: Disk = DISK) -> Head:
    """Publish all of a journal, as a process that then ends."""
    publisher = Publisher(journal, log, identity, disk)
    try:
        while publisher.publish():
            pass
    finally:
        publisher.close()
    return publisher.head


class Log(NamedTuple):
    """A log in a folder."""

    folder: Path
    journal: Path

    @property
    def checkpoint(self) -> bytes:
        return (self.folder / "checkpoint").read_bytes()

    @property
    def head(self) -> Head:
        return read_checkpoint(self.checkpoint, VERIFIER)

    @property
    def reader(self) -> TreeReader:
        return TreeReader(source_of(str(self.folder)), self.head.size)

    def receipt(self, index: int) -> Receipt:
        return make_receipt(self.reader, self.checkpoint, index)

    def files(self) -> list[Path]:
        """All files that are published."""
        found = [self.folder / "checkpoint", *(self.folder / "tile").rglob("*")]
        return sorted(path for path in found if path.is_file())


def make_log(root: Path, made: Iterable[Entry]) -> Log:
    log = Log(root / "log", root / "journal")
    log.folder.mkdir()
    write(log.journal, made)
    publish(log.journal, log.folder)
    return log


def raised(work: Callable[[], object]) -> bool:
    """Say whether a verifier refused, by an error that a command turns into a sentence."""
    try:
        work()
    except (ValueError, OSError):
        return True
    return False
