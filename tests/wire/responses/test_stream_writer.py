"""Streams written from another dialect's: well-formed, and as its official client expects."""

from __future__ import annotations

from typing import Any

from openai.types.responses import Response as Official
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter
from tests.wire.responses.cases import STREAM
from tests.wire.responses.test_streams import heard

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
    ToolCall,
)
from farthing.wire.codec import WireEvent
from farthing.wire.crossing import Crossing, Loss
from farthing.wire.dialect import Usage
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, More, Open, Shut
from farthing.wire.responses.stream_writer import Writer
from farthing.wire.responses.streams import Reader

OFFICIAL: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)

BEGIN = Begin(dialect="messages", id="m1", model="m", created=5)


def opened(part: int, content: Part) -> Open:
    return Open(answer=0, part=part, content=content)


def more(part: int, text: str = "", **fields: Any) -> More:
    return More(answer=0, part=part, text=text, **fields)


def shut(part: int) -> Shut:
    return Shut(answer=0, part=part)


def finish(kind: StopKind = "end") -> list[Event]:
    tally = Tally(usage=Usage(input=1, output=2))
    return [Finish(answer=0, stop=Stop(kind=kind)), Count(tally=tally), End()]


def written(*events: Event) -> tuple[list[dict[str, Any]], set[Loss]]:
    """Return what is written, checked against the official client's types."""
    crossing = Crossing("messages", "responses")
    writer = Writer(crossing)
    sent = [event for one in events for event in writer.write([one])]
    for number, event in enumerate(sent):
        assert event.name == event.data["type"]
        assert event.data["sequence_number"] == number
        OFFICIAL.validate_python(event.data)
    return [event.data for event in sent], crossing.losses


def kinds(sent: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in sent]


def test_a_text_is_written() -> None:
    events: list[Event] = [opened(0, Text(text="")), more(0, "Sun"), more(0, "ny."), shut(0)]
    sent, losses = written(BEGIN, *events, *finish())
    assert kinds(sent) == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta",
        "output_text.delta", "output_text.done", "content_part.done", "output_item.done",
        "completed",
    ]  # fmt: skip
    assert sent[4]["delta"] == "Sun"
    assert sent[2]["item"]["content"] == []
    assert sent[3]["part"]["text"] == ""
    response = sent[-1]["response"]
    assert response["output"] == [sent[-2]["item"]]
    assert response["output"][0]["content"][0]["text"] == "Sunny."
    assert (response["id"], response["created_at"], response["status"]) == ("m1", 5, "completed")
    assert response["usage"]["total_tokens"] == 3
    assert Official.model_validate(response)
    assert not losses


EVERYTHING: list[Event] = [
    opened(0, Reasoning()),
    more(0, "Hm."),
    more(0, signature=Signature(value="s", vendor="messages")),
    shut(0),
    opened(1, Reasoning(encrypted="x")),
    shut(1),
    opened(2, Text(text="")),
    more(2, "Sunny."),
    more(2, citation=Citation(url="https://h", title="H")),
    shut(2),
    opened(3, Refusal(text="")),
    more(3, "No"),
    opened(4, ToolCall(id="c1", name="weather")),
    more(4, '{"city": '),
    more(3, "."),
    shut(3),
    more(4, '"Rome"}'),
    shut(4),
    opened(5, ToolCall(id="c2", name="sql", custom=True)),
    more(5, "SELECT 1"),
    shut(5),
    opened(6, Reasoning(summary=True)),
    more(6, "So."),
    shut(6),
    opened(7, ToolCall(id="", name="now")),
    shut(7),
]


def test_everything_is_written_and_read_again() -> None:
    sent, losses = written(BEGIN, *EVERYTHING, *finish("tool_calls"))
    assert losses == {Loss("reasoning", "hint")}
    reader = Reader()
    said: list[Event] = []
    writer = Writer(Crossing("responses", "responses"))
    for data in sent:
        event = WireEvent(data=data, name=data["type"])
        read = reader.read(event)
        assert writer.write(read) == [event]
        said += read
    assert heard(said) == [
        (Reasoning, "Hm."),
        (Text, "Sunny."),
        (Refusal, "No."),
        (ToolCall, '{"city": "Rome"}'),
        (ToolCall, "SELECT 1"),
        (Reasoning, "So."),
        (ToolCall, "{}"),
    ]


def test_items_are_whole_and_in_their_order() -> None:
    sent, _ = written(BEGIN, *EVERYTHING, *finish("tool_calls"))
    output = sent[-1]["response"]["output"]
    done = [event for event in sent if event["type"] == "response.output_item.done"]
    added = [event for event in sent if event["type"] == "response.output_item.added"]
    assert [event["output_index"] for event in added] == list(range(len(output)))
    assert {event["output_index"]: event["item"] for event in done} == dict(enumerate(output))
    assert [item["type"] for item in output] == [
        "reasoning", "message", "function_call", "custom_tool_call", "reasoning", "function_call",
    ]  # fmt: skip
    assert [part["type"] for part in output[1]["content"]] == ["output_text", "refusal"]
    assert output[1]["content"][0]["annotations"][0]["end_index"] == 6
    assert output[5]["call_id"], "an id is made where there was none"


def test_a_cut_answer_is_incomplete() -> None:
    sent, _ = written(BEGIN, opened(0, Text(text="a")), *finish("length"))
    assert kinds(sent)[-1] == "incomplete"
    assert kinds(sent)[-2] == "output_item.done", "what is open is ended"
    assert sent[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}


def test_a_fault_is_a_failed_response() -> None:
    problem = Problem(dialect="messages", status=429, message="Slow down.")
    sent, _ = written(BEGIN, opened(0, Text(text="")), Fault(problem=problem), End())
    assert kinds(sent)[-1] == "failed"
    told = {"code": "rate_limit_exceeded", "message": "Slow down."}
    assert sent[-1]["response"]["error"] == told


def test_a_fault_before_anything_is_an_error() -> None:
    problem = Problem(dialect="messages", status=500, message="Oh.")
    assert kinds(written(Fault(problem=problem), End())[0]) == ["error"]


def test_what_cannot_be_said_is_named() -> None:
    media = opened(0, Media(kind="audio"))
    second = Open(answer=1, part=0, content=Text(text=""))
    late: list[Event] = [More(answer=1, part=0, text="a"), Finish(answer=1, stop=Stop(kind="end"))]
    sent, losses = written(BEGIN, media, more(0, "x"), shut(0), second, *late, *finish())
    assert kinds(sent) == ["created", "in_progress", "completed"]
    assert losses == {Loss("audio", "meaning"), Loss("answers beyond the first", "shape")}


def test_what_is_canonical_is_put_in_anew() -> None:
    reader, writer = Reader(), Writer(Crossing("responses", "responses"))
    said = reader.read(WireEvent(data=STREAM[0], name="response.created"))
    assert isinstance(said[0], Begin)
    said[0].model = "other"
    assert writer.write(said)[0].data["response"]["model"] == "other"
    assert STREAM[0]["response"]["model"] == "m"
