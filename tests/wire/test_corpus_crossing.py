"""Recorded real traffic, from each dialect to each other: kept, or named, or refused."""

from __future__ import annotations

import base64
import json
import lzma
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from tests.wire.test_corpus import CORPUS

from farthing.errors import Malformed
from farthing.wire import DIALECTS
from farthing.wire.canon import (
    Refusal,
    Request,
    Response,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from farthing.wire.codecs import CODECS
from farthing.wire.crossing import Crossing
from farthing.wire.events import End, Event, Finish
from farthing.wire.fold import fold, unfold
from farthing.wire.severities import severities

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="no corpus")

SURFACES = {
    "openai.chat": "chat",
    "openai.responses": "responses",
    "anthropic.messages": "messages",
    "gemini.generateContent": "gemini",
    "bedrock.converse": "converse",
}

# Endings that a dialect has no word for, by the word it has instead.
NEAREST = {
    "chat": {
        **dict.fromkeys(("pause", "stop_sequence", "error", "other"), "end"),
        "refusal": "filter",
    },
    "responses": {"pause": "end", "stop_sequence": "end", "refusal": "filter", "other": "end"},
    "messages": {"filter": "refusal", "error": "end", "other": "end"},
    "gemini": {"pause": "end", "stop_sequence": "end", "refusal": "filter", "tool_calls": "end"},
    "converse": {"pause": "end", "refusal": "filter", "error": "end", "other": "end"},
}


def leaves(value: Any) -> Iterator[str]:
    """Yield every string in a JSON value."""
    if isinstance(value, str):
        yield value
    for item in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from leaves(item)


def asked(request: Request) -> tuple[list[str], list[str], list[str]]:
    """Return a request's texts, its calls and their results, and its tools, by name."""
    parts = [part for turn in request.turns for part in turn.parts]
    results = [part for part in parts if isinstance(part, ToolResult)]
    texts = [p.text for p in parts if isinstance(p, Text)]
    texts += [p.text for result in results for p in result.parts if isinstance(p, Text)]
    calls = [part.name for part in parts if isinstance(part, ToolCall)]
    tools = [tool.name for tool in request.tools if isinstance(tool, Tool)]
    return [text for text in texts if text.strip()], calls, tools


def answered(response: Response) -> tuple[str, list[tuple[str, Any]]]:
    """Return a response's text and calls."""
    parts = response.answers[0].parts if response.answers else []
    text = "".join(part.text for part in parts if isinstance(part, Text | Refusal))
    calls = [(p.name, _arguments(p.arguments)) for p in parts if isinstance(p, ToolCall)]
    return text, calls


