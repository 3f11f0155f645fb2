"""What the ledger's processes say to each other: forms that two versions can agree on."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from farthing.ledger.entry import Key, Refusal, Void
from farthing.ledger.ledger import Balance
from farthing.ledger.protocol import (
    Append,
    AskBalances,
    Attach,
    Balances,
    FromLedger,
    Keys,
    Outcome,
    ToLedger,
    decode_from_ledger,
    decode_to_ledger,
    encode,
)
from farthing.ledger.registry import KeyState

KEY = KeyState(Key(2, "ann", "k", "app", b"d"), revoked_at=9)
KEY_FORM = {
    "key": ["key", 2, "ann", "k", "app", b"d", None, None],
    "revoked_at": 9,
}

ASKED: list[tuple[ToLedger, list[Any]]] = [
    (Attach("w1"), ["attach", "w1"]),
    (Append(7, Void(1, "q", "why")), ["append", 7, ["void", 1, "q", "why"]]),
    (AskBalances(), ["balances?"]),
]
REFUSAL = Refusal("limit_reached", "key:k", "usd", 1, 2, 3, 4)
TOLD: list[tuple[FromLedger, list[Any]]] = [
    (Keys([KEY]), ["keys", [KEY_FORM]]),
    (Outcome(7, None), ["outcome", 7, None]),
    (Outcome(8, REFUSAL), ["outcome", 8, ["limit_reached", "key:k", "usd", 1, 2, 3, 4]]),
    (
        Balances([Balance("key:k", "usd", 1, 2, None)], [KEY]),
        [
            "balances",
            [{"scope": "key:k", "unit": "usd", "posted": 1, "held": 2, "limit": None}],
            [KEY_FORM],
        ],
    ),
]


def test_every_message_has_a_form_written_down_here() -> None:
    assert {type(m) for m, _ in ASKED} == set(get_args(ToLedger))
    assert {type(m) for m, _ in TOLD} == set(get_args(FromLedger))


@pytest.mark.parametrize(("message", "form"), ASKED)
def test_what_is_asked_of_the_ledger_has_its_form(message: ToLedger, form: list[Any]) -> None:
    assert msgspec.msgpack.decode(encode(message)) == form
    assert decode_to_ledger(encode(message)) == message


@pytest.mark.parametrize(("message", "form"), TOLD)
def test_what_the_ledger_tells_has_its_form(message: FromLedger, form: list[Any]) -> None:
    assert msgspec.msgpack.decode(encode(message)) == form
    assert decode_from_ledger(encode(message)) == message


@pytest.mark.parametrize("message", [m for m, _ in TOLD])
def test_the_ledger_takes_no_message_of_its_own(message: FromLedger) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_to_ledger(encode(message))


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x90", b"\x92\xa6append", b"GET / HTTP/1.1"])
def test_what_is_no_message_is_an_error_that_can_be_caught(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_to_ledger(data)
