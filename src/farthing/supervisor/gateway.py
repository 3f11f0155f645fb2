"""A whole gateway: its processes in the order they need each other."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.util
import logging
import os
import secrets
import socket
from functools import partial
from pathlib import Path

import msgspec

from farthing.errors import ConfigError
from farthing.evidence.witnesses import check_witnesses
from farthing.ledger.database import DatabaseAwayError, shown, speaking
from farthing.ledger.records import open_records
from farthing.local.model import ModelReady, ModelTold, Speed, known_speed
from farthing.local.price import priced
from farthing.local.weights import HOW_TO_INSTALL, find_weights, installed
from farthing.paths import DataFolder, lock, write_private
from farthing.prices.book import Model, PriceBook
from farthing.prices.compile import book_source, make_book
from farthing.providers import load_providers
from farthing.runtime import LocalModel, Runtime
from farthing.settings import Settings, load_settings
from farthing.settings.load import split_address
from farthing.supervisor.child import Child
from farthing.vault.keys import master_key

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
        self._book = Path()

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
        load_providers(self.settings, os.environ)  # its errors are for the one who starts us
        check_witnesses(self.settings.witnesses)
        self._lock = lock(
            self.data.lock,
            f"the data folder {self.data.root} is already open in another process; stop that "
            "gateway, or choose another folder with --data",
        )
        self._reserve_port()
        self.data.pepper()
        if self.settings.contents:
            master_key(self.data)
        for folder in (self.data.price_books, self.data.logs):
            folder.mkdir(exist_ok=True, mode=0o700)
        await asyncio.to_thread(self._try_records)
        measured = await self._start_local()
        self._book = make_book(self.data.price_books, self.settings.prices, measured)
        if self.settings.workers > 1:
            tell = partial(self._told, "ledger")
            await self._add(Child("ledger", "farthing.ledger.process", tell))
        follower = Child(FOLLOWER, "farthing.ledger.follow", partial(self._told, FOLLOWER))
        publisher = Child(
            "publisher", "farthing.evidence.process", partial(self._told, "publisher")
        )
        self._others += [follower, publisher]
        await self._start_telemetry()
        for number in range(1, self.settings.workers + 1):
            name = f"worker-{number}"
            tell = partial(self._told, name, name)
            self._workers.append(Child(name, "farthing.proxy.worker", tell))
        await asyncio.gather(*(child.start() for child in (follower, publisher, *self._workers)))
        await self._start_vault()
        write_private(self.data.address, self.address + "\n")

    async def _start_vault(self) -> None:
        """Start what erases what is over: by the rules there are, and what was begun before."""
        if self.settings.contents or self.data.vault.exists():
            await self._add(Child("vault", "farthing.vault.process", partial(self._told, "vault")))

    async def _start_telemetry(self) -> None:
        """Start it before the workers, if it is wanted, so that it misses none of their queries."""
        if self.settings.otel.endpoint:
            if not all(map(importlib.util.find_spec, TELEMETRY_NEEDS)):
                raise ConfigError(
                    "[otel] needs OpenTelemetry's exporter: pip install 'farthing[otel]', or take "
                    "its endpoint out of farthing.toml"
                )
            tell = partial(self._told, TELEMETRY)
            await self._add(Child(TELEMETRY, "farthing.report.telemetry.process", tell))

    def _try_records(self) -> None:
        """Make the records' tables. A server that is away is only warned of: they can wait."""
        try:
            with speaking(self.settings.database):
                open_records(self.data, self.settings.database).dispose()
        except DatabaseAwayError as problem:
            if not self.settings.database:
                raise
            log.warning("%s. Queries are served and journaled meanwhile", problem)

    async def stop(self) -> None:
        """Let the open queries end, then stop everything."""
        if self._lock is None:  # then whatever is there is another gateway's
            return
        self.data.address.unlink(missing_ok=True)
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

    async def _add(self, child: Child) -> bytes:
        self._others.append(child)
        return await child.start()

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

        line = await self._add(
            Child("model", "farthing.local.model", told, self.data.logs / "model.log")
        )
        ready = msgspec.json.decode(line, type=ModelReady)
        self.local = LocalModel(ready.base_url, secret)
        if known is None:
            assert ready.speed is not None
            known = ready.speed
            write_private(self.data.local_speed, msgspec.json.encode(known).decode())
        return local_rows(known, self.settings)

    def _told(self, name: str, worker: str = "") -> Runtime:
        """Return what a process is told; a worker gets an id for this run of it."""
        return Runtime(
            name=name,
            data=str(self.data.root),
            # Only the follower has a use for the database, and for its password.
            settings=self.settings if name == FOLLOWER else _without_database(self.settings),
            config_digest=config_digest(self.settings),
            price_book=str(self._book),
            price_source=book_source(self._book),
            host=self._host,
            port=self._port,
            worker=f"{worker}-{secrets.token_hex(4)}" if worker else "",
            own_ledger=bool(worker) and self.settings.workers == 1,
            local=self.local if worker else None,
        )


def price_book_for(data: DataFolder, config: Path | None) -> tuple[Settings, PriceBook]:
    """Return the settings, and the price book a gateway would start with on a data folder."""
    settings, _ = load_settings(config, data.root)
    data.price_books.mkdir(exist_ok=True, mode=0o700)
    speed = known_speed(data.local_speed)
    measured = local_rows(speed, settings) if speed is not None else []
    path = make_book(data.price_books, settings.prices, measured)
    return settings, PriceBook(path.read_bytes())


def local_rows(speed: Speed, settings: Settings) -> list[Model]:
    """Return the embedded model's rows of the price book."""
    local = settings.local
    return [priced(speed, local.dollars_per_hour, local.context_tokens)]


def config_digest(settings: Settings) -> str:
    """Return the SHA-256 of the settings in force; of the database only where it is."""
    where = shown(settings.database) if settings.database else None
    public = msgspec.structs.replace(settings, database=where)
    return hashlib.sha256(msgspec.json.encode(public, order="deterministic")).hexdigest()


def _without_database(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, database=None)


def _free_port() -> int:
    """Return a loopback port that is free now, for the model to keep over its restarts."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
