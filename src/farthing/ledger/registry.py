"""Who may spend: organisations, teams and projects, and the keys that belong to them."""

from __future__ import annotations

import hashlib

import msgspec

from farthing.ledger.entry import ChangeKey, Key, Refusal, Revoke, Scope

# What each kind of scope can belong to.
PARENTS = {
    "org": frozenset[str](),
    "team": frozenset({"org"}),
    "project": frozenset({"org", "team"}),
    "key": frozenset({"org", "team", "project"}),
}

# Kinds that need no making: whatever a query names.
NAMED = frozenset({"user", "model", "provider", "route", "tag"})

# A name is written to the journal with every query. A longer one, which people do not read
# anyway, is known by its digest.
NAME_MOST = 128


class KeyState(msgspec.Struct):
    """A key, whether it still opens, and the scopes whose limits its queries must pass."""

    key: Key
    revoked_at: int | None = None
    lineage: tuple[str, ...] = ()
    """The key's own scope and those it belongs to, the nearest first."""

    def __post_init__(self) -> None:
        if not self.lineage:
            self.lineage = (f"key:{self.key.id}",)


class Registry:
    """All keys, and all scopes that were made."""

    def __init__(self) -> None:
        self.keys: dict[str, KeyState] = {}
        self.parents: dict[str, str] = {}
        """Each made scope → the one it belongs to, or nothing."""

    def make_scope(self, entry: Scope) -> Refusal | None:
        """Make a scope within another."""
        if entry.scope in self.parents:
            return Refusal("duplicate")
        kind, _, name = entry.scope.partition(":")
        if kind not in PARENTS or kind == "key" or not name or name == "*":
            return invalid(f"{entry.scope!r} is no scope; write org:, team: or project: and a name")
        refusal = self._check_parent(kind, entry.parent)
        if refusal is None:
            self.parents[entry.scope] = entry.parent
        return refusal

    def make_key(self, entry: Key) -> Refusal | None:
        """Take a new key."""
        if entry.id in self.keys:
            return Refusal("duplicate")
        refusal = self._check_parent("key", entry.parent)
        if refusal is None:
            self.keys[entry.id] = KeyState(entry, None, self._lineage(entry.id, entry.parent))
        return refusal

    def change_key(self, entry: ChangeKey) -> Refusal | None:
        """Give a key other values; its secret and its beginning stay."""
        known = self.keys.get(entry.id)
        if known is None:
            return Refusal("unknown_key")
        refusal = self._check_parent("key", entry.parent)
        if refusal is None:
            known.key = msgspec.structs.replace(
                known.key,
                name=entry.name,
                expires=entry.expires,
                max_cost=entry.max_cost,
                parent=entry.parent,
            )
            known.lineage = self._lineage(entry.id, entry.parent)
        return refusal

    def revoke(self, entry: Revoke) -> Refusal | None:
        """Close a key for good; revoking again does not move the moment."""
        known = self.keys.get(entry.id)
        if known is None:
            return Refusal("unknown_key")
        if known.revoked_at is None:
            known.revoked_at = entry.at
        return None

    def check(self, key: str, path: tuple[str, ...], now: int) -> Refusal | None:
        """Return why a key admits no query on a path, or None."""
        known = self.keys.get(key)
        if known is None:
            return Refusal("unknown_key")
        if known.revoked_at is not None:
            return Refusal("revoked_key")
        if known.key.expires is not None and known.key.expires <= now:
            return Refusal("expired_key")
        own = len(known.lineage)
        if path[:own] != known.lineage or (len(path) > own and path[own] in self.parents):
            return Refusal("stale_path")
        return None

    def unknown(self, scope: str) -> Refusal | None:
        """Return why nothing can be limited or paid by a scope's name, or None."""
        kind, _, name = scope.partition(":")
        if not name or kind not in PARENTS.keys() | NAMED:
            kinds = ", ".join([*PARENTS, *sorted(NAMED)])
            return invalid(f"{scope!r} is no scope; write one of {kinds}, a colon and a name")
        if name != "*" and kind not in NAMED and kind != "key" and scope not in self.parents:
            return _unmade(scope)
        return None

    def _check_parent(self, kind: str, parent: str) -> Refusal | None:
        if not parent:
            return None
        if parent not in self.parents:
            return _unmade(parent)
        if parent.partition(":")[0] not in PARENTS[kind]:
            can = " or ".join(sorted(PARENTS[kind])) or "nothing"
            return invalid(f"{kind} can belong to {can}, not to {parent}")
        return None

    def _lineage(self, key: str, parent: str) -> tuple[str, ...]:
        lineage = [f"key:{key}"]
        while parent:
            lineage.append(parent)
            parent = self.parents[parent]
        return tuple(lineage)


def _unmade(scope: str) -> Refusal:
    return invalid(f"there is no {scope}; `farthing scopes create {scope}` makes it")


def invalid(detail: str) -> Refusal:
    """Return the refusal of an entry that is wrong in itself."""
    return Refusal("invalid", detail=detail)


def short(name: str) -> str:
    """Return a name, or the digest of one that is too long to be kept."""
    if len(name) <= NAME_MOST and name != "*":
        return name
    return f"sha256-{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:32]}"
