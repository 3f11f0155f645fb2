"""The identity laws: over golden cases, over mutations of them, and over what others recorded."""

from __future__ import annotations

import copy
import json
import lzma
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.wire.gemini.golden import ANSWERS, PROBLEMS, REQUESTS, STREAMS
from tests.wire.test_corpus import CORPUS, Say, say

from farthing.errors import Malformed
from farthing.wire import sse
from farthing.wire.codec import WireEvent
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.codec import CODEC
from farthing.wire.gemini.spelling import snake

__all__ = ["say"]  # a fixture

recorded = pytest.mark.skipif(not CORPUS.exists(), reason="no corpus")

ROUNDS = 400


def same() -> Crossing:
    return Crossing(CODEC.name, CODEC.name)


def request_again(body: Any) -> Any:
    return CODEC.write_request(CODEC.read_request(body), same())


def answer_again(body: Any) -> Any:
    return CODEC.write_response(CODEC.read_response(body), same())


def problem_again(status: int, body: Any) -> Any:
    return CODEC.write_problem(CODEC.read_problem(status, body), same())


def events_again(stream: list[Any]) -> list[Any]:
    reader, writer = CODEC.stream_reader(), CODEC.stream_writer(same())
    again = []
    for data in stream:
        (written,) = writer.write(reader.read(WireEvent(data=data)))
        again.append(written.data)
    return again


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_written_as_it_was_read(name: str) -> None:
    before = copy.deepcopy(REQUESTS[name])
    assert request_again(REQUESTS[name]) == before == REQUESTS[name]


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_written_as_it_was_read(name: str) -> None:
    before = copy.deepcopy(ANSWERS[name])
    assert answer_again(ANSWERS[name]) == before == ANSWERS[name]


@pytest.mark.parametrize("name", STREAMS)
def test_each_event_is_written_as_it_was_read(name: str) -> None:
    before = copy.deepcopy(STREAMS[name])
    assert events_again(STREAMS[name]) == before == STREAMS[name]


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_is_written_as_it_was_read(name: str) -> None:
    status, body = PROBLEMS[name]
    assert problem_again(status, body) == body


def test_an_events_name_is_kept() -> None:
    event = WireEvent(data={"candidates": []}, name="message")
    assert CODEC.stream_writer(same()).write(CODEC.stream_reader().read(event)) == [event]


JUNK: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 10**30, "", "a b", "STOP", [], [{}], [None], {}),
    *({"text": "a"}, {"parts": [{"text": 1}]}, {"functionCall": {"name": "f", "args": {"a": 1}}}),
]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in a JSON value: what it is in, and its key there."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        yield value, key
        if isinstance(item, dict | list):
            yield from places(item)


def mutate(value: Any, dice: random.Random) -> Any:
    """Return a value with one to three of its places replaced, removed or renamed."""
    made = copy.deepcopy(value)
    for _ in range(dice.randint(1, 3)):
        found = list(places(made))
        if not found:
            break
        inside, key = dice.choice(found)
        match dice.randrange(5), inside:
            case (0, dict()):
                del inside[key]
            case (1, dict()):
                inside[snake(key)] = inside.pop(key)
            case (2, dict()):
                inside[dice.choice(list(inside))] = inside[key]
            case (3, list()):
                inside.append(copy.deepcopy(inside[key]))
            case _:
                inside[key] = copy.deepcopy(dice.choice(JUNK))
    return made


def kept(again: Callable[[Any], Any], value: Any) -> bool:
    """Whether a value is written as it was read, unless it is Malformed."""
    try:
        return bool(again(value) == value)
    except Malformed:
        return True


@pytest.mark.parametrize(
    ("again", "cases"),
    [
        (request_again, list(REQUESTS.values())),
        (answer_again, list(ANSWERS.values())),
        (events_again, list(STREAMS.values())),
        (lambda body: problem_again(500, body), [body for _, body in PROBLEMS.values()]),
    ],
    ids=["requests", "answers", "streams", "problems"],
)
def test_mutations_are_written_as_they_were_read(
    again: Callable[[Any], Any], cases: list[Any]
) -> None:
    dice = random.Random(20_261_123)
    for case in cases:
        for _ in range(ROUNDS if isinstance(case, dict | list) else 0):
            value = mutate(case, dice)
            assert kept(again, value), value


def crossed(value: Any) -> None:
    """Read something as everything, and write it as if it came from elsewhere."""
    CODEC.write_request(CODEC.read_request(value), Crossing("elsewhere", CODEC.name))
    CODEC.write_response(CODEC.read_response(value), Crossing("elsewhere", CODEC.name))


