"""Which rule is a query's: that of the nearest scope its key belongs to."""

from __future__ import annotations

import pytest
from tests.support.vault import ORG

from farthing.settings import ContentsRule
from farthing.vault.rules import DAY, Rules

RULES = [
    ContentsRule("commitments"),
    ContentsRule("contents", "team:legal", 30),
    ContentsRule("nothing", "org:acme"),
]


@pytest.mark.parametrize(
    ("lineage", "keep"),
    [
        (ORG, "contents"),
        (("key:k2", "org:acme"), "nothing"),
        (("key:k3", "team:other"), "commitments"),
        (("key:k4",), "commitments"),
    ],
)
def test_the_nearest_scope_counts(lineage: tuple[str, ...], keep: str) -> None:
    assert Rules(RULES).of(lineage).keep == keep


def test_without_rules_nothing_is_kept() -> None:
    assert Rules([]).of(ORG).keep == "nothing"


def test_its_time_is_over_when_policy_says_so_and_not_before() -> None:
    rules = Rules(RULES)
    assert not rules.is_over(ORG, 5, 5 + 30 * DAY - 1)
    assert rules.is_over(ORG, 5, 5 + 30 * DAY)
    assert not rules.is_over(("key:k4",), 5, 5 + 9999 * DAY)
