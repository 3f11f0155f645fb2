"""Tool definitions and the choice among them, both ways."""

from __future__ import annotations

from farthing.wire.canon import JSON, Opaque, Request, Tool, ToolChoice
from farthing.wire.crossing import Crossing
from farthing.wire.messages.blocks import Blocks
from farthing.wire.messages.parts import overlay, read_cache, word
from farthing.wire.messages.schemas import narrow
from farthing.wire.take import Taker

MODES = {"auto": "auto", "any": "required", "none": "none", "tool": "named"}
WORDS = {mode: told for told, mode in MODES.items()}

# The form of what was read from `mcp_servers`: each is a set of tools that runs at the provider.
SERVERS = "mcp_servers"

# The form of a tool whose description is empty, not missing.
UNDESCRIBED = "undescribed"

# What the provider refuses at the top of a tool's schema.
CHOICES = frozenset({"anyOf", "oneOf", "allOf"})


def read_tools(taker: Taker) -> tuple[list[Tool | Opaque], list[str]]:
    """Take tools and servers of tools; return them and the keys they were in."""
    found: list[Tool | Opaque] = []
    keys = []
    for key, reader in (("tools", _tool), (SERVERS, _server)):
        told = taker.objects(key)
        if told is not None:
            found += [reader(one) for one in told]
            keys.append(key)
    return found, keys


def _server(value: JSON) -> Tool | Opaque:
    return Opaque(type="mcp_server", form=SERVERS, rest=value)


def _tool(value: JSON) -> Tool | Opaque:
    taker = Taker(value, "tool")
    kind = word(taker, "type")
    name = word(taker, "name")
    if not name or kind not in ("", "custom") or "type" in taker.left:
        return Opaque(type=kind, rest=value)
    words = [kind] if kind else []
    if taker.left.get("description") == "":
        del taker.left["description"]
        words.append(UNDESCRIBED)
    return Tool(
        name=name,
        description=word(taker, "description"),
        schema=taker.maybe("input_schema", dict),
        strict=taker.maybe("strict", bool),
        cache=read_cache(taker),
        form=" ".join(words),
        rest=taker.left,
    )


def read_choice(taker: Taker, request: Request) -> None:
    """Take the choice of tools, and whether several may be called at once."""
    told = taker.left.get("tool_choice")
    if not isinstance(told, dict):
        return
    inner = Taker(told)
    kind = word(inner, "type")
    name = word(inner, "name")
    if kind not in MODES or (kind == "tool") != bool(name):
        return
    del taker.left["tool_choice"]
    alone = inner.maybe("disable_parallel_tool_use", bool)
    request.parallel_calls = None if alone is None else not alone
    # mypy cannot see that the table holds no other modes.
    mode = MODES[kind]
    request.choice = ToolChoice(mode=mode, name=name, rest=inner.left)  # type: ignore[arg-type]


def write_tools(request: Request, crossing: Crossing, out: JSON) -> None:
    """Write the tools, the servers of tools, and the choice among them."""
    keys = crossing.form(request).split()
    written: dict[str, list[JSON]] = {"tools": [], SERVERS: []}
    for tool in request.tools:
        key = SERVERS if crossing.form(tool) == SERVERS else "tools"
        definition = _definition(tool, crossing)
        if definition is not None:
            written[key].append(definition)
    for key, definitions in written.items():
        if definitions or key in keys:
            out[key] = definitions
    choice = _choice(request, crossing, bool(written["tools"]))
    if choice:
        out["tool_choice"] = choice


def _definition(tool: Tool | Opaque, crossing: Crossing) -> JSON | None:
    if isinstance(tool, Opaque):
        if crossing.same:
            return tool.rest
        crossing.lose(f"tool `{tool.type}`", "meaning")
        return None
    if tool.custom:
        crossing.lose(f"custom tool `{tool.name}`", "meaning")
        return None
    out: JSON = {"name": tool.name}
    words = crossing.form(tool).split()
    if "custom" in words:
        out["type"] = "custom"
    if tool.description or UNDESCRIBED in words:
        out["description"] = tool.description
    schema = tool.schema if crossing.same else _schema(tool, crossing)
    if schema is not None:
        out["input_schema"] = schema
    if tool.strict is not None and (crossing.same or tool.strict):
        out["strict"] = tool.strict
    if tool.cache is not None:
        out["cache_control"] = Blocks(crossing).cache(tool.cache)
    return overlay(out, crossing.rest(tool, "tool"))


def _schema(tool: Tool, crossing: Crossing) -> JSON:
    """Return a schema as this dialect wants it: always there, and of an object."""
    schema = {"type": "object", "properties": {}, **(tool.schema or {})}
    if schema["type"] != "object" or not CHOICES.isdisjoint(schema):
        crossing.lose(f"schema of `{tool.name}`", "meaning")
    return narrow(schema, crossing) if tool.strict else schema


def _choice(request: Request, crossing: Crossing, tools: bool) -> JSON | None:
    choice, parallel = request.choice, request.parallel_calls
    if not (crossing.same or tools):
        if choice is not None and choice.mode in ("required", "named"):
            crossing.lose("tool choice", "meaning")
        return None
    if choice is None:
        if parallel is not False:
            return None
        choice = ToolChoice(mode="auto")
    out: JSON = {"type": WORDS[choice.mode]}
    if choice.name:
        out["name"] = choice.name
    # Beside "none" the provider does not take it.
    if parallel is not None and (crossing.same or (not parallel and choice.mode != "none")):
        out["disable_parallel_tool_use"] = not parallel
    return overlay(out, crossing.rest(choice, "tool_choice"))
