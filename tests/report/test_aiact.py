"""The checklist holds evidence against duties, and claims nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.report.conftest import BEGIN, END, Told, facts_in

from farthing import clock
from farthing.report.aiact import DUTIES, NO_CLAIM, checklist, markdown

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


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


def test_all_four_articles_are_there() -> None:
    articles = {article for duty in DUTIES for article in re.findall(r"\b\d\d(?=\()", duty.article)}
    assert articles == {"12", "19", "26", "50"}
    assert {duty.whose for duty in DUTIES} == {"provider", "deployer"}
    assert all(duty.not_covered.strip() for duty in DUTIES)


def test_figures_are_the_leaves(told: Told) -> None:
    lines = {line["article"]: line for line in checklist(told.facts)["lines"]}
    said = lines["12(1)"]["figures"]
    assert said["leaves"] == told.facts.range.last - told.facts.range.first + 1
    assert said["checked_against_the_signed_checkpoint"] is True
    since, until = clock.iso(BEGIN), clock.iso(END)
    leaves = [leaf for leaf in told.leaves if since <= leaf["at"] < until]
    unresolved = sum(leaf["kind"] == "unresolved" for leaf in leaves)
    assert lines["12(2)"]["figures"]["unresolved"] == unresolved > 0
    assert lines["26(5)"]["figures"]["queries"] > 0
    assert lines["26(4)"]["figures"] == {}


@pytest.mark.parametrize(("days", "enough"), [(183, False), (184, True)])
def test_six_months_are_counted_from_the_first_entry(told: Told, days: int, enough: bool) -> None:
    """The log of the test begins with the period, but for a millisecond."""
    until = BEGIN + days * 86_400 * clock.SECOND
    lines = {line["article"]: line for line in checklist(facts_in(told.log, BEGIN, until))["lines"]}
    for article in ("19(1)", "26(6)"):
        figures = lines[article]["figures"]
        assert (figures["days_until_the_periods_end"], figures["six_months"]) == (days, enough)


def test_of_nothing_nothing_is_known(told: Told) -> None:
    made = checklist(facts_in(told.log, 0, 1))
    assert {line["article"]: line for line in made["lines"]}["19(1)"]["figures"]["days"] is None
    assert "unknown" in markdown(made)


def test_commands_are_the_ones_there_are() -> None:
    page = PAGE.read_text()
    for duty in DUTIES:
        assert not duty.command or f"## `{duty.command}`" in page, duty.command
