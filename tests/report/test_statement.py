"""The document: by its schema, the same each time, and with no tenant in a shareholder's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bench.month import KEYS, PARENTS
from jsonschema import Draft202012Validator
from tests.support.statements import EDITIONS, figures, inputs, source, statement

from farthing.report import statement as module
from farthing.report.measure import MEASURES
from farthing.report.statement import canonical, compose
from farthing.report.view import NAMED

SCHEMA = json.loads((Path(module.__file__).parent / "statement.schema.json").read_text())


@pytest.mark.parametrize(("edition", "scope"), EDITIONS)
def test_it_is_by_its_schema(edition: str, scope: str) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(json.loads(canonical(statement(edition, scope))))


@pytest.mark.parametrize("part", ["figures", "sections", "log", "inputs", "summary"])
def test_the_schema_misses_what_is_not_there(part: str) -> None:
    broken = {name: value for name, value in statement().items() if name != part}
    assert not Draft202012Validator(SCHEMA).is_valid(broken)
    without = [s for s in statement()["sections"] if s["id"] != "caveats"]
    assert not Draft202012Validator(SCHEMA).is_valid({**statement(), "sections": without})


def test_the_same_leaves_and_inputs_make_the_same_bytes() -> None:
    assert canonical(compose(inputs(), source())) == canonical(statement())


def test_it_is_written_by_rfc_8785_without_floats() -> None:
    def refused(text: str) -> Any:
        raise AssertionError(text)

    data = canonical(statement())
    told = json.loads(data, parse_float=refused)
    written = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert written.encode() == data


@pytest.mark.parametrize(("edition", "scope"), EDITIONS)
def test_every_figure_is_asked_and_each_number_in_it_is_a_figure(edition: str, scope: str) -> None:
    made = statement(edition, scope)
    found = figures(made)
    assert len(found) == len(made["figures"])
    assert all(figure["query"]["measure"] in MEASURES for figure in found.values())
    said = list(made["summary"]["notes"])
    for section in made["sections"]:
        for block in section["blocks"]:
            said += [block.get("text", ""), *block.get("notes", ())]
    named = {name for words in said for name in NAMED.findall(words)}
    assert named and named <= found.keys()


def test_a_shareholder_is_shown_no_tenant() -> None:
    said = canonical(statement("shareholder")).decode()
    tenants = {*KEYS, *(name.split(":")[1] for name in (*PARENTS, *PARENTS.values(), "org:acme"))}
    assert not [name for name in tenants - {"papers", "copy", "trial"} if f'"{name}"' in said]
    assert not [each for each in ("org:", "team:", "project:", "key:") if f'"{each}' in said]


def test_a_customer_is_shown_no_other_one() -> None:
    said = canonical(statement("customer", "team:search")).decode()
    others = ["team:support", "team:research", "help-desk", "k-desk", "cmt-a", "lot-1"]
    assert not [name for name in others if name in said]
    for figure in statement("customer", "team:search")["figures"]:
        where = figure["query"].get("where", {})
        scoped = where.get("team") == ["search"] or "kind" in where
        assert scoped or figure["query"]["measure"] in ("size", "stated"), figure["id"]
