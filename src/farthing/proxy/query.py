"""One query: what is known of it at each step, and the steps themselves.

Their order is in `handle.py`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from farthing import clock
from farthing.errors import Failed, FarthingError, Malformed, Refused
from farthing.ledger.entry import Ending, Hold, Key, Settle, Unresolved, Void
from farthing.ledger.ledger import TEXT_MOST, Outcome
from farthing.policy.keys import authenticate
from farthing.policy.limits import explain
from farthing.prices.rate import Rate, cost
from farthing.providers import Provider
from farthing.proxy import headers
from farthing.proxy.auth import credential
from farthing.proxy.gather import Gathered
from farthing.proxy.http import filled
from farthing.proxy.ids import new_id
from farthing.proxy.pricing import Offer, offer, rate_of
from farthing.proxy.relay import Relay
from farthing.proxy.server import ClientConnection, Request
from farthing.proxy.upstream import Head
from farthing.route.plan import Route
from farthing.wire import DIALECTS
from farthing.wire.dialect import Answer, Ask, Changes, Dialect, Tap, Target, Usage
from farthing.wire.translate import Translation

if TYPE_CHECKING:
    from farthing.proxy.app import App

log = logging.getLogger("farthing")

# Statuses with which an intermediary says that it lost the provider's answer: the query may have
# been served, and billed. Any other error is the provider's own, and errors are not billed.
LOST_STATUSES = frozenset({502, 504, *range(520, 528)})


class Query:
    """A query and its one attempt at a provider."""

    ask: Ask
    key: Key
    route: Route
    priced: Offer
    admitted: Hold

    def __init__(
        self,
        app: App,
        client: ClientConnection,
        request: Request,
        dialect: Dialect,
        target: Target | None = None,
    ) -> None:
        """`target` is what the path says, in a dialect that puts the model there."""
        self.id = new_id()
        self.now = clock.wall()
        self.ending: Ending = Void(self.now, self.id, "not_sent")
        """What is recorded if nothing else is learnt; replaced as the query goes on."""
        self._app = app
        self._client = client
        self._request = request
        self._dialect = dialect
        self._target = target
        self._spoken = dialect
        """The dialect spoken with the provider."""
        self._translation: Translation | None = None
        self._wants_usage = True
        self._relay: Relay | None = None
        self._head: Head | None = None
        self._body = b""
        self._problem: Failed | None = None

    def authenticate(self) -> None:
        """Find whose query it is."""
        app = self._app
        self.key = authenticate(credential(self._request), app.ledger.keys, app.pepper, self.now)

    def read(self) -> None:
        """Read what decides its price and its way."""
        kind = self._request.headers.get(b"content-type", b"")
        self.ask = self._dialect.read(self._request.body, kind, self._target)

    def plan(self) -> None:
        """Choose the provider, and what is spoken with it."""
        router, dialect = self._app.router, self._dialect
        if dialect.modelless and not self.ask.model:
            self.route = router.keeper(dialect.name, headers.provider(self._request))
        else:
            self.route = router.plan(self.ask.model, dialect.name)

    def cross(self) -> None:
        """Translate it, if its provider does not speak its dialect."""
        if self.route.dialect == self._dialect.name:
            return
        strict, asked = headers.strict(self._request), self.ask
        self._translation = Translation(self._dialect.name, self.route.dialect)
        body = self._translation.request(asked, strict=strict)
        self._spoken = DIALECTS[self.route.dialect]
        self.ask = self._spoken.read_request(body)
        self.ask.model, self.ask.stream = asked.model, asked.stream
        self._wants_usage = asked.wants_usage

    def quote(self) -> None:
        """Price it before it is sent; cap its output so that it fits its own price cap."""
        app = self._app
        most = headers.max_cost(self._request, self.key.max_cost)
        self.priced = offer(self.ask, self.route, app.book, self.now, app.all_settings, most)

    async def hold(self) -> None:
        """Hold the most it can cost, durably.

        Raises:
            Refused: a limit, or the ledger, does not admit it.
        """
        hold = self._hold()
        refusal = await self._app.ledger.hold(hold)
        if refusal is not None:
            raise explain(refusal, self.key)
        self.admitted = hold

    async def send(self) -> None:
        """Send it and take the answer. Sets `ending`, and keeps the provider's failures."""
        provider = self.route.provider
        try:
            if provider.counts and self.ask.stream:
                await self._count()
            connection = await self._app.pool.connect(provider)
        except Failed as problem:
            self.ending = Void(clock.wall(), self.id, problem.code)
            self._problem = problem
            return
        relay = Relay(self._client, connection, self._app.settings.max_answer_bytes)
        self._relay = relay
        verb = self._spoken.verbs[self.ask.stream]
        path = filled(provider.dialects[self._spoken.name], self.route.model, verb)
        message = self._app.message(
            provider, self._spoken, path, self._request, self._sent_body(), self._target
        )
        self.ending = Unresolved(clock.wall(), self.id, "interrupted")
        try:
            connection.send(message, relay)
            head = self._head = await relay.arrived
            if self._spoken.streams(head.status, head.content_type):
                tap = self._tap()
                relay.stream(tap, head.status, self._headers(head, self._dialect.stream_type))
                await relay.finished
                self.ending = self._ended(head, tap.answer())
            else:
                await relay.finished
                self._body = relay.take_body()
                self.ending = self._ended(head, self._spoken.read_answer(self._body))
        except Failed as problem:
            self._problem = problem
            self.ending = self._unresolved(problem.code, self._head.status if self._head else 0)

    def end(self) -> Outcome:
        """Record its ending."""
        return self._app.ledger.end(self.ending)

    def answer(self, *, recorded: bool) -> None:
        """Send the client what is still to be sent, now that the ending is recorded."""
        if self._problem is not None:
            self.fail(self._problem)
            return
        assert self._relay is not None and self._head is not None, "no problem, so an answer"
        if self._relay.streaming:
            self._client.end_stream(self._relay.take_rest())
            return
        body = self._body
        if self._translation is not None:
            try:
                body = self._crossed(self._translation)
            except Malformed as problem:
                self.fail(_unreadable(self.route.provider, problem))
                return
        lines = self._headers(self._head)
        if recorded and isinstance(self.ending, Settle):
            lines += headers.cost(self.ending.usd)
        self._client.respond(self._head.status, lines, body)

    def fail(self, problem: FarthingError) -> None:
        """Tell the client what went wrong, in the stream if one has begun."""
        if self._relay is not None and self._relay.streaming:
            self._client.close_after()
            rest = self._relay.take_rest()
            self._client.end_stream(rest + self._dialect.fault(problem, self.id))
        else:
            self._app.respond_error(self._client, self._dialect, problem, self.id)

    # -- the parts of the steps ---------------------------------------------------------------

    async def _count(self) -> None:
        """Have the provider count the input before a stream that may not tell it."""
        app, provider, dialect = self._app, self.route.provider, self._spoken
        path = provider.counts.get(dialect.name)
        if path is None:
            return
        connection = await app.pool.connect(provider)
        told = Gathered()
        body = dialect.write_request(self.ask, Changes(model=self._new_name()))
        connection.send(app.message(provider, dialect, path, self._request, body), told)
        try:
            await told.finished
        except Failed as problem:
            raise Failed(
                problem.code,
                f"{provider.name} did not count the input, so the query was not sent and nothing "
                "is billed.",
            ) from None
        self.ask.counted_input = dialect.read_count(bytes(told.content))

    def _hold(self) -> Hold:
        quoted = self.priced.quote
        return Hold(
            at=self.now,
            id=self.id,
            key=self.key.id,
            path=(f"key:{self.key.id}",),
            provider=self.route.provider.name,
            model=self.route.model,
            asked_model=self.ask.model,
            dialect=self._dialect.name,
            stream=self.ask.stream,
            usd=quoted.usd,
            tokens=quoted.tokens,
            input_tokens=quoted.input_tokens,
            output_cap=quoted.output_cap,
            price_book=self._app.price_book_id,
            worker=self._app.worker,
            unpriced=bool(self.priced.unpriced),
        )

    def _new_name(self) -> str | None:
        """Return the provider's name of the model, where the client wrote another."""
        return self.route.model if self.route.model != self.ask.model else None

    def _sent_body(self) -> bytes:
        """Return the request's body with the changes that the provider and the bound need."""
        ask, provider = self.ask, self.route.provider
        changes = Changes(
            model=self._new_name(),
            output_cap=self._new_cap(),
            output_cap_field=provider.output_cap_field,
            ask_usage=not ask.wants_usage and provider.stream_usage,
        )
        return self._spoken.write_request(ask, changes)

    def _headers(self, head: Head, kind: bytes = b"application/json") -> bytes:
        """Return the provider's headers and ours; `kind` is what a translated answer is."""
        passed = head.passed if self._translation is None else headers.retyped(head.passed, kind)
        lines = passed + headers.named(self.id, self.route.provider.name, self.route.model)
        if (cap := self._new_cap()) is not None:
            lines += headers.output_cap(cap)
        if self.priced.unpriced:
            lines += headers.unpriced(self.priced.unpriced)
        if self._translation is not None:
            lines += headers.losses(self._translation.losses())
        return lines

    def _tap(self) -> Tap:
        """Return what reads the stream's usage, and translates it where it crosses."""
        if self._translation is None:
            return self._spoken.tap(self.ask)
        seen = msgspec.structs.replace(self.ask, wants_usage=True)  # hiding it is not its work
        return self._translation.tap(self._spoken.tap(seen), usage=self._wants_usage)

    def _crossed(self, translation: Translation) -> bytes:
        """Return a whole answer, or the provider's error, in the client's dialect."""
        assert self._head is not None, "there is an answer"
        if self._head.status >= 300:
            return translation.problem(self._head.status, self._body)
        return translation.whole(self._body)

    def _ended(self, head: Head, answer: Answer) -> Ending:
        """Return the ending that an answer gives its query."""
        if head.status >= 300:
            if head.status in LOST_STATUSES:
                return self._unresolved("upstream_lost", head.status)
            return self._settled(0, Usage(), head, answer)
        if self.priced.unpriced:
            return self._unresolved("unpriced", head.status)
        usage = self.ask.usage if self.ask.usage is not None else answer.usage
        if usage is None:
            reason = "usage_encoded" if head.encoded else "usage_missing"
            return self._unresolved(reason, head.status)
        try:
            usd = cost(usage, self._served_rate(answer))
        except Refused as unpriced:
            log.error("query %s: %s", self.id, unpriced.message)
            return self._unresolved(unpriced.code, head.status)
        return self._settled(usd, usage, head, answer)

    def _served_rate(self, answer: Answer) -> Rate:
        """Return the rate of what was served, which may be another tier than was asked for."""
        if self.ask.free or answer.options == self.ask.options:
            return self.priced.rate
        return rate_of(self.ask, self.route, self._app.book, self.now, answer.options)

    def _new_cap(self) -> int | None:
        """Return the output cap that is sent, where the client set another or none."""
        ask, cap = self.ask, self.priced.quote.output_cap
        uncapped = not ask.makes_output or ask.made_images or ask.free or self.priced.unpriced
        return cap if not uncapped and cap != ask.output_cap else None

    def _settled(self, usd: int, usage: Usage, head: Head, answer: Answer) -> Settle:
        total = self._microseconds(clock.monotonic())
        first = self._relay.first_byte if self._relay is not None else 0
        return Settle(
            at=clock.wall(),
            id=self.id,
            usd=usd,
            usage=usage,
            status=head.status,
            first_byte_us=self._microseconds(first) if first else total,
            total_us=total,
            upstream_id=answer.id[:TEXT_MOST],
            answered_model=answer.model[:TEXT_MOST],
            losses=self._lost()[:TEXT_MOST],
        )

    def _lost(self) -> str:
        return ", ".join(self._translation.losses()) if self._translation is not None else ""

    def _unresolved(self, reason: str, status: int) -> Unresolved:
        total = self._microseconds(clock.monotonic())
        return Unresolved(clock.wall(), self.id, reason, status, total)

    def _microseconds(self, moment: int) -> int:
        return (moment - self._request.received) // 1000


def _unreadable(provider: Provider, problem: Malformed) -> Failed:
    return Failed(
        "upstream_malformed",
        f"{provider.name}'s answer cannot be translated: {problem.message} It was billed.",
    )
