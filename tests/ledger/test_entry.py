"""The journal's entries keep their form for ever: what was written can always be read."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from farthing.ledger.entry import (
    ChangeKey,
    Commitment,
    Config,
    Draw,
    Entry,
    Exercise,
    Expire,
    Genesis,
    Hold,
    Key,
    Limit,
    Overrun,
    PriceBookInForce,
    Refusals,
    Reset,
    Resolve,
    Revoke,
    Scope,
    Settle,
    TopUp,
    Tranche,
    Unresolved,
    Void,
    Warned,
    WriteOff,
    decode,
    decode_many,
    encode,
)
from farthing.wire.dialect import Usage

# Each entry and its items in the journal, written down by hand: neither may ever change.
FORMS: list[tuple[Entry, list[Any]]] = [
    (Genesis(1, "id"), ["genesis", 1, "id"]),
    (
        Key(2, "ann", "k", "app", b"\0\xff", 3, 4, "team:t"),
        ["key", 2, "ann", "k", "app", b"\0\xff", 3, 4, "team:t"],
    ),
    (
        ChangeKey(2, "ann", "k", "app", 3, 4, "team:t"),
        ["change-key", 2, "ann", "k", "app", 3, 4, "team:t"],
    ),
    (Revoke(2, "ann", "k"), ["revoke", 2, "ann", "k"]),
    (Scope(2, "ann", "team:t", "org:o"), ["scope", 2, "ann", "team:t", "org:o"]),
    (
        Limit(2, "ann", "key:k", "usd", 5, "day", True),
        ["limit", 2, "ann", "key:k", "usd", 5, "day", True],
    ),
    (TopUp(2, "ann", "c", "key:k", 5, 6, "n"), ["top-up", 2, "ann", "c", "key:k", 5, 6, "n"]),
    (
        Commitment(2, "ann", "c", "p", 3, 4, (Tranche(5, 6, 7, 8, True, 9),), 10, "n"),
        ["commitment", 2, "ann", "c", "p", 3, 4, [[5, 6, 7, 8, True, 9]], 10, "n"],
    ),
    (Exercise(2, "ann", "c", 1, 5), ["exercise", 2, "ann", "c", 1, 5]),
    (
        Hold(1, "q", "k", ("a", "b"), "p", "m", "n", "chat", True, 5, 6, 7, 8, "book", "w", True),
        [
            "hold",
            1,
            "q",
            "k",
            ["a", "b"],
            "p",
            "m",
            "n",
            "chat",
            True,
            5,
            6,
            7,
            8,
            "book",
            "w",
            True,
        ],
    ),
    (
        Settle(1, "q", 5, Usage(*range(1, 15)), 200, 6, 7, "up", "m", "seed", 9, "length"),
        ["settle", 1, "q", 5, list(range(1, 15)), 200, 6, 7, "up", "m", "seed", 9, "length"],
    ),
    (Void(1, "q", "why"), ["void", 1, "q", "why"]),
    (Unresolved(1, "q", "why", 502, 9, "up"), ["unresolved", 1, "q", "why", 502, 9, "up"]),
    (Resolve(1, "ann", "q", 5, "why", 6), ["resolve", 1, "ann", "q", 5, "why", 6]),
    (Expire(1, "q"), ["expire-posted", 1, "q"]),
    (WriteOff(1, "ann", "q", "why"), ["write-off", 1, "ann", "q", "why"]),
    (Overrun(1, "q", 5), ["overrun", 1, "q", 5]),
    (
        Refusals(4, 1, 3, "limit_reached", "team:a", "usd", "day", 7),
        ["refused", 4, 1, 3, "limit_reached", "team:a", "usd", "day", 7],
    ),
    (Reset(1, "ann", "p", "m"), ["reset", 1, "ann", "p", "m"]),
    (Draw(1, "q", "credit:c", 5, 4), ["draw", 1, "q", "credit:c", 5, 4]),
    (
        Warned(1, "q", "key:k", "usd", "day", 5, 6),
        ["warned", 1, "q", "key:k", "usd", "day", 5, 6],
    ),
    (Config(1, "d"), ["config", 1, "d"]),
    (PriceBookInForce(1, "d", "from"), ["price-book", 1, "d", "from"]),
]
KINDS = [type(entry).__name__ for entry, _ in FORMS]


def test_every_kind_of_entry_has_a_form_written_down_here() -> None:
    assert {type(entry) for entry, _ in FORMS} == set(get_args(Entry))


@pytest.mark.parametrize(("entry", "form"), FORMS, ids=KINDS)
def test_an_entry_is_an_array_that_begins_with_its_tag(entry: Entry, form: list[Any]) -> None:
    assert msgspec.msgpack.decode(encode(entry)) == form


@pytest.mark.parametrize(("entry", "form"), FORMS, ids=KINDS)
def test_an_entry_that_was_written_is_read_as_it_was(entry: Entry, form: list[Any]) -> None:
    assert decode(msgspec.msgpack.encode(form)) == entry


@pytest.mark.parametrize(("entry", "form"), FORMS, ids=KINDS)
def test_a_field_that_a_later_version_adds_at_the_end_does_not_stop_this_one(
    entry: Entry, form: list[Any]
) -> None:
    assert decode(msgspec.msgpack.encode([*form, "new"])) == entry


@pytest.mark.parametrize(
    ("form", "entry"),
    [
        (["key", 2, "ann", "k", "app", b"d"], Key(2, "ann", "k", "app", b"d", None, None)),
        (["limit", 2, "ann", "key:k", "usd", 5], Limit(2, "ann", "key:k", "usd", 5)),
        (["settle", 1, "q", 5, [], 200, 6, 7], Settle(1, "q", 5, Usage(), 200, 6, 7, "", "")),
        (["unresolved", 1, "q", "why"], Unresolved(1, "q", "why", 0, 0, "")),
        (
            ["hold", 1, "q", "k", [], "p", "m", "n", "chat", True, 5, 6, 7, 8, "book", "w"],
            Hold(1, "q", "k", (), "p", "m", "n", "chat", True, 5, 6, 7, 8, "book", "w", False),
        ),
    ],
    ids=["Key", "Limit", "Settle", "Unresolved", "Hold"],
)
def test_an_entry_without_the_optional_fields_can_be_read(form: list[Any], entry: Entry) -> None:
    assert decode(msgspec.msgpack.encode(form)) == entry


def test_an_entry_of_an_unknown_kind_is_not_read_as_another() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(msgspec.msgpack.encode(["gift", 1, "q", 5]))


def test_a_float_is_no_amount() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(msgspec.msgpack.encode(["overrun", 1, "q", 5.5]))


def test_the_largest_amount_is_carried_to_the_nanodollar() -> None:
    entry = Overrun(1, "q", 2**63 - 1)
    assert decode(encode(entry)) == entry


def test_a_group_is_read_as_its_entries_in_order() -> None:
    assert decode_many(msgspec.msgpack.encode([form for _, form in FORMS])) == [
        entry for entry, _ in FORMS
    ]


def test_an_entry_cannot_be_changed_after_it_was_made() -> None:
    entry = Void(1, "q", "why")
    with pytest.raises(AttributeError):
        entry.id = "other"  # type: ignore[misc]
