"""Arguments that a stream tells in pieces: `partialArgs`, each at a JSONPath.

https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from farthing.wire.canon import JSON
from farthing.wire.take import DEEPEST

# One step of a path: .name, ['name'] or [0].
_steps = re.compile(r"""\.([^.\[\]]+)|\['([^']*)'\]|\["([^"]*)"\]|\[(\d{1,6})\]""").finditer

_VALUES = ("stringValue", "numberValue", "boolValue", "nullValue")


class Pieces:
    """The arguments of one call, as far as they were told."""

    def __init__(self) -> None:
        self.args: JSON = {}
        self._texts: dict[str, list[str]] = {}

    def add(self, told: Any) -> None:
        """Add an array of pieces; what is none is left out."""
        for piece in told if isinstance(told, list) else []:
            if isinstance(piece, dict) and isinstance(path := piece.get("jsonPath"), str):
                self._set(path, piece)

    def whole(self) -> JSON:
        """Return all arguments."""
        for path, texts in self._texts.items():
            self._put(path, "".join(texts))
        self._texts.clear()
        return self.args

    def _set(self, path: str, piece: JSON) -> None:
        key = next((key for key in _VALUES if key in piece), None)
        if key == "stringValue":
            self._texts.setdefault(path, []).append(str(piece[key]))
        elif key is not None:
            self._put(path, None if key == "nullValue" else piece[key])

    def _put(self, path: str, value: Any) -> None:
        """Put a value at a path, making what is missing on the way."""
        steps = [_step(found.groups()) for found in _steps(path)]
        if not 0 < len(steps) < DEEPEST:
            return
        here: Any = self.args
        for step, following in pairwise(steps):
            here = _enter(here, step, [] if isinstance(following, int) else {})
        _enter(here, steps[-1], value, replace=True)


def _step(groups: tuple[str | Any, ...]) -> str | int:
    *names, index = groups
    return int(index) if index is not None else next(name for name in names if name is not None)


def _enter(here: Any, step: str | int, made: Any, *, replace: bool = False) -> Any:
    """Return what is at a step, made if there is nothing yet; None where it does not fit."""
    if isinstance(here, dict) and isinstance(step, str):
        if replace or step not in here:
            here[step] = made
        return here[step]
    # A list grows by one at a time, so a path cannot make it huge.
    if isinstance(here, list) and isinstance(step, int) and step <= len(here):
        if step == len(here):
            here.append(made)
        elif replace:
            here[step] = made
        return here[step]
    return None
