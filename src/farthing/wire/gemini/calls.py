"""Calls of functions and what they returned, both ways.

Arguments and results are objects here and text elsewhere. Ids may be missing: then a call gets one
that is the same each time the same thing is read, and a result gets its call's by the name.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque

from farthing.wire.canon import JSON, Media, Opaque, Part, Signature, Text, ToolCall, ToolResult
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.media import read_file, read_inline, write_media
from farthing.wire.gemini.spelling import (
    Keys,
    compact,
    parse_object,
    spelled,
    value_of,
    words_of,
)

VENDOR = "gemini"

# The keys that a result of one text is put under; "error" says so of itself.
_KEYS = ("output", "result", "error", "content", "return_value")

_sound_id = re.compile(r"[A-Za-z0-9_-]{1,40}").fullmatch


class Ids:
    """Gives ids to calls that have none, and finds the calls that results answer."""

    def __init__(self, seed: str = "") -> None:
        """`seed`: an answer's own id, so that the calls of several answers differ."""
        self._start = f"call_{seed}_" if _sound_id(seed) else "call_"
        self._made = 0
        self._open: defaultdict[str, deque[str]] = defaultdict(deque)

    def call(self, name: str, told: str | None) -> str:
        """Return a call's id: the one it has, or a new one."""
        if told is None:
            told = f"{self._start}{self._made}"
            self._made += 1
        self._open[name].append(told)
        return told

    def result(self, name: str, told: str | None) -> str:
        """Return the id of the call that a result answers."""
        waiting = self._open[name]
        if told is None:
            return waiting.popleft() if waiting else self.call("", None)
        if told in waiting:
            waiting.remove(told)
        return told


def read_signature(part: Keys) -> Signature | None:
    """Read a part's `thoughtSignature`."""
    value = part.maybe("thoughtSignature", str)
    return None if value is None else Signature(value=value, vendor=VENDOR)


def write_signature(made: JSON, signature: Signature | None) -> None:
    """Add a signature to a part, if it is this vendor's own."""
    if signature is not None and signature.vendor == VENDOR:
        made["thoughtSignature"] = signature.value


def read_call(part: Keys, ids: Ids) -> ToolCall | None:
    """Read a part's `functionCall`; None, and it stays, when it has no name."""
    inner = part.inner("functionCall")
    name = inner.maybe("name", str) if inner else None
    if inner is None or name is None:
        return None
    told = inner.maybe("id", str)
    args = inner.maybe("args", dict)
    part.words += [word for word, value in (("noid", told), ("noargs", args)) if value is None]
    part.keep("functionCall", inner)
    signature = read_signature(part)
    return ToolCall(
        id=ids.call(name, told),
        name=name,
        arguments="" if args is None else compact(args),
        signature=signature,
        rest=part.left,
        form=part.form,
    )


def write_call(call: ToolCall, crossing: Crossing) -> JSON | None:
    """Write a part; None when this dialect cannot take it.

    Raises Malformed when the arguments are no JSON object.
    """
    words = words_of(crossing.form(call))
    if call.custom:
        crossing.lose(f"custom tool call {call.name}", "meaning")
        return None
    if call.cache:
        crossing.lose("cache_control", "hint")
    made: JSON = {} if "noid" in words else {"id": call.id}
    made["name"] = call.name
    if call.arguments or "noargs" not in words:
        made["args"] = parse_object(call.arguments, f"The arguments of {call.name}")
    part: JSON = {"functionCall": spelled(made, words, {})}
    write_signature(part, call.signature)
    return spelled(part, words, crossing.rest(call, "tool_call"))


def read_result(part: Keys, ids: Ids) -> ToolResult | None:
    """Read a part's `functionResponse`; None, and it stays, when it has no name."""
    inner = part.inner("functionResponse")
    name = inner.maybe("name", str) if inner else None
    if inner is None or name is None:
        return None
    told = inner.maybe("id", str)
    response = inner.maybe("response", dict)
    parts: list[Part] = [] if response is None else [_read_output(response)]
    media = inner.objects("parts")
    parts += [_read_media(item) for item in media or []]
    missing = [("noid", told), ("noresponse", response), ("noparts", media)]
    part.words += [word for word, value in missing if value is None]
    part.keep("functionResponse", inner)
    return ToolResult(
        call=ids.result(name, told),
        name=name,
        parts=parts,
        error=response is not None and "error" in response,
        rest=part.left,
        form=part.form,
    )


def _read_output(response: JSON) -> Text:
    """Read what a function returned: one text, or JSON as a text."""
    if len(response) == 1:
        key, value = next(iter(response.items()))
        if key in _KEYS and isinstance(value, str):
            return Text(text=value, form=f"output key={key}")
    return Text(text=compact(response), form="output json")


def _read_media(item: JSON) -> Part:
    read = read_inline(Keys(item)) or read_file(Keys(item))
    return read or Opaque(type="functionResponse.parts", rest=item)


def write_result(result: ToolResult, names: dict[str, str], crossing: Crossing) -> JSON:
    """Write a part. `names` are those of the calls, by their ids."""
    words = words_of(crossing.form(result))
    if result.cache:
        crossing.lose("cache_control", "hint")
    made: JSON = {} if "noid" in words else {"id": result.call}
    known = result.name or names.get(result.call) or result.call
    made["name"] = result.name if crossing.same else known
    texts = [part for part in result.parts if isinstance(part, Text)]
    if texts or "noresponse" not in words:
        made["response"] = _write_output(texts, result.error, crossing)
    media = _write_parts(result.parts, crossing)
    if media or (crossing.same and "noparts" not in words):
        made["parts"] = media
    part = {"functionResponse": spelled(made, words, {})}
    return spelled(part, words, crossing.rest(result, "tool_result"))


def _write_output(texts: list[Text], error: bool, crossing: Crossing) -> JSON:
    if len(texts) == 1 and (form := crossing.form(texts[0])):
        key = value_of(form, "key")
        if not key:
            return parse_object(texts[0].text, "A function's response")
        return {key: texts[0].text}
    for text in texts:
        crossing.rest(text, "tool_result.text")
    said = "\n".join(text.text for text in texts)
    return {"error" if error else "output": said}


def _write_parts(parts: list[Part], crossing: Crossing) -> list[JSON]:
    """Write what is no text of a result."""
    made = []
    for part in parts:
        if isinstance(part, Media):
            written = write_media(part, crossing)
            made += [] if written is None else [written]
        elif isinstance(part, Opaque) and crossing.same:
            made.append(part.rest)
        elif not isinstance(part, Text):
            name = part.type if isinstance(part, Opaque) else type(part).__name__
            crossing.lose(f"tool_result.{name}", "meaning")
    return made
