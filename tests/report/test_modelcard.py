"""Model cards have the documented structure, and nothing that the ledger does not know."""

from __future__ import annotations

from typing import Any

import jsonschema
import yaml
from tests.report.conftest import Told

from farthing.report.inuse import in_use
from farthing.report.modelcard import UNKNOWN, card, metadata, yaml_lines

TEXT = {"type": "string", "minLength": 1}
NAMED = {"type": "object", "required": ["type"], "properties": {"type": TEXT, "name": TEXT}}
# https://github.com/huggingface/hub-docs/blob/main/modelcard.md
STRUCTURE = {
    "type": "object",
    "required": ["license", "model-index"],
    "properties": {
        "license": {"const": "unknown"},
        "tags": {"type": "array", "items": TEXT},
        "model-index": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "results"],
                "properties": {
                    "name": TEXT,
                    "results": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["task", "dataset", "metrics"],
                            "properties": {
                                "task": NAMED,
                                "dataset": {**NAMED, "required": ["type", "name"]},
                                "metrics": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {**NAMED, "required": ["type", "value"]},
                                },
                                "source": {
                                    "type": "object",
                                    "required": ["url"],
                                    "properties": {
                                        "url": {"type": "string", "pattern": "^[a-z]+:"}
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def front_matter(text: str) -> Any:
    before, matter, _ = text.split("---\n", 2)
    assert before == ""
    return yaml.safe_load(matter)


def test_the_metadata_has_the_documented_structure(told: Told) -> None:
    span = told.facts.range
    for use in in_use(told.facts):
        read = front_matter(card(span, [use]))
        jsonschema.validate(read, STRUCTURE)
        assert read == metadata(span, [use])


def test_evaluations_are_results(evaluated: Told) -> None:
    """Of real entries, as the log has them; the one that scored nothing is none."""
    read = front_matter(card(evaluated.facts.range, in_use(evaluated.facts)))
    jsonschema.validate(read, STRUCTURE)
    _, whole, partial = read["model-index"][0]["results"]
    assert whole["dataset"]["type"] == f"sha256:{'ab' * 32}"
    assert whole["metrics"][0] == {
        "type": "accuracy", "value": "0.8333333333333334",
        "name": "exact, n=6, 95 % from 0.4365 to 0.9700 (wilson-95)",
    }  # fmt: skip
    assert "partial, 4 of 6 answers scored" in partial["dataset"]["name"]


def test_figures_say_where_they_come_from(told: Told) -> None:
    use = in_use(told.facts)[0]
    result = metadata(told.facts.range, [use])["model-index"][0]["results"][0]
    assert f"leaves {use.leaves.first} to {use.leaves.last}" in result["source"]["name"]
    assert result["metrics"][0]["type"] == "availability"
    assert "95 % from" in result["metrics"][0]["name"]


def test_the_rest_is_said_to_be_unknown(told: Told) -> None:
    text = card(told.facts.range, in_use(told.facts)[:1])
    assert all(f"- {unknown}" in text for unknown in UNKNOWN)


def test_yaml_is_what_it_was_made_of() -> None:
    value = {"a": [{"b": 1, "c": ["x: y", "- z", "é\n"]}, "d"], "e": {}, "f": {"g": None}, "h": []}
    assert yaml.safe_load("\n".join(yaml_lines(value))) == value
