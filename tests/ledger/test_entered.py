"""What administrators and the gateway entered, as rows."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgspec
import pytest
from tests.support.everything import everything

from farthing.ledger.entered import ENTERED, entered
from farthing.ledger.entry import Commitment, Entry, Key, TopUp
from farthing.ledger.evaluation import Evaluation

ENTRIES = [entry for group in everything(2, 300) for entry in group]

# Of these the records of queries tell all there is.
OF_QUERIES = {"hold", "settle", "void", "unresolved", "expire-posted", "overrun", "draw"}


def one(tag: str) -> Entry:
    return next(entry for entry in ENTRIES if entry.__struct_config__.tag == tag)


def test_everything_that_is_not_a_querys_has_a_row() -> None:
    kinds: set[Any] = {kind.__struct_config__.tag for kind in get_args(Entry)}
    of_entered: tuple[Any, ...] = ENTERED
    assert {kind.__struct_config__.tag for kind in of_entered} == kinds - OF_QUERIES


@pytest.mark.parametrize(
    ("kind", "by", "subject"),
    [
        ("genesis", "", "ledger:ledger-one"),
        ("key", "ann", "key:k1"),
        ("change-key", "bob", "key:k2"),
        ("revoke", "ann", "key:k3"),
        ("scope", "ann", "org:acme"),
        ("limit", "ann", "org:acme"),
        ("top-up", "ann", "project:search"),
        ("commitment", "ann", "commitment:c1"),
        ("exercise", "ann", "commitment:c1"),
        ("reset", "ann", "model:openai/gpt-x-2026"),
        ("warned", "", "key:k3"),
        ("erasure", "ann", "erasure:e13"),
    ],
)
def test_who_did_what_to_what(kind: str, by: str, subject: str) -> None:
    row = entered(one(kind), 7)
    assert (row["position"], row["kind"], row["by"], row["subject"]) == (7, kind, by, subject)


@pytest.mark.parametrize("kind", ["resolve", "write-off"])
def test_what_was_decided_of_a_query_names_it(kind: str) -> None:
    entry: Any = one(kind)
    assert entered(entry, 7)["subject"] == f"query:{entry.id}"


def test_all_fields_are_in_it_as_the_journal_has_them() -> None:
    for entry in ENTRIES:
        if isinstance(entry, ENTERED) and not isinstance(entry, Key | Commitment | Evaluation):
            told = json.loads(entered(entry, 1)["entry"])
            assert told == json.loads(msgspec.json.encode(msgspec.structs.asdict(entry)))
    commitment = json.loads(entered(one("commitment"), 1)["entry"])
    assert commitment["tranches"][1]["paid"] == 3_000
    evaluation = json.loads(entered(one("evaluation"), 1)["entry"])
    assert evaluation["scores"][0]["method"] == "wilson-95" and evaluation["usd"] == 2_000


def test_a_keys_digest_stays_in_the_journal() -> None:
    told = json.loads(entered(one("key"), 1)["entry"])
    assert set(told) == set(Key.__struct_fields__) - {"digest"}


def test_a_text_that_postgresql_cannot_hold_is_held_all_the_same() -> None:
    row = entered(TopUp(1, "a\0b", "t", "user:a\0b", 5, note="\0"), 1)
    assert not any("\0" in value for value in row.values() if isinstance(value, str))
    assert json.loads(row["entry"])["note"] == "\0"
