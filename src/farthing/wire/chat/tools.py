"""Tool definitions and the choice among them, both ways."""

from __future__ import annotations

from farthing.wire.canon import JSON, Opaque, Tool, ToolChoice
from farthing.wire.chat.cache import read_cache, write_cache
from farthing.wire.chat.nested import filled, full, inner, leftover, put_back
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

LEGACY = "functions"  # the form of a tool in the older spelling
CHOICE = "function_call"  # and of the choice
UNTYPED = "untyped"
SILENT = " silent"  # added to a tool's form: its description is there and empty

_WORDS = {"auto": "auto", "none": "none", "required": "required", "any": "required"}


def read_tools(request: Taker) -> list[Tool | Opaque]:
    """Take a request's tools."""
    tools = [_read_tool(tool) for tool in request.objects("tools") or []]
    functions = request.objects(LEGACY) if request.left.get(LEGACY) else None
    return tools + [_read_function(function) for function in functions or []]


def _read_tool(value: JSON) -> Tool | Opaque:
    taker = Taker(value, "tool")
    kind = taker.left.get("type")
    field = "custom" if kind == "custom" else "function"
    box = inner(taker, field)
    name = full(box, "name") if box else ""
    if box is None or not name or kind not in (None, field):
        return Opaque(type=kind if isinstance(kind, str) else "", rest=value)
    tool = Tool(name=name, custom=kind == "custom", form="" if "type" in value else UNTYPED)
    if kind == field:
        del taker.left["type"]
    _take_definition(tool, box)
    tool.cache = read_cache(taker)
    tool.rest = leftover(taker, **{field: box})
    return tool


def _take_definition(tool: Tool, box: Taker) -> None:
    if box.left.get("description") == "":
        tool.form += SILENT
    tool.description = box.take("description", str, "")
    tool.schema = box.maybe("parameters", dict)
    tool.strict = box.maybe("strict", bool)


def _read_function(value: JSON) -> Tool | Opaque:
    taker = Taker(value, "function")
    name = full(taker, "name")
    if not name:
        return Opaque(type=LEGACY, form=LEGACY, rest=value)
    tool = Tool(name=name, form=LEGACY, rest=taker.left)
    _take_definition(tool, taker)
    return tool


def write_tools(tools: list[Tool | Opaque], crossing: Crossing) -> JSON:
    """Return a request's fields of tools."""
    written: dict[str, list[JSON]] = {}
    for tool in tools:
        told = tool.rest if isinstance(tool, Opaque) else _write_tool(tool, crossing)
        if isinstance(tool, Opaque) and not crossing.same:
            crossing.lose(f"tool {tool.type}", "meaning")
            continue
        field = LEGACY if LEGACY in crossing.form(tool) else "tools"
        written.setdefault(field, []).append(told)
    return dict(written)


def _write_tool(tool: Tool, crossing: Crossing) -> JSON:
    field = "custom" if tool.custom else "function"
    form = crossing.form(tool)
    told: JSON = {"name": tool.name} | filled(description=tool.description, strict=tool.strict)
    if SILENT in form:
        told.setdefault("description", "")
    if tool.schema is not None:
        told["parameters"] = tool.schema
    if LEGACY in form:
        return told | tool.rest
    written: JSON = {} if UNTYPED in form else {"type": field}
    written |= {field: told} | write_cache(tool.cache, crossing)
    return put_back(written, crossing.rest(tool, "tools"), field)


def read_choice(request: Taker) -> ToolChoice | None:
    """Take a request's choice of tools."""
    for field in ("tool_choice", CHOICE):
        choice = _read_choice(request.left.get(field), field)
        if choice is not None:
            del request.left[field]
            return choice
    return None


def _read_choice(told: object, field: str) -> ToolChoice | None:
    if isinstance(told, str) and told in _WORDS:
        mode = _WORDS[told]
        return ToolChoice(mode=mode, form=f"{field} {told}")  # type: ignore[arg-type]
    if not isinstance(told, dict):
        return None
    taker = Taker(told)
    if field == CHOICE:
        name = full(taker, "name")
        return ToolChoice(mode="named", name=name, form=field, rest=taker.left) if name else None
    kind = taker.take("type", str, "")
    box = inner(taker, kind) if kind in ("function", "custom") else None
    name = full(box, "name") if box else ""
    if not name:
        return None
    form = f"{field} {kind}"
    return ToolChoice(mode="named", name=name, form=form, rest=leftover(taker, **{kind: box}))


def write_choice(choice: ToolChoice | None, tools: JSON, crossing: Crossing) -> JSON:
    """Return a request's field of the choice; without tools there is none to make."""
    if choice is None or not (tools or crossing.same):
        return {}
    field, _, word = (crossing.form(choice) or "tool_choice").partition(" ")
    rest = crossing.rest(choice, "tool_choice")
    if choice.mode != "named":
        return {field: word if _WORDS.get(word) == choice.mode else choice.mode}
    if field == CHOICE:
        return {field: {"name": choice.name} | rest}
    kind = word or _kind(choice.name, tools)
    return {field: put_back({"type": kind, kind: {"name": choice.name}}, rest, kind)}


def _kind(name: str, tools: JSON) -> str:
    """Return the type of a tool that is chosen by its name."""
    custom = [tool["custom"]["name"] for tool in tools.get("tools", ()) if "custom" in tool]
    return "custom" if name in custom else "function"
