"""Streams, written: the events of one answer, numbered, each item and part begun and ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from farthing.wire.canon import (
    JSON,
    Citation,
    Part,
    Reasoning,
    Refusal,
    Stop,
    Tally,
    Text,
    ToolCall,
)
from farthing.wire.codec import WireEvent
from farthing.wire.crossing import Crossing
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, Idle, More, Open, Shut
from farthing.wire.responses.answers import ending, new_item, skeleton
from farthing.wire.responses.live import text_of
from farthing.wire.responses.logprobs import write_logprob
from farthing.wire.responses.parts import write_citation
from farthing.wire.responses.problems import new_error
from farthing.wire.responses.streams import BARE, ENVELOPE
from farthing.wire.responses.usage import write_tally


class _Item(msgspec.Struct):
    """An item that was begun."""

    index: int
    body: JSON
    open: int = 0
    """How many of its parts are open."""
    ended: bool = False


class _Part(msgspec.Struct):
    """A part that was begun."""

    content: Part
    item: _Item | None = None
    """None for reasoning that has not told any text yet, which may never do."""
    index: int = 0
    """Its index in its item's content."""
    told: list[str] = []
    annotations: list[JSON] = []
    logprobs: list[JSON] = []


class Writer:
    """Writes one stream."""

    def __init__(self, crossing: Crossing) -> None:
        self._crossing = crossing
        self._number = 0
        self._response: JSON = {}
        self._items: list[_Item] = []
        self._message: _Item | None = None
        self._parts: dict[int, _Part] = {}
        self._stop: Stop | None = None
        self._tally: Tally | None = None
        self._over = False
        self._out: list[WireEvent] = []

    def write(self, events: list[Event]) -> list[WireEvent]:
        """Return the events for what one event of the other side said."""
        if self._crossing.same and events and isinstance(last := events[-1], Idle) and last.form:
            return [_again(events[:-1], last)]
        for event in events:
            handler = _HANDLERS.get(type(event))
            if handler is not None and not self._over:
                handler(self, event)
        out, self._out = self._out, []
        return out

    def _send(self, kind: str, **fields: Any) -> None:
        data = {"type": kind, **fields, "sequence_number": self._number}
        self._number += 1
        self._out.append(WireEvent(data=data, name=kind))

    # -- the answer -------------------------------------------------------------------------------

    def _begin(self, begin: Begin) -> None:
        self._crossing.rest(begin)
        self._response = skeleton(begin.id, begin.model, begin.created)
        self._tally = begin.tally
        self._send("response.created", response=dict(self._response))
        self._send("response.in_progress", response=dict(self._response))

    def _count(self, count: Count) -> None:
        self._tally = count.tally

    def _finish(self, finish: Finish) -> None:
        if finish.answer > 0:
            self._crossing.lose("answers beyond the first", "shape")
            return
        self._end_all()
        self._stop = finish.stop

    def _end_all(self) -> None:
        for number in list(self._parts):
            self._shut_part(number)
        self._end_message()

    def _end(self, _: End) -> None:
        self._end_all()
        self._final(ending(self._stop, [item.body for item in self._items], self._crossing))

    def _final(self, how: JSON) -> None:
        self._over = True
        usage = write_tally(self._tally, self._crossing)
        output = [item.body for item in self._items]
        response = {**self._response, "output": output, "usage": usage, **how}
        self._send(f"response.{response['status']}", response=response)

    def _fault(self, fault: Fault) -> None:
        problem = fault.problem
        if not self._response:
            self._over = True
            told = {"code": problem.code or None, "message": problem.message, "param": None}
            self._send("error", **told)
            return
        self._end_all()
        code = "rate_limit_exceeded" if problem.status == 429 else new_error(problem)["code"]
        error = {"code": code or "server_error", "message": problem.message}
        self._final({"status": "failed", "error": error})

    # -- items ------------------------------------------------------------------------------------

    def _new_item(self, kind: str, **fields: Any) -> _Item:
        index = len(self._items)
        body = {**new_item(kind, self._response.get("id", ""), index), **fields}
        item = _Item(index=index, body=body)
        self._items.append(item)
        begun = {**body, "status": "in_progress"}
        self._send("response.output_item.added", output_index=index, item=begun)
        return item

    def _end_item(self, item: _Item) -> None:
        if not item.ended:
            item.ended = True
            self._send("response.output_item.done", output_index=item.index, item=item.body)

    def _end_message(self) -> None:
        """End the message that is open, unless a part of it is: then its end follows that one's."""
        message, self._message = self._message, None
        if message is not None and not message.open:
            self._end_item(message)

    # -- parts ------------------------------------------------------------------------------------

    def _open(self, opened: Open) -> None:
        if opened.answer > 0:
            return
        content = opened.content
        part = _Part(content=content, told=[], annotations=[], logprobs=[])
        if isinstance(content, Text | Refusal):
            self._open_content(part)
        elif isinstance(content, ToolCall):
            self._open_call(part, content)
        elif not isinstance(content, Reasoning):
            kind = getattr(content, "kind", "") or getattr(content, "type", "") or "part"
            self._crossing.lose(kind, "meaning")
            return
        self._crossing.rest(content)
        self._parts[opened.part] = part
        if text := text_of(content):
            self._tell(part, text)

    def _open_content(self, part: _Part) -> None:
        if self._message is None:
            self._message = self._new_item("message", role="assistant", content=[])
        part.item = message = self._message
        part.index = len(message.body["content"])
        message.open += 1
        body = _content(part)
        message.body["content"] = [*message.body["content"], body]
        self._send("response.content_part.added", **_place(part), part=dict(body))

    def _open_call(self, part: _Part, call: ToolCall) -> None:
        self._end_message()
        kind, field = _call_words(call)
        handle = call.id or f"call_{self._response.get('id', '')}_{len(self._items)}"
        fields: JSON = {"call_id": handle, "name": call.name, field: ""}
        part.item = self._new_item(kind, **fields)

    def _open_reasoning(self, part: _Part, thought: Reasoning) -> None:
        self._end_message()
        part.item = self._new_item("reasoning", summary=[])
        blank = {"type": "summary_text" if thought.summary else "reasoning_text", "text": ""}
        added = "reasoning_summary_part" if thought.summary else "content_part"
        self._send(f"response.{added}.added", **_place(part), part=blank)

    def _more(self, more: More) -> None:
        part = self._parts.get(more.part) if more.answer == 0 else None
        if part is None:
            return
        if more.text:
            self._tell(part, more.text, more)
        if more.citation is not None and isinstance(part.content, Text):
            self._cite(part, more.citation)
        if more.signature is not None or more.encrypted:
            self._crossing.lose("reasoning", "hint")

    def _tell(self, part: _Part, text: str, more: More | None = None) -> None:
        content = part.content
        if isinstance(content, Reasoning) and part.item is None:
            self._open_reasoning(part, content)
        part.told.append(text)
        fields = _place(part) | {"delta": text}
        if isinstance(content, Text):
            logs = [write_logprob(one, self._crossing) for one in (more.logprobs if more else [])]
            part.logprobs += logs
            fields["logprobs"] = logs
        self._send(f"response.{_event_name(content)}.delta", **fields)

    def _cite(self, part: _Part, citation: Citation) -> None:
        length = sum(map(len, part.told))
        written = write_citation(citation, self._crossing, length)
        if written is None:
            return
        place = _place(part) | {"annotation_index": len(part.annotations)}
        part.annotations.append(written)
        self._send("response.output_text.annotation.added", **place, annotation=written)

    def _shut(self, shut: Shut) -> None:
        if shut.answer == 0:
            self._shut_part(shut.part)

    def _shut_part(self, number: int) -> None:
        part = self._parts.pop(number, None)
        if part is None or part.item is None:
            return
        text, content, item = "".join(part.told), part.content, part.item
        place, name = _place(part), f"response.{_event_name(content)}.done"
        if isinstance(content, ToolCall):
            field = _call_words(content)[1]
            text = text or ("" if content.custom else "{}")
            item.body[field] = text
            self._send(name, **place, **{field: text})
            self._end_item(item)
        elif isinstance(content, Reasoning):
            self._shut_reasoning(part, content, text)
        else:
            body = _content(part, text)
            item.body["content"][part.index] = body
            told = {key: body[key] for key in ("text", "refusal", "logprobs") if key in body}
            self._send(name, **place, **told)
            self._send("response.content_part.done", **place, part=body)
            item.open -= 1
            if item is not self._message and not item.open:
                self._end_item(item)

    def _shut_reasoning(self, part: _Part, thought: Reasoning, text: str) -> None:
        assert part.item is not None
        place = _place(part)
        body = {"type": "summary_text" if thought.summary else "reasoning_text", "text": text}
        part.item.body["summary" if thought.summary else "content"] = [body]
        self._send(f"response.{_event_name(thought)}.done", **place, text=text)
        added = "reasoning_summary_part" if thought.summary else "content_part"
        self._send(f"response.{added}.done", **place, part=body)
        self._end_item(part.item)