def _arguments(text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def streamed(row: dict[str, Any], name: str) -> list[Event]:
    """Return the events of a recorded stream."""
    told = row["response"]
    framing, reader = DIALECTS[name].framing(), CODECS[name].stream_reader()
    raw = base64.b64decode(told["eventstream_base64"]) if "eventstream_base64" in told else b""
    raw = raw or told.get("sse", "").encode()
    events = [e for event in [*framing.feed(raw), *framing.rest()] for e in reader.read(event)]
    return events + reader.rest()


class Crossed:
    """Counts what became of everything."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.wrong: list[str] = []

    def request(self, row: dict[str, Any], here: str, body: dict[str, Any]) -> None:
        try:
            request = CODECS[here].read_request(body)
        except Malformed:
            return
        for there in CODECS.keys() - {here}:
            crossing = Crossing(here, there, severities(here))
            try:
                written = CODECS[there].write_request(request, crossing)
            except Malformed:
                self.counts[here, there, "request refused as malformed"] += 1
                continue
            if any(loss.severity == "meaning" for loss in crossing.losses):
                self.counts[here, there, "request refused, named"] += 1
                continue
            self.counts[here, there, "request kept"] += 1
            again = CODECS[there].read_request(written)
            said = "\0".join(leaves(written))
            texts, calls, tools = asked(request)
            if missing := [text for text in texts if text not in said]:
                self.wrong.append(f"{row['id']} to {there}: text {missing[0][:60]!r}")
            if (calls, tools) != asked(again)[1:]:
                self.wrong.append(f"{row['id']} to {there}: {calls} {tools} {asked(again)[1:]}")

    def response(self, row: dict[str, Any], here: str, response: Response, *, stream: bool) -> None:
        for there in CODECS.keys() - {here}:
            crossing = Crossing(here, there, severities(here))
            kind = "stream kept" if stream else "answer kept"
            try:
                again = self._again(there, response, crossing, stream=stream)
            except Malformed:
                self.counts[here, there, "call cut off"] += 1
                continue
            self.counts[here, there, kind] += 1
            if answered(again) != answered(response) and not _named(crossing):
                self.wrong.append(f"{row['id']} to {there}: {str(answered(again))[:200]}")
            self._check_end(row, there, response, again)

    def _again(
        self, there: str, response: Response, crossing: Crossing, *, stream: bool
    ) -> Response:
        if not stream:
            return CODECS[there].read_response(CODECS[there].write_response(response, crossing))
        writer, reader = CODECS[there].stream_writer(crossing), CODECS[there].stream_reader()
        events = [e for event in unfold(response) for e in writer.write([event])]
        return fold([e for event in events for e in reader.read(event)] + reader.rest())

    def _check_end(
        self, row: dict[str, Any], there: str, response: Response, again: Response
    ) -> None:
        if not response.answers or not again.answers:
            return
        stop, kept = response.answers[0].stop, again.answers[0].stop
        calls = answered(response)[1]
        if stop is not None and kept is not None and not calls:
            allowed = {stop.kind, NEAREST[there].get(stop.kind, stop.kind)}
            if kept.kind not in allowed:
                self.wrong.append(f"{row['id']} to {there}: {stop.kind} became {kept.kind}")
        usage = response.tally.usage if response.tally else None
        found = again.tally.usage if again.tally else None
        if usage is not None and usage.reasoning > usage.output:
            self.counts[row["id"], there, "usage that contradicts itself"] += 1
        elif usage is not None and (found is None or found.tokens() != usage.tokens()):
            self.wrong.append(f"{row['id']} to {there}: {usage} became {found}")


def _named(crossing: Crossing) -> bool:
    return any(loss.severity != "hint" for loss in crossing.losses)


@pytest.fixture(scope="module")
def crossed() -> Crossed:
    found = Crossed()
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            here = SURFACES.get(row["surface"])
            if here is None:
                continue
            body = (row.get("request") or {}).get("body")
            if isinstance(body, dict):
                found.request(row, here, body)
            told = row["response"]
            if told["status"] >= 400:
                continue
            try:
                if isinstance(told.get("body"), dict):
                    response = CODECS[here].read_response(told["body"])
                    found.response(row, here, response, stream=False)
                elif "sse" in told or "eventstream_base64" in told:
                    events = streamed(row, here)
                    whole = fold(e for e in events if not isinstance(e, End))
                    if any(isinstance(e, Finish) for e in events):
                        found.response(row, here, whole, stream=True)
            except Malformed:
                found.counts[here, here, "not readable"] += 1
    return found


def test_what_crosses_is_kept_or_named_or_refused(
    crossed: Crossed, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = sorted({kind for _, _, kind in crossed.counts})
    with capsys.disabled():
        print()
        for here in CODECS:
            for there in CODECS:
                told = [f"{n} {k}" for k in kinds if (n := crossed.counts[here, there, k])]
                if told:
                    print(f"  corpus | {here:9} to {there:9} | {', '.join(told)}")
        for line in crossed.wrong[:40]:
            print("  wrong  |", line)
    odd = {i for i, _, kind in crossed.counts if kind == "usage that contradicts itself"}
    assert len(odd) < 10, "some vendors count less output than they say was reasoning"
    assert not crossed.wrong
    assert sum(crossed.counts.values()) > 5000
