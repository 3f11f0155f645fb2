"""Messages streams made of what other dialects' readers read.

The blocks stand one after the other, as clients expect them: what comes of a later one waits for
the earlier. The stop reason and the usage are one event here, sent when both are known.

What is left over of an event is its envelope, which is each dialect's own and no loss; what is
left over of a part is named.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from farthing.wire.canon import (
    JSON,
    Citation,
    Node,
    Part,
    Reasoning,
    Refusal,
    Signature,
    Stop,
    Tally,
    Text,
    ToolCall,
)
from farthing.wire.codec import WireEvent
from farthing.wire.crossing import Crossing
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, Idle, More, Open, Shut
from farthing.wire.messages.answers import write_head, write_stop, write_tally
from farthing.wire.messages.blocks import Blocks, call_id
from farthing.wire.messages.parts import DIALECT
from farthing.wire.messages.problems import write_problem
from farthing.wire.messages.stream_reader import DELTAS


class _Block(msgspec.Struct):
    """A content block that is being written."""

    kind: type[Node]
    start: JSON | None
    """What it begins with, until that is written."""
    deltas: list[JSON] = []
    """What is not written yet."""
    shut: bool = False


class ForeignWriter:
    """Makes a stream of what another dialect's reader read."""

    def __init__(self, crossing: Crossing) -> None:
        self._crossing = crossing
        self._blocks = Blocks(crossing, answer=True)
        self._begun = False
        self._index = -1
        self._parts: dict[int, _Block] = {}
        self._queue: deque[_Block] = deque()
        self._stop: Stop | None = None
        self._tally: Tally | None = None
        self._counted = False  # whether there is a count that was not sent
        self._ended = False
        self._out: list[WireEvent] = []
        self._writers: dict[type[Node], Callable[[Any], None]] = {
            Begin: self._begin,
            Open: self._open,
            More: self._more,
            Shut: self._shut,
            Finish: self._finish,
            Count: self._count,
            Fault: self._fault,
            End: self._end,
            Idle: lambda event: None,
        }

    def write(self, events: list[Event]) -> list[WireEvent]:
        """Return the events that say what these said."""
        for event in events:
            if not self._begun and not isinstance(event, Begin | Idle | Fault):
                self._begin(Begin(dialect=DIALECT))
            if getattr(event, "answer", 0) == 0:
                self._writers[type(event)](event)
            else:
                self._crossing.lose("answers beyond the first", "shape")
        if self._stop is not None and self._counted and not self._queue:
            self._tell_end()
        sent, self._out = self._out, []
        return sent

    def again(self, _: int) -> None:
        """More texts are written like the last one; nothing changes by it."""

    def _send(self, kind: str, **fields: Any) -> None:
        self._out.append(WireEvent(data={"type": kind, **fields}, name=kind))

    def _begin(self, event: Begin) -> None:
        self._begun = True
        self._tally = event.tally
        message = write_head(event.id, event.model, "", self._crossing)
        message |= {"content": [], "stop_reason": None, "stop_sequence": None}
        known = event.tally is not None and event.tally.usage is not None
        zero = {"input_tokens": 0, "output_tokens": 0}
        message["usage"] = write_tally(event.tally, self._crossing) if known else zero
        self._send("message_start", message=message)

    def _open(self, event: Open) -> None:
        """Begin a block empty, as this dialect does; what the part has already is more of it."""
        block = self._blank(event.content)
        if block is None:
            self._blocks.block(event.content)  # it names the loss
            return
        self._parts[event.part] = block
        self._queue.append(block)
        content = event.content
        if isinstance(content, ToolCall):
            self._add(block, content.arguments)
        elif isinstance(content, Text | Reasoning | Refusal):
            self._add(block, content.text)
        if isinstance(content, Text | ToolCall | Reasoning):
            self._seal(block, content.signature)
        if isinstance(content, Text):
            for citation in content.citations:
                self._cite(block, citation)
        self._flush()

    def _blank(self, content: Part) -> _Block | None:
        if isinstance(content, ToolCall) and not content.custom:
            named = {"id": call_id(content.id, content.name), "name": content.name}
            self._crossing.rest(content, "tool_use")
            return _Block(kind=ToolCall, start={"type": "tool_use", **named, "input": {}})
        if isinstance(content, Reasoning):
            self._crossing.rest(content, "thinking")
            if content.encrypted:
                self._crossing.lose("reasoning signature", "hint")
            return _Block(
                kind=Reasoning, start={"type": "thinking", "thinking": "", "signature": ""}
            )
        if isinstance(content, Text | Refusal):
            self._crossing.rest(content, "text")
            return _Block(kind=Text, start={"type": "text", "text": ""})
        return None

    def _more(self, event: More) -> None:
        if event.logprobs:
            self._crossing.lose("logprobs", "shape")
        block = self._parts.get(event.part)
        if block is None:
            return
        if event.encrypted:
            self._crossing.lose("reasoning signature", "hint")
        self._add(block, event.text)
        self._seal(block, event.signature)
        if event.citation is not None:
            self._cite(block, event.citation)
        self._flush()

    def _add(self, block: _Block, text: str) -> None:
        if text:
            kind, key = DELTAS[block.kind]
            block.deltas.append({"type": kind, key: text})

    def _seal(self, block: _Block, seal: Signature | None) -> None:
        if seal is None:
            return
        if seal.vendor == DIALECT and block.kind is Reasoning:
            block.deltas.append({"type": "signature_delta", "signature": seal.value})
        else:
            self._crossing.lose("reasoning signature", "hint")

    def _cite(self, block: _Block, citation: Citation) -> None:
        written = self._blocks.citation(citation)
        if written is not None and block.kind is Text:
            block.deltas.append({"type": "citations_delta", "citation": written})

    def _shut(self, event: Shut) -> None:
        block = self._parts.pop(event.part, None)
        if block is not None:
            block.shut = True
            self._flush()

    def _flush(self) -> None:
        """Send what the first block has, and of the next ones once it is shut."""
        while self._queue:
            block = self._queue[0]
            # Text and thoughts that never come are no block; a call without arguments is one.
            if block.start is not None and (block.deltas or block.kind is ToolCall):
                self._index += 1
                self._send("content_block_start", index=self._index, content_block=block.start)
                block.start = None
            for delta in block.deltas:
                self._send("content_block_delta", index=self._index, delta=delta)
            block.deltas.clear()
            if not block.shut:
                return
            if block.start is None:
                self._send("content_block_stop", index=self._index)
            self._queue.popleft()

    def _finish(self, event: Finish) -> None:
        self._stop = event.stop

    def _count(self, event: Count) -> None:
        self._tally, self._counted = event.tally, True

    def _fault(self, event: Fault) -> None:
        self._send("error", **_but_type(write_problem(event.problem, self._crossing)))

    def _end(self, event: End) -> None:
        for part in list(self._parts):
            self._shut(Shut(answer=0, part=part))
        if self._counted or not self._ended:
            self._tell_end()
        self._send("message_stop")

    def _tell_end(self) -> None:
        """Tell the stop reason and the usage; again, if a later count replaces it."""
        usage = write_tally(self._tally, self._crossing)
        self._send("message_delta", delta=write_stop(self._stop, self._crossing), usage=usage)
        self._counted, self._ended = False, True


def _but_type(data: JSON) -> JSON:
    return {key: value for key, value in data.items() if key != "type"}
