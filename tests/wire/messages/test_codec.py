"""The identity laws: over golden cases, over mutations of them, and over what others recorded."""

from __future__ import annotations

import base64
import copy
import json
import lzma
import random
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.wire.messages.golden import ANSWERS, PROBLEMS, REQUESTS, STREAMS
from tests.wire.test_corpus import CORPUS, Say, say

from farthing.errors import Malformed
from farthing.wire import sse
from farthing.wire.codec import WireEvent
from farthing.wire.crossing import Crossing
from farthing.wire.events import Begin, End, Event, Finish, Idle, Open, Shut
from farthing.wire.fold import fold
from farthing.wire.messages.codec import CODEC

__all__ = ["say"]  # a fixture

recorded = pytest.mark.skipif(not CORPUS.exists(), reason="no corpus")

SURFACES = {
    "anthropic.messages",
    "anthropic.count_tokens",
    "vertex.anthropic.rawPredict",
    "bedrock.invoke",
}

Row = dict[str, Any]


def same() -> Crossing:
    return Crossing(CODEC.name, CODEC.name)


def request_again(body: Any) -> Any:
    return CODEC.write_request(CODEC.read_request(body), same())


def answer_again(body: Any) -> Any:
    return CODEC.write_response(CODEC.read_response(body), same())


def events_again(stream: list[Any]) -> list[Any]:
    """Write each event back, its name being its type where it has one."""
    reader, writer = CODEC.stream_reader(), CODEC.stream_writer(same())
    again = []
    for data in stream:
        kind = data.get("type") if isinstance(data, dict) else None
        event = WireEvent(data=data, name=kind if isinstance(kind, str) else "")
        (written,) = writer.write(reader.read(event))
        assert written.name == event.name
        again.append(written.data)
    return again


@pytest.mark.parametrize("name", REQUESTS)
def test_requests(name: str) -> None:
    assert request_again(REQUESTS[name]) == REQUESTS[name]


@pytest.mark.parametrize("name", ANSWERS)
def test_answers(name: str) -> None:
    assert answer_again(ANSWERS[name]) == ANSWERS[name]


@pytest.mark.parametrize("name", STREAMS)
def test_streams(name: str) -> None:
    assert events_again(STREAMS[name]) == STREAMS[name]


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems(name: str) -> None:
    status, body = PROBLEMS[name]
    assert CODEC.write_problem(CODEC.read_problem(status, body), same()) == body


ODDITIES: list[Any] = [
    None,
    True,
    0,
    -1.5,
    "",
    "x",
    [],
    {},
    [[]],
    [{}],
    {"type": "text"},
    "tool_use",
]


def mutate(value: Any, chance: random.Random) -> Any:
    """Change one thing, somewhere in it."""
    places: list[tuple[Any, Any]] = []
    todo = [value]
    while todo:
        inner = todo.pop()
        keys = inner.keys() if isinstance(inner, dict) else range(len(inner))
        places += [(inner, key) for key in keys]
        todo += [inner[key] for key in keys if isinstance(inner[key], dict | list)]
    if not places:
        return value
    parent, key = chance.choice(places)
    if chance.random() < 0.3:
        del parent[key]
    else:
        parent[key] = copy.deepcopy(chance.choice(ODDITIES))
    return value


@pytest.mark.parametrize(
    ("cases", "again"),
    [
        (REQUESTS, request_again),
        (ANSWERS, answer_again),
        (STREAMS, events_again),
        (
            {name: body for name, (_, body) in PROBLEMS.items()},
            lambda body: CODEC.write_problem(CODEC.read_problem(500, body), same()),
        ),
    ],
    ids=["requests", "answers", "streams", "problems"],
)
def test_mutations_are_written_back(
    cases: dict[str, Any], again: Callable[[Any], Any], request: pytest.FixtureRequest
) -> None:
    chance = random.Random(request.node.name)
    for _ in range(1500):
        value = copy.deepcopy(cases[chance.choice(list(cases))])
        for _ in range(chance.randint(1, 4)):
            value = mutate(value, chance)
        assert again(value) == value


