"""Messages, both ways."""

from __future__ import annotations

from collections.abc import Sequence

from farthing.wire.canon import JSON, Media, Opaque, Part, Role, Text, ToolCall, ToolResult, Turn
from farthing.wire.chat.cache import put_mark, take_mark
from farthing.wire.chat.calls import LEGACY
from farthing.wire.chat.nested import filled, full
from farthing.wire.chat.parts import LIST, read_content, write_content
from farthing.wire.chat.said import put_empties, read_said, take_empties, write_said
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

OTHER = "message"  # the type of a message whose role is not known
BARE = "bare"  # the form of a tool's result that names no call
FUNCTION = "function"  # and of one in the older spelling

_ROLES: dict[str, Role] = {"system": "system", "developer": "developer", "user": "user"}


def read_turns(messages: list[JSON]) -> list[Turn]:
    """Read a request's messages."""
    turns = [_read_turn(message) for message in messages]
    _pair(turns)
    return turns


def _read_turn(value: JSON) -> Turn:
    message = Taker(value)
    role = message.take("role", str, "")
    if role == "assistant":
        return _read_assistant(message)
    if role in ("tool", FUNCTION):
        return _read_result(message, role)
    if role not in _ROLES:
        return Turn(role="user", parts=[Opaque(type=OTHER, rest=value)], form=OTHER)
    words = take_empties(message)
    parts = read_content(message, words)
    take_mark(message, parts)
    turn = Turn(role=_ROLES[role], parts=parts, form=" ".join(words), name=full(message, "name"))
    turn.rest = message.left
    return turn


def _read_assistant(message: Taker) -> Turn:
    parts, words = read_said(message)
    name = full(message, "name")
    form = " ".join(words)
    return Turn(role="assistant", parts=parts, form=form, name=name, rest=message.left)


def _read_result(message: Taker, role: str) -> Turn:
    words = take_empties(message)
    call = message.maybe("tool_call_id", str)
    result = ToolResult(call=call or "", name=full(message, "name"))
    if role == FUNCTION or call is None:
        result.form = FUNCTION if role == FUNCTION else BARE
    result.parts = read_content(message, words)
    take_mark(message, [result])
    return Turn(role="tool", parts=[result], form=" ".join(words), rest=message.left)


def _pair(turns: list[Turn]) -> None:
    """Give the older calls, which have no ids, that tie them to their results."""
    number = 0
    for turn in turns:
        for part in turn.parts:
            if isinstance(part, ToolCall) and part.form == LEGACY:
                number += 1
                part.id = f"{LEGACY}_{number}"
            elif isinstance(part, ToolResult) and part.form == FUNCTION and not part.call:
                part.call = f"{LEGACY}_{number}"


# -- writing ------------------------------------------------------------------------------------


def write_turns(turns: list[Turn], crossing: Crossing) -> list[JSON]:
    """Write a request's messages.

    What is said beside tool results goes after them all: this dialect takes nothing between a
    message that calls tools and those that answer it.
    """
    if crossing.same:
        return [_write_turn(turn, crossing) for turn in turns]
    messages: list[JSON] = []
    beside: list[Part] = []
    for turn in _joined(turns):
        results = [part for part in turn.parts if isinstance(part, ToolResult)]
        if results:
            crossing.rest(turn, "messages")
            messages += [_cross_result(result, beside, crossing) for result in results]
            beside += [part for part in turn.parts if not isinstance(part, ToolResult)]
            continue
        messages += _cross_beside(beside, crossing)
        beside = []
        messages += _cross_turn(turn, crossing)
    return messages + _cross_beside(beside, crossing)


def _write_turn(turn: Turn, crossing: Crossing) -> JSON:
    first = turn.parts[0] if turn.parts else None
    if isinstance(first, Opaque) and turn.form == OTHER:
        return first.rest
    if isinstance(first, ToolResult):
        return _write_result(turn, first, crossing)
    words = turn.form.split()
    message: JSON = {"role": turn.role} | filled(name=turn.name)
    if turn.role == "assistant":
        return message | write_said(turn.parts, words, crossing) | turn.rest
    message |= put_empties(words) | put_mark(turn.parts, crossing)
    return message | _content(turn.parts, words, crossing) | turn.rest


def _content(parts: Sequence[Part], words: list[str], crossing: Crossing) -> JSON:
    if not parts and LIST not in words:
        return {}
    return {"content": write_content(parts, LIST in words, crossing)}


def _write_result(turn: Turn, result: ToolResult, crossing: Crossing) -> JSON:
    words = turn.form.split()
    message: JSON = {"role": FUNCTION if result.form == FUNCTION else "tool"}
    if result.form not in (FUNCTION, BARE):
        message["tool_call_id"] = result.call
    message |= filled(name=result.name) | put_empties(words) | put_mark([result], crossing)
    return message | _content(result.parts, words, crossing) | turn.rest


# -- writing what another dialect said ----------------------------------------------------------


def _joined(turns: list[Turn]) -> list[Turn]:
    """Join adjacent turns of the assistant: its calls must stand in one message."""
    joined: list[Turn] = []
    for turn in turns:
        last = joined[-1] if joined else None
        if last is not None and last.role == turn.role == "assistant":
            joined[-1] = Turn(
                role="assistant",
                parts=last.parts + turn.parts,
                name=last.name or turn.name,
                rest=last.rest | turn.rest,
            )
        else:
            joined.append(turn)
    return joined


def _cross_turn(turn: Turn, crossing: Crossing) -> list[JSON]:
    crossing.rest(turn, "messages")
    message: JSON = {"role": turn.role} | filled(name=turn.name)
    if turn.role == "assistant":
        said = write_said(_sayable(turn.parts, crossing), [], crossing)
        return [message | {"content": None} | said] if said else []
    content = write_content(turn.parts, False, crossing)
    return [message | {"content": content}] if content != [] else []


def _sayable(parts: Sequence[Part], crossing: Crossing) -> list[Part]:
    """Return what an assistant can have said; citations go back to nobody."""
    said: list[Part] = []
    for part in parts:
        if isinstance(part, Media):
            crossing.lose(f"assistant {part.kind}", "meaning")
            continue
        if isinstance(part, Text) and part.citations:
            crossing.lose("citations", "shape")
            said.append(Text(text=part.text, cache=part.cache, rest=part.rest))
        else:
            said.append(part)
    return said


def _cross_result(result: ToolResult, beside: list[Part], crossing: Crossing) -> JSON:
    crossing.rest(result, "tool_result")
    if result.error:
        crossing.lose("tool_result.is_error", "shape")
    if result.cache:
        crossing.lose("cache_control", "hint")
    texts = [part for part in result.parts if not isinstance(part, Media)]
    media = [part for part in result.parts if isinstance(part, Media)]
    if media:
        crossing.lose("media in tool results", "shape")
        beside += media
    content = write_content(texts, False, crossing)
    return {"role": "tool", "tool_call_id": result.call, "content": content or ""}


def _cross_beside(parts: Sequence[Part], crossing: Crossing) -> list[JSON]:
    content = write_content(parts, False, crossing)
    return [{"role": "user", "content": content}] if content else []
