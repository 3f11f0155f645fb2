"""What a codec's writer is told, and what it tells: where nodes came from, and what was lost.

Losses come in three classes. A *hint* may be missed without the answer changing (cache marks,
tiers, metadata). A *shape* changes how the answer looks (a seed, penalties). Without a *meaning* it
would be an answer to another question: such a request is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from farthing.wire.canon import Node

Severity = Literal["hint", "shape", "meaning"]


class Loss(msgspec.Struct, frozen=True, order=True):
    """Something that the other dialect cannot say."""

    what: str
    """The field or part, in the words of the dialect it was read in, such as "seed"."""
    severity: Severity


class Crossing:
    """One writing of nodes that were read in `source` into `target`."""

    def __init__(
        self,
        source: str,
        target: str,
        severities: Mapping[str, Severity] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`severities` are those of the source's fields; they count before a writer's own.
        `headers` are the target's own: they may say which version of it is written."""
        self._severities = severities or {}
        self.source = source
        self.target = target
        self.same = source == target
        self.headers = headers or {}
        self.losses: set[Loss] = set()

    def lose(self, what: str, severity: Severity) -> None:
        """Name something that is left out."""
        self.losses.add(Loss(what, severity))

    def rest(
        self, node: Node, where: str = "", severities: Mapping[str, Severity] | None = None
    ) -> dict[str, Any]:
        """Return what is written back of a node's `rest`: all of it on the same dialect, else
        nothing, and each key that is not null becomes a loss (a shape, unless said)."""
        if self.same:
            return node.rest
        if not node.rest:
            return {}
        for key, value in node.rest.items():
            if value is not None:
                severity = self._severities.get(key) or (severities or {}).get(key, "shape")
                self.lose(f"{where}.{key}" if where else key, severity)
        return {}

    def form(self, node: Node) -> str:
        """Return a node's spelling if it is this dialect's own."""
        return node.form if self.same else ""
