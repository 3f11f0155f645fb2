"""A request's turns, written as `system` and `messages`."""

from __future__ import annotations

from farthing.wire.canon import JSON, Part, Refusal, Text, Turn
from farthing.wire.converse.scribe import Scribe
from farthing.wire.crossing import Crossing

ABOVE = ("system", "developer")


def write_turns(
    turns: list[Turn], crossing: Crossing, scribe: Scribe
) -> tuple[list[JSON], list[JSON]]:
    """Return `system` and `messages`."""
    first = next((n for n, turn in enumerate(turns) if turn.role not in ABOVE), len(turns))
    system = [
        block
        for turn in turns[:first]
        for block in scribe.blocks(_sayable(turn, crossing) if not crossing.same else turn.parts)
    ]
    if crossing.same:
        return system, [_write_same(turn, scribe) for turn in turns[first:]]
    messages: list[JSON] = []
    for turn in turns[first:]:
        _add(messages, turn, crossing, scribe)
    _name_apart(messages)
    return system, messages


def _sayable(turn: Turn, crossing: Crossing) -> list[Part]:
    """Return the parts that `system` takes: text."""
    _lose_turn(turn, crossing)
    if not all(isinstance(part, Text | Refusal) for part in turn.parts):
        crossing.lose("system turn that is more than text", "meaning")
    return [part for part in turn.parts if isinstance(part, Text | Refusal)]


def _write_same(turn: Turn, scribe: Scribe) -> JSON:
    message: JSON = {} if "roleless" in turn.form else {"role": turn.role}
    message |= turn.rest
    if turn.parts or "content" in turn.form:
        message["content"] = scribe.blocks(turn.parts)
    return message


def _add(messages: list[JSON], turn: Turn, crossing: Crossing, scribe: Scribe) -> None:
    """Add a turn of another dialect; turns of one role that follow each other are one here."""
    _lose_turn(turn, crossing)
    if turn.role in ABOVE:
        crossing.lose("system turn in place", "shape")
    role = "assistant" if turn.role == "assistant" else "user"
    content = scribe.blocks(turn.parts)
    if not content:
        return
    if messages and messages[-1]["role"] == role:
        messages[-1]["content"] += content
    else:
        messages.append({"role": role, "content": content})


def _lose_turn(turn: Turn, crossing: Crossing) -> None:
    crossing.rest(turn, "message")
    if turn.name:
        crossing.lose("name", "shape")


def _name_apart(messages: list[JSON]) -> None:
    """Give documents of one name different ones, as this dialect requires."""
    seen: dict[str, int] = {}
    for message in messages:
        for block in message["content"]:
            inside = block.get("toolResult", {}).get("content", [])
            for document in (b["document"] for b in [block, *inside] if "document" in b):
                name = document["name"]
                seen[name] = seen.get(name, 0) + 1
                if seen[name] > 1:
                    document["name"] = f"{name}-{seen[name]}"
