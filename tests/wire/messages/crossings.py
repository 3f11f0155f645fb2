"""What the tests of crossings share."""

from __future__ import annotations

from farthing.wire.crossing import Crossing


def into() -> Crossing:
    """A crossing from another dialect into this one."""
    return Crossing("chat", "messages")


def lost(crossing: Crossing) -> dict[str, str]:
    return {loss.what: loss.severity for loss in crossing.losses}
