"""Why an answer ended."""

from __future__ import annotations

import pytest
from tests.wire.chat.crossings import into, lost, same

from farthing.wire.canon import Stop, StopKind
from farthing.wire.chat.stops import read_stop, write_stop
from farthing.wire.take import Taker


@pytest.mark.parametrize(
    ("told", "refused", "kind"),
    [
        ("stop", False, "end"),
        ("stop", True, "refusal"),
        ("length", True, "length"),
        ("function_call", False, "tool_calls"),
        ("content_filter", False, "filter"),
        ("new", False, "other"),
    ],
)
def test_reasons_are_read_and_written_back(told: str, refused: bool, kind: str) -> None:
    stop = read_stop(Taker({"finish_reason": told}), refused)
    assert stop == Stop(kind=kind, told=told)  # type: ignore[arg-type]
    assert write_stop(stop, same()) == told


def test_no_reason_is_none() -> None:
    for told in (None, "", 5):
        choice = Taker({"finish_reason": told})
        assert read_stop(choice, False) is None
        assert choice.left == {"finish_reason": told}


def test_an_end_that_nobody_told_has_a_word() -> None:
    assert write_stop(Stop(kind="other"), same()) == "stop"


@pytest.mark.parametrize(
    ("kind", "refused", "told", "losses"),
    [
        ("end", False, "stop", {}),
        ("stop_sequence", False, "stop", {}),
        ("length", False, "length", {}),
        ("tool_calls", False, "tool_calls", {}),
        ("refusal", False, "content_filter", {}),
        ("refusal", True, "stop", {}),
        ("filter", False, "content_filter", {}),
        ("pause", False, "stop", {"stop.pause": "shape"}),
        ("other", False, "stop", {}),
    ],
)
def test_another_dialect_s(
    kind: StopKind, refused: bool, told: str, losses: dict[str, str]
) -> None:
    crossing = into()
    assert write_stop(Stop(kind=kind, told="their word"), crossing, refused) == told
    assert lost(crossing) == losses
