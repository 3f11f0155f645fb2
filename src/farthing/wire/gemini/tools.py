"""Tools and whether to call them, both ways.

An item of `tools` holds function declarations, tools of the provider's own, or both. Declarations
become one Tool each; the rest of an item is one Opaque before them.
"""

from __future__ import annotations

from typing import Literal

from farthing.wire.canon import JSON, Opaque, Request, Tool, ToolChoice
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.config import read_schema
from farthing.wire.gemini.schemas import from_json_schema
from farthing.wire.gemini.spelling import Keys, spelled, value_of, words_of

_MODES: dict[str, Literal["auto", "required", "none"]] = {
    "AUTO": "auto",
    "ANY": "required",
    "NONE": "none",
    "VALIDATED": "auto",
}
_NAMES = {"auto": "AUTO", "required": "ANY", "named": "ANY", "none": "NONE"}


def read_tools(items: list[JSON]) -> list[Tool | Opaque]:
    """Read the items of `tools`."""
    return [tool for item in items for tool in _read_item(item)]


def holds_tools(items: list[JSON]) -> bool:
    """Whether any item says anything."""
    return any(value not in (None, []) for item in items for value in item.values())


def _read_item(item: JSON) -> list[Tool | Opaque]:
    keys = Keys(item, "tool")
    declared = keys.objects("functionDeclarations")
    if not declared:
        return [Opaque(type=_told(item), rest=item)]
    words = ["item", *keys.words]
    # Clients write null for the tools that they do not use; these are no tools.
    if any(value is not None or not key.isidentifier() for key, value in keys.left.items()):
        own: list[Tool | Opaque] = [Opaque(type=_told(keys.left), rest=keys.left)]
        words[0] = "joined"
    else:
        own, words = [], [*words, *(f"null={key}" for key in keys.left)]
    first, *others = declared
    return [*own, _read_tool(first, words), *(_read_tool(tool, []) for tool in others)]


def _told(item: JSON) -> str:
    return ", ".join(key for key, value in item.items() if value is not None)


def _read_tool(declared: JSON, words: list[str]) -> Tool:
    keys = Keys(declared, "function declaration", words)
    name = keys.maybe("name", str)
    words += ["undescribed"] if keys.peek("description") == "" else []
    description = keys.take("description", str, "")
    words += [] if name is not None else ["noname"]
    schema: JSON | None = keys.maybe("parametersJsonSchema", dict)
    if schema is None and (schema := keys.maybe("parameters", dict)) is not None:
        words.append("parameters")
        schema, whole = read_schema(schema, "parameters", words)
        keys.left |= whole
    return Tool(
        name=name or "",
        description=description,
        schema=schema,
        rest=keys.left,
        form=keys.form,
    )


def write_tools(tools: list[Tool | Opaque], crossing: Crossing) -> list[JSON]:
    """Write the items of `tools`."""
    if crossing.same:
        return _write_items(tools, crossing)
    declared = []
    for tool in tools:
        if isinstance(tool, Opaque):
            crossing.lose(f"tool {tool.type}", "meaning")
        elif tool.custom:
            crossing.lose(f"custom tool {tool.name}", "meaning")
        else:
            declared.append(_write_tool(tool, crossing))
    return [{"functionDeclarations": declared}] if declared else []


def _write_items(tools: list[Tool | Opaque], crossing: Crossing) -> list[JSON]:
    """Write items as they were read: a tool's form says where one begins."""
    items: list[JSON] = []
    declared: list[JSON] | None = None
    for tool in tools:
        if isinstance(tool, Opaque):
            items.append(tool.rest)
            declared = None
            continue
        words = words_of(tool.form)
        if declared is None or "item" in words or "joined" in words:
            declared = []
            before = items.pop() if "joined" in words and items else {}
            nulls = {word[5:]: None for word in words if word.startswith("null=")}
            item = spelled({"functionDeclarations": declared}, words, {})
            items.append({**before, **nulls, **item})
        declared.append(_write_tool(tool, crossing))
    return items


def _write_tool(tool: Tool, crossing: Crossing) -> JSON:
    words = words_of(crossing.form(tool))
    made: JSON = {} if "noname" in words else {"name": tool.name}
    if tool.description or "undescribed" in words:
        made["description"] = tool.description
    if tool.schema is not None and "whole" not in words:
        key = "parameters" if "parameters" in words else "parametersJsonSchema"
        made[key] = from_json_schema(tool.schema) if "capitals" in words else tool.schema
    if tool.cache:
        crossing.lose("cache_control", "hint")
    if tool.strict and not crossing.same:
        crossing.lose("tool.strict", "shape")
    return spelled(made, words, crossing.rest(tool, "tool"))


def read_choice(config: Keys) -> ToolChoice | None:
    """Read a `toolConfig`; None, and it stays, when it says nothing of calling functions."""
    told = config.inner("functionCallingConfig")
    mode = told.maybe("mode", str) if told else None
    if told is None or mode is None or mode.upper() not in _MODES or " " in mode:
        return None
    told.words.append(f"mode={mode}")
    kind = _MODES[mode.upper()]
    match told.peek("allowedFunctionNames"):
        case [str(name)] if kind == "required":
            told.strings("allowedFunctionNames")
            return ToolChoice(mode="named", name=name, rest=told.left, form=told.form)
    # Several names stay: no other dialect says that only these may be called.
    return ToolChoice(mode=kind, rest=told.left, form=told.form)


def write_choice(choice: ToolChoice, crossing: Crossing) -> JSON:
    """Write a `functionCallingConfig` under its key."""
    form = crossing.form(choice)
    words = words_of(form)
    made: JSON = {"mode": _NAMES[choice.mode]}
    mode = value_of(form, "mode")
    if mode and _MODES.get(mode.upper()) == {"named": "required"}.get(choice.mode, choice.mode):
        made["mode"] = mode
    if choice.mode == "named":
        made["allowedFunctionNames"] = [choice.name]
    rest = crossing.rest(choice, "tool_choice")
    return spelled({"functionCallingConfig": spelled(made, words, rest)}, words, {})


def read_tool_settings(body: Keys, request: Request) -> None:
    """Read `tools` and `toolConfig` into a request."""
    items = body.objects("tools")
    if items is not None and holds_tools(items):
        request.tools = read_tools(items)
    elif items is not None:
        body.left["tools"] = items
    words: list[str] = []
    outer = Keys(body.left, words=words)
    config = outer.inner("toolConfig")
    choice = read_choice(config) if config else None
    if config is not None and choice is not None:
        outer.keep("toolConfig", config)
        body.left = outer.left
        body.words += [word for word in words if word == "tool_config"]
        request.choice = choice
