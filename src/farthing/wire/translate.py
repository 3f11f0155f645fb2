"""A query between two dialects: its request there, its answer back, and what was lost."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from farthing.wire import DIALECTS, sse
from farthing.wire.canon import Part, ToolCall
from farthing.wire.codecs import CODECS
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Answer, Ask, Tap, Usage
from farthing.wire.events import Count, End, Event, Finish
from farthing.wire.framing import SseFraming, WireEvent, read_event
from farthing.wire.passage import Passage, decoded
from farthing.wire.refrain import BLANK, Refrain
from farthing.wire.severities import severities


class Translation(Passage):
    """One query's crossing: `there` is the provider's side, `here` its client's."""

    def __init__(
        self, here: str, there: str, _: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """The model's name says nothing here. `headers` go to the provider with the request."""
        self.here = CODECS[here]
        self.there = CODECS[there]
        super().__init__(self.here, self.there, severities(here), severities(there), headers)

    def request(self, ask: Ask, *, strict: bool) -> bytes:
        """Return a client's request in the provider's dialect.

        Raises:
            Malformed: it cannot be read, or not be said there.
            Refused: lossy_crossing; a meaning would be lost, or when strict, a shape.
        """
        request = self.here.read_request(decoded(ask.body))
        request.model, request.stream = ask.model, ask.stream
        told = self.there.write_request(request, self.out)
        self.check(strict=strict)
        return msgspec.json.encode(told)

    def whole(self, body: bytes, usage: Usage | None = None) -> bytes:
        """Return a provider's whole answer in the client's dialect. Raises Malformed.

        The answer's own usage is told on, whatever `usage` says.
        """
        response = self.there.read_response(decoded(body))
        for answer in response.answers:
            answer.parts = [part for part in answer.parts if not self._is_broken(part)]
        return msgspec.json.encode(self.here.write_response(response, self.back))

    def _is_broken(self, part: Part) -> bool:
        """Whether a part is a call that was cut off, which nobody could run; its loss is named."""
        if not isinstance(part, ToolCall) or part.custom or not part.arguments:
            return False
        try:
            broken = not isinstance(msgspec.json.decode(part.arguments), dict)
        except (msgspec.DecodeError, RecursionError):
            broken = True
        if broken:
            self.back.lose("a call whose arguments are cut off", "meaning")
        return broken

    def tap(self, tap: Tap, *, usage: bool) -> Tap:
        """Return what translates a stream; `tap` reads its usage, which goes on if `usage`."""
        return _CrossingTap(self, tap, self.back, usage)


class _CrossingTap:
    """Passes a stream on in the client's dialect."""

    def __init__(self, translation: Translation, tap: Tap, crossing: Crossing, usage: bool) -> None:
        self._tap = tap
        self._usage = usage
        self._finished = self._ended = False
        self._reader = translation.there.stream_reader()
        self._writer = translation.here.stream_writer(crossing)
        self._in = DIALECTS[translation.there.name].framing()
        self._out = DIALECTS[translation.here.name].framing()
        self._refrain = Refrain(self._reader, self._writer)
        self._padding = getattr(self._reader, "without_padding", None)

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the provider; return the client's. Raises Malformed."""
        self._tap.feed(data)
        if not isinstance(self._in, SseFraming):
            return self._crossed(self._in.feed(data))
        block = self._in.whole(data)
        return self._refrain.alone(block) or self._block(block)

    def rest(self) -> bytes:
        """Return what the end of the stream completes. Raises Malformed.

        In some dialects it is the connection's end that ends a stream, and nothing says so.
        """
        last = self._crossed(self._in.rest()) + self._written(self._reader.rest())
        if self._finished and not self._ended:
            last += self._written([End()])
        return last

    def answer(self) -> Answer:
        """Return what the stream said of itself so far."""
        return self._tap.answer()

    def _block(self, block: bytes) -> bytes:
        """Translate whole events: many at once where they differ in their texts alone."""
        if b"\r" in block:
            return b"".join(map(self._other, sse.events(block)))
        if self._padding is not None:
            block = self._padding(block)
        written, at, size = [], 0, len(block)
        while at < size:
            told, end = self._refrain.again(block, at)
            if end == at:
                end = block.find(BLANK, at)
                told = self._other(block[at:end])
                end += len(BLANK)
            written.append(told)
            at = end
        return written[0] if len(written) == 1 else b"".join(written)

    def _other(self, raw: bytes) -> bytes:
        """Translate an event, and remember it, in case that the next one is like it."""
        event = read_event(raw)
        if event is None:
            return b""
        events = self._reader.read(event)
        written = self._written(events)
        self._refrain.learn(raw, events, written)
        return written

    def _crossed(self, told: list[WireEvent]) -> bytes:
        return b"".join(self._written(self._reader.read(event)) for event in told)

    def _written(self, events: list[Event]) -> bytes:
        if not events:
            return b""
        for event in events:
            self._finished = self._finished or isinstance(event, Finish)
            self._ended = self._ended or isinstance(event, End)
        if not self._usage:
            events = [event for event in events if not isinstance(event, Count)]
        return b"".join(map(self._out.write, self._writer.write(events)))