def test_mutations_cross_or_are_malformed() -> None:
    dice = random.Random(7)
    for case in [*REQUESTS.values(), *ANSWERS.values()]:
        for _ in range(ROUNDS // 4):
            try:
                crossed(mutate(case, dice))
            except Malformed:
                continue


def test_mutated_streams_cross_or_are_malformed() -> None:
    dice = random.Random(8)
    for case in STREAMS.values():
        for _ in range(ROUNDS // 4):
            reader, writer = (
                CODEC.stream_reader(),
                CODEC.stream_writer(Crossing("elsewhere", CODEC.name)),
            )
            try:
                for data in mutate(case, dice):
                    writer.write(reader.read(WireEvent(data=data)))
            except Malformed:
                continue


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_what_is_no_object_is_malformed(value: Any) -> None:
    for read in (CODEC.read_request, CODEC.read_response):
        with pytest.raises(Malformed):
            read(value)


@pytest.mark.parametrize("key", ["args", "response"])
def test_deep_nesting_is_malformed_or_kept(key: str) -> None:
    deep: Any = {}
    for _ in range(400):
        deep = {"items": {"properties": {"a": deep}}}
    kind = "functionCall" if key == "args" else "functionResponse"
    part = {kind: {"name": "f", key: deep}}
    with pytest.raises(Malformed):
        CODEC.read_request({"contents": [{"parts": [part]}]})
    tools = {"tools": [{"functionDeclarations": [{"name": "f", "parameters": deep}]}]}
    assert CODEC.write_request(CODEC.read_request(tools), same())["tools"]


Row = dict[str, Any]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        found = (json.loads(line) for line in lines if '"gemini.generateContent"' in line)
        return [row for row in found if row["surface"] == "gemini.generateContent"]


@recorded
def test_recorded_requests_are_written_as_they_were_read(rows: list[Row], say: Say) -> None:
    counts: Counter[str] = Counter()
    for row in rows:
        body = (row.get("request") or {}).get("body")
        if isinstance(body, dict):
            counts["requests"] += 1
            assert request_again(body) == body, row["id"]
    say("gemini: a request is written as it was read", counts)
    assert counts["requests"] > 140


@recorded
def test_recorded_answers_are_written_as_they_were_read(rows: list[Row], say: Say) -> None:
    counts: Counter[str] = Counter()
    for row in rows:
        status, body = row["response"]["status"], row["response"].get("body")
        if body is None:
            continue
        if status >= 400:
            counts["problems"] += 1
            assert problem_again(status, body) == body, row["id"]
        elif isinstance(body, list):  # a stream in its other framing
            counts["streams in an array"] += 1
            assert events_again(body) == body, row["id"]
        else:
            counts["answers"] += 1
            assert answer_again(body) == body, row["id"]
    say("gemini: an answer is written as it was read", counts)
    assert counts["answers"] > 100


@recorded
def test_recorded_streams_are_written_as_they_were_read(rows: list[Row], say: Say) -> None:
    counts: Counter[str] = Counter()
    for row in rows:
        stream = row["response"].get("sse")
        if stream is None:
            continue
        found = [sse.data(raw).decode() for raw in sse.events(stream.encode())]
        events = [json.loads(one) if one[:1] == "{" else one for one in found if one]
        counts["streams"] += 1
        counts["events"] += len(events)
        assert events_again(events) == events, row["id"]
    say("gemini: each event is written as it was read", counts)
    assert counts["events"] > 130


@recorded
def test_recorded_usage_is_what_a_third_party_reads(rows: list[Row], say: Say) -> None:
    counts: Counter[str] = Counter()
    for row in rows:
        told, body = row.get("expected"), row["response"].get("body")
        if not told or not isinstance(body, dict):
            continue
        tally = CODEC.read_response(body).tally
        if tally is None or tally.usage is None:
            # One answer counts no prompt: that is unknown here, and zero there.
            counts["without a prompt's count"] += 1
            continue
        counts["answers"] += 1
        usage, theirs = tally.usage, told["usage"]
        assert usage.tokens() - usage.output - usage.output_audio == theirs["input_tokens"]
        assert usage.cache_read == theirs.get("cache_read_tokens", 0), row["id"]
        assert usage.output + usage.output_audio == theirs["output_tokens"], row["id"]
        assert usage.reasoning == theirs.get("output_reasoning_tokens", 0), row["id"]
    say("gemini: usage is what genai-prices reads", counts)
    assert counts["without a prompt's count"] <= 1
