"""The codec's laws: what is read is written back, and nothing hostile gets through."""

from __future__ import annotations

import copy
import json
import lzma
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.wire.responses.cases import PROBLEMS, REQUESTS, RESPONSES, STREAMS
from tests.wire.test_corpus import CORPUS, say

from farthing.errors import Malformed
from farthing.wire import sse
from farthing.wire.codec import WireEvent
from farthing.wire.crossing import Crossing
from farthing.wire.events import End, Event, Finish, Idle, Open, Shut
from farthing.wire.responses.codec import CODEC

JSON = dict[str, Any]

__all__ = ["say"]  # a fixture

# A stream in which an answer of another dialect was recorded.
NO_RESPONSE = {"prism-b4f7cfe01e3e"}


def here() -> Crossing:
    return Crossing(CODEC.name, CODEC.name)


def wire(event: Any) -> WireEvent:
    name = event.get("type") if isinstance(event, dict) else None
    return WireEvent(data=event, name=name if isinstance(name, str) else "")


def check_stream(events: list[WireEvent]) -> list[Event]:
    """Check that each event is written back, and return what all of them said."""
    reader, writer = CODEC.stream_reader(), CODEC.stream_writer(here())
    said: list[Event] = []
    for event in events:
        read = reader.read(event)
        assert writer.write(read) == [event]
        said += read
    return said


def check_grammar(said: list[Event]) -> None:
    told = [event for event in said if not isinstance(event, Idle)]
    kinds = [type(event).__name__ for event in told]
    assert kinds.count("Begin") == (1 if told else 0)
    assert kinds[:1] in ([], ["Begin"])
    opened = [event.part for event in told if isinstance(event, Open)]
    shut = [event.part for event in told if isinstance(event, Shut)]
    assert opened == list(range(len(opened)))
    if any(isinstance(event, End) for event in told):
        assert kinds[-1] == "End"
        assert opened == shut
        assert sum(isinstance(event, Finish) for event in told) + kinds.count("Fault") == 1


# -- identity -------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", REQUESTS.values(), ids=REQUESTS)
def test_a_request_is_written_back(body: JSON) -> None:
    before = copy.deepcopy(body)
    crossing = here()
    assert CODEC.write_request(CODEC.read_request(body), crossing) == before
    assert body == before, "what is read is not changed"
    assert not crossing.losses


@pytest.mark.parametrize("body", RESPONSES.values(), ids=RESPONSES)
def test_an_answer_is_written_back(body: JSON) -> None:
    before = copy.deepcopy(body)
    assert CODEC.write_response(CODEC.read_response(body), here()) == before
    assert body == before


