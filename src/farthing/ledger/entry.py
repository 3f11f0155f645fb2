"""The journal's entries: what was decided, in the order it was decided.

Each is a MessagePack array that begins with its tag, so that fields are only ever added at the
end. Amounts are nanodollars, times are nanoseconds since the Unix epoch (UTC).
docs/reference/ledger.md describes them; a test holds it against these structs.
"""

from __future__ import annotations

import msgspec

from farthing.wire.dialect import Usage


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


class Revoke(msgspec.Struct, frozen=True, array_like=True, tag="revoke"):
    """A key was revoked; its open queries end as they would have."""

    at: int
    by: str
    id: str


class Limit(msgspec.Struct, frozen=True, array_like=True, tag="limit"):
    """A limit was set, changed, or (amount None) lifted."""

    at: int
    by: str
    scope: str
    """What it limits: "key:ID"."""
    unit: str
    """"usd" (nanodollars) or "tokens"."""
    amount: int | None


class Hold(msgspec.Struct, frozen=True, array_like=True, tag="hold"):
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


class Settle(msgspec.Struct, frozen=True, array_like=True, tag="settle"):
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


class Void(msgspec.Struct, frozen=True, array_like=True, tag="void"):
    """A query was provably never sent: nothing can be billed, the hold is released."""

    at: int
    id: str
    reason: str


class Unresolved(msgspec.Struct, frozen=True, array_like=True, tag="unresolved"):
    """A query was sent and its cost is not known: its hold stays until evidence settles it."""

    at: int
    id: str
    reason: str
    status: int = 0
    total_us: int = 0


class Overrun(msgspec.Struct, frozen=True, array_like=True, tag="overrun"):
    """A provider billed more than the bound that was proven: the bound is wrong, or the bill."""

    at: int
    id: str
    usd: int
    """How much more, in nanodollars."""


class Config(msgspec.Struct, frozen=True, array_like=True, tag="config"):
    """The configuration in force from here on."""

    at: int
    digest: str


class PriceBookInForce(msgspec.Struct, frozen=True, array_like=True, tag="price-book"):
    """The price book in force from here on."""

    at: int
    digest: str
    source: str


Entry = (
    Genesis
    | Key
    | Revoke
    | Limit
    | Hold
    | Settle
    | Void
    | Unresolved
    | Overrun
    | Config
    | PriceBookInForce
)
Ending = Settle | Void | Unresolved

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Entry).decode
decode_many = msgspec.msgpack.Decoder(list[Entry]).decode


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """Why the state machine did not take an entry; nothing changed."""

    code: str
    """"limit_reached", "unpriced_under_limit", "unknown_key", "revoked_key", "expired_key",
    "duplicate", "not_open"."""
    scope: str = ""
    unit: str = ""
    limit: int = 0
    posted: int = 0
    held: int = 0
    wanted: int = 0
