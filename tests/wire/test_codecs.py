"""Every dialect has a codec, and every codec keeps the laws on a conversation made for all."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from farthing.wire import DIALECTS
from farthing.wire.canon import Answer, Reasoning, Response, Signature, Stop, Tally, Text, ToolCall
from farthing.wire.codecs import CODECS
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.events import Event
from farthing.wire.fold import fold, unfold
from farthing.wire.framing import WireEvent

PAIRS = [(here, there) for here in CODECS for there in CODECS]
NAMES = [f"{here}-{there}" for here, there in PAIRS]


def response(dialect: str, *parts: Any, stop: str = "end") -> Response:
    answer = Answer(parts=list(parts), stop=Stop(kind=stop))  # type: ignore[arg-type]
    tally = Tally(usage=Usage(input=9, cache_read=4, output=5))
    return Response(dialect=dialect, id="id-1", model="m", created=1, answers=[answer], tally=tally)


CASES = {
    "text": response("none", Text(text="Grüezi 🌱")),
    "length": response("none", Text(text="cut"), stop="length"),
    "calls": response(
        "none",
        Text(text="One moment."),
        ToolCall(id="call_1", name="f", arguments='{"a":1}'),
        ToolCall(id="call_2", name="g", arguments="{}"),
        stop="tool_calls",
    ),
}


def said(found: Response) -> list[tuple[str, Any]]:
    """Return texts and calls, without what a dialect's own spelling adds."""
    parts: list[tuple[str, Any]] = []
    for part in found.answers[0].parts:
        if isinstance(part, Text):
            parts.append(("text", part.text))
        elif isinstance(part, ToolCall):
            parts.append((part.name, json.loads(part.arguments)))
    return parts


def ending(found: Response) -> str:
    stop = found.answers[0].stop
    return stop.kind if stop is not None else ""


def test_every_dialect_has_a_codec_of_its_name() -> None:
    crossing = [d.name for d in DIALECTS.values() if d.crosses and d.family == "answers"]
    assert list(CODECS) == crossing
    assert all(codec.name == name for name, codec in CODECS.items())


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", CODECS)
def test_an_answer_written_is_read_the_same(name: str, case: str) -> None:
    crossing = Crossing("none", name)
    found = CODECS[name].read_response(CODECS[name].write_response(CASES[case], crossing))
    assert said(found) == said(CASES[case])
    assert ending(found) == ending(CASES[case])
    assert found.tally is not None and found.tally.usage == Usage(input=9, cache_read=4, output=5)


def streamed(name: str, told: Response) -> list[WireEvent]:
    writer = CODECS[name].stream_writer(Crossing("none", name))
    return [event for slice_ in unfold(told) for event in writer.write([slice_])]


def heard(name: str, events: list[WireEvent]) -> list[Event]:
    reader = CODECS[name].stream_reader()
    return [found for event in events for found in reader.read(event)]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", CODECS)
def test_a_whole_answer_streams_and_is_gathered_the_same(name: str, case: str) -> None:
    found = fold(heard(name, streamed(name, CASES[case])))
    assert said(found) == said(CASES[case])
    assert ending(found) == ending(CASES[case])
    assert found.tally is not None and found.tally.usage == Usage(input=9, cache_read=4, output=5)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", CODECS)
def test_each_event_is_written_back_as_it_was_read(name: str, case: str) -> None:
    reader, writer = CODECS[name].stream_reader(), CODECS[name].stream_writer(Crossing(name, name))
    for event in streamed(name, CASES[case]):
        assert writer.write(reader.read(event)) == [event]


@pytest.mark.parametrize(("here", "there"), PAIRS, ids=NAMES)
def test_thoughts_that_another_vendor_sealed_are_not_sent_as_its_own(here: str, there: str) -> None:
    """They come back to their vendor with their seal, and to nobody else with it."""
    seal = Signature(value="c2VhbA==", vendor=here)
    thought = Reasoning(text="hm", signature=seal, id="rs_1")
    told = response(here, thought, Text(text="x"))
    crossing = Crossing(here, there)
    written = CODECS[there].write_response(told, crossing)
    if here != there:
        assert "c2VhbA==" not in msgspec.json.encode(written).decode()
