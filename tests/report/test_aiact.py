"""The checklist holds evidence against duties, and claims nothing."""

from __future__ import annotations

import json
import re

import pytest
from tests.report.conftest import BEGIN, END, Told, facts_in

from farthing import clock
from farthing.report.aiact import checklist, markdown
from farthing.report.duties import KEPT, NO_CLAIM


def test_no_claim_of_conformity_stands_at_the_top(told: Told) -> None:
    made = checklist(told.facts)
    assert next(iter(made)) == "no_claim"
    text = markdown(made)
    assert text.index(NO_CLAIM) < text.index("## ")
    assert NO_CLAIM.startswith("No claim of conformity is made")


def test_nothing_is_said_to_comply(told: Told) -> None:
    made = checklist(told.facts)
    for text in (markdown(made), json.dumps(made)):
        assert not re.search(r"complian|complies|comply|certif|fulfil|satisf", text, re.IGNORECASE)
        assert len(re.findall("conform", text, re.IGNORECASE)) == 1, "in the disclaimer alone"


def test_figures_are_the_leaves(told: Told) -> None:
    lines = {line["article"]: line for line in checklist(told.facts)["lines"]}
    said = lines["12(1)"]["figures"]
    assert said["leaves"] == told.facts.range.last - told.facts.range.first + 1
    assert checklist(told.facts)["log"]["verified"] is True
    since, until = clock.iso(BEGIN), clock.iso(END)
    leaves = [leaf for leaf in told.leaves if since <= leaf["at"] < until]
    unresolved = sum(leaf["kind"] == "unresolved" for leaf in leaves)
    assert lines["12(2)"]["figures"]["unresolved"] == unresolved > 0
    assert lines["26(5)"]["figures"]["queries"] > 0
    assert lines["26(4)"]["figures"] == {}


@pytest.mark.parametrize("days", [50, 80])
def test_days_are_counted_from_the_first_entry(told: Told, days: int) -> None:
    """The log of the test begins with the period, but for a millisecond."""
    until = BEGIN + days * 86_400 * clock.SECOND
    lines = {line["article"]: line for line in checklist(facts_in(told.log, BEGIN, until))["lines"]}
    for article in ("19(1)", "26(6)"):
        assert lines[article]["figures"][KEPT[1].name] == days


def test_of_nothing_nothing_is_known(told: Told) -> None:
    made = checklist(facts_in(told.log, 0, 1))
    assert {line["article"]: line for line in made["lines"]}["19(1)"]["figures"][
        KEPT[1].name
    ] is None
    assert "unknown" in markdown(made)
