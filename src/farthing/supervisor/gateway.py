"""A whole gateway: its processes, told to begin in the order they need each other.

Those that serve queries are started first, and import what they need while the supervisor looks
at what they will be told. Those that follow the journal come after: the gateway answers before
they do.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
import secrets
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from farthing.errors import ConfigError
from farthing.local.model import ModelReady, ModelTold, known_speed
from farthing.local.weights import HOW_TO_INSTALL, find_weights, installed
from farthing.paths import DataFolder, lock, write_private
from farthing.runtime import LocalModel, Runtime
from farthing.settings import Settings
from farthing.settings.load import split_address
from farthing.supervisor.child import Child

if TYPE_CHECKING:
    from farthing.prices.book import Model

log = logging.getLogger("farthing")

FOLLOWER, TELEMETRY = "follower", "telemetry"
TELEMETRY_NEEDS = ("requests", "opentelemetry")


class GatewayOptions(msgspec.Struct, frozen=True):
    """What a gateway is started with."""

    data: Path
    settings: Settings
    local_by_default: bool
    """Whether the embedded model runs when the settings do not say."""


class Gateway:
    """The processes of one gateway on one data folder."""

    def __init__(self, options: GatewayOptions) -> None:
        self.data = DataFolder(options.data)
        self.settings = options.settings
        self.address = ""
        self.local: LocalModel | None = None
        self._local_by_default = options.local_by_default
        self._reserved: socket.socket | None = None
        self._lock: int | None = None
        self._host, self._port = split_address(self.settings.listen)
        self._workers: list[Child] = []
        self._others: list[Child] = []
        """All but the workers; the last of them stops first."""
        self._following: list[Child] = []
        self._book = Path()
        self._book_source = self._digest = ""
        self.behind: asyncio.Task[None] | None = None
        """Done when those that follow the journal serve too, or one of them cannot."""

    async def start(self) -> None:
        """Start everything; afterwards the address answers.

        Raises:
            ConfigError: something is not as it must be; what was started is stopped again.
        """
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        self._lock = lock(
            self.data.lock,
            f"the data folder {self.data.root} is already open in another process; stop that "
            "gateway, or choose another folder with --data",
        )
        self._reserve_port()
        first = self._make_children()
        for child in (*self._workers, *first):
            await child.spawn()
        await self._prepare()
        for child in first:
            await child.start()
        await asyncio.gather(*(worker.start() for worker in self._workers))
        for child in self._following:
            await child.spawn()
        self.behind = asyncio.create_task(self._follow())
        write_private(self.data.address, self.address + "\n")

    def _make_children(self) -> list[Child]:
        """Make the processes; return those that must serve before the workers do."""
        ledger, telemetry = [], []
        if self.settings.workers > 1:
            ledger.append(self._child("ledger", "farthing.ledger.process"))
        if self.settings.otel.endpoint:  # from its beginning, so that it misses no query
            if not all(map(importlib.util.find_spec, TELEMETRY_NEEDS)):
                raise ConfigError(
                    "[otel] needs OpenTelemetry's exporter: pip install 'farthing[otel]', or take "
                    "its endpoint out of farthing.toml"
                )
            module = "farthing.report.telemetry.process"
            telemetry.append(self._child(TELEMETRY, module))
        for number in range(1, self.settings.workers + 1):
            self._workers.append(self._child(f"worker-{number}", "farthing.proxy.worker"))
        modules = {FOLLOWER: "farthing.ledger.follow", "publisher": "farthing.evidence.process"}
        if self.settings.contents or self.data.vault.exists():
            # It erases what is over: by the rules there are, and what was begun before.
            modules["vault"] = "farthing.vault.process"
        self._following = [self._child(name, module) for name, module in modules.items()]
        self._others = [*ledger, *self._following, *telemetry]
        return [*ledger, *telemetry]

    def _child(self, name: str, module: str) -> Child:
        return Child(name, module, partial(self._told, name))

    async def _prepare(self) -> None:
        """Check what there is and make the price book, while the processes import."""
        from farthing.prices.compile import book_source, make_book  # noqa: PLC0415
        from farthing.supervisor import prepare  # noqa: PLC0415

        prepare.check(self.data, self.settings)
        if self.settings.database:
            await asyncio.to_thread(prepare.try_records, self.data, self.settings)
        measured = await self._start_local()
        self._book = make_book(self.data.price_books, self.settings.prices, measured)
        self._book_source = book_source(self._book)
        self._digest = prepare.config_digest(self.settings)

    async def _follow(self) -> None:
        """Tell those that follow the journal to begin."""
        await asyncio.gather(*(child.start(stubborn=True) for child in self._following))

    async def stop(self) -> None:
        """Let the open queries end, then stop everything."""
        if self._lock is None:  # then whatever is there is another gateway's
            return
        self.data.address.unlink(missing_ok=True)
        if self.behind is not None:
            self.behind.cancel()
            await asyncio.gather(self.behind, return_exceptions=True)
        patience = self.settings.http.drain_seconds + 10
        await asyncio.gather(*(worker.stop(patience) for worker in self._workers))
        for child in reversed(self._others):
            await child.stop()
        if self._reserved is not None:
            self._reserved.close()
        os.close(self._lock)
        self._lock = None

    def process_ids(self) -> dict[str, int]:
        """Return each process's id by its name."""
        children = [*self._others, *self._workers]
        return {c.name: c.process.pid for c in children if c.process is not None}

    def _reserve_port(self) -> None:
        """Take the address for this gateway's workers alone.

        The workers share it by SO_REUSEPORT, which would let a second gateway share it as well;
        so it is tried without, first. The socket that stays bound never listens, and lacks
        SO_REUSEADDR, so that it is in the way of the next such try.
        """
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            if self._port:
                with socket.socket(family, socket.SOCK_STREAM) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind((self._host, self._port))
            self._reserved = socket.socket(family, socket.SOCK_STREAM)
            self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            self._reserved.bind((self._host, self._port))
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {self.settings.listen}: {error.strerror}. Another gateway may "
                "be running there; choose another address with --listen, or with "
                '`listen = "127.0.0.1:PORT"` in farthing.toml'
            ) from None
        self._port = self._reserved.getsockname()[1]
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self.address = f"http://{shown}:{self._port}"

    async def _start_local(self) -> list[Model]:
        """Start the embedded model, if it is wanted; return its rows of the price book."""
        wanted = self.settings.local.enabled
        if wanted is False or (wanted is None and not self._local_by_default):
            return []
        weights = find_weights()
        if weights is None or not installed():
            if wanted:
                raise ConfigError(HOW_TO_INSTALL)
            log.warning("starting without the embedded model. %s", HOW_TO_INSTALL)
            return []
        secret, port = secrets.token_hex(32), _free_port()
        known = known_speed(self.data.local_speed)

        def told() -> ModelTold:
            local = self.settings.local
            return ModelTold(
                str(weights), secret, port, local.threads, local.context_tokens, local.parallel,
                measure=known is None,
            )  # fmt: skip

        model = Child("model", "farthing.local.model", told, self.data.logs / "model.log")
        self._others.insert(0, model)
        line = await model.start()
        ready = msgspec.json.decode(line, type=ModelReady)
        self.local = LocalModel(ready.base_url, secret)
        if known is None:
            assert ready.speed is not None
            known = ready.speed
            write_private(self.data.local_speed, msgspec.json.encode(known).decode())
        from farthing.supervisor.prepare import local_rows  # noqa: PLC0415

        return local_rows(known, self.settings)

    def _told(self, name: str) -> Runtime:
        """Return what a process is told; a worker gets an id for this run of it."""
        worker = name if name.startswith("worker-") else ""
        return Runtime(
            name=name,
            data=str(self.data.root),
            # Only the follower has a use for the database, and for its password.
            settings=self.settings if name == FOLLOWER else _without_database(self.settings),
            config_digest=self._digest,
            price_book=str(self._book),
            price_source=self._book_source,
            host=self._host,
            port=self._port,
            worker=f"{worker}-{secrets.token_hex(4)}" if worker else "",
            own_ledger=bool(worker) and self.settings.workers == 1,
            local=self.local if worker else None,
        )


def _without_database(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, database=None)


def _free_port() -> int:
    """Return a loopback port that is free now, for the model to keep over its restarts."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