def test_mutations_cross_or_are_malformed() -> None:
    """As if another dialect had spoken: what is written then is of no other's spelling."""
    chance = random.Random(7)
    for _ in range(1500):
        value = mutate(copy.deepcopy(REQUESTS[chance.choice(list(REQUESTS))]), chance)
        answer = mutate(copy.deepcopy(ANSWERS[chance.choice(list(ANSWERS))]), chance)
        stream = mutate(copy.deepcopy(STREAMS[chance.choice(list(STREAMS))]), chance)
        crossing = Crossing("other", CODEC.name)
        reader, writer = CODEC.stream_reader(), CODEC.stream_writer(crossing)
        try:
            CODEC.write_request(CODEC.read_request(value), crossing)
            CODEC.write_response(CODEC.read_response(answer), crossing)
            CODEC.write_problem(CODEC.read_problem(500, value), crossing)
            for data in stream:
                writer.write(reader.read(WireEvent(data=data)))
        except Malformed:
            continue


@pytest.mark.parametrize("body", [None, 1, "x", [], [{}]])
def test_what_is_no_object_is_malformed(body: Any) -> None:
    with pytest.raises(Malformed):
        CODEC.read_request(body)
    with pytest.raises(Malformed):
        CODEC.read_response(body)
    assert CODEC.write_problem(CODEC.read_problem(500, body), same())["type"] == "error"


def test_what_is_nested_deeply_is_malformed() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"content": [deep], "type": "tool_result", "tool_use_id": "t"}
    block = {"type": "tool_use", "id": "t", "name": "n", "input": deep}
    with pytest.raises(Malformed):
        CODEC.read_request({"messages": [{"role": "user", "content": [block]}]})
    CODEC.read_request({"messages": [{"role": "user", "content": [deep]}]})
    while deep:  # taken apart here, as freeing it whole would recurse in the interpreter
        deep = deep["content"].pop() if deep.get("content") else None


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    return [row for row in found if row["surface"] in SURFACES and speaks_messages(row)]


def speaks_messages(row: Row) -> bool:
    """Whether it is this dialect: a cloud's surface carries those of many vendors."""
    return row["surface"] != "bedrock.invoke" or "anthropic" in str(row["request"])


def wire_events(row: Row) -> list[WireEvent]:
    told = row["response"]
    if "sse" in told:
        return [_sse_event(event) for event in sse.events(told["sse"].encode())]
    return [
        WireEvent(data=json.loads(base64.b64decode(json.loads(frame)["bytes"])))
        for frame in _frames(base64.b64decode(told.get("eventstream_base64", "")))
    ]


def _sse_event(event: bytes) -> WireEvent:
    data = sse.data(event).decode()
    names = [line[6:].strip() for line in event.decode().split("\n") if line.startswith("event:")]
    try:
        return WireEvent(data=json.loads(data), name="".join(names))
    except ValueError:
        return WireEvent(data=data, name="".join(names))


def _frames(stream: bytes) -> Iterator[bytes]:
    """Yield the payloads of a cloud's binary frames: lengths, headers, payload, checksum."""
    while stream:
        total, headers = struct.unpack(">II", stream[:8])
        yield stream[12 + headers : total - 4]
        stream = stream[total:]


def check(
    rows: list[Row], say: Say, what: str, write_back: Callable[[Row], list[tuple[Any, Any]]]
) -> Counter[str]:
    """Count what is written back as it was read, and what is not."""
    counts: Counter[str] = Counter()
    differing = []
    for row in rows:
        for told, again in write_back(row):
            counts[what] += 1
            if told != again:
                differing.append((row["id"], told, again))
    counts["differing"] = len(differing)
    say(f"messages: {what} are written back", counts)
    assert not differing
    return counts


