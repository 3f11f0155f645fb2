"""What the ledger's tests share: entries with defaults, journals, a loop, and child processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import uvloop
from tests.support.journal import groups
from tests.support.postgres import PostgresServer

import farthing
from farthing.ledger.commit import Committer
from farthing.ledger.entry import (
    Config,
    Entry,
    Genesis,
    Hold,
    Key,
    Limit,
    PriceBookInForce,
    Reset,
    Revoke,
    Settle,
    Unresolved,
    Void,
    encode,
)
from farthing.ledger.journal import SEGMENT, Journal
from farthing.ledger.ledger import Ledger, replay
from farthing.ledger.process import OpenLedger
from farthing.ledger.records import open_records
from farthing.ledger.server import LedgerServer
from farthing.ledger.state import State
from farthing.paths import DataFolder
from farthing.wire.dialect import Usage

# Nothing here takes this long unless it hangs.
PATIENCE = 20.0


# -- entries ----------------------------------------------------------------------------------


def make_key(key: str = "k1", at: int = 1, expires: int | None = None, parent: str = "") -> Key:
    digest, name = b"\1" * 32, f"name of {key}"
    return Key(at, "ann", key, name, digest, expires, parent=parent)


def make_hold(
    query: str = "q1",
    usd: int = 100,
    tokens: int = 10,
    key: str = "k1",
    worker: str = "w1",
    at: int = 1_000,
    path: tuple[str, ...] | None = None,
) -> Hold:
    return Hold(
        at=at,
        id=query,
        key=key,
        path=(f"key:{key}",) if path is None else path,
        provider="openai",
        model="gpt-x-2026",
        asked_model="gpt-x",
        dialect="chat",
        stream=True,
        usd=usd,
        tokens=tokens,
        input_tokens=4,
        output_cap=6,
        price_book="book",
        worker=worker,
    )


def make_settle(
    query: str = "q1", usd: int = 60, usage: Usage | None = None, at: int = 2_000
) -> Settle:
    return Settle(
        at=at,
        id=query,
        usd=usd,
        usage=Usage(input=3, output=2) if usage is None else usage,
        status=200,
        first_byte_us=11,
        total_us=22,
        upstream_id="up",
        answered_model="gpt-x-2026-01",
    )


def make_limit(amount: int | None, unit: str = "usd", scope: str = "key:k1", at: int = 1) -> Limit:
    return Limit(at=at, by="ann", scope=scope, unit=unit, amount=amount)


@pytest.fixture
def key() -> Callable[..., Key]:
    """Build a key: key(id, at=, expires=, parent=)."""
    return make_key


@pytest.fixture
def hold() -> Callable[..., Hold]:
    """Build a hold: hold(query, usd=, tokens=, key=, worker=, at=, path=)."""
    return make_hold


@pytest.fixture
def settle() -> Callable[..., Settle]:
    """Build a settlement: settle(query, usd=, usage=, at=)."""
    return make_settle


@pytest.fixture
def limit() -> Callable[..., Limit]:
    """Build a limit: limit(amount, unit=, scope=)."""
    return make_limit


@pytest.fixture
def workload() -> Callable[..., list[Entry]]:
    """Build a journal's worth of valid entries from a seed: workload(seed, steps)."""
    return _workload


def _workload(seed: int, steps: int = 120, ledger: str = "ledger-one") -> list[Entry]:
    """Return what a state took of a random mixture of everything that can happen."""
    draw = random.Random(seed)
    state, taken = State(), list[Entry]()

    def take(entry: Entry) -> bool:
        refusal, entered = state.enter(entry)
        taken.extend(entered)
        return refusal is None

    take(Genesis(at=1, ledger=ledger))
    for name in ("k1", "k2", "k3"):
        take(make_key(name))
        take(make_limit(50_000, scope=f"key:{name}"))
        take(make_limit(4_000, "tokens", scope=f"key:{name}"))
    for step in range(steps):
        at = 1_000 + step
        some = draw.choice([*state.holds, "nobody"])
        match draw.randrange(10):
            case 0 | 1 | 2 | 3:
                usd, tokens = draw.randrange(2_000), draw.randrange(200)
                take(make_hold(f"q{step}", usd, tokens, draw.choice(("k1", "k2", "k3")), at=at))
            case 4 | 5 | 6:
                cost = draw.randrange(2_300)
                usage = Usage(draw.randrange(50), 1, 2, 3, draw.randrange(50), 4, 5, 6, 7)
                take(make_settle(some, cost, usage, at))
                take(Reset(at, "ann", "openai", "gpt-x-2026"))
            case 7:
                take(Void(at=at, id=some, reason="upstream_unreachable"))
            case 8:
                take(Unresolved(at=at, id=some, reason="usage_missing", status=200, total_us=5))
            case _:
                take(Config(at=at, digest=f"c{step}"))
                take(PriceBookInForce(at=at, digest=f"b{step}", source="test"))
    take(Revoke(at=9_000, by="ann", id="k3"))
    return taken


# -- journals ---------------------------------------------------------------------------------


class TrackedJournal(Journal):
    """A journal that a test may leave open."""

    closed = False

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            super().close()


