"""The bill of materials is CycloneDX 1.7, by the judgement of its own library, and reproducible."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tests.report.conftest import END, Told, facts_in

from farthing import clock
from farthing.report.inuse import in_use
from farthing.report.mlbom import encoded, mlbom


@pytest.fixture(scope="module")
def made(told: Told) -> dict[str, Any]:
    return mlbom(told.facts, in_use(told.facts))


def problem(bom: dict[str, Any]) -> Any:
    return JsonStrictValidator(SchemaVersion.V1_7).validate_str(encoded(bom).decode())


def test_the_strict_validator_accepts_it(made: dict[str, Any]) -> None:
    assert problem(made) is None


def test_the_strict_validator_would_see_what_is_wrong(made: dict[str, Any]) -> None:
    first = {**made["components"][0], "type": "model"}
    assert problem({**made, "components": [first]}) is not None


def test_every_version_is_a_component(told: Told, made: dict[str, Any]) -> None:
    uses = in_use(told.facts)
    for component, use in zip(made["components"], uses, strict=True):
        assert component["type"] == "machine-learning-model"
        assert component["supplier"] == {"name": use.provider} and component["name"] == use.model
        assert component.get("version", "") == use.version
        said = {p["name"]: p["value"] for p in component["properties"]}
        assert said["farthing:log:first_index"] == str(use.leaves.first)
        assert said["farthing:queries"] == str(use.queries)
        metrics = component["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
        assert metrics[0]["type"] == "availability" and "confidenceInterval" in metrics[0]


def test_the_same_leaves_give_the_same_bytes(told: Told, made: dict[str, Any]) -> None:
    again = facts_in(told.log)
    assert encoded(mlbom(again, in_use(again))) == encoded(made)
    assert made["metadata"]["timestamp"] == clock.iso(END)
    other = facts_in(told.log, until=END - 86_400 * clock.SECOND)
    assert mlbom(other, in_use(other))["serialNumber"] != made["serialNumber"]


def test_evaluations_are_metrics(evaluated: Told) -> None:
    """Of real entries, as the log has them."""
    bom = mlbom(evaluated.facts, in_use(evaluated.facts))
    assert problem(bom) is None
    (component,) = bom["components"]
    metrics = component["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    found = [metric for metric in metrics if metric["type"].startswith("arithmetic")]
    index = next(n for n, leaf in enumerate(evaluated.leaves) if leaf.get("id") == "e1")
    assert found[0] == {
        "type": "arithmetic: accuracy by exact", "value": "0.8333333333333334",
        "slice": f"evaluation of data SHA-256 {'ab' * 32}, complete, 6 of 6 answers scored, "
        f"interval wilson-95, leaf {index}, n=6",
        "confidenceInterval": {"lowerBound": "0.4365", "upperBound": "0.9700"},
    }  # fmt: skip
    assert "confidenceInterval" not in found[1] and "interval none" in found[1]["slice"]
    assert "partial, 4 of 6 answers scored" in found[2]["slice"] and len(found) == 3


def test_no_person_is_named(made: dict[str, Any]) -> None:
    assert "user:" not in json.dumps(made) and msgspec.json.decode(encoded(made)) == made
