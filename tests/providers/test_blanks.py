"""Blanks in addresses."""

from __future__ import annotations

from farthing.providers.blanks import fill, unfilled, values


def test_what_a_query_says_for_itself_is_no_blank() -> None:
    addresses = [
        "https://{place}.example.com/{project}",
        "/{model}:{verb}",
        "/{place}/x?v={version}",
    ]
    assert unfilled(addresses) == ["place", "project", "version"]
    assert unfilled(["https://example.com", "/{model}"]) == []


def test_the_first_variable_that_is_set_counts_or_else_the_usual() -> None:
    variables = {"place": ("A", "B"), "other": ()}
    usual = {"place": "here", "version": "1"}
    assert values(usual, variables, {}) == {"place": "here", "version": "1"}
    assert values(usual, variables, {"A": " ", "B": "there/\n"})["place"] == "there"
    assert values(usual, variables, {"A": "a", "B": "b"})["place"] == "a"
    assert values({"place": ""}, {}, {}) == {}


def test_blanks_are_filled_as_far_as_there_are_values() -> None:
    assert fill("{a}/{b}/{a}", {"a": "1"}) == "1/{b}/1"
