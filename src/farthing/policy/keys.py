"""Keys: `fk_ID_SECRET`, stored as an HMAC, found by their public id, compared in constant time.

A secret has 256 random bits, so a fast keyed hash is enough; a slow one would let anybody keep
the gateway busy. The pepper is not in the ledger: a copy of the journal opens nothing.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping

import msgspec

from farthing.errors import Refused
from farthing.ledger.entry import Key
from farthing.ledger.registry import KeyState

PREFIX = "fk"


class NewKey(msgspec.Struct, frozen=True):
    """A key as it is made: its text is shown once and kept nowhere."""

    text: str
    entry: Key


def make_key(
    name: str,
    pepper: bytes,
    at: int,
    by: str,
    expires: int | None = None,
    max_cost: int | None = None,
    parent: str = "",
) -> NewKey:
    """Make a key with a fresh id and secret."""
    public = secrets.token_hex(6)
    secret = base64.b32encode(secrets.token_bytes(32)).decode().rstrip("=").lower()
    entry = Key(at, by, public, name, _digest(pepper, secret), expires, max_cost, parent)
    return NewKey(f"{PREFIX}_{public}_{secret}", entry)


def authenticate(text: str, keys: Mapping[str, KeyState], pepper: bytes, at: int) -> KeyState:
    """Return the key that a text opens with at a moment.

    Raises:
        Refused: missing, unknown, revoked or expired; never saying which part was wrong.
    """
    if not text:
        raise Refused(
            "missing_key",
            "The request carries no key. Send `Authorization: Bearer fk_…` or `x-api-key: fk_…`; "
            "`farthing keys create` makes one.",
        )
    prefix, _, rest = text.partition("_")
    public, _, secret = rest.partition("_")
    known = keys.get(public) if prefix == PREFIX else None
    if known is None or not hmac.compare_digest(known.key.digest, _digest(pepper, secret)):
        raise Refused(
            "unknown_key",
            "The key is not one of this gateway's. Use a key that `farthing keys create` printed, "
            "not a provider's.",
        )
    if known.revoked_at is not None:
        raise Refused("revoked_key", f"The key {public} ({known.key.name}) has been revoked.")
    if known.key.expires is not None and known.key.expires <= at:
        raise Refused("expired_key", f"The key {public} ({known.key.name}) has expired.")
    return known


def still_opens(known: KeyState, keys: Mapping[str, KeyState], at: int) -> bool:
    """Return whether a key that a text opened with before would open with it at a moment."""
    key = known.key
    return (
        keys.get(key.id) is known
        and known.revoked_at is None
        and (key.expires is None or key.expires > at)
    )


def _digest(pepper: bytes, secret: str) -> bytes:
    return hmac.digest(pepper, secret.encode(errors="surrogatepass"), "sha256")
