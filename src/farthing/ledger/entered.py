"""What administrators and the gateway itself entered, as rows: everything that is not a query's.

Of queries there is what an administrator decided of one, the soft limits that some passed, and how
many were refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from farthing.ledger.entry import (
    ChangeKey,
    Commitment,
    Config,
    Entry,
    Exercise,
    Genesis,
    Key,
    Limit,
    PriceBookInForce,
    Refusals,
    Reset,
    Resolve,
    Revoke,
    Scope,
    TopUp,
    Warned,
    WriteOff,
)
from farthing.ledger.rows import Row, plain

# Kind of entry → what it is about.
_SUBJECTS: dict[type, Callable[[Any], str]] = {
    Genesis: lambda entry: f"ledger:{entry.ledger}",
    **dict.fromkeys((Key, ChangeKey, Revoke), lambda entry: f"key:{entry.id}"),
    **dict.fromkeys((Scope, Limit, TopUp, Warned, Refusals), lambda entry: entry.scope),
    Commitment: lambda entry: f"commitment:{entry.id}",
    Exercise: lambda entry: f"commitment:{entry.commitment}",
    Reset: lambda entry: f"model:{entry.provider}/{entry.model}",
    **dict.fromkeys((Resolve, WriteOff), lambda entry: f"query:{entry.id}"),
    Config: lambda entry: f"config:{entry.digest}",
    PriceBookInForce: lambda entry: f"price-book:{entry.digest}",
}
ENTERED = tuple(_SUBJECTS)

# A key's digest stays in the journal: nobody who reads records needs it.
KEPT_BACK = ("digest",)


def entered(entry: Entry, position: int) -> Row:
    """Return the row of one of `ENTERED`."""
    return {
        "position": position,
        "at": entry.at,
        "kind": entry.__struct_config__.tag,
        "by": plain(getattr(entry, "by", "")),
        "subject": plain(_SUBJECTS[type(entry)](entry)),
        "entry": _json(entry),
    }


def _json(entry: Entry) -> str:
    """Return an entry's fields as a JSON object, amounts and times as the journal has them."""
    told = msgspec.structs.asdict(entry)
    if isinstance(entry, Key):
        told = {name: value for name, value in told.items() if name not in KEPT_BACK}
    if isinstance(entry, Commitment):
        told["tranches"] = [msgspec.structs.asdict(tranche) for tranche in entry.tranches]
    return msgspec.json.encode(told).decode()
