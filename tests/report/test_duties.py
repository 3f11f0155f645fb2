"""Duties: each with what is held, and what is not; and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from farthing.report.duties import DUTIES
from farthing.report.measure import MEASURES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_all_four_articles_are_there() -> None:
    articles = {article for duty in DUTIES for article in re.findall(r"\b\d\d(?=\()", duty.article)}
    assert articles == {"12", "19", "26", "50"}
    assert {duty.whose for duty in DUTIES} == {"provider", "deployer"}
    assert all(duty.not_covered.strip() for duty in DUTIES)


def test_figures_are_queries_with_names_of_their_own() -> None:
    for duty in DUTIES:
        assert len({each.name for each in duty.figures}) == len(duty.figures)
        assert all(each.query["measure"] in MEASURES for each in duty.figures)


def test_commands_are_the_ones_there_are() -> None:
    page = PAGE.read_text()
    for duty in DUTIES:
        assert not duty.command or f"## `{duty.command}`" in page, duty.command
