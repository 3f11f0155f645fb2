"""Access tokens of providers that take no key: fetched when needed, once for all who wait."""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from farthing import clock
from farthing.errors import Failed
from farthing.flow import OneShot, ready
from farthing.providers import Provider
from farthing.providers.grants import token_request
from farthing.proxy.gather import Gathered
from farthing.proxy.http import message, request_head
from farthing.proxy.pool import UpstreamPool
from farthing.proxy.upstream import UpstreamConnection

# From connecting to the last byte of the answer. Queries wait for it.
TOKEN_SECONDS = 20.0

# A token is not used in its last minute (or half, if that is shorter): a query may still wait for
# its connection, and clocks differ.
SPARED_SECONDS = 60.0

# A token service that does not say how long its tokens last means longer than this.
UNTOLD_SECONDS = 300

# An access token takes a kilobyte or two.
ANSWER_MOST = 64 * 1024

FORM = b"application/x-www-form-urlencoded"


class _Told(msgspec.Struct):
    access_token: str = ""
    expires_in: Annotated[float, msgspec.Meta(gt=0)] = UNTOLD_SECONDS
    error: str = ""
    error_description: str = ""


_decode = msgspec.json.Decoder(_Told).decode


class _Token(msgspec.Struct):
    line: bytes
    """The header line that carries it."""
    until: float
    """When another is fetched, by the event loop's clock."""


class Tokens:
    """The access tokens of a worker, by provider."""

    def __init__(self, pool: UpstreamPool) -> None:
        """Must be made in a running event loop."""
        self._pool = pool
        self._time = asyncio.get_running_loop().time
        self._held: dict[str, _Token] = {}
        self._waiting: dict[str, list[OneShot[None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def fetch(self, provider: Provider) -> OneShot[None]:
        """Return when there is a token to send.

        Raises (from the OneShot):
            Failed: no_token; nothing was sent.
        """
        held = self._held.get(provider.name)
        if held is not None and self._time() < held.until:
            return ready(None)
        shot: OneShot[None] = OneShot()
        waiting = self._waiting.setdefault(provider.name, [])
        waiting.append(shot)
        if len(waiting) == 1:
            task = asyncio.get_running_loop().create_task(self._fetch(provider))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return shot

    def line(self, provider: Provider) -> bytes:
        """Return the header line of a provider's token, which was fetched."""
        return self._held[provider.name].line

    def refused(self, provider: Provider, status: int) -> None:
        """Forget a token that the provider does not know any more."""
        if status == 401:
            self._held.pop(provider.name, None)

    async def _fetch(self, provider: Provider) -> None:
        problem: Failed | None = None
        try:
            async with asyncio.timeout(TOKEN_SECONDS):
                self._held[provider.name] = await self._ask(provider)
        except TimeoutError:
            problem = _none(provider, f"it did not answer within {TOKEN_SECONDS:g} seconds")
        except Failed as failure:
            problem = failure
        except Exception as error:  # noqa: BLE001  (queries must not wait for ever)
            problem = _none(provider, type(error).__name__)
        for shot in self._waiting.pop(provider.name):
            if problem is None:
                shot.set(None)
            else:
                shot.fail(problem)

    async def _ask(self, provider: Provider) -> _Token:
        assert provider.grant is not None, "it has no key instead"
        service = _service(provider)
        try:
            connection = await self._pool.connect(service).in_task()
        except Failed as problem:
            # What is to be set is set for the provider, whose service this is.
            said = problem.message.replace(
                f"[providers.{service.name}]", f"[providers.{provider.name}]"
            )
            raise _none(provider, said) from None
        form = token_request(provider.grant, provider.key, provider.scope, clock.wall())
        began = self._time()
        try:
            body = await _posted(connection, service, form)
        except Failed as problem:
            raise _none(provider, f"its answer did not come ({problem.code})") from None
        return _read(provider, body, began)


def _service(provider: Provider) -> Provider:
    """Return a provider's token service, as a place that connections are made to."""
    assert provider.grant is not None, "it has no key instead"
    return Provider(
        provider.grant.token_uri,
        {},
        name=f"{provider.name}'s token service",
        auth="none",
        allow_private_address=provider.allow_private_address,
    )


async def _posted(connection: UpstreamConnection, service: Provider, form: bytes) -> bytes:
    """Post a form and return the answer, whatever its status.

    Raises:
        Failed: it broke off, or is too large.
    """

    def weigh(_: bytes) -> None:
        if len(told.content) > ANSWER_MOST:
            connection.abort()
            told.broken(Failed("upstream_malformed", "It is too large."))

    told = Gathered(weigh)
    head = request_head(service, "POST", "", kind=FORM)
    try:
        connection.send(message(head, form), told)
        await told.finished.in_task()
    except asyncio.CancelledError:
        connection.abort()
        raise
    return bytes(told.content)


def _read(provider: Provider, body: bytes, began: float) -> _Token:
    try:
        told = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _none(provider, "its answer is no JSON that says so") from None
    token = told.access_token
    if not token:
        why = f"{told.error} {told.error_description}".strip() or "its answer has none"
        raise _none(provider, why[:200])
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise _none(provider, "its token has characters that no header can carry")
    spared = min(SPARED_SECONDS, told.expires_in / 2)
    line = b"authorization: Bearer %s\r\n" % token.encode()
    return _Token(line, began + told.expires_in - spared)


def _none(provider: Provider, why: str) -> Failed:
    assert provider.grant is not None, "it has no key instead"
    host = urlsplit(provider.grant.token_uri).hostname
    return Failed(
        "no_token",
        f"{provider.name} got no access token from {host} with {provider.key_from}: {why}. "
        "Nothing was sent, nothing is billed.",
    )
