"""Controls: nothing missing, and everything that was changed."""

from __future__ import annotations

from collections import Counter

from tests.report.test_recorded import leaves
from tests.support.statements import figures, month, statement

from farthing.report.controls import CHANGES, INCIDENTS


def test_each_kind_of_entry_is_counted_in_the_period() -> None:
    found, span = figures(statement()), month().facts.range
    told = Counter(leaf["kind"] for leaf in leaves()[span.first : span.last + 1])
    for kind in {**CHANGES, **INCIDENTS}:
        assert found[f"entries.{kind}"]["value"] == told[kind], kind
    assert told["price-book"] == 1


def test_no_leaf_between_the_first_and_the_last_is_missing() -> None:
    found = figures(statement())
    assert found["leaves.read"]["value"] == found["leaves.positions"]["value"]


def test_a_model_that_answered_as_two_versions_is_shown_with_their_times() -> None:
    found = figures(statement())
    old, new = (f"version.openai/gpt-5.{name}" for name in ("gpt-5-2025-08-07", "gpt-5-2026-09-14"))
    assert found[f"{old}.last"]["value"] < found[f"{new}.first"]["value"]
    assert found[old]["value"] + found[new]["value"] > 0
    assert not [name for name in found if name.startswith("version.gemini")]
