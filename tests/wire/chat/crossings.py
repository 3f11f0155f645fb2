"""What the tests of crossings share."""

from __future__ import annotations

from farthing.wire.crossing import Crossing


def same() -> Crossing:
    return Crossing("chat", "chat")


def into() -> Crossing:
    """A crossing from another dialect into this one."""
    return Crossing("other", "chat")


def lost(crossing: Crossing) -> dict[str, str]:
    return {loss.what: loss.severity for loss in crossing.losses}
