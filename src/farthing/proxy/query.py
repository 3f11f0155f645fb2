"""One query: what is known of it at each step, and the steps themselves.

Their order is in `handle.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from farthing import clock
from farthing.errors import Failed, FarthingError, Malformed
from farthing.ledger.entry import Ending, Hold, Key, Refusal, Settle, Unresolved, Void, Warned
from farthing.ledger.ledger import Outcome
from farthing.policy.keys import authenticate, still_opens
from farthing.policy.limits import explain, warning
from farthing.policy.path import path, told_user
from farthing.providers import Provider
from farthing.proxy import headers
from farthing.proxy.auth import credential
from farthing.proxy.count import count
from farthing.proxy.ending import ended, last, unresolved
from farthing.proxy.head import Head
from farthing.proxy.http import Message, filled
from farthing.proxy.ids import new_id
from farthing.proxy.pricing import Offer, offer
from farthing.proxy.reading import answered, let_go, read, sent_as, unreadable
from farthing.proxy.relay import Relay
from farthing.proxy.request import Request
from farthing.proxy.server import ClientConnection
from farthing.route.plan import Route
from farthing.wire.dialect import Answer, Ask, Changes, Dialect, Tap, Target
from farthing.wire.families import translation
from farthing.wire.passage import Translated

if TYPE_CHECKING:
    from farthing.proxy.app import App
    from farthing.vault.drafts import Draft


class Query:
    """A query and its one attempt at a provider."""

    ask: Ask
    key: Key
    route: Route
    priced: Offer
    admitted: Hold
    warned: Warned | None = None
    ending: Ending | None = None
    """What is recorded; None before it was sent."""
    _sent = False
    _cap: int | None = None
    """The output cap that is sent, where it is not the client's."""
    _translation: Translated | None = None
    _written = ""
    """The model as the request's body has it; it may be named in the path instead."""
    _wants_usage = True
    _relay: Relay | None = None
    _head: Head | None = None
    _body = b""
    _told: Answer
    _problem: Failed | None = None
    _draft: Draft | None = None
    _crossed = False

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
        self._app = app
        self._client = client
        self._request = request
        self._dialect = dialect
        self._target = target
        self._spoken = dialect
        """The dialect spoken with the provider."""

    def authenticate(self) -> None:
        """Find whose query it is."""
        app, facts = self._app, self._request.facts
        known = facts.key
        if known is None or not still_opens(known, app.ledger.keys, self.now):
            text = credential(self._request)
            known = facts.key = authenticate(text, app.ledger.keys, app.pepper, self.now)
        self.key, self._known = known.key, known

    def read(self) -> None:
        """Read what decides its price and its way."""
        self.ask, self._written = read(self._request, self._dialect, self._target)
        facts = self._request.facts
        if facts.user is None:
            facts.tags = headers.tags(self._request)
            facts.user = headers.user(self._request)
        user = facts.user or told_user(self.ask.fields, self._dialect.users)
        self._who = (user, facts.tags)

    def plan(self) -> None:
        """Choose the provider, and what is spoken with it."""
        router, dialect = self._app.router, self._dialect
        if dialect.modelless and not self.ask.model:
            self.route = router.keeper(dialect.name, headers.provider(self._request))
        else:
            self.route = router.plan(self.ask.model, dialect.name)
        self._spoken = self.route.provider.speaks(self.route.dialect)

    def cross(self) -> None:
        """Translate it, if its provider does not speak its dialect."""
        if self._spoken is self._dialect:
            return
        strict, asked = headers.strict(self._request), self.ask
        own = headers.own(self._request, self.route)
        if self._dialect.check is not None:
            self._dialect.check(asked)
        here, there = self._dialect.name, self.route.dialect
        if here == there:  # its own dialect, in an envelope
            return
        self._translation = translation(here, there, self.route.model, own)
        body = self._translation.request(asked, strict=strict)
        self.ask = self._spoken.read_request(body)
        self._written = self.ask.model
        self.ask.model, self.ask.stream, self.ask.headers = asked.model, asked.stream, own
        self._wants_usage = asked.wants_usage

    def quote(self) -> None:
        """Price it before it is sent; cap its output so that it fits its own price cap."""
        app = self._app
        most = headers.max_cost(self._request, self.key.max_cost)
        self.priced = offer(self.ask, self.route, app.book, self.now, app.all_settings, most)
        self._cap = self.priced.new_cap(self.ask)

    async def hold(self) -> None:
        """Hold the most it can cost, durably.

        Raises:
            Refused: a limit, the ledger, or the vault does not admit it.
        """
        if (vault := self._app.vault) is not None:
            self._draft = vault.draft(self.id, self._known.lineage, self._request.body)
        hold = self._hold()
        told = await self._app.ledger.hold(hold)
        if isinstance(told, Refusal) and told.code == "stale_path":
            self.authenticate()  # its key was moved just now, which the ledger has told meanwhile
            hold = self._hold()
            told = await self._app.ledger.hold(hold)
        if isinstance(told, Refusal):
            raise explain(told, self.key, self.now)
        self.admitted, self.warned = hold, told

    async def send(self) -> None:
        """Send it and take the answer. Sets `ending`, and keeps the provider's failures."""
        provider = self.route.provider
        try:
            if provider.grant is not None:
                await self._app.tokens.fetch(provider)
            if provider.counts and (self.ask.stream or self._spoken.write_counting):
                await self._count()
            pool = self._app.pool
            connection = pool.resting(provider) or await pool.connect(provider)
        except Failed as problem:
            self.ending = Void(clock.wall(), self.id, problem.code)
            self._problem = problem
            return
        relay = Relay(self._client, connection, self._app.settings.max_answer_bytes)
        if self._draft is not None:
            relay.copy = self._draft.add
        message = self._message(provider)
        self._relay, self._sent = relay, True
        try:
            connection.send(message, relay)
            del message
            head = self._head = await relay.arrived
            if self._spoken.streams(head.status, head.content_type):
                tap = self._tap()
                relay.stream(tap, head.status, self._headers(head, self._dialect.stream_type))
                let_go(self._request, self.ask, head)
                await relay.finished
                self.ending = ended(self._app, self, head, tap.answer())
            else:
                await relay.finished
                self._body = relay.take_body()
                if head.status >= 300:
                    self._body = self._spoken.reworded(head.status, self._body)
                    self._app.tokens.refused(provider, head.status)
                self._told = answered(self._spoken, self.ask, head.passed, self._body)
                self.ending = ended(self._app, self, head, self._told)
        except Failed as problem:
            self._problem = problem
            self.ending = unresolved(self, problem.code, self._head.status if self._head else 0)

    def end(self) -> Outcome:
        """Record its ending."""
        if self.ending is None:  # it came to none of its own
            kind, reason = (Unresolved, "interrupted") if self._sent else (Void, "not_sent")
            self.ending = kind(clock.wall(), self.id, reason)
        if self._draft is None:
            return self._app.ledger.end(self.ending)
        return self._draft.end(self.ending, self._last, self._app.ledger)

    def answer(self, *, recorded: bool) -> None:
        """Send the client what is still to be sent, now that the ending is recorded."""
        if self._problem is not None:
            self.fail(self._problem)
            return
        assert self._relay is not None and self._head is not None, "no problem, so an answer"
        if self._relay.streaming:
            self._client.end_stream(self._relay.take_rest())
            return
        try:
            body = self._whole()
        except Failed as problem:
            self.fail(problem)
            return
        lines = self._headers(self._head)
        if self._translation is not None and self._told.usage is not None:
            lines += headers.input_tokens(self._dialect.usage_header, self._told.usage.tokens())
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

    # -- what is known of it at its end -------------------------------------------------------

    def microseconds(self, moment: int) -> int:
        """Return how long after its arrival a moment was."""
        return (moment - self._request.received) // 1000

    def first_byte(self) -> int:
        """Return the moment of its answer's first byte; 0 before it."""
        return self._relay.first_byte if self._relay is not None else 0

    def losses(self) -> tuple[str, ...]:
        """Return what its translation could not say."""
        return self._translation.losses() if self._translation is not None else ()

    # -- the parts of the steps ---------------------------------------------------------------

    async def _count(self) -> None:
        """Have the provider count the input before an answer that may not tell it."""
        ask, dialect = self.ask, self._spoken
        if (path := self.route.provider.counts.get(dialect.name)) is None:
            return
        write, changes = dialect.write_counting, Changes(model=self.route.renames(self._written))
        body = write(ask) if write else dialect.write_request(ask, changes)
        own = headers.own(self._request, self.route)
        ask.counted_input = dialect.read_count(
            await count(self._app, self.route, dialect, path, own, body)
        )

    def _hold(self) -> Hold:
        quoted = self.priced.quote
        return Hold(
            at=self.now,
            id=self.id,
            key=self.key.id,
            path=path(self._known, *self._who, self.route.scopes),
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

    def _message(self, provider: Provider) -> Message:
        """Return the request as it is sent."""
        spoken, request, target = self._spoken, self._request, self._target
        path = provider.dialects[spoken.name]
        if "{" in path:
            path = filled(path, self.route.model, spoken.verbs[self.ask.stream])
        body = self._sent_body()
        if target is None and not spoken.passed_headers and self.ask.form is None:
            return self._app.message(provider, spoken, path, {}, body)
        own = headers.own(request, self.route)
        method, tail, kind = sent_as(request, self.ask, target)
        return self._app.message(provider, spoken, path + tail, own, body, method, kind)

    def _sent_body(self) -> bytes:
        """Return the request's body with the changes that the provider and the bound need."""
        ask, provider = self.ask, self.route.provider
        changes = Changes(
            model=self.route.renames(self._written),
            output_cap=self._cap,
            output_cap_field=provider.output_cap_field,
            ask_usage=not ask.wants_usage and provider.stream_usage,
        )
        return self._spoken.write_request(ask, changes)

    def _headers(self, head: Head, kind: bytes = b"application/json") -> bytes:
        """Return the provider's headers and ours; `kind` is what a translated answer is."""
        same = self._spoken is self._dialect
        passed = head.passed if same else headers.retyped(head.passed, kind)
        lines = passed + headers.named(self.id, self.route.provider.name, self.route.model)
        if self._cap is not None:
            lines += headers.output_cap(self._cap)
        if self.priced.unpriced:
            lines += headers.unpriced(self.priced.unpriced)
        if self.warned is not None:
            lines += headers.warning(warning(self.warned))
        if self._translation is not None:
            lines += headers.losses(self.losses())
        return lines

    def _tap(self) -> Tap:
        """Return what reads the stream's usage, and translates it where it crosses."""
        if self._translation is None:
            return self._spoken.tap(self.ask)
        seen = msgspec.structs.replace(self.ask, wants_usage=True)  # hiding it is not its work
        return self._translation.tap(self._spoken.tap(seen), usage=self._wants_usage)

    def _whole(self) -> bytes:
        """Return a whole answer, or the provider's error, in the client's dialect."""
        if self._translation is not None and not self._crossed:
            assert self._head is not None, "there is an answer"
            try:
                if self._head.status >= 300:
                    self._body = self._translation.problem(self._head.status, self._body)
                else:
                    self._body = self._translation.whole(self._body, self._told.usage)
            except Malformed as problem:
                raise unreadable(self.route.provider, problem) from None
            self._crossed = True
        return self._body

    def _last(self) -> bytes:
        """Return what the client is to be sent when the ending is recorded."""
        assert getattr(self.ending, "reason", "") != "interrupted", "nobody knows what it is told"
        return last(self._dialect, self._relay, self._problem, self._whole, self.id)
