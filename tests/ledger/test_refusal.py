"""Why an entry was not taken: the form in which workers and commands are told."""

from __future__ import annotations

import msgspec

from farthing.ledger.refusal import Refusal


def test_its_form_is_the_one_that_other_processes_read() -> None:
    told = Refusal("limit_reached", "team:a", "usd", 5, 3, 1, 2, "day", 9, "")
    form = ["refusal", "limit_reached", "team:a", "usd", 5, 3, 1, 2, "day", 9, ""]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(told)) == form
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(form), type=Refusal) == told


def test_what_is_not_said_is_nothing() -> None:
    assert Refusal("duplicate") == Refusal("duplicate", "", "", 0, 0, 0, 0, "ever", None, "")
