"""Tools and the choice among them, both ways."""

from __future__ import annotations

from typing import Any

from farthing.wire.canon import JSON, Opaque, Request, Tool, ToolChoice
from farthing.wire.crossing import Crossing
from farthing.wire.responses.forms import keep, spelling, word
from farthing.wire.take import Taker

KINDS = ("function", "custom")

MODES: dict[Any, Any] = {"auto": "auto", "required": "required", "none": "none"}

# The form of a choice that only this dialect has: it stands among the tools, as what it leaves out
# changes what the model may do.
CHOICE = "choice"


def read_tools(taker: Taker) -> list[Tool | Opaque]:
    """Take a request's tools, and its choice of tool where that is one of this dialect's own."""
    found = taker.objects("tools") if taker.left.get("tools") else None
    tools = [_read_tool(tool) for tool in found or []]
    choice = taker.left.get("tool_choice")
    if isinstance(choice, dict) and choice and not _is_named(choice):
        del taker.left["tool_choice"]
        tools.append(Opaque(type="tool_choice", rest={"tool_choice": choice}, form=CHOICE))
    return tools


def _read_tool(tool: JSON) -> Tool | Opaque:
    kind, taker = tool.get("type"), Taker(tool)
    name = taker.maybe("name", str)
    if kind not in KINDS or name is None:
        return Opaque(type=kind if isinstance(kind, str) else "", rest=tool)
    read = Tool(
        name=name,
        description=word(taker.left, "description"),
        schema=taker.maybe("parameters", dict),
        strict=taker.maybe("strict", bool),
        custom=kind == "custom",
    )
    read.form, read.rest = keep(taker.left, usual={"defer_loading": (False,)})
    return read


def _is_named(choice: JSON) -> bool:
    return choice.get("type") in KINDS and isinstance(choice.get("name"), str)


def read_choice(taker: Taker) -> ToolChoice | None:
    """Take a request's choice of tool."""
    told = taker.left.get("tool_choice")
    if isinstance(told, str) and told in MODES:
        del taker.left["tool_choice"]
        return ToolChoice(mode=MODES[told])
    if not isinstance(told, dict) or not _is_named(told):
        return None
    del taker.left["tool_choice"]
    left = dict(told)
    name = left.pop("name")
    form, rest = keep(left)
    return ToolChoice(mode="named", name=name, form=form, rest=rest)


def write_tools(request: Request, crossing: Crossing, body: JSON) -> None:
    """Write a request's tools, and a choice that stands among them."""
    tools: list[JSON] = []
    for tool in request.tools:
        if isinstance(tool, Tool):
            tools.append(_write_tool(tool, crossing))
        elif not crossing.same:
            crossing.lose(f"tool {tool.type}", "meaning")
        elif tool.form == CHOICE:
            body |= tool.rest
        else:
            tools.append(tool.rest)
    if tools:
        body["tools"] = tools


def _write_tool(tool: Tool, crossing: Crossing) -> JSON:
    told = spelling(crossing.form(tool))
    body = told.hidden if told else _new_tool(tool)
    said: JSON = {"description": tool.description or None}
    said |= {"parameters": tool.schema, "strict": tool.strict}
    if tool.cache is not None:
        crossing.lose("cache mark", "hint")
    spoken = {key: value for key, value in said.items() if value is not None}
    return {**body, "name": tool.name, **spoken, **crossing.rest(tool, "tool")}


def _new_tool(tool: Tool) -> JSON:
    if tool.custom:
        return {"type": "custom"}
    # Unless told otherwise this dialect makes schemas strict, and refuses those that cannot be.
    blank = {"type": "object", "properties": {}}
    return {"type": "function", "parameters": blank, "strict": False}


def write_choice(request: Request, crossing: Crossing) -> str | JSON:
    """Write a request's choice of tool."""
    choice = request.choice or ToolChoice(mode="auto")
    rest = crossing.rest(choice, "tool_choice")
    if choice.mode != "named":
        return choice.mode
    told = spelling(crossing.form(choice))
    custom = {tool.name for tool in request.tools if isinstance(tool, Tool) and tool.custom}
    kind = "custom" if choice.name in custom else "function"
    return {**(told.hidden if told else {"type": kind}), "name": choice.name, **rest}
