"""The identity laws: over golden cases, over mutations of them, and over what others recorded."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import lzma
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from tests.wire.converse.golden import ANSWERS, PROBLEMS, REQUESTS, STREAMS
from tests.wire.test_corpus import CORPUS, Say, say

from farthing.errors import Malformed
from farthing.wire.codec import WireEvent
from farthing.wire.converse.codec import CODEC
from farthing.wire.converse.frames import Decoder, encode, read_event
from farthing.wire.crossing import Crossing
from farthing.wire.fold import fold

__all__ = ["say"]  # a fixture

MUTATIONS = 1500

Row = dict[str, Any]


def same() -> Crossing:
    return Crossing(CODEC.name, CODEC.name)


def request_again(body: Any) -> Any:
    return CODEC.write_request(CODEC.read_request(body), same())


def answer_again(body: Any) -> Any:
    return CODEC.write_response(CODEC.read_response(body), same())


def problem_again(told: tuple[int, Any]) -> Any:
    return told[0], CODEC.write_problem(CODEC.read_problem(*told), same())


def events_again(stream: list[Any]) -> Any:
    reader, writer = CODEC.stream_reader(), CODEC.stream_writer(same())
    again = []
    for name, data in stream:
        (written,) = writer.write(reader.read(WireEvent(data=data, name=name)))
        again.append((written.name, written.data))
    return again


KINDS: dict[str, tuple[dict[str, Any], Callable[[Any], Any]]] = {
    "request": (REQUESTS, request_again),
    "answer": (ANSWERS, answer_again),
    "problem": (PROBLEMS, problem_again),
    "stream": (STREAMS, events_again),
}
CASES = [(kind, name) for kind, (cases, _) in KINDS.items() for name in cases]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_what_is_read_is_written_back(kind: str, name: str) -> None:
    cases, again = KINDS[kind]
    before = copy.deepcopy(cases[name])
    assert again(cases[name]) == cases[name]
    assert cases[name] == before, "reading changed what was read"


@pytest.mark.parametrize("kind", KINDS)
def test_mutations_are_written_back_or_malformed(kind: str) -> None:
    cases, again = KINDS[kind]
    chance = random.Random(kind)
    for _ in range(MUTATIONS):
        case = mutate(chance, cases[chance.choice(list(cases))])
        try:
            assert again(case) == case, case
        except Malformed:
            continue


def test_mutations_cross_or_are_malformed() -> None:
    chance = random.Random("crossing")
    for _ in range(MUTATIONS):
        with contextlib.suppress(Malformed):
            request = CODEC.read_request(mutate(chance, REQUESTS[chance.choice(list(REQUESTS))]))
            json.dumps(CODEC.write_request(request, Crossing("chat", CODEC.name)))
        with contextlib.suppress(Malformed):
            response = CODEC.read_response(mutate(chance, ANSWERS[chance.choice(list(ANSWERS))]))
            json.dumps(CODEC.write_response(response, Crossing("chat", CODEC.name)))
        stream = mutate(chance, STREAMS[chance.choice(list(STREAMS))])
        reader, writer = CODEC.stream_reader(), CODEC.stream_writer(Crossing("chat", CODEC.name))
        for name, data in stream:
            writer.write(reader.read(WireEvent(data=data, name=name)))


JUNK: list[Any] = [None, True, 0, -1, 2.5, "", "text", [], {}, [{}], {"text": "x"}, {"type": 1}]


def mutate(chance: random.Random, case: Any) -> Any:
    """Return a case with some values replaced, removed or added; tuples stay as they are."""
    case = copy.deepcopy(case)
    places = list(_places(case))
    for _ in range(chance.randint(1, 3)):
        if not places:
            break
        where, key = chance.choice(places)
        if isinstance(where, dict) and chance.random() < 0.3:
            where.pop(key, None)
        elif isinstance(where, dict) and chance.random() < 0.3:
            where[chance.choice(["odd", "type", "text", "*", "p"])] = chance.choice(JUNK)
        elif isinstance(where, dict) or key < len(where):
            where[key] = chance.choice(JUNK)
    return case


def _places(value: Any) -> Any:
    keys = value if isinstance(value, dict) else range(len(value))
    for key in keys:
        if not isinstance(value, tuple) and not isinstance(value[key], tuple):
            yield value, key
        if isinstance(value[key], dict | list | tuple):
            yield from _places(value[key])


def test_deep_nesting_is_malformed_or_kept() -> None:
    deep: Any = "bottom"
    for _ in range(100_000):
        deep = [deep]
    call = {"toolUse": {"toolUseId": "t", "name": "n", "input": deep}}
    with pytest.raises(Malformed):
        CODEC.read_request({"messages": [{"role": "assistant", "content": [call]}]})
    assert CODEC.read_response({"usage": {"inputTokens": deep}}).tally is not None
    while isinstance(deep, list):  # taken apart here: Python would take it apart recursively
        deep = deep[0]


# -- what others recorded -----------------------------------------------------------------------

recorded = pytest.mark.skipif(not CORPUS.exists(), reason="no corpus")


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        found = (json.loads(line) for line in lines if '"bedrock.converse"' in line)
        return [row for row in found if row["surface"] == "bedrock.converse"]


@recorded
def test_recorded_requests(rows: list[Row], say: Say) -> None:
    counts: Counter[str] = Counter()
    for row in rows:
        body = (row.get("request") or {}).get("body")
        if body is not None:
            counts["requests"] += 1
            assert request_again(body) == body, row["id"]
    say("converse: requests are written back", counts)
    assert counts["requests"] > 30


@recorded
def test_recorded_answers_and_problems(rows: list[Row], say: Say) -> None:
    counts: Counter[str] = Counter()
    for row in rows:
        status, body = row["response"]["status"], row["response"].get("body")
        if body is None:
            continue
        if status < 400:
            counts["answers"] += 1
            assert answer_again(body) == body, row["id"]
        else:
            counts["problems"] += 1
            assert problem_again((status, body)) == (status, body), row["id"]
    say("converse: answers are written back", counts)
    assert counts["answers"] > 25


@recorded
def test_recorded_streams(rows: list[Row], say: Say) -> None:
    counts: Counter[str] = Counter()
    for row in rows:
        stream = _events(row)
        if not stream:
            continue
        counts["streams"] += 1
        counts["events"] += len(stream)
        assert events_again(stream) == stream, row["id"]
        reader = CODEC.stream_reader()
        events = [e for name, data in stream for e in reader.read(WireEvent(data, name))]
        whole = fold(events)
        assert whole.answers[0].parts, row["id"]
        assert whole.answers[0].stop is not None, row["id"]
        assert whole.tally is not None and whole.tally.usage is not None, row["id"]
    say("converse: streams are written back", counts)
    assert counts["streams"] > 5


def _events(row: Row) -> list[tuple[str, Any]]:
    """Return a stream's events; and see that its frames are written back to the byte."""
    framed = row["response"].get("eventstream_base64")
    if framed is None:
        lines = row["response"].get("ndjson", "").splitlines()
        return [pair for line in lines for pair in json.loads(line).items()]
    data = base64.b64decode(framed)
    decoder = Decoder()
    messages = decoder.feed(data)
    decoder.close()
    assert b"".join(map(encode, messages)) == data
    events = [read_event(message) for message in messages]
    return [(event.name, event.data) for event in events]


@recorded
def test_recorded_usage_is_what_a_third_party_reads(rows: list[Row], say: Say) -> None:
    counts: Counter[str] = Counter()
    for row in rows:
        if row.get("expected") is None:
            continue
        usage = _usage(row)
        assert usage is not None, row["id"]
        told = row["expected"]["usage"]
        written = usage.cache_write + usage.cache_write_1h
        assert usage.input + usage.cache_read + written == told["input_tokens"], row["id"]
        assert usage.cache_read == told.get("cache_read_tokens", 0), row["id"]
        assert written == told.get("cache_write_tokens", 0), row["id"]
        assert usage.output == told["output_tokens"], row["id"]
        counts["answers"] += 1
    say("converse: usage is what genai-prices reads", counts)
    assert counts["answers"] > 25


def _usage(row: Row) -> Any:
    if "body" in row["response"]:
        tally = CODEC.read_response(row["response"]["body"]).tally
    else:
        reader = CODEC.stream_reader()
        read = [e for name, data in _events(row) for e in reader.read(WireEvent(data, name))]
        tally = fold(read).tally
    return tally.usage if tally is not None else None
