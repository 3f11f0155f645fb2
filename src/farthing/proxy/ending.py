"""What an answer comes to: the ending that it gives its query."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from farthing import clock
from farthing.errors import Failed, Refused
from farthing.ledger.commitment import contracted
from farthing.ledger.entry import Ending, Settle, Unresolved
from farthing.ledger.ledger import TEXT_MOST
from farthing.prices.rate import Rate, cost
from farthing.proxy.head import Head
from farthing.proxy.pricing import rate_of
from farthing.wire.dialect import Answer, Dialect, Usage

if TYPE_CHECKING:
    from farthing.proxy.app import App
    from farthing.proxy.query import Query
    from farthing.proxy.relay import Relay

log = logging.getLogger("farthing")

# Statuses with which an intermediary says that it lost the provider's answer: the query may have
# been served, and billed. Any other error is the provider's own, and errors are not billed.
LOST_STATUSES = frozenset({502, 504, *range(520, 528)})


def ended(app: App, query: Query, head: Head, answer: Answer) -> Ending:
    """Return the ending that an answer gives its query."""
    if head.status >= 300:
        return _failed(query, head, answer)
    if query.priced.unpriced:
        return unresolved(query, "unpriced", head.status, answer.id)
    usage = query.ask.usage if query.ask.usage is not None else answer.usage
    if usage is None:
        reason = "usage_encoded" if head.encoded else "usage_missing"
        return unresolved(query, reason, head.status, answer.id)
    return _priced(app, query, usage, head, answer)


def _priced(app: App, query: Query, usage: Usage, head: Head, answer: Answer) -> Ending:
    """Settle at the provider's own bill where it states one, else at the price of what was used."""
    if query.route.provider.states_cost and answer.stated is not None:
        return _settled(query, answer.stated, None, usage, head, answer)
    try:
        usd = cost(usage, _served_rate(app, query, answer))
    except Refused as unpriced:
        log.error("query %s: %s", query.id, unpriced.message)
        return unresolved(query, unpriced.code, head.status, answer.id)
    terms, provider = app.ledger.commitments, query.route.provider.name
    paid = contracted(usd, provider, terms.values(), query.now) if terms else usd
    return _settled(query, paid, usd if paid != usd else None, usage, head, answer)


def _failed(query: Query, head: Head, answer: Answer) -> Ending:
    """Return the ending of a query that was answered with an error."""
    if head.status in LOST_STATUSES:
        return unresolved(query, "upstream_lost", head.status, answer.id)
    return _settled(query, 0, None, Usage(), head, answer)


def unresolved(query: Query, reason: str, status: int, upstream_id: str = "") -> Unresolved:
    """Return the ending of a query whose cost is unknown."""
    total = query.microseconds(clock.monotonic())
    return Unresolved(clock.wall(), query.id, reason, status, total, upstream_id[:TEXT_MOST])


def last(
    dialect: Dialect,
    relay: Relay | None,
    problem: Failed | None,
    whole: Callable[[], bytes],
    query: str,
) -> bytes:
    """Return what a client is still to be sent: all of an answer, or the rest of a stream."""
    if relay is not None and relay.streaming:
        return relay.last() + (dialect.fault(problem, query) if problem is not None else b"")
    try:
        return whole() if problem is None else dialect.error(problem, query)
    except Failed as unread:
        return dialect.error(unread, query)


def _served_rate(app: App, query: Query, answer: Answer) -> Rate:
    """Return the rate of what was served, which may be another tier than was asked for."""
    if query.ask.free or answer.options == query.ask.options:
        return query.priced.rate
    return rate_of(query.ask, query.route, app.book, query.now, answer.options)


def _settled(
    query: Query, usd: int, list_usd: int | None, usage: Usage, head: Head, answer: Answer
) -> Settle:
    total, first = query.microseconds(clock.monotonic()), query.first_byte()
    return Settle(
        at=clock.wall(),
        id=query.id,
        usd=usd,
        usage=usage,
        status=head.status,
        first_byte_us=query.microseconds(first) if first else total,
        total_us=total,
        upstream_id=answer.id[:TEXT_MOST],
        answered_model=answer.model[:TEXT_MOST],
        losses=", ".join(query.losses())[:TEXT_MOST],
        list_usd=list_usd,
        finish=answer.finish if head.status < 300 else "",
    )
