"""Streams: what is read of them."""

from __future__ import annotations

import pytest
from tests.wire.gemini.golden import SEAL, STREAMS

from farthing.wire.canon import Reasoning, Signature, Stop, Text, ToolCall
from farthing.wire.codec import WireEvent
from farthing.wire.dialect import Usage
from farthing.wire.events import Event, Fault, Finish, Idle, More, Open, Shut
from farthing.wire.fold import fold
from farthing.wire.gemini.stream_reader import Reader


def events(name: str) -> list[Event]:
    reader = Reader()
    return [event for data in STREAMS[name] for event in reader.read(WireEvent(data=data))]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_keeps_to_the_grammar(name: str) -> None:
    opened: dict[int, int] = {}
    finished: set[int] = set()
    for event in events(name):
        match event:
            case Open():
                assert event.answer not in opened
                opened[event.answer] = event.part
            case More():
                assert opened[event.answer] == event.part
            case Shut():
                assert opened.pop(event.answer) == event.part
            case Finish():
                assert event.answer not in opened and event.answer not in finished
                finished.add(event.answer)
    fold(events(name))


def test_text_is_one_part() -> None:
    response = fold(events("text"))
    assert (response.id, response.model) == ("r1", "gemini-2.5-flash")
    (text,) = response.answers[0].parts
    seal = Signature(value=SEAL, vendor="gemini")
    assert text == Text(text="Hello", signature=seal)
    assert response.answers[0].stop == Stop(kind="end", told="STOP")
    assert response.tally is not None
    assert response.tally.usage == Usage(input=12, cache_read=8, output=8, reasoning=3)


def test_thoughts_texts_and_calls_are_parts_of_their_own() -> None:
    answer = fold(events("thoughts and calls")).answers[0]
    thought, text, first, second, last = answer.parts
    assert isinstance(thought, Reasoning) and thought.text == "Hm."
    assert isinstance(text, Text) and text.text == "So:"
    assert isinstance(first, ToolCall) and first.id == "call_r1_0"
    assert isinstance(second, ToolCall) and second.arguments == '{"city":"Bern"}'
    assert isinstance(last, Text) and last.text == ""
    assert answer.stop is not None and answer.stop.kind == "tool_calls"


def test_a_call_in_pieces_is_one_call() -> None:
    (call,) = fold(events("a call in pieces")).answers[0].parts
    assert isinstance(call, ToolCall)
    assert (call.name, call.arguments) == ("weather", '{"days":[1],"city":"Bern"}')


def test_citations_and_log_probabilities_are_of_the_open_text() -> None:
    answer = fold(events("grounded")).answers[0]
    (text,) = answer.parts
    assert isinstance(text, Text)
    assert [(cited.url, cited.end) for cited in text.citations] == [
        ("https://z.example", 6),
        ("", 6),
    ]
    assert [token.logprob for token in answer.logprobs] == [-1.5]


def test_answers_are_told_apart() -> None:
    first, second = fold(events("two answers")).answers
    assert (first.stop, second.stop) == (
        Stop(kind="end", told="STOP"),
        Stop(kind="filter", told="3", form="number"),
    )


def test_an_error_breaks_the_stream_off() -> None:
    fault = events("an error")[-1]
    assert isinstance(fault, Fault) and fault.problem.status == 503


def test_a_blocked_prompt_finishes_the_answer() -> None:
    (finish,) = [event for event in events("blocked") if isinstance(event, Finish)]
    assert finish.stop.kind == "filter"


def test_what_is_no_slice_is_idle() -> None:
    assert Reader().read(WireEvent(data="[DONE]")) == [Idle(type="raw", rest={"data": "[DONE]"})]
