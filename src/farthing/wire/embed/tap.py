"""The tap of dialects whose answers are not streamed."""

from __future__ import annotations

from farthing.wire.dialect import Answer, Ask, Tap
from farthing.wire.tap import TailTap


class _NoTap(TailTap):
    """Passes everything on."""

    def answer(self) -> Answer:
        """Nothing is known."""
        return Answer()


def no_stream(_: Ask) -> Tap:
    """Return a tap that finds nothing."""
    return _NoTap()
