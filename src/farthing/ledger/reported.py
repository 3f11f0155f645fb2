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


class Score(msgspec.Struct, frozen=True, array_like=True):
    """A figure of an evaluation, as text: what was measured is no amount, and stays exact so."""

    scorer: str
    metric: str
    value: str
    """As the framework computed it."""
    low: str = ""
    """The interval's ends, rounded outwards; empty where no method applies."""
    high: str = ""
    method: str = ""
    """"wilson-95" or "normal-95"."""
    n: int = 0
    """How many samples it is of."""


class Evaluation(msgspec.Struct, frozen=True, array_like=True, tag="evaluation"):
    """A model or a route was evaluated through the gateway, wholly or not."""

    at: int
    by: str
    id: str
    task: str
    version: str
    """The task's own."""
    model: str
    """As it was asked for."""
    outcome: str
    """"complete", "partial" (some samples were scored) or "failed" (none was)."""
    began: int
    key: str
    """The key of its queries, made for it and revoked after it."""
    samples: int
    """Of the data set, as it was used."""
    epochs: int
    """How often each was asked."""
    completed: int
    """How many of samples times epochs were answered and scored."""
    dataset_sha256: str
    """SHA-256 of its samples (input, target, choices, id) in their order, as RFC 8785 JSON; empty
    where it ended before they were known."""
    scores: tuple[Score, ...] = ()
    served: tuple[str, ...] = ()
    """The "provider/model" that its queries went to, by the ledger."""
    queries: int = 0
    """How many queries of its key are in the ledger."""
    calls: int | None = None
    """How many the framework's own log has; None: it left none."""
    usd: int = 0
    """What its queries cost, as far as that is known."""
    unknown: int = 0
    """How many of them cost what is not known."""
    held: int = 0
    """The most that those can cost."""
    first: int = 0
    """Entries from here to `last` are its queries', among others'."""
    last: int = 0
    log_sha256: str = ""
    """Of the framework's log."""
    reason: str = ""
    """Why it is not complete."""
