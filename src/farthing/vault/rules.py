"""What policy says of a query's contents: the rule of the nearest scope its key belongs to."""

from __future__ import annotations

from collections.abc import Iterable

from farthing import clock
from farthing.settings import ContentsRule

NOTHING = ContentsRule("nothing")

DAY = 24 * 3600 * clock.SECOND


class Rules:
    """The rows of [[contents]], by scope."""

    def __init__(self, rules: Iterable[ContentsRule]) -> None:
        self._rules = {rule.scope: rule for rule in rules}
        self._everybody = self._rules.get("", NOTHING)

    def of(self, lineage: tuple[str, ...]) -> ContentsRule:
        """Return the rule of a key and what it belongs to, the nearest first."""
        for scope in lineage:
            if (rule := self._rules.get(scope)) is not None:
                return rule
        return self._everybody

    def is_over(self, lineage: tuple[str, ...], at: int, now: int) -> bool:
        """Say whether the time of what was kept at a moment is over."""
        days = self.of(lineage).retention_days
        return days is not None and at + days * DAY <= now
