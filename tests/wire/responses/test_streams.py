"""Streams read: what all of a stream says."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.responses.cases import STREAM, STREAMS

from farthing.wire.canon import Opaque, Part, Reasoning, Text, ToolCall
from farthing.wire.codec import WireEvent
from farthing.wire.dialect import Usage
from farthing.wire.events import Begin, Count, Event, Fault, Finish, Idle, More, Open, Shut
from farthing.wire.responses.streams import Reader


def read(events: list[Any]) -> list[Event]:
    reader = Reader()
    said = [one for event in events for one in reader.read(WireEvent(data=event))]
    return [one for one in said if not isinstance(one, Idle)]


def heard(said: list[Event]) -> list[tuple[type[Part], str]]:
    """Return the parts of a stream: their kind, and the text that came."""
    texts: dict[int, str] = {}
    kinds: list[type[Part]] = []
    for event in said:
        if isinstance(event, Open):
            kinds.append(type(event.content))
            texts[event.part] = ""
        elif isinstance(event, More):
            texts[event.part] += event.text
    return list(zip(kinds, texts.values(), strict=True))


@pytest.mark.parametrize("case", ["full", "unnumbered", "whole items only", "whole answer only"])
def test_a_stream_says_the_same_however_it_comes(case: str) -> None:
    said = read(STREAMS[case])
    told = [(Reasoning, "Hm."), (Text, "Sunny."), (ToolCall, '{"city": "Rome"}'), (Opaque, "")]
    if case == "whole items only":
        told.pop()  # the search's own item is not among them
    assert heard(said) == told
    (begin,) = [event for event in said if isinstance(event, Begin)]
    assert (begin.id, begin.model, begin.created) == ("resp_1", "m", 1700000000)
    (finish,) = [event for event in said if isinstance(event, Finish)]
    assert finish.stop.kind == "tool_calls"
    (count,) = [event for event in said if isinstance(event, Count)]
    assert count.tally.usage == Usage(input=6, cache_read=4, output=5, reasoning=2)


def test_a_part_s_details_are_told() -> None:
    said = read(STREAM)
    mores = [event for event in said if isinstance(event, More)]
    assert [more.encrypted for more in mores if more.encrypted] == ["gAAA"]
    assert [more.citation.url for more in mores if more.citation] == ["https://h"]
    assert [one.token for more in mores for one in more.logprobs] == ["S"]
    calls = [e.content for e in said if isinstance(e, Open) and isinstance(e.content, ToolCall)]
    assert [(call.id, call.name, call.arguments) for call in calls] == [("c1", "weather", "")]
    shut = [event.content for event in said if isinstance(event, Shut)]
    assert isinstance(shut[0], Reasoning) and shut[0].text == "Hm."
    assert isinstance(shut[2], ToolCall) and shut[2].arguments == '{"city": "Rome"}'


def test_pieces_of_a_summary_are_one_text() -> None:
    def delta(index: int, text: str) -> dict[str, Any]:
        kind = "response.reasoning_summary_text.delta"
        return {"type": kind, "output_index": 0, "summary_index": index, "delta": text}

    said = read([STREAM[0], delta(0, "a"), delta(1, "b"), delta(1, "c")])
    assert heard(said) == [(Reasoning, "a\n\nbc")]


def test_a_refusal_is_read() -> None:
    said = read(STREAMS["refused"])
    assert [text for _, text in heard(said)] == ["No."]
    (finish,) = [event for event in said if isinstance(event, Finish)]
    assert finish.stop.kind == "length"


@pytest.mark.parametrize(("case", "code"), [("failed", "server_error"), ("error", "c")])
def test_a_stream_that_breaks_off_says_so_once(case: str, code: str) -> None:
    (fault,) = [event for event in read(STREAMS[case]) if isinstance(event, Fault)]
    assert (fault.problem.message, fault.problem.code) == ("Oh.", code)
    assert fault.problem.status == 500


def test_after_the_end_nothing_is_said() -> None:
    assert read([*STREAM, *STREAM]) == read(STREAM)
