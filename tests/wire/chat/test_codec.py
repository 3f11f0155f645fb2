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
from tests.wire.chat.crossings import into, same
from tests.wire.chat.golden import ANSWERS, PROBLEMS, REQUESTS, STREAMS
from tests.wire.test_corpus import CORPUS, Say, say

from farthing.errors import Malformed
from farthing.wire import sse
from farthing.wire.chat.codec import CODEC
from farthing.wire.codec import WireEvent
from farthing.wire.events import Begin, End, Event, Finish, Idle, More, Open, Shut

__all__ = ["say"]  # a fixture

recorded = pytest.mark.skipif(not CORPUS.exists(), reason="no corpus")

Row = dict[str, Any]


def request_again(body: Any) -> Any:
    return CODEC.write_request(CODEC.read_request(body), same())


def answer_again(body: Any) -> Any:
    return CODEC.write_response(CODEC.read_response(body), same())


def problem_again(body: Any) -> Any:
    return CODEC.write_problem(CODEC.read_problem(400, body), same())


def stream_again(stream: list[Any]) -> list[Any]:
    reader, writer = CODEC.stream_reader(), CODEC.stream_writer(same())
    again = []
    for data in stream:
        (written,) = writer.write(reader.read(WireEvent(data=data, name="n")))
        assert written.name == "n"
        again.append(written.data)
    return again


LAWS: list[tuple[Callable[[Any], Any], dict[str, Any]]] = [
    (request_again, REQUESTS),
    (answer_again, ANSWERS),
    (stream_again, STREAMS),
    (problem_again, PROBLEMS),
]
CASES = [
    pytest.param(again, cases[name], id=f"{again.__name__}-{name}")
    for again, cases in LAWS
    for name in cases
]


@pytest.mark.parametrize(("again", "case"), CASES)
def test_what_is_read_is_written_back(again: Callable[[Any], Any], case: Any) -> None:
    before = copy.deepcopy(case)
    assert again(case) == before
    assert case == before


# -- hostile input ------------------------------------------------------------------------------

ODD: list[Any] = [None, True, 0, -1, 10**30, 1.5, "", "x", [], [None], {}, {"": []}, [[{}]]]


def mutated(value: Any, dice: random.Random) -> Any:
    """Return a copy with one place changed."""
    if dice.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return copy.deepcopy(dice.choice(ODD))
    changed = copy.copy(value)
    key = dice.choice(list(value)) if isinstance(value, dict) else dice.randrange(len(value))
    if dice.random() < 0.1:
        del changed[key]
    else:
        changed[key] = mutated(value[key], dice)
    return changed


@pytest.mark.parametrize(("again", "case"), CASES)
def test_mutations_come_back_or_are_malformed(again: Callable[[Any], Any], case: Any) -> None:
    dice = random.Random(7)
    for _ in range(60):
        hostile = case
        for _ in range(dice.randint(1, 3)):
            hostile = mutated(hostile, dice)
        if again is stream_again and not isinstance(hostile, list):
            continue
        before = copy.deepcopy(hostile)
        try:
            assert again(hostile) == before
        except Malformed:
            assert not isinstance(before, dict)


@pytest.mark.parametrize("seed", range(20))
def test_mutations_can_be_sent_elsewhere(seed: int) -> None:
    """A crossing of what was read from this dialect, as if another had it, never breaks."""
    dice = random.Random(seed)
    for case in REQUESTS.values():
        hostile = mutated(mutated(case, dice), dice)
        if isinstance(hostile, dict):
            json.dumps(CODEC.write_request(CODEC.read_request(hostile), into()))
    for case in ANSWERS.values():
        hostile = mutated(mutated(case, dice), dice)
        if isinstance(hostile, dict):
            json.dumps(CODEC.write_response(CODEC.read_response(hostile), into()))


def test_deep_nesting_breaks_nothing() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"content": [deep], "x": deep}
    request = CODEC.write_request(CODEC.read_request({"messages": [deep], "tools": [deep]}), same())
    assert request["tools"][0] is deep
    reader = CODEC.stream_reader()
    for _ in range(2):
        reader.read(WireEvent(data={"choices": [{"delta": deep}], "usage": deep}))


# -- the grammar of streams ---------------------------------------------------------------------


def check_grammar(events: list[Event]) -> None:
    """Assert that events come in the order that every reader promises."""
    told = [event for event in events if not isinstance(event, Idle)]
    assert isinstance(told[0], Begin)
    assert not any(isinstance(event, Begin) for event in told[1:])
    ongoing: dict[int, list[int]] = {}
    begun: Counter[int] = Counter()
    finished = set()
    for event in told:
        if isinstance(event, Open):
            assert event.part == begun[event.answer]
            assert event.answer not in finished
            begun[event.answer] += 1
            ongoing.setdefault(event.answer, []).append(event.part)
        elif isinstance(event, More):
            assert event.part in ongoing[event.answer]
        elif isinstance(event, Shut):
            assert ongoing[event.answer].pop(0) == event.part
        elif isinstance(event, Finish):
            assert not ongoing.get(event.answer)
            assert event.answer not in finished
            finished.add(event.answer)
    if any(isinstance(event, End) for event in told):
        assert isinstance(told[-1], End)
        assert finished >= ongoing.keys()


@pytest.mark.parametrize("name", STREAMS)
def test_streams_follow_the_grammar(name: str) -> None:
    reader = CODEC.stream_reader()
    check_grammar([event for data in STREAMS[name] for event in reader.read(WireEvent(data=data))])


# -- what others recorded -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        found = (json.loads(line) for line in lines if '"openai.chat"' in line)
        return [row for row in found if row["surface"] == "openai.chat"]


@recorded
def test_recorded_requests(rows: list[Row], say: Say) -> None:
    bodies = [(row.get("request") or {}).get("body") for row in rows]
    counts = Counter(
        "written back" if request_again(body) == body else "NOT written back"
        for body in bodies
        if isinstance(body, dict)
    )
    say("chat: requests", counts)
    assert counts.keys() == {"written back"}


@recorded
def test_recorded_answers_and_problems(rows: list[Row], say: Say) -> None:
    counts: Counter[str] = Counter()
    for row in rows:
        response = row["response"]
        body = response.get("body")
        if not isinstance(body, dict):
            continue
        failed = response["status"] >= 400 or "error" in body
        again = problem_again(body) if failed else answer_again(body)
        kind = "problems" if failed else "answers"
        counts[kind if again == body else f"NOT written back: {kind}"] += 1
    say("chat: answers and problems", counts)
    assert counts.keys() == {"answers", "problems"}


def wire_events(stream: str) -> Iterator[WireEvent]:
    for raw in sse.events(stream.encode()):
        data = sse.data(raw)
        if data:
            try:
                yield WireEvent(data=json.loads(data))
            except ValueError:
                yield WireEvent(data=data.decode())


@recorded
def test_recorded_streams(rows: list[Row], say: Say) -> None:
    counts: Counter[str] = Counter()
    for row in rows:
        if not row["response"].get("sse"):
            continue
        reader, writer = CODEC.stream_reader(), CODEC.stream_writer(same())
        events: list[Event] = []
        good = True
        for event in wire_events(row["response"]["sse"]):
            told = reader.read(event)
            events += told
            good &= writer.write(told) == [event]
            counts["events"] += 1
        check_grammar(events)
        counts["streams" if good else "NOT written back"] += 1
    say("chat: streams", counts)
    assert counts.keys() == {"events", "streams"}
