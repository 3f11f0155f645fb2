"""What a worker and the follower say to each other when a query is looked up."""

from __future__ import annotations

from typing import Any

import msgspec

# How long a look-up of a query that is still open waits for its end.
PATIENCE_SECONDS = 2.0


class Lookup(msgspec.Struct, array_like=True):
    """Ask for one query's record; answered with it as JSON, or null."""

    number: int
    query: str
    key: str
    """Whose query it must be."""


class Found(msgspec.Struct, array_like=True):
    """The answer to a `Lookup`."""

    number: int
    record: dict[str, Any] | None


encode = msgspec.msgpack.Encoder().encode
decode_lookup = msgspec.msgpack.Decoder(Lookup).decode
decode_found = msgspec.msgpack.Decoder(Found).decode