@pytest.fixture
def open_journal(tmp_path: Path) -> Iterator[Callable[..., Journal]]:
    """Open and recover a journal: open_journal(folder, segment=); closed after the test."""
    opened: list[Journal] = []

    def open_(folder: Path = tmp_path / "journal", segment: int = SEGMENT) -> Journal:
        journal = TrackedJournal(folder, segment)
        opened.append(journal)
        for _ in journal.recover():
            pass
        return journal

    yield open_
    for journal in opened:
        with contextlib.suppress(OSError):
            journal.close()


@pytest.fixture
def write_journal(tmp_path: Path) -> Callable[..., Path]:
    """Write a journal of groups, each synced after it was written; return its folder."""

    def write(groups: list[list[Entry]], folder: Path = tmp_path / "journal") -> Path:
        journal = Journal(folder)
        for _ in journal.recover():
            pass
        for group in groups:
            journal.append([encode(entry) for entry in group])
            journal.sync()
        journal.close()
        return folder

    return write


@pytest.fixture
def groups_in() -> Callable[[Path], list[list[Entry]]]:
    """Read the groups of a journal's folder, open or not."""

    return groups


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    return str(request.param)


@pytest.fixture
def new_database(kind: str, request: pytest.FixtureRequest) -> Callable[[], str | None]:
    """Make an empty database of the kind, as the setting says it: None is SQLite."""
    if kind == "sqlite":
        return lambda: None
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database


@pytest.fixture
def database(new_database: Callable[[], str | None]) -> str | None:
    """One empty database, as the setting says it."""
    return new_database()


@pytest.fixture
def open_engine(
    tmp_path: Path, new_database: Callable[[], str | None]
) -> Iterator[Callable[..., sa.Engine]]:
    """Open the records of a name, "records" unless told; closed after the test."""
    databases: dict[str, str | None] = {}
    opened: list[sa.Engine] = []

    def open_(name: str = "records") -> sa.Engine:
        if name not in databases:
            databases[name] = new_database()
        folder = DataFolder(tmp_path / name)
        opened.append(open_records(folder, databases[name]))
        return opened[-1]

    yield open_
    for engine in opened:
        engine.dispose()


@pytest.fixture
def block_sync(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[Journal], tuple[threading.Event, threading.Event]]]:
    """Make a journal's disk wait; returns (a sync has begun, let syncs end)."""
    gates: list[threading.Event] = []

    def block(journal: Journal) -> tuple[threading.Event, threading.Event]:
        begun, gate = threading.Event(), threading.Event()
        gates.append(gate)
        sync = journal.sync

        def wait() -> None:
            begun.set()
            assert gate.wait(PATIENCE), "nobody opened the gate"
            sync()

        monkeypatch.setattr(journal, "sync", wait)
        return begun, gate

    yield block
    for gate in gates:
        gate.set()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of ten megabytes, on which two extents of a journal fit."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=10m", "farthing-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


# -- loops and processes ----------------------------------------------------------------------


@pytest.fixture
def served() -> list[OpenLedger]:
    """Every ledger that the test serves."""
    return []


@pytest.fixture
def run(served: list[OpenLedger]) -> Callable[[Coroutine[Any, Any, None]], None]:
    """Run a coroutine in a loop of its own, with patience that ends."""

    async def patiently(test: Coroutine[Any, Any, None]) -> None:
        try:
            await asyncio.wait_for(test, PATIENCE)
        finally:
            for opened in served:  # uvloop waits for ever for one that a failed test leaves
                opened.server.close()

    return lambda test: uvloop.run(patiently(test))


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Give the loop turns until something is so."""

    async def wait(condition: Callable[[], bool]) -> None:
        while not condition():
            await asyncio.sleep(0.001)

    return wait


@pytest.fixture
def open_served(
    tmp_path: Path, served: list[OpenLedger]
) -> Iterator[Callable[..., Awaitable[OpenLedger]]]:
    """Open the ledger of the data folder tmp_path and serve it on its socket."""
    failures: list[BaseException] = []

    async def open_(
        own_worker: str = "", durability: str = "process", journal: Journal | None = None
    ) -> OpenLedger:
        data = DataFolder(tmp_path)
        if journal is None:
            journal = TrackedJournal(data.journal)
            state = replay(journal)
        else:
            state = State()
            genesis = Genesis(at=1, ledger="ledger-one")
            state.apply(genesis)
            journal.append([encode(genesis)])
        ledger = Ledger(journal, state, Committer(journal, durability, failures.append))
        server = LedgerServer(ledger, own_worker)
        await server.listen(data.socket("ledger"))
        served.append(OpenLedger(ledger, server))
        return served[-1]

    yield open_
    assert not failures, "a journal could not be written"


@pytest.fixture
def kill_ledger() -> Callable[[OpenLedger], Awaitable[None]]:
    """End a served ledger as its death would: it learns nothing of the connections' ends."""

    async def kill(opened: OpenLedger) -> None:
        opened.server.close()
        connections = list(opened.server.attached.values())
        opened.server.attached.clear()
        for connection in connections:
            assert connection.transport is not None
            connection.transport.abort()
        await opened.ledger.close()

    return kill


@pytest.fixture
def environ() -> dict[str, str]:
    """The environment of a child process that imports the farthing under test."""
    return {**os.environ, "PYTHONPATH": str(Path(farthing.__file__).parent.parent)}


@pytest.fixture
def python(environ: dict[str, str]) -> Callable[..., str]:
    """Run a program in a process of its own and return what it printed."""

    def run_(program: str, *arguments: object) -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-c", program, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            env=environ,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_
