"""The digest of a data set: of the samples that are asked, in their order, as RFC 8785 JSON.

One line for each sample: its choices (where it has some), id, input and target. Files and metadata
are not in it. Ids that the framework gives to messages, anew each time, are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec

from farthing.errors import ConfigError

# RFC 8785 §3.2.3: names in the order of their UTF-16 units. The names here are ASCII.
_encode = msgspec.json.Encoder(order="sorted").encode


def digest(samples: Iterable[Any], ids: Iterable[int | str]) -> str:
    """Return the SHA-256, in hex, of Inspect's samples; `ids` are theirs in its log.

    Raises:
        ConfigError: a sample has a number that is not whole.
    """
    lines = sha256()
    for sample, known_as in zip(samples, ids, strict=True):
        lines.update(_encode(_plain(sample, known_as)) + b"\n")
    return lines.hexdigest()


def _plain(sample: Any, known_as: int | str) -> dict[str, Any]:
    asked = sample.input
    if not isinstance(asked, str):
        asked = [m.model_dump(mode="json", exclude_none=True, exclude={"id"}) for m in asked]
    told = {"id": known_as, "input": asked, "target": sample.target}
    if sample.choices:
        told["choices"] = sample.choices
    _whole(told)
    return told


def _whole(value: Any) -> None:
    """Refuse floats: their canonical form is JavaScript's, and samples are text."""
    if isinstance(value, float):
        raise ConfigError(f"a sample has the number {value}, which has no one form; write text")
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _whole(inner)
