"""The journal's entries: what was decided, in the order it was decided.

Each is a MessagePack array that begins with its tag, so that fields are only ever added at the
end. Amounts are nanodollars, times are nanoseconds since the Unix epoch (UTC).
docs/reference/ledger.md describes them; a test holds it against these structs.
"""

from __future__ import annotations

import msgspec

from farthing.ledger.refusal import Refusal
from farthing.wire.dialect import Usage

__all__ = ["Refusal"]  # it is told where an entry would be


class Genesis(msgspec.Struct, frozen=True, array_like=True, tag="genesis"):
    """The first entry of a journal."""

    at: int
    ledger: str
    """A random id, so that two journals are never taken for each other."""


class Key(msgspec.Struct, frozen=True, array_like=True, tag="key"):
    """A key was made. Its secret is not here, only its HMAC."""

    at: int
    by: str
    """Who made it."""
    id: str
    name: str
    digest: bytes
    expires: int | None = None
    max_cost: int | None = None
    """The most one of its queries may cost."""
    parent: str = ""
    """The scope it belongs to, such as "project:search"; none when empty."""


class ChangeKey(msgspec.Struct, frozen=True, array_like=True, tag="change-key"):
    """What is said of a key was changed: these are all its new values; its secret stays."""

    at: int
    by: str
    id: str
    name: str
    expires: int | None = None
    max_cost: int | None = None
    parent: str = ""


class Revoke(msgspec.Struct, frozen=True, array_like=True, tag="revoke"):
    """A key was revoked; its open queries end as they would have."""

    at: int
    by: str
    id: str


class Scope(msgspec.Struct, frozen=True, array_like=True, tag="scope"):
    """An organisation, a team or a project was made, within another one or by itself."""

    at: int
    by: str
    scope: str
    """"org:NAME", "team:NAME" or "project:NAME"."""
    parent: str = ""


class Limit(msgspec.Struct, frozen=True, array_like=True, tag="limit"):
    """A limit was set, changed, or (amount None) lifted."""

    at: int
    by: str
    scope: str
    """What it limits, such as "key:ID" or "team:NAME"; "user:*" is each user by itself."""
    unit: str
    """"usd" (nanodollars), "tokens", "requests", or "concurrent" requests."""
    amount: int | None
    window: str = "ever"
    """"ever", "month", "day", "hour" (of the calendar, UTC), or the last "minute"."""
    soft: bool = False
    """Whether passing it warns and does not refuse."""


class TopUp(msgspec.Struct, frozen=True, array_like=True, tag="top-up"):
    """A scope got prepaid credit; from its first on, it spends credit or nothing."""

    at: int
    by: str
    id: str
    scope: str
    usd: int
    expires: int | None = None
    note: str = ""


class Tranche(msgspec.Struct, frozen=True, array_like=True):
    """A part of a commitment: an amount that can be drawn from a moment to another."""

    usd: int
    paid: int
    """What the whole of it was, or will be, bought for."""
    starts: int
    ends: int
    on_call: bool = False
    """Whether none of it can be drawn until it is exercised."""
    after_ppm: int = 0
    """It opens once this part (in millionths) of the tranche before it is drawn; 0 for at once."""


class Commitment(msgspec.Struct, frozen=True, array_like=True, tag="commitment"):
    """A purchase was agreed with a provider."""

    at: int
    by: str
    id: str
    provider: str
    starts: int
    ends: int
    tranches: tuple[Tranche, ...]
    discount_ppm: int = 0
    """What is taken off list prices while it is in force, in millionths."""
    note: str = ""


class Exercise(msgspec.Struct, frozen=True, array_like=True, tag="exercise"):
    """Some of a tranche on call was called."""

    at: int
    by: str
    commitment: str
    tranche: int
    """Its number, from 1."""
    usd: int


class Hold(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="hold"):
    """A query was admitted: the most it can cost is held on every limit of its path."""

    at: int
    id: str
    key: str
    path: tuple[str, ...]
    """The scopes whose limits it passed."""
    provider: str
    model: str
    """As the provider spells it."""
    asked_model: str
    """As the client spelled it."""
    dialect: str
    stream: bool
    usd: int
    tokens: int
    input_tokens: int
    output_cap: int
    price_book: str
    """Digest of the price book it was quoted from."""
    worker: str
    """Which run of which worker sends it: if that run ends, so does its knowledge of the query."""
    unpriced: bool = False
    """Whether its cost has no bound: nothing is held, and only a path without limits admits it."""


