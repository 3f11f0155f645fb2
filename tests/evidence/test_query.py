"""The leaf of a query: all of its endings, and no word of anybody's."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgspec
import pytest
from tests.support.evidence import hold, settle

from farthing import clock
from farthing.evidence import query as query_module
from farthing.evidence.query import ENDINGS, Consumed, QueryEnding, QueryLeaf, iso, query_leaf
from farthing.ledger.entry import Expire, Hold, Resolve, Settle, Unresolved, Void, WriteOff
from farthing.wire.dialect import Usage

HOLD = Hold(
    at=1_700_000_000_001_000_000, id="q1", key="k1",
    path=("key:k1", "team:a", "user:ann", "tag:ann"), provider="p", model="m-1", asked_model="m",
    dialect="chat", stream=True, usd=250_000, tokens=1500, input_tokens=1400, output_cap=100,
    price_book="book", worker="w",
)  # fmt: skip
AT = 1_700_000_002_000_000_000
HELD = {
    "asked_model": "m", "at": "2023-11-14T22:13:22.000Z", "began": "2023-11-14T22:13:20.001Z",
    "dialect": "chat", "entry": 7, "held_tokens": 1500, "held_usd": "0.00025", "hold": 3,
    "id": "q1", "input_tokens": 1400, "key": "k1", "model": "m-1", "output_cap": 100,
    "path": ["key:k1", "team:a", "user:#", "tag:#"], "price_book": "book", "provider": "p",
    "stream": True, "v": 1,
}  # fmt: skip
USAGE = Usage(input=3, output=2, reasoning=1, cache_write_1h=4)


def leaf(entry: QueryEnding, hold: Hold = HOLD) -> bytes:
    return query_leaf(entry, 7, hold, 3, b"s" * 32)


def said(entry: QueryEnding) -> dict[str, Any]:
    """What a leaf says beside what was held, each commitment a mark."""
    told = {
        name: value.partition("hmac-sha256:")[0] + "#" if "hmac-sha256:" in str(value) else value
        for name, value in json.loads(leaf(entry)).items()
        if name != "path"
    }
    path = [scope.partition("hmac-sha256:") for scope in json.loads(leaf(entry))["path"]]
    told["path"] = [before + "#" if mark else before for before, mark, _ in path]
    assert {name: told.pop(name) for name in HELD} == HELD
    return told


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            Settle(AT, "q1", 27, USAGE, 200, 11, 22, "up", "m-1-x", "shape seed", 30),
            {
                "kind": "settle", "cost_usd": "0.000000027", "list_usd": "0.00000003",
                "usage": {"input": 3, "output": 2, "reasoning": 1, "cache_write_1h": 4},
                "http_status": 200, "first_byte_us": 11, "total_us": 22, "upstream_id": "up",
                "answered_model": "m-1-x", "losses": "shape seed",
            },
        ),
        (Void(AT, "q1", "not_sent"), {"kind": "void", "cost_usd": "0", "reason": "not_sent"}),
        (
            Unresolved(AT, "q1", "upstream_reset", 502, 9),
            {"kind": "unresolved", "reason": "upstream_reset", "http_status": 502, "total_us": 9},
        ),
        (
            Resolve(AT, "ann", "q1", 5 * 10**9, "invoice of ann", 0),
            {"kind": "resolve", "cost_usd": "5", "by": "#", "evidence": "#", "tokens": 0},
        ),
        (Expire(AT, "q1"), {"kind": "expire-posted", "cost_usd": "0.00025"}),
        (
            WriteOff(AT, "ann", "q1", "ann says so"),
            {"kind": "write-off", "cost_usd": "0", "by": "#", "reason": "#"},
        ),
    ],
)  # fmt: skip
def test_each_ending(entry: QueryEnding, expected: dict[str, Any]) -> None:
    assert said(entry) == expected
    assert b"ann" not in leaf(entry)


def test_all_endings_are_here() -> None:
    assert set(ENDINGS) == set(get_args(QueryEnding))


def test_a_free_answer_cost_nothing_and_says_so() -> None:
    told = json.loads(leaf(Settle(AT, "q1", 0, Usage(), 400, 1, 2)))
    assert told["cost_usd"] == "0" and told["usage"] == {} and "list_usd" not in told


@pytest.mark.parametrize("kind", [QueryLeaf, Consumed])
def test_names_are_in_rfc_8785s_order(kind: Any) -> None:
    names = [info.name for info in msgspec.structs.fields(kind)]
    assert names == sorted(names)


def test_the_bytes_are_json_in_its_canonical_form() -> None:
    made = leaf(Settle(AT, "q1", 27, USAGE, 200, 11, 22, 'é"\\\n\x1f/'))
    told = json.loads(made)
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert made == canonical.encode()


def test_every_count_of_usage_is_said() -> None:
    names = Usage.__struct_fields__
    usage = Usage(*range(1, len(names) + 1))
    told = json.loads(leaf(Settle(AT, "q1", 0, usage, 200, 1, 2)))["usage"]
    assert told == {name: n for n, name in enumerate(names, 1)}


def test_more_tokens_than_json_counts_are_a_string() -> None:
    many = msgspec.structs.replace(HOLD, tokens=2**53)
    assert json.loads(leaf(Void(AT, "q1", "x"), many))["held_tokens"] == str(2**53)


@pytest.mark.parametrize("at", [0, 999_999, 1_700_000_000_987_654_321, 4_102_444_800 * 10**9])
def test_times_are_the_clocks(at: int) -> None:
    assert iso(at) == clock.iso(at)


def test_no_leaf_has_anything_of_another() -> None:
    """What is the same in many is kept; what one adds to it is its own."""
    rich = msgspec.structs.replace(settle(1), list_usd=5, losses="seed", answered_model="other")
    plain, secret = settle(2), b"s" * 32
    alone = query_leaf(plain, 9, hold(2), 8, secret)
    query_module._like.cache_clear()
    for path in (("key:k1",), ("key:k1", "user:ann")):
        held = msgspec.structs.replace(hold(1), path=path)
        first = query_leaf(rich, 5, held, 4, secret)
        assert query_leaf(plain, 9, hold(2), 8, secret) == alone
        assert query_leaf(rich, 5, held, 4, secret) == first
        other = query_leaf(rich, 6, held, 4, secret)
        assert (json.loads(other)["path"] == json.loads(first)["path"]) == (len(path) == 1)
