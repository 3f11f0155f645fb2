"""Hostile input to every codec, from every side: nothing but Malformed is ever raised.

Each dialect's own tests do this with its own golden cases; here what one dialect reads goes on to
all the others. `make soak` runs it a hundred times as long.
"""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from docs.dialects import FEATURES
from tests.wire.test_codecs import CASES, streamed

from farthing.errors import Malformed
from farthing.wire.codecs import CODECS
from farthing.wire.crossing import Crossing
from farthing.wire.events import Event
from farthing.wire.fold import fold
from farthing.wire.framing import WireEvent
from farthing.wire.severities import severities

WORDS = ["", "type", "text", "content", "role", "system", "tool", "function", "image", "user"]


def junk(chance: random.Random) -> Any:
    """Return a JSON value that fits nowhere."""
    deep: Any = []
    for _ in range(chance.randint(0, 90)):
        deep = [deep] if chance.random() < 0.5 else {chance.choice(WORDS): deep}
    plain = [None, True, -1, 0, 2**70, 1e300, "", "\U0001f331", "{", [], {}, [None], deep]
    return copy.deepcopy(chance.choice([*plain, chance.choice(WORDS)]))


def spoiled(value: Any, chance: random.Random) -> Any:
    """Return a JSON value with one place in it changed."""
    if chance.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return junk(chance)
    if isinstance(value, dict):
        key = chance.choice(list(value))
        kept = {k: v for k, v in value.items() if k != key}
        name = chance.choice(WORDS) if chance.random() < 0.1 else key
        return kept if chance.random() < 0.1 else {**kept, name: spoiled(value[key], chance)}
    place = chance.randrange(len(value))
    changed = [spoiled(value[place], chance)]
    if chance.random() < 0.1:
        changed = chance.choice([[], [value[place], value[place]]])
    return [*value[:place], *changed, *value[place + 1 :]]


def requests(name: str) -> list[Any]:
    crossings = ((request, Crossing("none", name)) for request in FEATURES.values())
    return [CODECS[name].write_request(request, crossing) for request, crossing in crossings]


def cross_request(name: str, body: Any) -> None:
    try:
        request = CODECS[name].read_request(body)
    except Malformed:
        return
    for there, codec in CODECS.items():
        try:
            codec.write_request(request, Crossing(name, there, severities(name)))
        except Malformed:
            continue


def cross_response(name: str, body: Any) -> None:
    try:
        response = CODECS[name].read_response(body)
    except Malformed:
        return
    for there, codec in CODECS.items():
        try:
            codec.write_response(response, Crossing(name, there, severities(name)))
        except Malformed:
            continue


def cross_stream(name: str, events: list[WireEvent]) -> None:
    reader, heard = CODECS[name].stream_reader(), list[list[Event]]()
    try:
        for event in events:
            heard.append(reader.read(event))
        heard.append(reader.rest())
        fold(said for slice_ in heard for said in slice_)
    except Malformed:
        pass
    for there, codec in CODECS.items():
        writer = codec.stream_writer(Crossing(name, there, severities(name)))
        try:
            for slice_ in heard:
                writer.write(copy.deepcopy(slice_))
        except Malformed:
            continue


def fuzz(name: str, seed: int, times: int) -> None:
    chance = random.Random(seed)
    asked = requests(name)
    told = [CODECS[name].write_response(case, Crossing("none", name)) for case in CASES.values()]
    streams = [streamed(name, case) for case in CASES.values()]
    for _ in range(times):
        cross_request(name, spoiled(chance.choice(asked), chance))
        cross_response(name, spoiled(chance.choice(told), chance))
        stream = list(chance.choice(streams))
        place = chance.randrange(len(stream))
        event = stream[place]
        stream[place] = WireEvent(spoiled(event.data, chance), event.name)
        cross_stream(name, stream)


@pytest.mark.parametrize("name", CODECS)
def test_hostile_input_is_malformed_and_nothing_else(name: str) -> None:
    fuzz(name, 1, 100)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", CODECS)
def test_hostile_input_for_long(name: str, seed: int) -> None:
    fuzz(name, seed, 2000)