class Settle(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="settle"):
    """A query ended and its cost is known."""

    at: int
    id: str
    usd: int
    usage: Usage
    status: int
    """The HTTP status the provider answered with."""
    first_byte_us: int
    """From the request's last byte read to the answer's first byte, in microseconds."""
    total_us: int
    """From the request's last byte read to the answer's last byte."""
    upstream_id: str = ""
    answered_model: str = ""
    losses: str = ""
    """What a translation between dialects lost, joined by commas."""
    list_usd: int | None = None
    """What it would cost without the discount of a commitment; None: there was none."""
    finish: str = ""
    """Why the answer ended: "end", "length" (cut off by its cap, or by the context), "tool_calls",
    "stop_sequence", "refusal", "filter", "pause", "error", "other"; "" where it did not say."""


class Void(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="void"):
    """A query was provably never sent: nothing can be billed, the hold is released."""

    at: int
    id: str
    reason: str


class Unresolved(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="unresolved"):
    """A query was sent and its cost is not known: its hold stays until evidence settles it."""

    at: int
    id: str
    reason: str
    status: int = 0
    total_us: int = 0
    upstream_id: str = ""
    """The provider's name for it, where its answer told it: an invoice may name it so."""


class Resolve(msgspec.Struct, frozen=True, array_like=True, tag="resolve"):
    """An unresolved query was settled by an administrator, from evidence such as an invoice."""

    at: int
    by: str
    id: str
    usd: int
    evidence: str
    tokens: int | None = None
    """All its tokens, where the evidence tells them; else those that were held count."""


class Expire(msgspec.Struct, frozen=True, array_like=True, tag="expire-posted"):
    """An unresolved query's time was over: it was posted at the most it could have cost."""

    at: int
    id: str


class WriteOff(msgspec.Struct, frozen=True, array_like=True, tag="write-off"):
    """An administrator released an unresolved query at nothing, and says why."""

    at: int
    by: str
    id: str
    reason: str


class Overrun(msgspec.Struct, frozen=True, array_like=True, tag="overrun"):
    """A provider billed more than the bound that was proven: the bound is wrong, or the bill."""

    at: int
    id: str
    usd: int
    """How much more, in nanodollars."""


class Reset(msgspec.Struct, frozen=True, array_like=True, tag="reset"):
    """A route that an overrun had tripped was opened again."""

    at: int
    by: str
    provider: str
    model: str


class Draw(msgspec.Struct, frozen=True, array_like=True, tag="draw"):
    """What paid for a query: it follows from its ending, in the same group."""

    at: int
    id: str
    source: str
    """"credit:ID" or "commitment:ID/TRANCHE"."""
    usd: int
    effective: int
    """What that much of the source was bought for."""


class Warned(msgspec.Struct, frozen=True, array_like=True, tag="warned"):
    """A soft limit was passed for the first time in its window, by a query that went on."""

    at: int
    id: str
    scope: str
    unit: str
    window: str
    limit: int
    total: int
    """Posted and held, with this query."""


class Config(msgspec.Struct, frozen=True, array_like=True, tag="config"):
    """The configuration in force from here on."""

    at: int
    digest: str


class PriceBookInForce(msgspec.Struct, frozen=True, array_like=True, tag="price-book"):
    """The price book in force from here on."""

    at: int
    digest: str
    source: str


class Refusals(msgspec.Struct, frozen=True, array_like=True, tag="refused"):
    """Queries that the ledger did not admit, summed up about once a minute, and at its end."""

    at: int
    since: int
    """When the first of them came."""
    until: int
    """When the last one came."""
    code: str
    """Why, such as "limit_reached"."""
    scope: str = ""
    """Whose limit or credit it was; of very many scopes only their kind, such as "user:*"."""
    unit: str = ""
    window: str = ""
    count: int = 0


class Statement(msgspec.Struct, frozen=True, array_like=True, tag="statement"):
    """A statement was made; its files are what these hashes say, or not what was made."""

    at: int
    by: str
    edition: str
    period: str
    scope: str
    """Whose queries alone it is about; all when empty."""
    json_sha256: str
    html_sha256: str
    pdf_sha256: str
    tree_size: int
    root: str
    """Of the tree of so many leaves, which it was made from."""


Entry = (
    Genesis | Key | ChangeKey | Revoke | Scope | Limit | TopUp | Commitment | Exercise
    | Hold | Settle | Void | Unresolved | Resolve | Expire | WriteOff
    | Overrun | Reset | Draw | Warned | Config | PriceBookInForce
    | Refusals | Statement
)  # fmt: skip
Ending = Settle | Void | Unresolved

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Entry).decode
decode_many = msgspec.msgpack.Decoder(list[Entry]).decode
