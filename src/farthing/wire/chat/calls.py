"""Tool calls in a message, both ways, with the older spelling of them."""

from __future__ import annotations

from farthing.wire.canon import JSON, Opaque, Part, ToolCall
from farthing.wire.chat.cache import read_cache, write_cache
from farthing.wire.chat.nested import filled, full, inner, leftover, put_back
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

CALLS = "tool_calls"
LEGACY = "function_call"

# The object in a call and the text in that, for functions and for tools that take free text.
FIELDS = {False: ("function", "arguments"), True: ("custom", "input")}


def read_calls(message: Taker) -> list[Part]:
    """Take a message's tool calls."""
    told = message.objects(CALLS) or []
    calls = [_read_call(call, position) for position, call in enumerate(told)]
    legacy = _read_legacy(message)
    return [*calls, legacy] if legacy else calls


def _read_call(value: JSON, position: int) -> Part:
    call = Taker(value, "tool call")
    kind = call.left.get("type")
    custom = kind == "custom"
    field, arguments = FIELDS[custom]
    box = inner(call, field)
    name = box.maybe("name", str) if box else None
    if box is None or name is None:
        return Opaque(type="tool_call", form=CALLS, rest=value)
    words = [] if "type" in value else ["untyped"]
    if kind == field:
        del call.left["type"]
    if type(call.left.get("index")) is int and call.left["index"] == position:
        del call.left["index"]
        words.append("indexed")
    if arguments not in box.left:
        words.append("bare")
    read = ToolCall(id=full(call, "id"), name=name, custom=custom, form=" ".join(words))
    read.arguments = box.take(arguments, str, "")
    read.cache = read_cache(call)
    read.rest = leftover(call, **{field: box})
    return read


def _read_legacy(message: Taker) -> ToolCall | None:
    told = message.left.get(LEGACY)
    if not isinstance(told, dict):
        return None
    box = Taker(told)
    name, arguments = full(box, "name"), box.maybe("arguments", str)
    if not name or arguments is None:
        return None
    del message.left[LEGACY]
    return ToolCall(id=LEGACY, name=name, arguments=arguments, form=LEGACY, rest=box.left)


def is_call(part: Part, crossing: Crossing) -> bool:
    """Whether a part belongs among a message's tool calls."""
    return isinstance(part, ToolCall) or crossing.form(part) == CALLS


def write_calls(parts: list[Part], crossing: Crossing) -> JSON:
    """Return a message's fields of tool calls."""
    written: JSON = {}
    calls: list[JSON] = []
    for part in parts:
        if crossing.form(part) == LEGACY and isinstance(part, ToolCall):
            written[LEGACY] = {"name": part.name, "arguments": part.arguments} | part.rest
        elif isinstance(part, ToolCall):
            calls.append(_write_call(part, len(calls), crossing))
        elif is_call(part, crossing):
            calls.append(part.rest)
    return written | ({CALLS: calls} if calls else {})


def _write_call(call: ToolCall, position: int, crossing: Crossing) -> JSON:
    form = crossing.form(call)
    field, arguments = FIELDS[call.custom]
    box = {"name": call.name} if "bare" in form else {"name": call.name, arguments: call.arguments}
    written: JSON = {field: box}
    if "untyped" not in form:
        written["type"] = field
    if "indexed" in form:
        written["index"] = position
    if crossing.same:
        written |= filled(id=call.id)
    else:
        written["id"] = call.id or f"call_{position}"
        box[arguments] = call.arguments or ("" if call.custom else "{}")
        if call.signature:
            crossing.lose("tool_calls.signature", "hint")
    written |= write_cache(call.cache, crossing)
    return put_back(written, crossing.rest(call, CALLS), field)
