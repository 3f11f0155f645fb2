"""The parts of a turn or an answer, both ways."""

from __future__ import annotations

from collections.abc import Callable

from farthing.wire.canon import (
    JSON,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.calls import (
    VENDOR,
    Ids,
    read_call,
    read_result,
    read_signature,
    write_call,
    write_result,
    write_signature,
)
from farthing.wire.gemini.media import read_file, read_inline, write_media
from farthing.wire.gemini.spelling import Keys, snake, spelled, words_of


def read_text(part: Keys, _: Ids) -> Part | None:
    """Read a text, or a thought; None, and it stays, when it is of another type."""
    text = part.maybe("text", str)
    if text is None:
        return None
    signature = read_signature(part)
    if part.left.get("thought") is True:
        del part.left["thought"]
        # What is shown of thoughts is a summary of them.
        return Reasoning(
            text=text, summary=True, signature=signature, rest=part.left, form=part.form
        )
    return Text(text=text, signature=signature, rest=part.left, form=part.form)


# What a part may hold; it has one of these.
_READERS: dict[str, Callable[[Keys, Ids], Part | None]] = {
    "text": read_text,
    "inlineData": lambda part, _: read_inline(part),
    "fileData": lambda part, _: read_file(part),
    "functionCall": read_call,
    "functionResponse": read_result,
}
_OTHERS = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
_KINDS = {
    spelling: key for key in (*_READERS, *_OTHERS) for spelling in dict.fromkeys((key, snake(key)))
}


def read_part(value: JSON, ids: Ids) -> Part:
    """Read one part; one that is not understood, or holds two things, is Opaque."""
    kinds = [_KINDS[key] for key in value if key in _KINDS and value[key] is not None]
    if len(kinds) == 1 and kinds[0] in _READERS:
        keys = Keys(value, "part")
        if keys.left.get("thought") is False:
            del keys.left["thought"]
            keys.words.append("unthought")
        read = _READERS[kinds[0]](keys, ids)
        if read is not None:
            return read
    unknown = (key for key in value if value[key] is not None)
    return Opaque(type=kinds[0] if kinds else next(unknown, "part"), rest=value)


def read_parts(values: list[JSON], ids: Ids) -> list[Part]:
    """Read the parts of a turn."""
    return [read_part(value, ids) for value in values]


class PartWriter:
    """Writes parts. It remembers the names of calls, which results must repeat."""

    def __init__(self, crossing: Crossing, answer: bool) -> None:
        """`answer`: whether it is an answer, which shows thoughts of other vendors too."""
        self._crossing = crossing
        self._answer = answer
        self._names: dict[str, str] = {}

    def write(self, parts: list[Part]) -> list[JSON]:
        """Write what this dialect can say of parts."""
        written = (self.one(part) for part in parts)
        return [part for part in written if part is not None]

    def one(self, part: Part) -> JSON | None:
        """Write one part; None when this dialect cannot say it, and that is named.

        Raises Malformed when a call's arguments are no JSON object.
        """
        made = self._write(part)
        if made is not None and "unthought" in words_of(self._crossing.form(part)):
            made["thought"] = False
        return made

    def _write(self, part: Part) -> JSON | None:
        if isinstance(part, Text):
            return self._text(part)
        if isinstance(part, ToolCall):
            self._names[part.id] = part.name
            return write_call(part, self._crossing)
        if isinstance(part, ToolResult):
            return write_result(part, self._names, self._crossing)
        if isinstance(part, Reasoning):
            return self._thought(part)
        return self._other(part)

    def _other(self, part: Media | Refusal | Opaque) -> JSON | None:
        if isinstance(part, Media):
            return write_media(part, self._crossing)
        if isinstance(part, Opaque):
            return self._opaque(part)
        self._crossing.lose("refusal", "shape")
        self._crossing.rest(part, "refusal")
        return {"text": part.text}

    def _opaque(self, part: Opaque) -> JSON | None:
        if self._crossing.same:
            return part.rest
        self._crossing.lose(part.type, "meaning")
        return None

    def _text(self, part: Text) -> JSON:
        if part.cache:
            self._crossing.lose("cache_control", "hint")
        if part.citations and not (self._crossing.same or self._answer):
            self._crossing.lose("citations", "shape")
        words = words_of(self._crossing.form(part))
        made: JSON = {"text": part.text}
        write_signature(made, part.signature)
        return spelled(made, words, self._crossing.rest(part, "text"))

    def _thought(self, part: Reasoning) -> JSON | None:
        sealed = part.signature is not None and part.signature.vendor != VENDOR
        if not self._crossing.same and (part.encrypted or sealed or not self._answer):
            self._crossing.lose("reasoning", "hint")
            if not self._answer or not part.text:
                return None
        made: JSON = {"text": part.text, "thought": True}
        write_signature(made, part.signature)
        words = words_of(self._crossing.form(part))
        return spelled(made, words, self._crossing.rest(part, "reasoning"))
