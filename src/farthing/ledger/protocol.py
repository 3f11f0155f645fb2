"""What workers, the command line and a ledger say to each other over its Unix socket."""

from __future__ import annotations

import msgspec

from farthing.ledger.entry import Entry, Refusal
from farthing.ledger.ledger import Balance
from farthing.ledger.state import KeyState


class Attach(msgspec.Struct, array_like=True, tag="attach"):
    """A worker's first message. The ledger answers with `Keys`, now and at every change."""

    worker: str


class Append(msgspec.Struct, array_like=True, tag="append"):
    """Take an entry; answered with `Outcome` when it counts."""

    number: int
    entry: Entry


class AskBalances(msgspec.Struct, array_like=True, tag="balances?"):
    """Return all accounts and keys; answered with `Balances`."""


class Keys(msgspec.Struct, array_like=True, tag="keys"):
    """Keys as they are now: all of them at first, then each that changes."""

    keys: list[KeyState]


class Outcome(msgspec.Struct, array_like=True, tag="outcome"):
    """What came of an `Append`."""

    number: int
    refusal: Refusal | None


class Balances(msgspec.Struct, array_like=True, tag="balances"):
    """The answer to `AskBalances`."""

    balances: list[Balance]
    keys: list[KeyState]


ToLedger = Attach | Append | AskBalances
FromLedger = Keys | Outcome | Balances

encode = msgspec.msgpack.Encoder().encode
decode_to_ledger = msgspec.msgpack.Decoder(ToLedger).decode
decode_from_ledger = msgspec.msgpack.Decoder(FromLedger).decode