@pytest.mark.parametrize(("status", "body"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_is_written_back(status: int, body: JSON) -> None:
    assert CODEC.write_problem(CODEC.read_problem(status, body), here()) == body


@pytest.mark.parametrize("events", STREAMS.values(), ids=STREAMS)
def test_a_stream_is_written_back(events: list[Any]) -> None:
    check_grammar(check_stream([wire(event) for event in events]))


# -- hostile input --------------------------------------------------------------------------------

ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**30, "", "x", "\ud800", [], [1], [[]], {}, {"type": []},
    {"type": "message"}, [{"type": "message", "role": "assistant", "content": [{}]}], "message",
    {"a": None}, "data:;base64,", "assistant", [{"type": "output_text"}],
]  # fmt: skip


def mutated(value: Any, dice: random.Random) -> Any:
    """Return a copy with one thing in it replaced, left out, or added."""
    value = copy.deepcopy(value)
    places = list(_places(value))
    if not places:
        return dice.choice(ODD)
    holder, key = dice.choice(places)
    match dice.randrange(4):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[dice.choice(["x", "id", "content", "message", "rest"])] = dice.choice(ODD)
        case _:
            holder[key] = copy.deepcopy(dice.choice(ODD))
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(value, dict | list):
        return
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def tries() -> Iterator[random.Random]:
    return (random.Random(seed) for seed in range(60))


@pytest.mark.parametrize("body", REQUESTS.values(), ids=REQUESTS)
def test_no_request_raises_anything_but_malformed(body: JSON) -> None:
    for dice in tries():
        sent = mutated(mutated(body, dice), dice)
        try:
            read = CODEC.read_request(sent)
            CODEC.write_request(read, Crossing("chat", CODEC.name))
            assert CODEC.write_request(read, here()) == sent
        except Malformed:
            assert not isinstance(sent, dict)


@pytest.mark.parametrize("body", RESPONSES.values(), ids=RESPONSES)
def test_no_answer_raises_anything_but_malformed(body: JSON) -> None:
    for dice in tries():
        sent = mutated(mutated(body, dice), dice)
        try:
            read = CODEC.read_response(sent)
            CODEC.write_response(read, Crossing("chat", CODEC.name))
            assert CODEC.write_response(read, here()) == sent
        except Malformed:
            assert not isinstance(sent, dict)


@pytest.mark.parametrize("events", STREAMS.values(), ids=STREAMS)
def test_no_stream_raises_anything(events: list[Any]) -> None:
    for dice in tries():
        sent = [mutated(e, dice) if dice.random() < 0.3 and e else e for e in events]
        if dice.random() < 0.3:
            dice.shuffle(sent)
        said = check_stream([wire(event) for event in sent])
        check_grammar(said)
        writer = CODEC.stream_writer(Crossing("chat", CODEC.name))
        for event in said:
            writer.write([event])


@pytest.mark.parametrize("body", [case[1] for case in PROBLEMS.values()], ids=PROBLEMS)
def test_no_problem_raises_anything(body: JSON) -> None:
    for dice in tries():
        sent = mutated(body, dice)
        problem = CODEC.read_problem(500, sent)
        assert problem.message
        CODEC.write_problem(problem, Crossing("chat", CODEC.name))
        if isinstance(sent, dict):
            assert CODEC.write_problem(problem, here()) == sent


def test_deep_nesting_is_survived() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"content": deep}
    request: JSON = {"model": "m", "input": [{"role": "user", "content": [deep]}], "text": deep}
    written = CODEC.write_request(CODEC.read_request(request), here())
    assert written["text"] is deep
    assert CODEC.read_problem(500, {"error": deep}).message
    answer = CODEC.write_response(CODEC.read_response({"id": "r", "tools": deep}), here())
    assert answer["tools"] is deep


@pytest.mark.parametrize("body", [None, [], "x", 3])
def test_what_is_no_object_is_malformed(body: Any) -> None:
    for read in (CODEC.read_request, CODEC.read_response):
        with pytest.raises(Malformed):
            read(body)
    assert CODEC.read_problem(502, body).message


# -- recorded traffic -----------------------------------------------------------------------------


def exchanges() -> Iterator[JSON]:
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["surface"] == "openai.responses":
                yield row


def recorded(stream: str) -> Iterator[WireEvent]:
    for block in sse.events(stream.encode()):
        if not (data := sse.data(block)):
            continue
        try:
            decoded = json.loads(data)
        except ValueError:
            decoded = data.decode()
        yield WireEvent(data=decoded, name=sse.name(block))


@pytest.mark.skipif(not CORPUS.exists(), reason="no corpus")
def test_recorded_traffic_is_written_back(say: Callable[[str, Counter[str]], None]) -> None:
    counts: Counter[str] = Counter()
    for row in exchanges():
        request, answer = (row.get("request") or {}).get("body"), row["response"]
        body = answer.get("body")
        if isinstance(request, dict):
            counts["requests"] += 1
            assert CODEC.write_request(CODEC.read_request(request), here()) == request
        if isinstance(body, dict) and answer["status"] < 400:
            counts["answers"] += 1
            assert CODEC.write_response(CODEC.read_response(body), here()) == body
        elif isinstance(body, dict):
            counts["problems"] += 1
            problem = CODEC.read_problem(answer["status"], body)
            assert CODEC.write_problem(problem, here()) == body
        if "sse" in answer:
            counts["streams"] += 1
            events = list(recorded(answer["sse"]))
            counts["events"] += len(events)
            said = check_stream(events)
            check_grammar(said)
            assert any(isinstance(e, End) for e in said) != (row["id"] in NO_RESPONSE)
    say("responses: written back as read", counts)
    assert counts["requests"] > 200
    assert counts["events"] > 7000
