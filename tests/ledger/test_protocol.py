"""What the ledger's processes say to each other: forms that two versions can agree on."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from farthing.ledger.account import Balance
from farthing.ledger.entry import Commitment, Key, Refusal, Tranche, Void, Warned
from farthing.ledger.protocol import (
    Append,
    AskStanding,
    Attach,
    FromLedger,
    Known,
    Outcome,
    ToLedger,
    decode_from_ledger,
    decode_to_ledger,
    encode,
)
from farthing.ledger.registry import KeyState
from farthing.ledger.standing import Standing

KEY = KeyState(Key(2, "ann", "k", "app", b"d"), revoked_at=9)
KEY_FORM = {
    "key": ["key", 2, "ann", "k", "app", b"d", None, None, ""],
    "revoked_at": 9,
    "lineage": ["key:k"],
}
TERMS = Commitment(3, "ann", "c", "openai", 4, 5, (Tranche(6, 7, 8, 9),))
TERMS_FORM = ["commitment", 3, "ann", "c", "openai", 4, 5, [[6, 7, 8, 9, False, 0]], 0, ""]

ASKED: list[tuple[ToLedger, list[Any]]] = [
    (Attach("w1"), ["attach", "w1"]),
    (Append(7, Void(1, "q", "why")), ["append", 7, ["void", 1, "q", "why"]]),
    (AskStanding(), ["standing?"]),
]
REFUSAL = Refusal("limit_reached", "key:k", "usd", 1, 2, 3, 4, "day", 5)
REFUSAL_FORM = ["refusal", "limit_reached", "key:k", "usd", 1, 2, 3, 4, "day", 5, ""]
WARNED = Warned(1, "q", "key:k", "usd", "day", 2, 3)
BALANCE_FORM = {
    "scope": "key:k",
    "unit": "usd",
    "posted": 1,
    "held": 2,
    "limit": None,
    "window": "ever",
    "soft": False,
    "refills": None,
}
TOLD: list[tuple[FromLedger, list[Any]]] = [
    (Known([KEY], [TERMS]), ["known", [KEY_FORM], [TERMS_FORM]]),
    (Outcome(7, None), ["outcome", 7, None]),
    (Outcome(8, REFUSAL), ["outcome", 8, REFUSAL_FORM]),
    (Outcome(9, WARNED), ["outcome", 9, ["warned", 1, "q", "key:k", "usd", "day", 2, 3]]),
    (
        Standing([Balance("key:k", "usd", 1, 2, None)], [KEY], {"team:t": ""}, [], [], [], [], []),
        ["standing", [BALANCE_FORM], [KEY_FORM], {"team:t": ""}, [], [], [], [], []],
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