@recorded
def test_recorded_requests(rows: list[Row], say: Say) -> None:
    def write_back(row: Row) -> list[tuple[Any, Any]]:
        body = (row.get("request") or {}).get("body")
        if not isinstance(body, dict):
            return []
        return [(body, CODEC.write_request(CODEC.read_request(body), same()))]

    assert check(rows, say, "requests", write_back)["requests"] > 150


@recorded
def test_recorded_answers(rows: list[Row], say: Say) -> None:
    def write_back(row: Row) -> list[tuple[Any, Any]]:
        body = row["response"].get("body")
        if not isinstance(body, dict) or row["response"]["status"] >= 400:
            return []
        return [(body, CODEC.write_response(CODEC.read_response(body), same()))]

    assert check(rows, say, "answers", write_back)["answers"] > 100


@recorded
def test_recorded_problems(rows: list[Row], say: Say) -> None:
    def write_back(row: Row) -> list[tuple[Any, Any]]:
        body, status = row["response"].get("body"), row["response"]["status"]
        if status < 400:
            return []
        return [(body, CODEC.write_problem(CODEC.read_problem(status, body), same()))]

    assert check(rows, say, "problems", write_back)["problems"] > 5


@recorded
def test_recorded_streams(rows: list[Row], say: Say) -> None:
    def write_back(row: Row) -> list[tuple[Any, Any]]:
        reader, writer = CODEC.stream_reader(), CODEC.stream_writer(same())
        return [([event], writer.write(reader.read(event))) for event in wire_events(row)]

    assert check(rows, say, "events", write_back)["events"] > 1000


# Made by hand of two streams, so that a call's arguments are no JSON.
SPLICED = {"ai-0b93feadb802"}


@recorded
def test_recorded_streams_keep_the_grammar(rows: list[Row]) -> None:
    """And fold into answers that can be written, in this dialect and from another."""
    for row in rows:
        events = wire_events(row)
        if not events or row["response"]["status"] >= 400:
            continue
        reader, writer = CODEC.stream_reader(), CODEC.stream_writer(Crossing("other", CODEC.name))
        read = [one for event in events for one in reader.read(event)]
        follows_the_grammar(read)
        if row["id"] not in SPLICED:
            assert CODEC.write_response(fold(read), same())["stop_reason"]
        written = [one for event in read for one in writer.write([event])]
        again = CODEC.stream_reader()
        follows_the_grammar([one for event in written for one in again.read(event)])


def follows_the_grammar(events: list[Event]) -> None:
    told = [event for event in events if not isinstance(event, Idle)]
    assert isinstance(told[0], Begin)
    assert isinstance(told[-1], End)
    assert sum(isinstance(event, Begin | Finish | End) for event in told) == 3
    opened = [event.part for event in told if isinstance(event, Open)]
    assert opened == list(range(len(opened)))
    assert opened == [event.part for event in told if isinstance(event, Shut)]


@recorded
def test_what_is_read_is_not_changed(rows: list[Row]) -> None:
    for row in rows:
        for told in ((row.get("request") or {}).get("body"), row["response"].get("body")):
            if isinstance(told, dict):
                before = json.dumps(told)
                CODEC.write_request(CODEC.read_request(told), same())
                CODEC.write_response(CODEC.read_response(told), same())
                CODEC.write_problem(CODEC.read_problem(500, told), same())
                assert json.dumps(told) == before


@recorded
def test_little_is_opaque(rows: list[Row], say: Say) -> None:
    """Nothing that has a meaning in the canonical model is left over."""
    unread: Counter[str] = Counter()
    for row in rows:
        body = (row.get("request") or {}).get("body")
        if isinstance(body, dict) and row["response"]["status"] < 400:
            request = CODEC.read_request(body)
            unread.update(key for key, value in request.rest.items() if value is not None)
            unread.update(key for turn in request.turns for key in turn.rest)
    say("messages: left over in requests", unread)
    understood = {"model", "messages", "system", "tools", "tool_choice", "thinking", "metadata"}
    assert not understood & unread.keys()
