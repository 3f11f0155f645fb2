"""A disclosure against a receipt's entry: what matches, and everything that must not."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest

from farthing.evidence.salt import commitment, shown
from farthing.vault.contents import Content
from farthing.vault.disclosure import (
    Checked,
    DisclosureError,
    check_disclosure,
    disclose,
    matching,
)

SALTS = {"prompt": b"p" * 32, "answer": b"a" * 32}
TEXTS = {"prompt": b"ask", "answer": b"tell"}
CONTENTS = {field: Content(SALTS[field], len(TEXTS[field]), TEXTS[field]) for field in SALTS}
LEAF = json.dumps(
    {"id": "q1", **{field: shown(commitment(SALTS[field], TEXTS[field])) for field in SALTS}}
).encode()


def told(**changed: Any) -> bytes:
    return msgspec.json.encode(disclose("q1", CONTENTS, SALTS) | changed)


def test_what_was_committed_to_is_verified() -> None:
    assert check_disclosure(told(), LEAF) == [
        Checked("prompt", "verified", b"ask"),
        Checked("answer", "verified", b"tell"),
    ]
    only = msgspec.json.encode(disclose("q1", CONTENTS, ("answer",)))
    assert check_disclosure(only, LEAF) == [Checked("answer", "verified", b"tell")]
    assert b"ask" not in only and SALTS["prompt"].hex().encode() not in only


def field(salt: bytes = SALTS["answer"], content: bytes = b"tell", size: int = 4) -> dict[str, Any]:
    return {"salt": salt.hex(), "bytes": size, "content": base64.b64encode(content).decode()}


@pytest.mark.parametrize(
    ("changed", "leaf", "why"),
    [
        ({"answer": field(content=b"Tell")}, LEAF, "not the answer"),
        ({"answer": field(content=b"tell ", size=5)}, LEAF, "not the answer"),
        ({"answer": field(content=b"tel", size=3)}, LEAF, "not the answer"),
        ({"answer": field(salt=SALTS["prompt"])}, LEAF, "not the answer"),
        ({"answer": field(salt=b"x" * 32)}, LEAF, "not the answer"),
        ({"query": "q2"}, LEAF, "it is of q2, and the receipt of q1"),
        ({}, b'{"id":"q1"}', "no commitment to its prompt"),
        ({}, b'{"kind":"erasure"}', "of no query"),
        ({"v": 2}, LEAF, "version 2"),
        ({"more": 1}, LEAF, "not a disclosure"),
        ({"answer": {**field(), "content": "!"}}, LEAF, "not base64"),
        ({"answer": {**field(), "salt": "xyz"}}, LEAF, "not hexadecimal"),
    ],
)
def test_anything_else_is_refused(changed: dict[str, Any], leaf: bytes, why: str) -> None:
    with pytest.raises(DisclosureError, match=why):
        check_disclosure(told(**changed), leaf)


def test_a_part_is_never_called_verified() -> None:
    cut = CONTENTS | {"answer": Content(SALTS["answer"], 4, b"te")}
    disclosed = msgspec.json.encode(disclose("q1", cut, SALTS))
    assert check_disclosure(disclosed, LEAF)[1] == Checked("answer", "cut", b"te")


def test_where_only_salts_are_kept_a_file_is_checked_with_one() -> None:
    salts = {name: Content(SALTS[name], len(TEXTS[name]), None) for name in SALTS}
    disclosed = msgspec.json.encode(disclose("q1", salts, SALTS))
    assert {found.state for found in check_disclosure(disclosed, LEAF)} == {"salt only"}
    salt = json.loads(disclosed)["answer"]["salt"]
    assert matching(b"tell", salt, LEAF) == "answer"
    for data, key in ((b"tall", salt), (b"tell", SALTS["prompt"].hex()), (b"tell", "zz")):
        with pytest.raises(DisclosureError):
            matching(data, key, LEAF)


def test_not_a_disclosure() -> None:
    for data in (b"", b"[]", b"\xff", b'{"v":1}'):
        with pytest.raises(DisclosureError, match="not a disclosure"):
            check_disclosure(data, LEAF)
