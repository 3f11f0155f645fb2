"""A statement while it is written."""

from __future__ import annotations

import hashlib
import json

import pytest
from tests.support.statements import draft

from farthing.report.draft import notes, plot, query_hash, table, text


def test_a_figure_has_its_query_its_hash_and_its_range() -> None:
    made = draft()
    cell = made.figure("n", "queries", "count", where=made.where(provider=["openai"]))
    figure = made.figures["n"]
    assert cell == {"figure": "n"} and made.value(cell) == figure["n"] > 0
    written = json.dumps(figure["query"], sort_keys=True, separators=(",", ":"))
    assert figure["query_sha256"] == hashlib.sha256(written.encode()).hexdigest()
    assert figure["query_sha256"] == query_hash(figure["query"])
    assert figure["range"][0] <= figure["range"][1]


def test_two_figures_are_never_called_the_same() -> None:
    made = draft()
    made.figure("n", "queries", "count", where={})
    with pytest.raises(AssertionError):
        made.figure("n", "queries", "count", where={})


def test_a_customers_queries_all_have_its_condition() -> None:
    made = draft("customer", "team:search")
    assert made.where(stream=True) == {"team": ["search"], "stream": True}
    assert not made.whole and draft().whole


def test_what_has_nothing_to_show_is_left_out() -> None:
    made = draft()
    assert table("none", ["a"], []) is None and plot("bars", "none", "USD", [], []) is None
    made.section("one", "One", [text("a"), None, notes("b")])
    made.section("two", "Two", [])
    assert [section["number"] for section in made.sections] == [1, 2]
    assert [block["type"] for block in made.sections[0]["blocks"]] == ["text", "notes"]
