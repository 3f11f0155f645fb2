"""From the journal to leaves: each kind is decided, and the same journal makes the same leaves."""

from __future__ import annotations

import hashlib
import json
from typing import get_args

import pytest
from msgspec.structs import replace
from tests.ledger.conftest import _workload
from tests.support.evidence import entries, hold, settle

from farthing.evidence.leaf import Leaves
from farthing.evidence.query import ENDINGS
from farthing.evidence.tiles import ENTRY_MOST
from farthing.ledger.entry import (
    Commitment,
    Entry,
    Genesis,
    Hold,
    Limit,
    Tranche,
    Unresolved,
    WriteOff,
)
from farthing.ledger.reported import Erasure


def leaves(made: list[Entry], secret: bytes = b"s" * 32) -> list[bytes]:
    maker = Leaves(secret)
    found = (maker.take(entry, position) for position, entry in enumerate(made, 1))
    return [leaf for leaf in found if leaf is not None]


@pytest.mark.parametrize("seed", range(5))
def test_each_entry_but_a_hold_has_one_leaf_in_its_order(seed: int) -> None:
    made = _workload(seed)
    expected = [
        (position, type(entry).__struct_config__.tag)
        for position, entry in enumerate(made, 1)
        if not isinstance(entry, Hold)
    ]
    told = [json.loads(leaf) for leaf in leaves(made)]
    assert [(leaf["entry"], leaf["kind"]) for leaf in told] == expected
    assert leaves(made) == leaves(made) != leaves(made, b"t" * 32)
    for leaf in told:
        if "hold" in leaf:
            held = made[leaf["hold"] - 1]
            assert isinstance(held, Hold) and held.id == leaf["id"]


def test_every_kind_that_ends_a_query_is_known_as_one() -> None:
    """A new kind is taken up as a record; one that ends a query needs a leaf of its own."""
    records = {
        "Genesis", "Key", "ChangeKey", "Revoke", "Scope", "Limit", "TopUp", "Commitment",
        "Exercise", "Overrun", "Reset", "Draw", "Warned", "Config", "PriceBookInForce",
        "Refusals", "Statement", "LogKey", "Erasure", "Evaluation",
    }  # fmt: skip
    endings = {kind.__name__ for kind in ENDINGS}
    assert {kind.__name__ for kind in get_args(Entry)} == {"Hold"} | endings | records


def test_a_query_that_ends_twice_has_two_leaves() -> None:
    made: list[Entry] = [hold(1), Unresolved(2, "q1", "lost"), WriteOff(3, "ann", "q1", "gone")]
    told = [json.loads(leaf) for leaf in leaves(made)]
    assert [(leaf["kind"], leaf["hold"], leaf.get("cost_usd")) for leaf in told] == [
        ("unresolved", 1, None), ("write-off", 1, "0"),
    ]  # fmt: skip


def test_what_ended_is_forgotten() -> None:
    maker = Leaves(b"s")
    maker.take(hold(1), 1)
    maker.take(settle(1), 2)
    with pytest.raises(KeyError):
        maker.take(settle(1), 3)


def test_a_leaf_longer_than_any_bundle_is_known_by_its_digest() -> None:
    tranches = tuple(Tranche(n, n, n, n) for n in range(1000))
    (made,) = leaves([Commitment(1, "ann", "c", "p", 1, 1, tranches)])
    told = json.loads(made)
    assert told.keys() == {"entry", "kind", "leaf_sha256", "v"} and len(made) <= ENTRY_MOST
    assert len(told["leaf_sha256"]) == 64


def test_the_form_never_changes() -> None:
    """A leaf that is in a log stays: if this fails, every signed checkpoint contradicts."""
    some: list[Entry] = [Limit(5, "ann", "user:ann", "usd", 7), hold(9, ("key:k1", "user:ann"))]
    made = leaves([*entries(3), *some, Unresolved(6, "q9", "r"), WriteOff(7, "ann", "q9", "gone")])
    assert made[0] == (
        b'{"at":"1970-01-01T00:00:00.000Z","entry":1,"kind":"genesis","ledger":"ledger-one","v":1}'
    )
    assert isinstance(entries(1)[0], Genesis)
    digest = hashlib.sha256(b"\n".join(made)).hexdigest()
    assert digest == "3d06a1ff7615944105ad07df2cafbbd9e604dd5aeef5e4337e3e94927c38edb9"


COMMITTED = {"prompt": b"p" * 32, "answer": b"a" * 32, "contents": "kept"}


def test_commitments_to_contents_stand_in_the_leaf_of_the_ending() -> None:
    made: list[Entry] = [
        hold(1), replace(settle(1), **COMMITTED),
        hold(2), Unresolved(6, "q2", "lost", **COMMITTED),  # type: ignore[arg-type]
        hold(3), replace(settle(3), contents="failed"), hold(4), settle(4),
    ]  # fmt: skip
    first, second, third, last = (json.loads(leaf) for leaf in leaves(made))
    for leaf in (first, second):
        assert leaf["prompt"] == f"hmac-sha256:{(b'p' * 32).hex()}"
        assert leaf["answer"] == f"hmac-sha256:{(b'a' * 32).hex()}"
        assert leaf["contents"] == "kept"
    assert third["contents"] == "failed" and not {"prompt", "answer"} & third.keys()
    assert not {"prompt", "answer", "contents"} & last.keys()


def test_the_leaf_of_an_ending_with_commitments_is_in_its_canonical_form() -> None:
    (leaf,) = leaves([hold(1), replace(settle(1), **COMMITTED)])
    assert leaf == json.dumps(json.loads(leaf), sort_keys=True, separators=(",", ":")).encode()


def test_an_erasure_names_queries_and_no_person() -> None:
    entry = Erasure(5, "ann", "e1", "request", ("q1", "q2"), (7,), "bob asked", "org:acme")
    told = json.loads(leaves([entry])[0])
    assert (told["queries"], told["endings"]) == (["q1", "q2"], [7])
    assert (told["cause"], told["scope"]) == ("request", "org:acme")
    for field in ("by", "reason"):
        assert told[field].startswith("hmac-sha256:")
