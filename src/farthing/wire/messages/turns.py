"""Turns: the system text and the messages, both ways."""

from __future__ import annotations

from farthing.wire.canon import JSON, Reasoning, Request, Text, ToolCall, ToolResult, Turn
from farthing.wire.crossing import Crossing
from farthing.wire.messages.blocks import Blocks
from farthing.wire.messages.parts import DIALECT, overlay, read_content, word
from farthing.wire.messages.versions import is_newer
from farthing.wire.take import Taker

SYSTEM = frozenset({"system", "developer"})

# The words of a turn's form: read from the `system` field; its content a string, or blocks; a
# message without a role.
FIELD, STRING, BLOCKS, ROLELESS = "field", "string", "blocks", "roleless"


def read_turns(taker: Taker) -> tuple[list[Turn], list[str]]:
    """Take the system text and the messages; return the turns and the keys they were in."""
    turns, keys = [], []
    text = taker.maybe("system", str)
    if text is not None:
        turns.append(Turn(role="system", parts=[Text(text=text)], form=f"{FIELD} {STRING}"))
    elif (blocks := taker.objects("system")) is not None:
        turns.append(Turn(role="system", parts=read_content(blocks), form=f"{FIELD} {BLOCKS}"))
    messages = taker.objects("messages")
    if messages is not None:
        turns += [_read_message(message) for message in messages]
        keys.append("messages")
    return turns, keys


def _read_message(message: JSON) -> Turn:
    taker = Taker(message, "message")
    turn = Turn(role="user", rest=taker.left)
    words = [] if "role" in message else [ROLELESS]
    if message.get("role") in ("user", "assistant", "system"):
        # mypy cannot see that nothing but these three comes here.
        turn.role = word(taker, "role")  # type: ignore[assignment]
    text = taker.maybe("content", str)
    if text is not None:
        turn.parts, words = [Text(text=text)], [*words, STRING]
    elif (blocks := taker.objects("content")) is not None:
        turn.parts, words = read_content(blocks), [*words, BLOCKS]
    turn.form = " ".join(words)
    return turn


def write_turns(request: Request, crossing: Crossing, out: JSON) -> None:
    """Write the system text and the messages."""
    if crossing.same:
        _write_same(request, crossing, out)
    else:
        _write_foreign(request, crossing, out)


def _write_same(request: Request, crossing: Crossing, out: JSON) -> None:
    blocks = Blocks(crossing)
    messages = []
    for turn in request.turns:
        words = turn.form.split()
        content = blocks.write(turn.parts)
        told = content[0]["text"] if STRING in words else content
        if FIELD in words:
            out["system"] = told
            continue
        message: JSON = {} if ROLELESS in words else {"role": turn.role}
        if content or BLOCKS in words:
            message["content"] = told
        messages.append(overlay(message, turn.rest))
    if messages or "messages" in crossing.form(request).split():
        out["messages"] = messages


def _write_foreign(request: Request, crossing: Crossing, out: JSON) -> None:
    """Leading system text goes to its field; adjacent turns of one side become one message."""
    blocks = Blocks(crossing)
    leading = True
    system: list[JSON] = []
    messages: list[JSON] = []
    for turn in request.turns:
        written = blocks.write(turn.parts)
        crossing.rest(turn, "message")
        if turn.name:
            crossing.lose("name", "hint")
        leading = leading and turn.role in SYSTEM
        if leading:
            system += _only_text(written, crossing)
            continue
        if turn.role in SYSTEM and written:
            crossing.lose("system turn in place", "shape")
        role = "assistant" if turn.role == "assistant" else "user"
        if role == "assistant" and is_newer(crossing.headers):
            written = _without_documents(written, crossing)
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += written
        elif written:
            messages.append({"role": role, "content": written})
    if system:
        out["system"] = _plain(system)
    out["messages"] = [{**one, "content": _plain(_ordered(one["content"]))} for one in messages]


def _only_text(blocks: list[JSON], crossing: Crossing) -> list[JSON]:
    for block in blocks:
        if block["type"] != "text":
            crossing.lose(f"{block['type']} in system text", "meaning")
    return [block for block in blocks if block["type"] == "text"]


def _without_documents(blocks: list[JSON], crossing: Crossing) -> list[JSON]:
    """Return the blocks that the newer version takes from the model's side."""
    kept = [block for block in blocks if block["type"] != "document"]
    if len(kept) < len(blocks):
        crossing.lose("document in an assistant message", "meaning")
    return kept


def _ordered(blocks: list[JSON]) -> list[JSON]:
    """Results of tools must come first in their message."""
    return sorted(blocks, key=lambda block: block["type"] != "tool_result")


def _plain(blocks: list[JSON]) -> str | list[JSON]:
    """Return a lone text as the string it can be."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        text: str = blocks[0]["text"]
        return text
    return blocks


def unsealed_loop(request: Request) -> bool:
    """Whether the last message of the model calls tools, and no sealed reasoning precedes them.

    The provider refuses to think with a budget then.
    """
    for turn in reversed(request.turns):
        if turn.role == "assistant":
            sealed = [p.signature for p in turn.parts if isinstance(p, Reasoning) and p.signature]
            calls = any(isinstance(part, ToolCall) for part in turn.parts)
            return calls and not any(seal.vendor == DIALECT for seal in sealed)
        if not any(isinstance(part, ToolResult) for part in turn.parts):
            return False
    return False
