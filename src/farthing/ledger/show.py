"""Everything the journal says of one query, or one entry: money in dollars, times in ISO 8601.

It is read from the journal, not from the records: it can be shown whatever database is away.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from farthing import clock, money
from farthing.ledger.entry import Entry, Hold, Overrun, Settle, Unresolved, Void
from farthing.ledger.groups import JournalGroups

Shown = dict[str, Any]

TIMES = ("at", "expires")
DOLLARS = ("usd", "max_cost")


def show_query(journal: Path, query: str) -> Shown | None:
    """Return a query's entries and what they come to; None when the journal has no such id."""
    with JournalGroups(journal) as groups:
        entries = list(groups.about(query))
    hold = next((entry for _, entry in entries if isinstance(entry, Hold)), None)
    if hold is None:
        return None
    return {
        "id": query,
        "status": _status(entries),
        "path": list(hold.path),
        "model": f"{hold.provider}/{hold.model}",
        "began": clock.iso(hold.at),
        **_money(hold, entries),
        "usage": _usage(entries),
        "entries": [{"entry": number, **shown(entry)} for number, entry in entries],
    }


def show_entry(journal: Path, number: int) -> Shown | None:
    """Return the entry of a number; None when the journal does not go that far."""
    with JournalGroups(journal) as groups:
        entry = groups.at(number)
    return None if entry is None else {"entry": number, **shown(entry)}


def shown(entry: Entry) -> Shown:
    """Return an entry as people and programs read it: its kind, then its fields."""
    told = {name: getattr(entry, name) for name in entry.__struct_fields__}
    return {"kind": entry.__struct_config__.tag, **{k: _shown(told, k) for k in told}}


def _shown(told: Shown, name: str) -> Any:
    value = told[name]
    if value is None:
        return None
    if name in TIMES:
        return clock.iso(value)
    if name in DOLLARS or (name == "amount" and told.get("unit") == "usd"):
        return money.dollars(value)
    if isinstance(value, bytes):
        return value.hex()
    return msgspec.to_builtins(value) if not isinstance(value, msgspec.Struct) else _fields(value)


def _fields(struct: msgspec.Struct) -> Shown:
    return msgspec.structs.asdict(struct)


def _status(entries: list[tuple[int, Entry]]) -> str:
    """Return what the last of its endings made of it."""
    status = "open"
    for _, entry in entries:
        for kind, word in ((Settle, "settled"), (Void, "void"), (Unresolved, "unresolved")):
            if isinstance(entry, kind):
                status = word
    return status


def _money(hold: Hold, entries: list[tuple[int, Entry]]) -> Shown:
    """Return the quote against the cost: what was held, what it cost, what that leaves."""
    cost = next((entry.usd for _, entry in entries if isinstance(entry, Settle)), None)
    if any(isinstance(entry, Void) for _, entry in entries):
        cost = 0
    over = next((entry.usd for _, entry in entries if isinstance(entry, Overrun)), None)
    return {
        "held_usd": money.dollars(hold.usd),
        "cost_usd": None if cost is None else money.dollars(cost),
        "released_usd": None if cost is None else money.dollars(max(0, hold.usd - cost)),
        "overrun_usd": None if over is None else money.dollars(over),
    }


def _usage(entries: list[tuple[int, Entry]]) -> Shown | None:
    settled = next((entry for _, entry in entries if isinstance(entry, Settle)), None)
    return None if settled is None else _fields(settled.usage)
