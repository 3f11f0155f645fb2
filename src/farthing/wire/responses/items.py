"""Items, read: messages, calls, their results and reasoning, as parts of turns.

A message item is several parts, so the first of them carries the item's own form behind its own,
after a line feed, and the item's own rest under one key of its rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from farthing.wire.canon import (
    JSON,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Signature,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from farthing.wire.responses.forms import NAME, keep, word
from farthing.wire.responses.logprobs import Logs
from farthing.wire.responses.parts import MESSAGE, read_part
from farthing.wire.take import Taker

# The form of an opaque part that is a whole item, and the word of one whose content is a string.
ITEM = "item"
STRING = "string"

# What separates the pieces of a reasoning item in one text.
BETWEEN = "\n\n"

# Items that answer the model, by the end of their type; the others are the model's.
ANSWERS = ("_output", "_response")


def read_turns(items: list[JSON]) -> list[Turn]:
    """Read an input's items; those that the model made in a row are one turn."""
    turns: list[Turn] = []
    for item in items:
        role, turn = _read_message_turn(item)
        if turn is not None:
            turns.append(turn)
        elif role == "assistant" and turns and turns[-1].role == "assistant":
            turns[-1].parts += read_item(item)
        else:
            turns.append(Turn(role=role, parts=read_item(item)))
    return turns


def _read_message_turn(item: JSON) -> tuple[Any, Turn | None]:
    """Return whose turn an item belongs to, and the turn itself if it is one."""
    role, kind = item.get("role"), item.get("type")
    if role not in ("system", "developer", "user"):
        ours = isinstance(kind, str) and kind.endswith(ANSWERS)
        return "tool" if ours else "assistant", None
    if kind not in (None, "message"):
        return role, None
    taker = Taker(item)
    del taker.left["role"]
    parts, spelled = _read_content(taker, "content", None)
    form, rest = keep(taker.left, spelled)
    return role, Turn(role=role, parts=parts, form=form, rest=rest)


def _read_content(taker: Taker, key: str, logs: Logs | None) -> tuple[list[Part], str]:
    """Take a string or a list of parts that is not empty; anything else stays."""
    if text := word(taker.left, key):
        return [Text(text=text)], STRING
    found = taker.objects(key) if taker.left.get(key) else None
    return [read_part(part, logs) for part in found or []], ""


def read_item(item: JSON, logs: Logs | None = None) -> list[Part]:
    """Read an item of the model's or a tool's as parts; log-probabilities go to `logs`."""
    kind = item.get("type", "message" if "role" in item else None)
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    read = reader(item, logs) if reader else None
    if read is None:
        return [Opaque(type=kind if isinstance(kind, str) else "", rest=item, form=ITEM)]
    return read


def _read_message(item: JSON, logs: Logs | None) -> list[Part] | None:
    if item.get("role") != "assistant":
        return None
    taker = Taker(item)
    del taker.left["role"]
    told: Logs = []
    parts, spelled = _read_content(taker, "content", None if logs is None else told)
    if item.get("content") == "":
        parts, spelled = [Text(text="")], STRING
        del taker.left["content"]
    form, rest = keep(taker.left, spelled)
    first = parts[0] if parts else None
    if not isinstance(first, Text | Refusal | Media | Opaque) or MESSAGE in first.rest:
        return None
    if rest and isinstance(first, Opaque):
        return None
    first.form += "\n" + form
    if rest:
        first.rest = {**first.rest, MESSAGE: rest}
    if logs is not None:
        logs += told
    return parts


def _read_call(item: JSON, _: Logs | None) -> list[Part] | None:
    taker = Taker(item)
    custom = item["type"] == "custom_tool_call"
    call, name = taker.maybe("call_id", str), taker.maybe("name", str)
    arguments = taker.maybe("input" if custom else "arguments", str)
    if call is None or name is None or arguments is None:
        return None
    form, rest = keep(taker.left)
    read = ToolCall(id=call, name=name, arguments=arguments, custom=custom, form=form, rest=rest)
    return [read]


def _read_result(item: JSON, _: Logs | None) -> list[Part] | None:
    taker = Taker(item)
    call = taker.maybe("call_id", str)
    parts, spelled = _read_content(taker, "output", None)
    if call is None or (not parts and item.get("output") not in ("", [])):
        return None
    form, rest = keep(taker.left, spelled)
    return [ToolResult(call=call, parts=parts, form=form, rest=rest)]


def _read_reasoning(item: JSON, _: Logs | None) -> list[Part] | None:
    """Take the thoughts themselves, or else their summary; the form tells the pieces' lengths."""
    taker = Taker(item)
    pieces = _take_texts(taker, "content", "reasoning_text")
    summary = not pieces
    if summary:
        pieces = _take_texts(taker, "summary", "summary_text")
    encrypted, handle = word(taker.left, "encrypted_content"), word(taker.left, "id")
    form, rest = keep(taker.left, ",".join(str(len(piece)) for piece in pieces))
    read = Reasoning(
        text=BETWEEN.join(pieces),
        summary=summary and bool(pieces),
        encrypted=encrypted,
        id=handle,
        signature=Signature(value=encrypted, vendor=NAME) if encrypted else None,
        form=form,
        rest=rest,
    )
    return [read]


def _take_texts(taker: Taker, key: str, kind: str) -> list[str]:
    found = taker.left.get(key)
    if not isinstance(found, list):
        return []
    texts = [_text_of(piece, kind) for piece in found]
    if not texts or None in texts:
        return []
    del taker.left[key]
    return [text for text in texts if text is not None]


def _text_of(piece: Any, kind: str) -> str | None:
    match piece:
        case {"type": told, "text": str(text), **more} if told == kind and not more:
            return text
    return None


_READERS: dict[str, Callable[[JSON, Logs | None], list[Part] | None]] = {
    "message": _read_message,
    "function_call": _read_call,
    "custom_tool_call": _read_call,
    "function_call_output": _read_result,
    "custom_tool_call_output": _read_result,
    "reasoning": _read_reasoning,
}