def _again(said: list[Event], idle: Idle) -> WireEvent:
    """Return an event that was read in this dialect, with what is canonical in it put in anew."""
    if idle.form == BARE:
        return WireEvent(data=idle.rest["data"], name=idle.type)
    assert idle.form == ENVELOPE
    data = idle.rest
    for event in said:
        if isinstance(event, More) and event.text and isinstance(data.get("delta"), str):
            data = {**data, "delta": event.text}
        elif isinstance(event, Begin) and isinstance(response := data.get("response"), dict):
            named = {"id": event.id, "model": event.model}
            told = {key: value for key, value in named.items() if value}
            data = {**data, "response": {**response, **told}}
    return WireEvent(data=data, name=idle.type)


def _content(part: _Part, text: str = "") -> JSON:
    if isinstance(part.content, Refusal):
        return {"type": "refusal", "refusal": text}
    body: JSON = {"type": "output_text", "text": text, "annotations": [*part.annotations]}
    return body | {"logprobs": [*part.logprobs]}


def _place(part: _Part) -> JSON:
    """Return the fields that tell of which part an event is."""
    assert part.item is not None
    place: JSON = {"item_id": part.item.body["id"], "output_index": part.item.index}
    if isinstance(part.content, ToolCall):
        return place
    summary = isinstance(part.content, Reasoning) and part.content.summary
    return place | {"summary_index" if summary else "content_index": part.index}


def _event_name(content: Part) -> str:
    """Return the middle of the names of the events that tell a part's text."""
    if isinstance(content, Text):
        return "output_text"
    if isinstance(content, Refusal):
        return "refusal"
    if isinstance(content, ToolCall):
        return "custom_tool_call_input" if content.custom else "function_call_arguments"
    summary = isinstance(content, Reasoning) and content.summary
    return "reasoning_summary_text" if summary else "reasoning_text"


def _call_words(call: ToolCall) -> tuple[str, str]:
    return ("custom_tool_call", "input") if call.custom else ("function_call", "arguments")


_HANDLERS: dict[type, Callable[[Writer, Any], None]] = {
    Begin: Writer._begin,
    Open: Writer._open,
    More: Writer._more,
    Shut: Writer._shut,
    Finish: Writer._finish,
    Count: Writer._count,
    Fault: Writer._fault,
    End: Writer._end,
}
