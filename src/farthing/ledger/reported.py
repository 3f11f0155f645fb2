"""Entries that change no balance: what was refused, stated, signed and erased.

They stand in the journal so that the log proves them; `entry.py` has the others, and their form.
"""

from __future__ import annotations

import msgspec


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
    """"shareholder", "regulator" or "customer"."""
    period: str
    """Such as "2026-Q3"; UTC."""
    scope: str
    """Whose queries alone it is about; all when empty."""
    json_sha256: str
    html_sha256: str
    pdf_sha256: str
    tree_size: int
    """How many leaves of the log it was made from."""
    root: str
    """The root of the tree of those leaves, in hexadecimal."""


class LogKey(msgspec.Struct, frozen=True, array_like=True, tag="log-key"):
    """The transparency log is signed with another key from here on, at the old one's word."""

    at: int
    by: str
    key: str
    """The new public key, as `farthing log-key` prints it."""
    before: str
    signature: str
    """In base64, of the new key by the one before."""


class Erasure(msgspec.Struct, frozen=True, array_like=True, tag="erasure"):
    """Contents and salts of queries were deleted: their commitments can be opened no more."""

    at: int
    by: str
    """Who had it done; "farthing" for what policy says."""
    id: str
    cause: str
    """"retention": their time was over; "request": somebody asked for it."""
    queries: tuple[str, ...]
    """The ids of all of them."""
    endings: tuple[int, ...] = ()
    """Which entries they are that hold the commitments, where that was known, in order."""
    reason: str = ""
    scope: str = ""
    """The scope whose key was destroyed as well, so that no copy of its contents can be read."""
