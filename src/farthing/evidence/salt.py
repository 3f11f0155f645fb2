"""Texts that the log commits to and does not show: HMAC-SHA256, salted for each field of each leaf.

The salts come from one secret of the data folder, so that the journal makes the same leaves again.
To show one text to an auditor is to show it with its salt, which opens no other.
"""

from __future__ import annotations

import hmac

# Scopes whose names are the operator's own words; those of the others may be a person's.
PLAIN_SCOPES = frozenset({"org", "team", "project", "key", "model", "provider", "route"})


class Salted:
    """Commits to texts of one leaf."""

    def __init__(self, secret: bytes, position: int) -> None:
        self._secret = secret
        self._position = position

    def commit(self, field: str, text: str) -> str:
        """Return what stands in the leaf instead of a text."""
        salt = salt_of(self._secret, self._position, field)
        return shown(commitment(salt, text.encode()))

    def scope(self, field: str, scope: str) -> str:
        """Return a scope, its name committed if it may be a person's."""
        if is_plain(scope):
            return scope
        kind, _, name = scope.partition(":")
        return f"{kind}:{self.commit(field, name)}"


def commitment(salt: bytes, data: bytes) -> bytes:
    """Return the HMAC-SHA256 that commits to some bytes under a salt, 32 bytes."""
    return hmac.digest(salt, data, "sha256")


def shown(committed: bytes) -> str:
    """Return a commitment as leaves show it; nothing of none."""
    return f"hmac-sha256:{committed.hex()}" if committed else ""


def salt_of(secret: bytes, position: int, field: str) -> bytes:
    """Return the salt of one field in the leaf of the journal's entry at a position."""
    return hmac.digest(secret, f"{position}/{field}".encode(), "sha256")


def is_plain(scope: str) -> bool:
    """Say whether a scope is shown as it is; "user:*" names nobody."""
    kind, _, name = scope.partition(":")
    return kind in PLAIN_SCOPES or name in ("", "*")
