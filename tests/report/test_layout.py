"""Columns are those that the specification has, and all that it demands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from farthing.report.layout import CONTRACT_COMMITMENT, COST_AND_USAGE, of_version

SPECS = Path(__file__).parents[3] / "shared" / "specs" / "focus"


def columns(dataset: str) -> dict[str, Any]:
    path = SPECS / "focus_1_4_model.json"
    if not path.exists():
        pytest.skip("the model of FOCUS 1.4 is not here")
    found: dict[str, Any] = json.loads(path.read_text())["datasets"][dataset]["columns"]
    return found


def test_cost_and_usage_has_all_that_1_4_demands_and_nothing_it_does_not_know() -> None:
    known = columns("Cost and Usage")
    ours = {c.name for c in of_version(COST_AND_USAGE, "1.4") if not c.name.startswith("x_")}
    assert ours <= known.keys()
    assert {n for n, c in known.items() if c["feature_level"] == "Mandatory"} <= ours


def test_contract_commitment_is_whole() -> None:
    known = columns("Contract Commitment")
    assert {c.name for c in of_version(CONTRACT_COMMITMENT, "1.4")} == known.keys() | {
        "ContractCommitmentPaymentUpfrontPercentage"
    }
    first = {c.name for c in of_version(CONTRACT_COMMITMENT, "1.3")}
    assert first == {name for name, c in known.items() if c["version"] == "1.3"}
    assert (len(first), len(of_version(CONTRACT_COMMITMENT, "1.4"))) == (13, 30)


def test_kinds_are_the_specifications() -> None:
    known = columns("Cost and Usage") | columns("Contract Commitment")
    kinds = {"Decimal": int, "String": "text", "JSON": "json", "Date/Time": "time"}
    for column in (*COST_AND_USAGE, *CONTRACT_COMMITMENT):
        if column.name in known:
            wanted = kinds[known[column.name]["data_type"]]
            assert column.kind == wanted or (wanted is int and isinstance(column.kind, int))


def test_end_users_have_a_column_where_they_are_wanted() -> None:
    with_them = {c.name for c in of_version(COST_AND_USAGE, "1.2", users=True)}
    assert with_them - {c.name for c in of_version(COST_AND_USAGE, "1.2", users=False)} == {
        "x_User"
    }
    assert {"ProviderName", "PublisherName"} <= with_them and "ContractApplied" not in with_them
