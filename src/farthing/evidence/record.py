"""The leaf of an entry that ends no query, of whatever kind: its fields, by their names.

Amounts are decimal strings of dollars, times are ISO 8601. Bytes are secrets and left out; what may
name a person is committed (`salt.py`). A field at its default is left out as well, so that fields
which entries get later change no leaf that is there already.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from farthing import clock, money
from farthing.evidence.salt import Salted

VERSION = 1
# RFC 8785 §3.2.2.3 writes numbers as JavaScript does, which is exact up to here.
EXACT = 2**53 - 1

# RFC 8785: sorted names, no spaces. That is all of it where there are no floats.
encode = msgspec.json.Encoder(order="sorted").encode


class Field(NamedTuple):
    """A field of an entry on its way into a leaf."""

    name: str
    value: Any
    of: Any
    """The entry."""
    salted: Salted


Treatment = Callable[[Field], Any]


def plain(field: Field) -> Any:
    """Show a word of the gateway's own, or of its operator's."""
    return field.value


def count(field: Field) -> Any:
    """Show a number; as a string where JSON's would not be exact."""
    return field.value if abs(field.value) <= EXACT else str(field.value)


def dollars(field: Field) -> Any:
    """Show nanodollars as dollars."""
    return money.dollars(field.value)


def amount(field: Field) -> Any:
    """Show an amount of a limit's: dollars, if that is its unit."""
    return dollars(field) if field.of.unit == "usd" else count(field)


def time(field: Field) -> Any:
    """Show a moment."""
    return clock.iso(field.value)


def committed(field: Field) -> Any:
    """Commit to a text, and do not show it."""
    return field.salted.commit(field.name, field.value)


def scope(field: Field) -> Any:
    """Show a scope, if its name is no person's."""
    return field.salted.scope(field.name, field.value)


def structs(field: Field) -> Any:
    """Show structs by their own fields."""
    return [
        fields(inner, field.salted, f"{field.name}/{number}/")
        for number, inner in enumerate(field.value)
    ]


# A name means the same in all entries.
TREATMENTS: dict[str, Treatment] = {
    **dict.fromkeys(("ledger", "id", "unit", "window", "provider", "model", "digest"), plain),
    **dict.fromkeys(("commitment", "source", "soft", "on_call", "code"), plain),
    **dict.fromkeys(("tranche", "after_ppm", "discount_ppm", "count"), count),
    **dict.fromkeys(("usd", "paid", "effective", "max_cost"), dollars),
    **dict.fromkeys(("amount", "limit", "total"), amount),
    **dict.fromkeys(("at", "starts", "ends", "expires", "since", "until"), time),
    **dict.fromkeys(("by", "name", "note"), committed),
    **dict.fromkeys(("scope", "parent"), scope),
    "tranches": structs,
}


def undecided(value: Any) -> Treatment:
    """Return what becomes of a field that nobody has decided about: none of its text is shown."""
    if isinstance(value, bool | None):
        return plain
    return count if isinstance(value, int) else _committed_whole


def _committed_whole(field: Field) -> Any:
    return field.salted.commit(field.name, encode(field.value).decode())


def fields(entry: Any, salted: Salted, before: str = "") -> dict[str, Any]:
    """Return what an entry's fields say."""
    said: dict[str, Any] = {}
    kind: type[msgspec.Struct] = type(entry)
    for name, default in _names(kind):
        value = getattr(entry, name)
        if value is not None and value != default and not isinstance(value, bytes):
            treat = TREATMENTS.get(name) or undecided(value)
            said[name] = treat(Field(before + name, value, entry, salted))
    return said


@lru_cache
def _names(kind: type[msgspec.Struct]) -> list[tuple[str, Any]]:
    """Return the fields of a kind of entry, each with its default."""
    return [(info.name, info.default) for info in msgspec.structs.fields(kind)]


def record_leaf(entry: Any, position: int, secret: bytes) -> bytes:
    """Return an entry's leaf."""
    said = fields(entry, Salted(secret, position))
    kind = type(entry).__struct_config__.tag
    return encode({**said, "entry": position, "kind": kind, "v": VERSION})
