"""From the journal to leaves: each kind is decided, and the same journal makes the same leaves."""

from __future__ import annotations

import hashlib
import json
from typing import get_args

import pytest
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
        "Evaluation",
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
