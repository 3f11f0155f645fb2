"""Which rows a condition chooses, and arithmetic without floats."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from tests.support.statements import asking, month

from farthing.report.asking import TOKENS, exact_sum, ratio, span, worth


def endings() -> list[dict[str, Any]]:
    reader, found = month().log.reader, month().facts.range
    leaves = [json.loads(reader.entry(n)) for n in range(found.first, found.last + 1)]
    return [leaf for leaf in leaves if "held_usd" in leaf]


@pytest.mark.parametrize(
    ("where", "chosen"),
    [
        ({}, lambda leaf: True),
        ({"provider": ["openai", "local"]}, lambda leaf: leaf["provider"] in ("openai", "local")),
        ({"provider": ["nobody"]}, lambda leaf: False),
        ({"team": ["search"]}, lambda leaf: "team:search" in leaf["path"]),
        ({"stream": True}, lambda leaf: leaf.get("stream", False)),
        ({"cost": "unknown"}, lambda leaf: "cost_usd" not in leaf),
        ({"kind": ["void"]}, lambda leaf: leaf["kind"] == "void"),
        ({"http_status": [200, 299]}, lambda leaf: 200 <= leaf.get("http_status", 0) <= 299),
        (
            {"at": ["2026-09-03T00:00:00.000Z", "2026-09-05T00:00:00.000Z"]},
            lambda leaf: "2026-09-03" <= leaf["at"] < "2026-09-05",
        ),
        (
            {"not": [{"provider": ["openai"], "stream": True}, {"kind": ["settled"]}]},
            lambda leaf: (
                leaf["kind"] != "settle"
                and not (leaf["provider"] == "openai" and leaf.get("stream"))
            ),
        ),
    ],
)
def test_a_condition_chooses_the_rows_whose_leaves_say_so(where: Any, chosen: Any) -> None:
    expected = [bool(chosen(leaf)) for leaf in endings()]
    assert asking().rows(where).tolist() == expected


def test_tokens_are_all_meters_of_tokens() -> None:
    usage = month().facts.usage
    assert asking().column("tokens").tolist() == [
        sum(row) for row in zip(*(usage[meter].tolist() for meter in TOKENS), strict=True)
    ]


def test_a_sum_does_not_overflow() -> None:
    values = np.full(5, 2**62, np.int64)
    assert exact_sum(values) == 5 * 2**62
    assert exact_sum(np.array([-(2**62), 7], np.int64)) == 7 - 2**62


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [(1, 3, "0.333333"), (2, 3, "0.666667"), (1, 2_000_000, "0.000001"), (0, 5, "0.000000"),
     (5, 5, "1.000000"), (0, 0, None), (1, 1999999, "0.000001"), (49, 10**8, "0.000000")],
)  # fmt: skip
def test_a_ratio_has_six_places_rounded_half_up(part: int, whole: int, told: str | None) -> None:
    assert ratio(part, whole) == told


def test_amounts_are_decimal_strings_and_counts_are_numbers() -> None:
    assert (worth("cost", 1_500_000_001), worth("input", 7)) == ("1.500000001", 7)


def test_a_span_is_of_leaves() -> None:
    facts = month().facts
    chosen = np.zeros(len(facts), np.bool_)
    assert span(asking(), chosen) == (0, None, None)
    chosen[[3, 9]] = True
    assert span(asking(), chosen) == (2, int(facts.index[3]), int(facts.index[9]))
