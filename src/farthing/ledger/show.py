"""Everything the journal says of one query, or one entry: money in dollars, times in ISO 8601.

It is read from the journal, not from the records: it can be shown whatever database is away.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from farthing import clock, money
from farthing.ledger.batch import Batch
from farthing.ledger.entry import Entry, Hold
from farthing.ledger.present import paid, usage
from farthing.ledger.search import entries_about, entry_at

Shown = dict[str, Any]

TIMES = ("at", "expires", "starts", "ends", "since", "until")
DOLLARS = ("usd", "max_cost", "list_usd", "effective", "paid")
# Dollars where the entry's unit says so.
MAYBE_DOLLARS = ("amount", "limit", "total")


def show_query(journal: Path, query: str) -> Shown | None:
    """Return a query's entries and what they come to; None when the journal has no such id."""
    entries = list(entries_about(journal, query))
    if not any(isinstance(entry, Hold) for _, entry in entries):
        return None
    row = _row(query, entries)
    return {
        "id": query,
        "status": row["status"],
        "path": msgspec.json.decode(row["path"]),
        "model": f"{row['provider']}/{row['model']}",
        "began": clock.iso(row["began"]),
        **_money(row),
        "usage": usage(row),
        "entries": [{"entry": number, **shown(entry)} for number, entry in entries],
    }


def show_entry(journal: Path, number: int) -> Shown | None:
    """Return the entry of a number; None when the journal does not go that far."""
    entry = entry_at(journal, number)
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
    if name in DOLLARS or (name in MAYBE_DOLLARS and told.get("unit") == "usd"):
        return money.dollars(value)
    if isinstance(value, bytes):
        return value.hex()
    if name == "tranches":
        return [_fields(each) for each in value]
    return msgspec.to_builtins(value) if not isinstance(value, msgspec.Struct) else _fields(value)


def _fields(struct: msgspec.Struct) -> Shown:
    told = msgspec.structs.asdict(struct)
    return {name: _shown(told, name) for name in told}


def _row(query: str, entries: list[tuple[int, Entry]]) -> Shown:
    """Return the row that the records have of a query, made from its entries alone."""
    batch = Batch("")
    for number, entry in entries:
        batch.take(entry, number)
    return batch.queries[query]


def _money(row: Shown) -> Shown:
    """Return the quote against the cost: what was held, what it cost, what is left, who paid."""
    cost, over = row["cost"], row["overrun"]
    return {
        "held_usd": money.dollars(row["held"]),
        "unpriced": row["unpriced"],
        "cost_usd": None if cost is None else money.dollars(cost),
        "released_usd": None if cost is None else money.dollars(max(0, row["held"] - cost)),
        "overrun_usd": None if over is None else money.dollars(over),
        **paid(row),
    }
