"""Streams: what others' become."""

from __future__ import annotations

from typing import Any

from tests.wire.gemini.golden import STREAMS

from farthing.wire.canon import (
    Citation,
    Problem,
    Reasoning,
    Signature,
    Stop,
    Tally,
    Text,
    TokenLogprob,
    ToolCall,
)
from farthing.wire.codec import WireEvent
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, More, Open, Shut
from farthing.wire.fold import fold, unfold
from farthing.wire.gemini.stream_reader import Reader
from farthing.wire.gemini.stream_writer import Writer

BEGIN = Begin(dialect="messages", id="m1", model="m", tally=Tally(usage=Usage(input=3)))
COUNT = Count(tally=Tally(usage=Usage(input=3, output=2), rest={"output_tokens": 2}))
TOP = {"modelVersion": "m", "responseId": "m1"}
USED = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
ENDED = {"content": {"role": "model"}, "finishReason": "STOP", "index": 0}


def sent(*lists: list[Event], crossing: Crossing | None = None) -> list[Any]:
    writer = Writer(crossing or Crossing("messages", "gemini"))
    return [event.data for events in lists for event in writer.write(events)]


def said(text: str, **more: Any) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": text, **more}]}
    return {"candidates": [{"content": content, "index": 0}], **TOP}


def more(text: str, part: int = 0, **fields: Any) -> More:
    return More(answer=0, part=part, text=text, **fields)


def opened(content: Any, part: int = 0) -> Open:
    return Open(answer=0, part=part, content=content)


def finish(kind: Any = "end") -> Finish:
    return Finish(answer=0, stop=Stop(kind=kind, told="x"))


def test_text_is_sent_as_it_comes_and_the_end_with_the_usage() -> None:
    assert sent(
        [BEGIN],
        [opened(Text(text=""))],
        [more("Hel")],
        [more("lo")],
        [Shut(answer=0, part=0)],
        [COUNT, finish()],
        [End()],
    ) == [said("Hel"), said("lo"), {"candidates": [ENDED], "usageMetadata": USED, **TOP}]


def test_usage_after_the_end_is_waited_for() -> None:
    assert sent([BEGIN, finish()], [COUNT], [End()]) == [
        {"candidates": [ENDED], "usageMetadata": USED, **TOP}
    ]


def test_an_end_without_usage_is_sent_with_what_is_known() -> None:
    used = {"promptTokenCount": 3, "candidatesTokenCount": 0, "totalTokenCount": 3}
    assert sent([BEGIN, finish()], [End()], [End()]) == [
        {"candidates": [ENDED], "usageMetadata": used, **TOP}
    ]


def test_calls_are_sent_whole() -> None:
    crossing = Crossing("messages", "gemini")
    thoughts = sent(
        [BEGIN, opened(Reasoning())],
        [more("Hm.")],
        [More(answer=0, part=0, signature=Signature(value="s", vendor="messages"))],
        [Shut(answer=0, part=0)],
        [opened(ToolCall(id="a", name="f"), 1)],
        [more('{"x"', 1)],
        [more(":1}", 1)],
        [Shut(answer=0, part=1)],
        crossing=crossing,
    )
    call = {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}}
    content = {"role": "model", "parts": [call]}
    assert thoughts == [
        said("Hm.", thought=True),
        {"candidates": [{"content": content, "index": 0}], **TOP},
    ]
    assert {loss.what for loss in crossing.losses} == {"reasoning"}


def test_citations_go_with_the_end_and_log_probabilities_with_the_text() -> None:
    events = sent(
        [BEGIN, opened(Text(text="")), more("ä", logprobs=[TokenLogprob(token="ä", logprob=-1)])],
        [more("", citation=Citation(url="u")), Shut(answer=0, part=0)],
        [opened(Text(text=""), 1), more("b", 1), more("", 1, citation=Citation(url="u"))],
        [Shut(answer=0, part=1), finish(), End()],
    )
    assert events[0]["candidates"][0]["logprobsResult"] == {
        "chosenCandidates": [{"token": "ä", "logProbability": -1}]
    }
    supports = events[-1]["candidates"][0]["groundingMetadata"]["groundingSupports"]
    assert [support["segment"] for support in supports] == [
        {"startIndex": 0, "endIndex": 2, "text": "ä"},
        {"startIndex": 2, "endIndex": 3, "text": "b"},
    ]


def test_an_error_is_sent() -> None:
    problem = Problem(dialect="messages", status=529, message="Overloaded")
    assert sent([BEGIN], [Fault(problem=problem)]) == [
        {"error": {"code": 529, "message": "Overloaded", "status": "UNAVAILABLE"}}
    ]


def test_a_whole_answer_of_its_own_can_be_streamed() -> None:
    for name in ("text", "thoughts and calls", "a call in pieces", "grounded"):
        reader, again = Reader(), Reader()
        read = [e for data in STREAMS[name] for e in reader.read(WireEvent(data=data))]
        writer = Writer(Crossing("gemini", "gemini"))
        events = [e for event in unfold(fold(read)) for e in writer.write([event])]
        told = fold([e for event in events for e in again.read(event)])
        theirs, ours = told.answers[0], fold(read).answers[0]
        assert theirs.stop == ours.stop
        assert _said(theirs.parts) == _said(ours.parts)


def _said(parts: list[Any]) -> list[str]:
    told = [part.arguments if isinstance(part, ToolCall) else part.text for part in parts]
    return [text for text in told if text]
