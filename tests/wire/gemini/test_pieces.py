"""Arguments in pieces."""

from __future__ import annotations

from typing import Any

import pytest

from farthing.wire.gemini.pieces import Pieces


def test_pieces_make_an_object() -> None:
    pieces = Pieces()
    pieces.add([{"jsonPath": "$.city", "stringValue": "Be", "willContinue": True}])
    pieces.add(
        [
            {"jsonPath": "$.city", "stringValue": "rn"},
            {"jsonPath": "$.days[0]", "numberValue": 1},
            {"jsonPath": "$.days[1]", "numberValue": 2.5},
            {"jsonPath": "$['a b'].on", "boolValue": True},
            {"jsonPath": "$.none", "nullValue": None},
        ]
    )
    assert pieces.whole() == {
        "city": "Bern",
        "days": [1, 2.5],
        "a b": {"on": True},
        "none": None,
    }


@pytest.mark.parametrize(
    "told",
    [
        None,
        [1, {}, {"jsonPath": 5}, {"jsonPath": "$.a"}],
        [{"jsonPath": "$", "numberValue": 1}],
        [{"jsonPath": "$[0]", "numberValue": 1}],
        [{"jsonPath": "$[" + "9" * 5000 + "]", "numberValue": 1}],
        [{"jsonPath": "$" + ".a" * 100, "numberValue": 1}],
    ],
)
def test_what_fits_nowhere_is_left_out(told: Any) -> None:
    pieces = Pieces()
    pieces.add(told)
    assert pieces.whole() == {}
