"""Why an entry was not taken."""

from __future__ import annotations

import msgspec


class Refusal(msgspec.Struct, frozen=True, array_like=True, tag="refusal"):
    """Why the state machine did not take an entry; nothing changed."""

    code: str
    """One of the ledger's own codes, such as "limit_reached", "duplicate" or "not_open"."""
    scope: str = ""
    unit: str = ""
    limit: int = 0
    posted: int = 0
    held: int = 0
    wanted: int = 0
    window: str = "ever"
    refills: int | None = None
    """When time alone makes room for it, in nanoseconds since 1970; None: it does not."""
    detail: str = ""
    """For an entry that is wrong in itself ("invalid"): what to write instead."""
