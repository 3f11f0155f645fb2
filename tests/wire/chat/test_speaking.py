"""Streams, written."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.chat.crossings import into, lost, same
from tests.wire.chat.golden import STREAMS, USAGE, chunk, delta

from farthing.wire.canon import (
    Citation,
    Media,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Signature,
    Stop,
    StopKind,
    Tally,
    Text,
    TokenLogprob,
    ToolCall,
)
from farthing.wire.chat.hearing import Hearing
from farthing.wire.chat.speaking import Speaking
from farthing.wire.codec import WireEvent
from farthing.wire.dialect import Usage
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, Idle, More, Open, Shut

BEGIN = Begin(dialect="other", id="x", model="m", created=1)
FIRST: dict[str, Any] = {"role": "assistant", "content": ""}


def opened(content: Part, part: int = 0, answer: int = 0) -> Open:
    return Open(answer=answer, part=part, content=content)


def more(text: str = "", part: int = 0, answer: int = 0, **told: Any) -> More:
    return More(answer=answer, part=part, text=text, **told)


def shut(part: int = 0, content: Part | None = None) -> Shut:
    return Shut(answer=0, part=part, content=content)


def finish(kind: StopKind, answer: int = 0) -> Finish:
    return Finish(answer=answer, stop=Stop(kind=kind, told="theirs"))


def spoken(*events: Event) -> tuple[list[Any], dict[str, str]]:
    """Return the data of the events written, and what was lost."""
    crossing = into()
    writer = Speaking(crossing)
    written = [told.data for event in events for told in writer.write([event])]
    return written, lost(crossing)


def deltas(*events: Event) -> list[dict[str, Any]]:
    """Return the deltas of answer 0, but for the first."""
    written, _ = spoken(BEGIN, *events)
    return [told["choices"][0]["delta"] for told in written[1:]]


def piece(index: int, **told: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, **told}]}


def test_a_whole_stream() -> None:
    written, losses = spoken(
        BEGIN,
        Idle(type="ping"),
        opened(Text(text="")),
        more("Hi"),
        shut(),
        finish("end"),
        Count(tally=Tally(usage=Usage(input=1))),
        Count(tally=Tally(usage=Usage(input=3, output=2))),
        End(),
    )
    envelope = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    usage = {
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "total_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    assert written == [
        {**envelope, "choices": [delta(**FIRST)]},
        {**envelope, "choices": [delta(content="Hi")]},
        {**envelope, "choices": [delta(_stop="stop")]},
        {**envelope, "choices": [], "usage": usage},
        "[DONE]",
    ]
    assert losses == {}


def test_without_a_count_there_is_no_usage() -> None:
    written, _ = spoken(BEGIN, finish("end"), End())
    assert len(written) == 3
    assert written[-1] == "[DONE]"


def test_tool_calls_have_indexes_of_their_own() -> None:
    told = deltas(
        opened(Text(text=""), 0),
        opened(ToolCall(id="a", name="f"), 1),
        more('{"x":', 1),
        opened(ToolCall(id="", name="g", custom=True), 2),
        more("1}", 1),
        more("free", 2),
    )
    assert told == [
        piece(0, id="a", type="function", function={"name": "f", "arguments": ""}),
        piece(0, function={"arguments": '{"x":'}),
        piece(1, id="call_0_2", type="custom", custom={"name": "g", "input": ""}),
        piece(0, function={"arguments": "1}"}),
        piece(1, custom={"input": "free"}),
    ]


def test_a_call_without_arguments_has_an_object_of_them() -> None:
    told = deltas(opened(ToolCall(id="a", name="f")), shut())
    assert told[-1] == piece(0, function={"arguments": "{}"})


def test_what_only_the_end_of_a_part_tells_is_told() -> None:
    assert deltas(opened(Text(text="")), shut(content=Text(text="a"))) == [{"content": "a"}]
    assert deltas(opened(Text(text="a")), shut(content=Text(text="a"))) == [{"content": "a"}]


def test_reasoning_and_refusals() -> None:
    seal = Signature(value="S", vendor="other")
    events: list[Event] = [
        opened(Reasoning()),
        more("hm"),
        more(signature=seal),
        opened(Refusal(text="no"), 1),
    ]
    assert deltas(*events) == [{"reasoning_content": "hm"}, {"refusal": "no"}]
    written, losses = spoken(BEGIN, *events, finish("refusal"))
    assert losses == {"reasoning.signature": "hint"}
    assert written[-1]["choices"][0]["finish_reason"] == "stop"


def test_citations_and_log_probabilities() -> None:
    tokens = [TokenLogprob(token="a", logprob=-1)]
    written, losses = spoken(
        BEGIN,
        opened(Text(text="")),
        more("abc", logprobs=tokens),
        more(citation=Citation(url="u", title="t")),
        more(citation=Citation(title="a document")),
    )
    note = {"url": "u", "title": "t", "start_index": 0, "end_index": 3}
    assert written[1]["choices"][0]["logprobs"]["content"][0]["token"] == "a"
    assert written[2]["choices"][0]["delta"] == {
        "annotations": [{"type": "url_citation", "url_citation": note}]
    }
    assert losses == {"citations": "shape"}


def test_each_answer_begins_with_its_role() -> None:
    written, _ = spoken(BEGIN, opened(Text(text="a"), answer=1), finish("end", 1))
    assert [told["choices"][0]["index"] for told in written] == [0, 1, 1, 1]
    assert written[1]["choices"][0]["delta"] == FIRST


def test_a_part_that_cannot_be_told_is_named() -> None:
    written, losses = spoken(BEGIN, opened(Media(kind="image", data="AA")), more("x"), shut())
    assert len(written) == 1
    assert losses == {"answer media": "meaning"}


def test_a_fault() -> None:
    problem = Problem(dialect="other", status=529, message="Over", kind="overloaded_error")
    written, _ = spoken(BEGIN, Fault(problem=problem))
    told = {"type": "server_error", "param": None, "code": "overloaded_error"}
    assert written[1] == {"error": {"message": "Over", **told}}


@pytest.mark.parametrize("odd", [more("a"), shut(), Idle(type="x")])
def test_events_of_nothing_say_nothing(odd: Event) -> None:
    assert spoken(odd) == ([], {})


# -- on the same dialect ------------------------------------------------------------------------


def test_changed_text_is_written_where_it_came_from() -> None:
    reader, writer = Hearing(), Speaking(same())
    told = chunk(delta(reasoning="a", reasoning_content="a", role="assistant"), usage=USAGE)
    events = reader.read(WireEvent(data=told))
    for event in events:
        if isinstance(event, More):
            event.text = "b"
    (written,) = writer.write(events)
    again = delta(reasoning="b", reasoning_content="b", role="assistant")
    assert written.data == chunk(again, usage=USAGE)


def test_a_usage_chunk_that_is_kept_back_leaves_no_trace() -> None:
    reader, writer = Hearing(), Speaking(same())
    for data in STREAMS["text"]:
        events = reader.read(WireEvent(data=data))
        wanted: list[Event] = [event for event in events if not isinstance(event, Count)]
        assert [told.data for told in writer.write(wanted)] == ([data] if wanted else [])
        assert wanted or data["usage"]


def test_a_fault_of_our_own_can_end_a_stream() -> None:
    reader, writer = Hearing(), Speaking(same())
    writer.write(reader.read(WireEvent(data=chunk(delta(content="a")))))
    fault = Fault(problem=Problem(dialect="chat", status=500, message="Broken"))
    assert writer.write([fault]) == [WireEvent(data={"error": {"message": "Broken"}})]
