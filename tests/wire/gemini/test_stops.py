"""Why an answer ended."""

from __future__ import annotations

from typing import Any

import pytest

from farthing.wire.canon import Stop
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.stops import read_stop, write_stop


@pytest.mark.parametrize(
    ("told", "calls", "kind"),
    [
        ("STOP", False, "end"),
        ("STOP", True, "tool_calls"),
        ("MAX_TOKENS", True, "length"),
        ("PROHIBITED_CONTENT", False, "filter"),
        ("MALFORMED_FUNCTION_CALL", False, "error"),
        ("NEW", False, "other"),
        (1, True, "tool_calls"),
        (99, False, "other"),
    ],
)
def test_reasons_are_read_and_written_back(told: Any, calls: bool, kind: str) -> None:
    stop = read_stop(told, calls)
    assert stop is not None and stop.kind == kind
    assert write_stop(stop, Crossing("gemini", "gemini")) == told


@pytest.mark.parametrize("told", [None, True, [], 1.5])
def test_what_is_no_reason_is_none(told: Any) -> None:
    assert read_stop(told, False) is None


def test_reasons_of_another_dialect_are_written() -> None:
    crossing = Crossing("messages", "gemini")
    assert write_stop(Stop(kind="pause", told="pause_turn"), crossing) == "OTHER"
    assert write_stop(Stop(kind="refusal"), crossing) == "SAFETY"
    assert not crossing.losses
    assert write_stop(Stop(kind="stop_sequence", sequence="."), crossing) == "STOP"
    assert {loss.what for loss in crossing.losses} == {"stop_sequence"}
