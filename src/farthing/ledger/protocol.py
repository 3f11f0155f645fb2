"""What workers, the command line and a ledger say to each other over its Unix socket."""

from __future__ import annotations

import msgspec

from farthing.ledger.entry import Commitment, Entry, Refusal, Warned
from farthing.ledger.registry import KeyState
from farthing.ledger.standing import Standing


class Attach(msgspec.Struct, array_like=True, tag="attach"):
    """A worker's first message. The ledger answers with `Known`, now and at every change."""

    worker: str


class Append(msgspec.Struct, array_like=True, tag="append"):
    """Take an entry; answered with `Outcome` when it counts."""

    number: int
    entry: Entry


class AskStanding(msgspec.Struct, array_like=True, tag="standing?"):
    """Return what the ledger stands at; answered with `Standing`."""


class Known(msgspec.Struct, array_like=True, tag="known"):
    """Keys and commitments as they are now: all of them at first, then each that changes."""

    keys: list[KeyState]
    commitments: list[Commitment]


class Outcome(msgspec.Struct, array_like=True, tag="outcome"):
    """What came of an `Append`."""

    number: int
    told: Refusal | Warned | None


ToLedger = Attach | Append | AskStanding
FromLedger = Known | Outcome | Standing

encode = msgspec.msgpack.Encoder().encode
decode_to_ledger = msgspec.msgpack.Decoder(ToLedger).decode
decode_from_ledger = msgspec.msgpack.Decoder(FromLedger).decode
