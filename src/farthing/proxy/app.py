"""A worker's application: its paths, and what its queries share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from farthing import clock
from farthing.errors import Failed, FarthingError, Malformed, Refused
from farthing.flow import start
from farthing.ledger.ledger import LedgerPort
from farthing.ledger.present import presented
from farthing.policy.keys import authenticate
from farthing.prices.book import PriceBook
from farthing.providers import Provider
from farthing.providers.signing import signature
from farthing.proxy.auth import credential
from farthing.proxy.handle import handle
from farthing.proxy.http import JSON_TYPE, Message, message, request_head
from farthing.proxy.ids import new_id
from farthing.proxy.log import LOG, RECEIPT, LogPages, Page
from farthing.proxy.pool import UpstreamPool
from farthing.proxy.query import Query
from farthing.proxy.request import Request
from farthing.proxy.server import ClientConnection
from farthing.proxy.sweep import Sweeper
from farthing.proxy.tokens import Tokens
from farthing.route.plan import Router
from farthing.settings import Settings
from farthing.wire import DIALECTS
from farthing.wire.dialect import Dialect, Target
from farthing.wire.surfaces import methods as kept_methods
from farthing.wire.surfaces import operation, speaker

if TYPE_CHECKING:
    from farthing.vault.drafts import Vault

log = logging.getLogger("farthing")

JSON = b"content-type: application/json\r\n"
QUERIES = b"/v1/queries/"
HEADS_MOST = 1024


class Records(Protocol):
    """Where queries are looked up."""

    async def look_up(self, query: str, key: str) -> dict[str, Any] | None:
        """Return a key's query.

        Raises:
            Refused: ledger_unavailable, when the records cannot answer.
        """


class App:
    """Answers requests: queries through `handle`, the rest here."""

    def __init__(
        self,
        settings: Settings,
        ledger: LedgerPort,
        router: Router,
        book: PriceBook,
        records: Records,
        pepper: bytes,
        worker: str,
        log: Path | None = None,
    ) -> None:
        """Must be made in a running event loop. `log` is the transparency log's folder."""
        self.settings = settings.http
        self.all_settings = settings
        self.ledger = ledger
        self.router = router
        self.book = book
        self.price_book_id = book.digest[:16]
        self.records = records
        self.pepper = pepper
        self.worker = worker
        self.vault: Vault | None = None
        """Where contents go; None where policy wants nothing of any."""
        self.sweeper = Sweeper()
        self.pool = UpstreamPool(settings.http, self.sweeper)
        self.tokens = Tokens(self.pool)
        self.stopping = False
        self.open_requests = 0
        self._clients: set[ClientConnection] = set()
        self._heads: dict[tuple[str, str], bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = LogPages(log, entries=settings.log_entries)
        self._drained: asyncio.Event | None = None
        single = [d for d in DIALECTS.values() if d.path and not d.operations]
        self._queries = {(d.version + d.path).encode(): d for d in single}
        self._queries |= {path.encode(): d for d in single for path in d.other_paths}
        self._targeted = [dialect for dialect in DIALECTS.values() if dialect.target]
        self._pages: dict[bytes, dict[bytes, Callable[[ClientConnection, Request], None]]] = {
            b"/": {b"GET": self._alive, b"HEAD": self._alive},
            b"/healthz": {b"GET": self._health, b"HEAD": self._health},
            b"/v1/models": {b"GET": self._models},
        }
        self._listing = {d.models_path.encode(): d for d in DIALECTS.values() if d.models_path}
        self._pages |= {path: {b"GET": self._models} for path in self._listing}

    # -- what connections call ----------------------------------------------------------------

    def opened(self, client: ClientConnection) -> None:
        """Remember a client."""
        self._clients.add(client)
        if self.stopping:
            client.close_after()

    def closed(self, client: ClientConnection) -> None:
        """Forget a client."""
        self._clients.discard(client)

    def request(self, client: ClientConnection, request: Request) -> None:
        """Answer a request."""
        dialect = self._queries.get(request.path)
        if dialect is not None and request.method == b"POST":
            self._query(client, request, dialect)
            return
        for dialect in self._targeted:
            assert dialect.target is not None, "that is what they are chosen by"
            target = dialect.target(request.path)
            if target is not None and request.method == b"POST":
                self._query(client, request, dialect, target)
                return
        kept = operation(request.method, request.path, request.question, request.headers)
        if kept is not None:
            self._query(client, request, *kept)
            return
        try:
            self._page(request)(client, request)
        except FarthingError as problem:
            self.respond_error(client, self._dialect_of(request), problem, new_id())

    def refuse(self, client: ClientConnection, request: Request, problem: FarthingError) -> None:
        """Answer a request that could not be read to its end, and close."""
        dialect, query = self._dialect_of(request), new_id()
        client.linger(
            problem.status, self._error_headers(problem, query), dialect.error(problem, query)
        )

    # -- what queries call --------------------------------------------------------------------

    def respond_error(
        self, client: ClientConnection, dialect: Dialect, problem: FarthingError, query: str
    ) -> None:
        """Answer with an error in the dialect's shape."""
        headers = self._error_headers(problem, query)
        client.respond(problem.status, headers, dialect.error(problem, query))

    def message(
        self,
        provider: Provider,
        dialect: Dialect,
        path: str,
        own: Mapping[str, str],
        body: bytes,
        method: str = "POST",
        kind: bytes = JSON_TYPE,
    ) -> Message:
        """Return the request to a provider: its own headers, and those that are the dialect's;
        `kind` is the content type of its body, b"" for none."""
        if method == "POST" and kind == JSON_TYPE:
            head = self._head(provider, dialect, path)
        else:  # nothing of these is sent a second time
            head = request_head(provider, method, path, dialect.name, kind)
        if not (dialect.passed_headers or provider.grant or provider.auth == "signed"):
            return message(head, body)
        lines = b""
        if dialect.passed_headers:
            for name, value in {**dict(dialect.required_headers), **own}.items():
                if name in dialect.passed_headers:
                    lines += b"%s: %s\r\n" % (name.encode(), value.encode("latin-1"))
        if provider.grant is not None:
            lines += self.tokens.line(provider)
        if provider.auth == "signed":
            target = head.split(b" ", 2)[1].decode()
            lines += signature(provider, target, body, clock.wall())
        return message(head + lines, body)

    def _head(self, provider: Provider, dialect: Dialect, path: str) -> bytes:
        head = self._heads.get((provider.name, path))
        if head is None:
            if len(self._heads) >= HEADS_MOST:  # clients name models, and so paths
                self._heads.clear()
            head = self._heads[provider.name, path] = request_head(
                provider, "POST", path, dialect.name
            )
        return head

    # -- stopping -----------------------------------------------------------------------------

    async def drain(self) -> None:
        """Take no more requests and wait for the open ones to end, as long as settings say."""
        self.stopping = True
        for client in list(self._clients):
            client.close_after()
        if self.open_requests:
            self._drained = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._drained.wait(), self.settings.drain_seconds)
        self.pool.close()
        self.sweeper.stop()

    # -- pages --------------------------------------------------------------------------------

    def _query(
        self,
        client: ClientConnection,
        request: Request,
        dialect: Dialect,
        target: Target | None = None,
    ) -> None:
        if self.stopping or self.open_requests >= self.settings.max_open_requests:
            code = "shutting_down" if self.stopping else "too_busy"
            why = "is stopping" if self.stopping else "has as many open requests as it may"
            problem = Refused(code, f"The gateway {why}; try again shortly.", retry_after=1)
            self.respond_error(client, dialect, problem, new_id())
            return
        self.open_requests += 1
        start(handle(Query(self, client, request, dialect, target)), self._ended)

    def _ended(self) -> None:
        self.open_requests -= 1
        if self._drained is not None and not self.open_requests:
            self._drained.set()

    def _is_target(self, path: bytes) -> bool:
        return any(d.target is not None and d.target(path) is not None for d in self._targeted)

    def _page(self, request: Request) -> Callable[[ClientConnection, Request], None]:
        if request.path in self._queries or self._is_target(request.path):
            raise _not_allowed(request, "POST")
        if ways := kept_methods(request.path, request.headers):
            raise _not_allowed(request, ", ".join(ways))
        methods = self._pages.get(request.path)
        if request.path.startswith(QUERIES):
            methods = {b"GET": self._look_up}
        elif request.path.startswith(LOG):
            methods = dict.fromkeys((b"GET", b"HEAD"), self._log_file)
        if methods is None:
            raise Malformed("not_found", f"There is no {_shown(request)} here.")
        if request.method not in methods:
            raise _not_allowed(request, ", ".join(method.decode() for method in methods))
        return methods[request.method]

    def _alive(self, client: ClientConnection, _: Request) -> None:
        client.respond(200, b"", b"")

    def _health(self, client: ClientConnection, _: Request) -> None:
        status = "ok" if self.ledger.ready else "ledger_unavailable"
        body = msgspec.json.encode({"status": status})
        client.respond(200 if self.ledger.ready else 503, JSON, body)

    def _models(self, client: ClientConnection, request: Request) -> None:
        authenticate(credential(request), self.ledger.keys, self.pepper, clock.wall())
        client.respond(200, JSON, self._dialect_of(request).model_list(self.router.models()))

    def _look_up(self, client: ClientConnection, request: Request) -> None:
        key = authenticate(credential(request), self.ledger.keys, self.pepper, clock.wall()).key
        self._later(client, request, self._record(request, key.id))

    def _log_file(self, client: ClientConnection, request: Request) -> None:
        self._later(client, request, self._log.file(request.path[len(LOG) :]))

    def _later(
        self, client: ClientConnection, request: Request, page: Coroutine[Any, Any, Page]
    ) -> None:
        """Answer with a page that takes its time."""
        task = asyncio.get_running_loop().create_task(self._answer(client, request, page))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _record(self, request: Request, key: str) -> Page:
        """Return a query's record, or its receipt."""
        query = request.path[len(QUERIES) :].decode("latin-1")
        receipt = query.endswith(RECEIPT)
        query = query.removesuffix(RECEIPT)
        record = await self.records.look_up(query, key)
        if record is None:
            raise Malformed("unknown_query", f"This key has made no query {query!r}.")
        if receipt:
            return await self._log.receipt(query, record["end_position"], request.question)
        return JSON, msgspec.json.encode(presented(record))

    async def _answer(
        self, client: ClientConnection, request: Request, page: Coroutine[Any, Any, Page]
    ) -> None:
        dialect = self._dialect_of(request)
        try:
            client.respond(200, *await page)
        except FarthingError as problem:
            self.respond_error(client, dialect, problem, new_id())
        except Exception:
            log.exception("answering %s failed by a defect", _shown(request))
            defect = Failed("internal_error", "farthing has a defect; its log tells more.")
            self.respond_error(client, dialect, defect, new_id())

    def _dialect_of(self, request: Request) -> Dialect:
        """Return the dialect a request that is no query most likely speaks."""
        listing = self._listing.get(request.path)
        if (kept := listing or speaker(request.path, request.headers)) is not None:
            return kept
        for path, dialect in self._queries.items():
            if request.path.startswith(path):
                return dialect
        for dialect in self._targeted:
            if dialect.target is not None and dialect.target(request.path) is not None:
                return dialect
        own = (
            dialect
            for dialect in DIALECTS.values()
            for header in (*dialect.told_by, *dialect.passed_headers)
            if header.encode() in request.headers
        )
        return next(own, DIALECTS["chat"])

    def _error_headers(self, problem: FarthingError, query: str) -> bytes:
        headers = JSON + b"farthing-request-id: %s\r\n" % query.encode()
        headers += b"farthing-error: %s\r\n" % problem.code.encode()
        if problem.retry_after is not None:
            headers += b"retry-after: %d\r\n" % problem.retry_after
        if allowed := getattr(problem, "allowed", ""):
            headers += b"allow: %s\r\n" % allowed.encode()
        return headers


def _shown(request: Request) -> str:
    return f"{request.method.decode('latin-1')} {request.path.decode('latin-1')!r}"


def _not_allowed(request: Request, allowed: str) -> Malformed:
    problem = Malformed("method_not_allowed", f"{_shown(request)}: use {allowed} here.")
    problem.allowed = allowed  # type: ignore[attr-defined]
    return problem
