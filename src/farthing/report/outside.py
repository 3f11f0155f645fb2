"""What leaves outside of a period say of it: what was spent before, and held across its edges.

A limit without a window counts from the first query on, and a hold that is unresolved stays held
from one period to the next. Of all that is only kept what limits and open holds are told from.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from farthing import money
from farthing.report.times import moment


class Whose(NamedTuple):
    """The scopes by which limits and statements name queries."""

    key: str
    org: str
    team: str
    project: str
    provider: str


class Spent(NamedTuple):
    """What queries that ended before the period came to."""

    n: int
    """How many leaves it is made of."""
    requests: int
    """Without those that were never sent."""
    usd: int
    first: int
    """The first leaf, and the last."""
    last: int


class Held(NamedTuple):
    """A query that is held at an edge of the period."""

    whose: Whose
    leaf: int
    """The index of the leaf that says it: where it became unresolved, or ended after the period."""
    hold: int
    """The hold's place in the journal."""
    began: int
    """When it was admitted, in nanoseconds since 1970 (to the millisecond)."""
    usd: int


class _Ending(msgspec.Struct, gc=False):
    kind: str
    began: str
    hold: int
    key: str
    path: list[str]
    provider: str
    held_usd: str
    cost_usd: str = ""


_ending = msgspec.json.Decoder(_Ending).decode
_BEGAN = b'"began":"'
NOTHING = Spent(0, 0, 0, 0, 0)


class Outside:
    """Gathers endings before and after a period; `carried` are those that are still unresolved."""

    def __init__(self, until: str) -> None:
        """`until`: the end of the period, as leaves write a moment."""
        self._until = until.encode()
        self._whose = lru_cache(4096)(_whose)
        self.spent: dict[Whose, Spent] = {}
        self.carried: dict[int, Held] = {}
        """By their holds."""
        self.running: dict[int, Held] = {}

    def before(self, index: int, leaf: bytes) -> None:
        """Take an ending before the period."""
        told = _ending(leaf)
        if told.kind == "unresolved":
            self.carried[told.hold] = self._held(index, told)
            return
        self.carried.pop(told.hold, None)
        whose = self._whose(told.key, tuple(told.path), told.provider)
        old = self.spent.get(whose) or NOTHING._replace(first=index)
        usd = money.exact(told.cost_usd) if told.cost_usd else 0
        sent = old.requests + (told.kind != "void")
        self.spent[whose] = Spent(old.n + 1, sent, old.usd + usd, old.first, index)

    def after(self, index: int, leaf: bytes) -> None:
        """Take an ending after the period, if its query was admitted before that was over."""
        begin = leaf.find(_BEGAN) + len(_BEGAN)
        if leaf[begin : begin + len(self._until)] < self._until:
            told = _ending(leaf)
            self.running.setdefault(told.hold, self._held(index, told))

    def _held(self, index: int, told: _Ending) -> Held:
        whose = self._whose(told.key, tuple(told.path), told.provider)
        return Held(whose, index, told.hold, moment(told.began), money.exact(told.held_usd))


def _whose(key: str, path: tuple[str, ...], provider: str) -> Whose:
    first = dict(scope.partition(":")[::2] for scope in reversed(path))
    org, team, project = (first.get(kind, "") for kind in ("org", "team", "project"))
    return Whose(key, org, team, project, provider)


def is_of(whose: Whose, where: dict[str, Any]) -> bool:
    """Say whether a query is one that a condition on its scopes chooses.

    Raises:
        AttributeError: the condition is of something else, which these do not tell.
    """
    return all(getattr(whose, name) in wanted for name, wanted in where.items())


def chosen(held: Iterable[Held], where: dict[str, Any]) -> list[Held]:
    """Return the holds that a condition on their scopes chooses."""
    return [each for each in held if is_of(each.whose, where)]
