"""The leaf of a query's ending: what was held, asked, answered, used and billed.

The prompt and the answer are not in the journal, and so not here. A cost that is not known is not
there; it is never zero.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any, get_args

import msgspec

from farthing import clock, money
from farthing.evidence.record import EXACT, VERSION
from farthing.evidence.salt import Salted, is_plain
from farthing.ledger.entry import Expire, Hold, Resolve, Settle, Unresolved, Void, WriteOff
from farthing.wire.dialect import Usage

QueryEnding = Settle | Void | Unresolved | Resolve | Expire | WriteOff

encode = msgspec.json.Encoder().encode


# What was used, as a leaf tells it: counts that are not zero, in the order that RFC 8785 wants.
COUNTS = sorted(Usage.__struct_fields__)
Consumed = msgspec.defstruct(
    "Consumed", [(name, int, 0) for name in COUNTS], omit_defaults=True, frozen=True, gc=False
)
_counts = attrgetter(*COUNTS)


class QueryLeaf(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """A leaf as it is written, its names in the order that RFC 8785 wants."""

    answered_model: str = ""
    """As the provider named it in its answer."""
    asked_model: str
    """As the client spelled it."""
    at: str
    """When it ended."""
    began: str
    """When it was admitted."""
    by: str = ""
    """Committed: who settled it from evidence, or wrote it off."""
    cost_usd: str = ""
    """What it cost; absent while that is unknown."""
    dialect: str
    entry: int
    """The ending's place in the journal, from 1."""
    evidence: str = ""
    """Committed."""
    finish: str = ""
    """Why the answer ended."""
    first_byte_us: int = 0
    held_tokens: int | str
    held_usd: str
    hold: int
    """The hold's place in the journal."""
    http_status: int = 0
    id: str
    input_tokens: int
    """The most that its input could be."""
    key: str
    kind: str
    list_usd: str = ""
    """Its cost without a commitment's discount, where there was one."""
    losses: str = ""
    model: str
    """As the provider spells it."""
    output_cap: int
    path: list[str]
    """The scopes whose limits it passed; of users and tags, committed."""
    price_book: str
    provider: str
    reason: str = ""
    """Of what was void or unresolved; committed where an administrator wrote it."""
    stream: bool = False
    tokens: int | str | None = None
    """All its tokens, where only the evidence told them."""
    total_us: int = 0
    unpriced: bool = False
    """Whether it was sent without a price, as its key had no limit."""
    upstream_id: str = ""
    """The provider's own id of it."""
    usage: msgspec.Struct | None = None
    v: int


def query_leaf(entry: QueryEnding, position: int, hold: Hold, held: int, secret: bytes) -> bytes:
    """Return the leaf of an ending, of the hold at a position of its own."""
    salted = Salted(secret, position)
    leaf = QueryLeaf(
        v=VERSION,
        kind=KINDS[type(entry)],
        entry=position,
        hold=held,
        id=entry.id,
        at=iso(entry.at),
        began=iso(hold.at),
        key=hold.key,
        path=_path(hold.path, salted),
        provider=hold.provider,
        model=hold.model,
        asked_model=hold.asked_model,
        dialect=hold.dialect,
        stream=hold.stream,
        held_usd=money.dollars(hold.usd),
        held_tokens=_count(hold.tokens),
        input_tokens=hold.input_tokens,
        output_cap=hold.output_cap,
        price_book=hold.price_book,
        unpriced=hold.unpriced,
    )
    ENDINGS[type(entry)](leaf, entry, hold, salted)
    return encode(leaf)


def _settled(leaf: QueryLeaf, entry: Settle, _: Hold, __: Salted) -> None:
    leaf.cost_usd = money.dollars(entry.usd)
    if entry.list_usd is not None:
        leaf.list_usd = money.dollars(entry.list_usd)
    leaf.usage = Consumed(*_counts(entry.usage))
    leaf.http_status = entry.status
    leaf.first_byte_us = entry.first_byte_us
    leaf.total_us = entry.total_us
    leaf.upstream_id = entry.upstream_id
    leaf.answered_model = entry.answered_model
    leaf.losses = entry.losses
    leaf.finish = entry.finish


def _void(leaf: QueryLeaf, entry: Void, _: Hold, __: Salted) -> None:
    leaf.cost_usd, leaf.reason = "0", entry.reason


def _unresolved(leaf: QueryLeaf, entry: Unresolved, _: Hold, __: Salted) -> None:
    leaf.reason, leaf.http_status, leaf.total_us = entry.reason, entry.status, entry.total_us
    leaf.upstream_id = entry.upstream_id


def _resolved(leaf: QueryLeaf, entry: Resolve, _: Hold, salted: Salted) -> None:
    leaf.cost_usd = money.dollars(entry.usd)
    leaf.by = salted.commit("by", entry.by)
    leaf.evidence = salted.commit("evidence", entry.evidence)
    leaf.tokens = None if entry.tokens is None else _count(entry.tokens)


def _expired(leaf: QueryLeaf, _: Expire, hold: Hold, __: Salted) -> None:
    leaf.cost_usd = money.dollars(hold.usd)


def _written_off(leaf: QueryLeaf, entry: WriteOff, _: Hold, salted: Salted) -> None:
    leaf.cost_usd = "0"
    leaf.by = salted.commit("by", entry.by)
    leaf.reason = salted.commit("reason", entry.reason)


ENDINGS: dict[type, Callable[[QueryLeaf, Any, Hold, Salted], None]] = {
    Settle: _settled,
    Void: _void,
    Unresolved: _unresolved,
    Resolve: _resolved,
    Expire: _expired,
    WriteOff: _written_off,
}
KINDS = {kind: str(kind.__struct_config__.tag) for kind in get_args(QueryEnding)}


def _count(tokens: int) -> int | str:
    return tokens if tokens <= EXACT else str(tokens)


def _path(path: tuple[str, ...], salted: Salted) -> list[str]:
    if _is_plain(path):
        return list(path)
    return [salted.scope(f"path/{number}", scope) for number, scope in enumerate(path)]


@lru_cache(4096)
def _is_plain(path: tuple[str, ...]) -> bool:
    return all(map(is_plain, path))


@lru_cache(256)
def _second(seconds: int) -> str:
    return clock.iso(seconds * clock.SECOND)[:-4]


def iso(nanoseconds: int) -> str:
    """Return what `clock.iso` does; moments come in order, and so their seconds are known."""
    seconds, rest = divmod(nanoseconds, clock.SECOND)
    return f"{_second(seconds)}{rest // 1_000_000:03d}Z"
