"""`toolConfig`: the tools that the model may call, and whether it must.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html
"""

from __future__ import annotations

from farthing.wire.canon import JSON, Opaque, Request, Tool, ToolChoice
from farthing.wire.converse.parts import read_mark, read_opaque
from farthing.wire.converse.scribe import write_mark
from farthing.wire.converse.unions import as_object, filled, fold, folded, unfold
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

# This dialect requires a schema where others do not.
ANYTHING: JSON = {"type": "object", "properties": {}}


def read_tools(section: Taker, request: Request) -> None:
    """Take the tools and the choice out of `toolConfig`."""
    if section.left.get("tools"):
        for block in section.objects("tools") or []:
            mark = read_mark(block)
            last = request.tools[-1] if request.tools else None
            if mark is not None and isinstance(last, Tool) and last.cache is None:
                last.cache = mark
            else:
                request.tools.append(_read_tool(block))
    choice = _read_choice(section.left.get("toolChoice"))
    if choice is not None:
        del section.left["toolChoice"]
        request.choice = choice


def _read_tool(block: JSON) -> Tool | Opaque:
    found = unfold(block, "toolSpec")
    if found is None:
        return read_opaque(block)
    inner, outer = found
    tool = Tool(
        name=filled(inner, "name"),
        description=filled(inner, "description"),
        strict=inner.maybe("strict", bool),
    )
    schema = inner.left.get("inputSchema")
    if isinstance(schema, dict) and isinstance(schema.get("json"), dict):
        tool.schema = schema["json"]
        del inner.left["inputSchema"]
        if len(schema) > 1:
            kept = {key: value for key, value in schema.items() if key != "json"}
            inner.left["inputSchema"] = kept
    tool.rest = folded(inner, outer)
    return tool


def _read_choice(told: object) -> ToolChoice | None:
    """Read a choice; None when it is none, or says more than the canonical model can."""
    if told == {"auto": {}}:
        return ToolChoice(mode="auto")
    if told == {"any": {}}:
        return ToolChoice(mode="required")
    named = told.get("tool") if isinstance(told, dict) and len(told) == 1 else None
    name = named.get("name") if isinstance(named, dict) and len(named) == 1 else None
    return ToolChoice(mode="named", name=name) if isinstance(name, str) else None


def write_tools(request: Request, crossing: Crossing) -> JSON:
    """Return what there is to say in `toolConfig`."""
    tools: list[JSON] = []
    for tool in request.tools:
        if isinstance(tool, Opaque):
            if crossing.same:
                tools.append(tool.rest)
            else:
                crossing.lose(f"tool {tool.type}", "meaning")
            continue
        tools.append(_write_tool(tool, crossing))
        if tool.cache is not None:
            tools.append(write_mark(tool.cache, crossing))
    told: JSON = {"tools": tools} if tools else {}
    choice = _write_choice(request.choice, crossing)
    if choice and (tools or crossing.same):
        told["toolChoice"] = choice
    return told


def _write_tool(tool: Tool, crossing: Crossing) -> JSON:
    rest = crossing.rest(tool, "tool")
    if tool.custom:
        crossing.lose(f"custom tool {tool.name}", "meaning")
    told: JSON = {"name": tool.name} if tool.name else {}
    if tool.description:
        told["description"] = tool.description
    if tool.schema is not None or not crossing.same:
        schema: JSON = {"json": ANYTHING if tool.schema is None else tool.schema}
        told["inputSchema"] = {**as_object(rest.get("inputSchema")), **schema}
    if tool.strict or (crossing.same and tool.strict is not None):
        told["strict"] = tool.strict
    return fold("toolSpec", told, rest)


def _write_choice(choice: ToolChoice | None, crossing: Crossing) -> JSON | None:
    if choice is None:
        return None
    crossing.rest(choice, "tool_choice")
    if choice.mode == "auto":
        return {"auto": {}}
    if choice.mode == "required":
        return {"any": {}}
    if choice.mode == "named":
        return {"tool": {"name": choice.name}}
    crossing.lose("tool_choice none", "meaning")
    return None
