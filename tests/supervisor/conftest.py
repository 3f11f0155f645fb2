"""What the supervisor's tests share: a loop as in production, the log, children that are not."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import uvloop

from farthing.errors import ConfigError
from farthing.local.model import ModelReady, ModelTold, Speed
from farthing.prices import compile as compile_
from farthing.prices.book import Book
from farthing.runtime import Ready
from farthing.settings import Settings
from farthing.supervisor import gateway as supervisor
from farthing.supervisor.gateway import Gateway, GatewayOptions

# Nothing here takes this long unless it hangs.
PATIENCE = 20.0

SPEED = Speed(input_tokens=160, input_us=400_000, output_tokens=32, output_us=1_600_000)
ANYWHERE = "127.0.0.1:0"

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture
def run() -> Run:
    """Run a coroutine in a loop of its own, with patience that ends."""

    async def patiently(test: Coroutine[Any, Any, None]) -> None:
        await asyncio.wait_for(test, PATIENCE)

    return lambda test: uvloop.run(patiently(test))


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """The lines logged, each after its level."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.levelname} {record.getMessage()}")

    log, handler = logging.getLogger("farthing"), Keep()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield lines
    log.removeHandler(handler)
    log.setLevel(level)


class Children:
    """Stand for every child: keep what they are told, and the order of their starts and stops."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.told: dict[str, list[Any]] = {}
        self.tells: dict[str, Callable[[], Any]] = {}
        self.stubborn: set[str] = set()
        self.patience: dict[str, tuple[float, ...]] = {}
        self._pids = itertools.count(1000)
        self.failing = ""
        self.on_start: Callable[[str], None] = lambda name: None

    def make(
        self, name: str, module: str, tell: Callable[[], Any], log_to: Path | None = None
    ) -> Any:
        async def spawn() -> None:
            self.order.append(f"spawn {name}")

        async def start(*, stubborn: bool = False) -> bytes:
            self.order.append(f"start {name}")
            if stubborn:
                self.stubborn.add(name)
            self.on_start(name)
            self.tells[name] = tell
            self.told.setdefault(name, []).append(tell())
            if name == self.failing:
                raise ConfigError(f"{name} did not start")
            return msgspec.json.encode(self.says(name))

        async def stop(*patience: float) -> None:
            self.order.append(f"stop {name}")
            self.patience[name] = patience

        process = SimpleNamespace(pid=next(self._pids))
        return SimpleNamespace(name=name, spawn=spawn, start=start, stop=stop, process=process)

    def says(self, name: str) -> Any:
        if name != "model":
            return Ready()
        told: ModelTold = self.told[name][-1]
        return ModelReady(f"http://127.0.0.1:{told.port}", SPEED if told.measure else None)

    def stopped(self) -> list[str]:
        return [line.removeprefix("stop ") for line in self.order if line.startswith("stop")]

    def spawned(self) -> list[str]:
        return [line.removeprefix("spawn ") for line in self.order if line.startswith("spawn")]

    def started(self) -> list[str]:
        return [line.removeprefix("start ") for line in self.order if line.startswith("start")]

    def the(self, name: str) -> Any:
        """What one child was told, at its only start."""
        (told,) = self.told[name]
        return told


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Children:
    """No process is started, and there is no price to begin with: both would take their time."""
    made = Children()
    monkeypatch.setattr(compile_, "_base", lambda folder: Book("nowhere", {}))
    monkeypatch.setattr(supervisor, "Child", made.make)
    monkeypatch.setattr(supervisor, "find_weights", lambda: Path("weights.gguf"))
    monkeypatch.setattr(supervisor, "installed", lambda: True)
    return made


def make_gateway(data: Path, settings: Settings | None = None, *, up: bool = False) -> Gateway:
    """Make a gateway on any port."""
    settings = settings or Settings(listen=ANYWHERE)
    return Gateway(GatewayOptions(data, settings, local_by_default=up))


@contextlib.asynccontextmanager
async def started(
    data: Path, settings: Settings | None = None, *, up: bool = False
) -> AsyncIterator[Gateway]:
    """Start a gateway, and stop it whatever happens."""
    made = make_gateway(data, settings, up=up)
    await made.start()
    try:
        assert made.behind is not None
        await made.behind
        yield made
    finally:
        await made.stop()
