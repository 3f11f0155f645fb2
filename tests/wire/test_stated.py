"""What providers say that they billed: in three spellings, exactly, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.wire.stated import stated_usd


def text(**usage: object) -> bytes:
    return json.dumps({"id": "x", "usage": {"prompt_tokens": 3, **usage}}).encode()


@pytest.mark.parametrize(
    ("usage", "nanodollars"),
    [
        ({"cost": 0.00014}, 140_000),
        ({"cost": 3.4e-07}, 340),
        ({"cost": 0}, 0),
        ({"cost": 1}, 10**9),
        ({"cost": 0.0000000001}, 1),  # rounded up, as everything is
        ({"cost": {"total_cost": 0.00529, "request_cost": 0.005}}, 5_290_000),
        ({"cost_in_usd_ticks": 1_176_500}, 117_650),
        ({"cost_in_usd_ticks": 1}, 1),
        ({"cost": 0.5, "is_byok": False}, 500_000_000),
        (
            {"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.2}},
            210_000_000,
        ),
    ],
)
def test_what_was_billed_is_read_exactly(usage: dict[str, object], nanodollars: int) -> None:
    assert stated_usd(text(**usage)) == nanodollars


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"cost": None},
        {"cost": "0.5"},
        {"cost": -0.5},
        {"cost": True},
        {"cost": {"total": 1}},
        {"cost": 1e300},
        {"cost_in_usd_ticks": "7"},
        {"cost": 0.01, "is_byok": True},
        {"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": None}},
        {"cost": 0.01, "is_byok": True, "cost_details": None},
    ],
)
def test_what_is_no_amount_says_nothing(usage: dict[str, object]) -> None:
    assert stated_usd(text(**usage)) is None


@pytest.mark.parametrize("wrong", [b"", b"{}", b'{"usage":null}', b'{"usage":{"cost":', b"\xff"])
def test_a_text_without_a_usage_says_nothing(wrong: bytes) -> None:
    assert stated_usd(wrong) is None


def test_of_several_usages_the_last_one_counts() -> None:
    assert stated_usd(text(cost=1) + b"\n" + text(cost=2)) == 2 * 10**9


def test_a_number_that_is_none_is_no_amount() -> None:
    assert stated_usd(b'{"usage":{"cost":NaN}}') is None
    assert stated_usd(b'{"usage":{"cost":Infinity}}') is None


@given(st.binary(max_size=200))
def test_nothing_that_is_said_is_an_error(said: bytes) -> None:
    stated_usd(b'{"usage":{"cost":' + said)
