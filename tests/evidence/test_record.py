"""Leaves of administration: every field of every entry has a treatment somebody decided."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgspec
import pytest

from farthing.evidence.query import ENDINGS
from farthing.evidence.record import EXACT, TREATMENTS, record_leaf
from farthing.ledger.entry import (
    ChangeKey,
    Commitment,
    Entry,
    Genesis,
    Hold,
    Key,
    Limit,
    Refusals,
    TopUp,
    Tranche,
    Warned,
)

SECRET = b"s" * 32
RECORDED = [kind for kind in get_args(Entry) if kind not in ENDINGS and kind is not Hold]


def leaf(entry: Any, position: int = 9) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(record_leaf(entry, position, SECRET))
    assert (told.pop("entry"), told.pop("v")) == (position, 1)
    return told


def shape(value: Any) -> Any:
    """A leaf, with a mark for each commitment."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    if isinstance(value, str) and "hmac-sha256:" in value:
        return value.partition("hmac-sha256:")[0] + "#"
    return value


@pytest.mark.parametrize("kind", [*RECORDED, Tranche], ids=lambda kind: kind.__name__)
def test_each_field_of_each_kind_is_decided(kind: Any) -> None:
    """A kind or a field that is new fails here, until its line is in the table."""
    for info in msgspec.structs.fields(kind):
        assert info.name in TREATMENTS or info.type is bytes, info.name


def test_what_is_said_of_each() -> None:
    at = 1_700_000_000_123_456_789
    iso = "2023-11-14T22:13:20.123Z"
    assert leaf(Genesis(at, "one")) == {"at": iso, "kind": "genesis", "ledger": "one"}
    made = Key(at, "ann", "k1", "ann's key", b"digest", expires=at, max_cost=5, parent="team:a")
    assert shape(leaf(made)) == {
        "at": iso, "by": "#", "expires": iso, "id": "k1", "kind": "key",
        "max_cost": "0.000000005", "name": "#", "parent": "team:a",
    }  # fmt: skip
    assert shape(leaf(Limit(at, "ann", "user:ann", "usd", 25 * 10**9, "day", soft=True))) == {
        "amount": "25", "at": iso, "by": "#", "kind": "limit", "scope": "user:#", "soft": True,
        "unit": "usd", "window": "day",
    }  # fmt: skip
    assert shape(leaf(Limit(at, "ann", "user:*", "tokens", 7))) == {
        "amount": 7, "at": iso, "by": "#", "kind": "limit", "scope": "user:*", "unit": "tokens",
    }  # fmt: skip
    assert "amount" not in leaf(Limit(at, "ann", "user:*", "tokens", None))
    warned = Warned(at, "q1", "user:ann", "usd", "day", 10**9, 2 * 10**9)
    assert shape(leaf(warned)) == {
        "at": iso, "id": "q1", "kind": "warned", "limit": "1", "scope": "user:#", "total": "2",
        "unit": "usd", "window": "day",
    }  # fmt: skip
    refused = Refusals(at, at, at, "limit_reached", "user:ann", "usd", "day", 7)
    assert shape(leaf(refused)) == {
        "at": iso, "code": "limit_reached", "count": 7, "kind": "refused", "scope": "user:#",
        "since": iso, "unit": "usd", "until": iso, "window": "day",
    }  # fmt: skip
    top_up = TopUp(at, "ann", "c1", "team:a", 10**9, note="for ann")
    assert shape(leaf(top_up))["note"] == "#" and leaf(top_up)["usd"] == "1"


def test_what_is_inside_an_entry_is_said_as_well() -> None:
    tranches = (Tranche(10**9, 5, 0, 10**9), Tranche(1, 1, 1, 1, on_call=True, after_ppm=7))
    told = leaf(Commitment(1, "ann", "c", "p", 1, 1, tranches, note="n"))["tranches"]
    moment = "1970-01-01T00:00:00.000Z"
    assert told == [
        {"usd": "1", "paid": "0.000000005", "starts": moment, "ends": "1970-01-01T00:00:01.000Z"},
        {
            "usd": "0.000000001", "paid": "0.000000001", "starts": moment, "ends": moment,
            "on_call": True, "after_ppm": 7,
        },
    ]  # fmt: skip


def test_numbers_that_json_would_round_are_strings() -> None:
    assert leaf(Limit(1, "a", "org:a", "tokens", EXACT))["amount"] == EXACT
    assert leaf(Limit(1, "a", "org:a", "tokens", EXACT + 1))["amount"] == str(EXACT + 1)


def test_a_field_added_later_changes_no_leaf_that_is_there() -> None:
    longer = msgspec.defstruct(
        "ChangeKey",
        [(f.name, f.type, f.default) for f in msgspec.structs.fields(ChangeKey) if not f.required]
        + [("added", str, ""), ("more", int | None, None)],
        bases=(ChangeKey,),
        frozen=True, array_like=True, tag="change-key",
    )  # fmt: skip
    old = ChangeKey(1, "ann", "k1", "name")
    assert record_leaf(longer(1, "ann", "k1", "name"), 3, SECRET) == record_leaf(old, 3, SECRET)


def test_of_a_field_nobody_decided_about_no_text_is_shown() -> None:
    new = msgspec.defstruct(
        "New",
        [("at", int), ("mail", str), ("many", list[str]), ("count", int), ("yes", bool),
         ("key", bytes)],
        tag="new", array_like=True,
    )  # fmt: skip
    told = leaf(new(1, "ann@example.com", ["ann"], 3, True, b"secret"))
    assert shape(told) == {
        "at": "1970-01-01T00:00:00.000Z", "mail": "#", "many": "#", "count": 3, "yes": True,
        "kind": "new",
    }  # fmt: skip


def test_names_are_sorted_and_nothing_is_escaped_that_need_not_be() -> None:
    made = record_leaf(Genesis(1, 'é\u2028"\\\n\x1f/<'), 9, SECRET)
    assert (
        made
        == (
            '{"at":"1970-01-01T00:00:00.000Z","entry":9,"kind":"genesis",'
            '"ledger":"é\u2028\\"\\\\\\n\\u001f/<","v":1}'
        ).encode()
    )
