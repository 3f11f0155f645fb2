"""Items, written: parts of turns as messages, calls, results and reasoning."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from farthing.wire.canon import (
    JSON,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    TokenLogprob,
    ToolCall,
    ToolResult,
    Turn,
)
from farthing.wire.crossing import Crossing
from farthing.wire.responses.forms import NAME, spelling
from farthing.wire.responses.items import BETWEEN, ITEM, STRING
from farthing.wire.responses.parts import MESSAGE, write_part


class ItemWriter:
    """Writes parts one after the other; content parts that follow one another are one message."""

    def __init__(
        self,
        crossing: Crossing,
        shell: Callable[[str], JSON] = lambda kind: {"type": kind},
        logs: Iterator[TokenLogprob] | None = None,
        earlier: bool = True,
    ) -> None:
        """`shell` makes a new item of a type; `earlier` tells a request's turns from an answer."""
        self.items: list[JSON] = []
        self._crossing = crossing
        self._shell = shell
        self._logs = iter(()) if logs is None else logs
        self._earlier = earlier
        self._message: JSON | None = None
        self._content: list[JSON] = []
        self._string = False
        self._custom: set[str] = set()

    def turn(self, turn: Turn) -> None:
        """Write a turn."""
        if turn.name:
            self._crossing.lose("name", "hint")
        role = "user" if turn.role == "tool" else turn.role
        rest = self._crossing.rest(turn)
        if form := self._crossing.form(turn):
            self._begin(role, form, rest)
        for part in turn.parts:
            self.part(part, role)
        self.end()

    def part(self, part: Part, role: str) -> None:
        """Write a part of a turn of a role."""
        if isinstance(part, Opaque):
            self._opaque(part, role)
        elif isinstance(part, Text | Media | Refusal):
            self._content_part(part, role)
        else:
            self.end()
            self._item(part)

    def end(self) -> None:
        """End the message that is open, if any."""
        if self._message is not None and self._content:
            content = self._content
            lone = self._string and _is_lone(content)
            self._message["content"] = content[0]["text"] if lone else content
        self._message, self._content = None, []

    def _begin(self, role: str, form: str, rest: JSON) -> None:
        self.end()
        told = spelling(form)
        self._string = told.word == STRING if told else self._earlier
        shell = self._shell("message") if told is None else told.hidden
        self._message = {**shell, **rest, "role": role}
        self.items.append(self._message)

    def _opaque(self, part: Opaque, role: str) -> None:
        form = self._crossing.form(part)
        if not self._crossing.same:
            self._crossing.lose(part.type or "part", "meaning")
        elif form == ITEM:
            self.end()
            self.items.append(part.rest)
        else:
            self._ensure(role, form.partition("\n")[2], {})
            self._content.append(part.rest)

    def _content_part(self, part: Text | Media | Refusal, role: str) -> None:
        side = "output" if role == "assistant" else "input"
        written = write_part(part, self._crossing, side, self._logs)
        if written is None:
            return
        _, _, form = self._crossing.form(part).partition("\n")
        self._ensure(role, form, part.rest.get(MESSAGE, {}) if form else {})
        self._content.append(written)

    def _ensure(self, role: str, form: str, rest: JSON) -> None:
        """Begin a message where none is open, or where a part says that its own begins."""
        if form or self._message is None:
            self._begin(role, form, rest)

    def _item(self, part: ToolCall | ToolResult | Reasoning) -> None:
        if isinstance(part, ToolCall):
            written: JSON | None = self._call(part)
        elif isinstance(part, ToolResult):
            written = self._result(part)
        else:
            written = self._reasoning(part)
        if written is not None:
            self.items.append(written | self._crossing.rest(part))

    def _call(self, call: ToolCall) -> JSON:
        told = spelling(self._crossing.form(call))
        kind = "custom_tool_call" if call.custom else "function_call"
        if call.custom:
            self._custom.add(call.id)
        if call.cache is not None:
            self._crossing.lose("cache mark", "hint")
        if call.signature is not None:
            self._crossing.lose("reasoning", "hint")
        body = told.hidden if told else self._shell(kind)
        handle, arguments = call.id, call.arguments
        if told is None:
            handle = handle or body.get("id") or f"call_{len(self.items)}"
            arguments = arguments or ("" if call.custom else "{}")
        said = {"call_id": handle, "name": call.name}
        said["input" if call.custom else "arguments"] = arguments
        return body | said

    def _result(self, result: ToolResult) -> JSON:
        told = spelling(self._crossing.form(result))
        custom = result.call in self._custom
        kind = "custom_tool_call_output" if custom else "function_call_output"
        if result.cache is not None:
            self._crossing.lose("cache mark", "hint")
        if result.error:
            self._crossing.lose("is_error", "shape")
        body = (told.hidden if told else self._shell(kind)) | {"call_id": result.call}
        written = map(self._output_part, result.parts)
        output = [one for one in written if one is not None]
        if output and (told is None or told.word == STRING) and _is_lone(output):
            body["output"] = output[0]["text"]
        elif output or told is None:
            body["output"] = output or ""
        return body

    def _output_part(self, part: Part) -> JSON | None:
        if isinstance(part, Text | Media | Refusal):
            return write_part(part, self._crossing, "input", self._logs)
        if isinstance(part, Opaque) and self._crossing.same:
            return part.rest
        self._crossing.lose("part of a tool result", "meaning")
        return None

    def _reasoning(self, thought: Reasoning) -> JSON | None:
        """Return None for another vendor's reasoning of an earlier turn."""
        seal = thought.signature
        ours = self._crossing.same or (seal is not None and seal.vendor == NAME)
        if not ours and (self._earlier or seal is not None or thought.encrypted):
            self._crossing.lose("reasoning", "hint")
        if not ours and (self._earlier or not thought.text):
            return None
        told = spelling(self._crossing.form(thought))
        body = told.hidden if told else {**self._shell("reasoning"), "summary": []}
        pieces = _pieces(thought.text, told.word if told else "")
        key, kind = ("summary", "summary_text")
        if not thought.summary:
            key, kind = ("content", "reasoning_text")
        if pieces:
            body[key] = [{"type": kind, "text": piece} for piece in pieces]
        if thought.id:
            body["id"] = thought.id
        if thought.encrypted and ours:
            body["encrypted_content"] = thought.encrypted
        return body


def _is_lone(content: list[JSON]) -> bool:
    """Whether a content is no more than a string could say."""
    first = content[0]
    plain = "text" in first and first.keys() <= {"type", "text", "annotations"}
    return len(content) == 1 and plain and not first.get("annotations")


def _pieces(text: str, lengths: str) -> list[str]:
    """Cut a text into the pieces it was made of; one piece when the lengths are not its own."""
    if not lengths:
        return [text] if text else []
    counted = [int(length) for length in lengths.split(",")]
    pieces, start = [], 0
    for length in counted:
        pieces.append(text[start : start + length])
        start += length + len(BETWEEN)
    return pieces if BETWEEN.join(pieces) == text else [text]
