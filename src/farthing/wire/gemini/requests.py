"""Requests, both ways."""

from __future__ import annotations

from farthing.wire.canon import JSON, Opaque, Part, Request, Role, ToolResult, Turn
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.calls import VENDOR, Ids
from farthing.wire.gemini.config import read_config, write_config
from farthing.wire.gemini.parts import PartWriter, read_parts
from farthing.wire.gemini.spelling import Keys, spelled, value_of, words_of
from farthing.wire.gemini.tools import read_tool_settings, write_choice, write_tools

# Clients call a system instruction's role what they like; it is the place that counts.
_ROLES: dict[str, Role] = {
    "user": "user",
    "model": "assistant",
    "function": "tool",
    "system": "user",
}
_SYSTEM = frozenset({"system", "developer"})

# Models from this family on refuse a history with a call that has no signature, and take this
# in its place for calls that another model made.
_SEALED = "gemini-3"
_NO_SEAL = "skip_thought_signature_validator"


def read_request(value: JSON) -> Request:
    """Read a request. Model and streaming stay empty: they are in the URL.

    Raises Malformed when it is no object, or a call's arguments are nested too deeply.
    """
    body = Keys(value, "request")
    request = Request(dialect=VENDOR)
    ids = Ids()
    request.turns = [*_read_cached(body), *_read_system(body, ids), *_read_contents(body, ids)]
    read_tool_settings(body, request)
    config = body.inner("generationConfig")
    if config is not None:
        body.words.append("config")
        read_config(config, request)
        body.keep("generationConfig", config)
    labels = body.peek("labels")
    if isinstance(labels, dict) and all(isinstance(label, str) for label in labels.values()):
        body.words.append("labels")
        request.metadata = body.take("labels", dict, {})
    request.rest, request.form = body.left, body.form
    return request


def _read_cached(body: Keys) -> list[Turn]:
    """Read `cachedContent`: turns that only the provider knows, before all others."""
    name = body.text("cachedContent")
    if not name:
        return []
    cached = Opaque(type="cachedContent", rest={"cachedContent": name})
    return [Turn(role="user", parts=[cached], form="cached")]


def _read_system(body: Keys, ids: Ids) -> list[Turn]:
    told = body.maybe("systemInstruction", dict)
    if told is None:
        return []
    turn = _read_turn(told, ids)
    turn.role = "system"
    return [turn]


def _read_contents(body: Keys, ids: Ids) -> list[Turn]:
    contents = body.objects("contents")
    if contents is None:
        body.words.append("nocontents")
        return []
    return [_read_turn(content, ids) for content in contents]


def _read_turn(value: JSON, ids: Ids) -> Turn:
    """Read one of the `contents`."""
    keys = Keys(value, "content")
    parts = keys.objects("parts")
    role = keys.peek("role")
    if isinstance(role, str) and role in _ROLES:
        keys.words.append(f"role={keys.text('role')}")
    keys.words += [] if parts is not None else ["noparts"]
    return Turn(
        role=_ROLES.get(role, "user") if isinstance(role, str) else "user",
        parts=read_parts(parts or [], ids),
        rest=keys.left,
        form=keys.form,
    )


def write_request(request: Request, crossing: Crossing) -> JSON:
    """Write a request.

    Raises Malformed when a call's arguments are no JSON object.
    """
    words = words_of(crossing.form(request))
    made = _write_back(request, crossing) if crossing.same else _write_turns(request, crossing)
    if request.tools and (tools := write_tools(request.tools, crossing)):
        made["tools"] = tools
    if request.choice is not None:
        made["toolConfig"] = write_choice(request.choice, crossing)
    config = write_config(request, crossing)
    if config or "config" in words:
        made["generationConfig"] = config
    if crossing.same and (request.metadata or "labels" in words):
        made["labels"] = request.metadata
    else:
        _name_losses(request, crossing)
    return spelled(made, words, crossing.rest(request))


def _name_losses(request: Request, crossing: Crossing) -> None:
    """Name the settings that this dialect lacks. Labels exist on one of its endpoints only."""
    if request.parallel_calls is False:
        crossing.lose("parallel_tool_calls", "shape")
    if request.user:
        crossing.lose("user", "hint")
    if request.metadata:
        crossing.lose("metadata", "hint")


def _write_back(request: Request, crossing: Crossing) -> JSON:
    """Write turns as they were read."""
    made: JSON = {}
    contents = []
    writer = PartWriter(crossing, answer=False)
    for turn in request.turns:
        if turn.form == "cached":
            made |= turn.parts[0].rest
        elif turn.role in _SYSTEM:
            made["systemInstruction"] = _write_turn(turn, writer)
        else:
            contents.append(_write_turn(turn, writer))
    if contents or "nocontents" not in words_of(request.form):
        made["contents"] = contents
    return made


def _write_turn(turn: Turn, writer: PartWriter) -> JSON:
    words = words_of(turn.form)
    made: JSON = {}
    if turn.parts or "noparts" not in words:
        made["parts"] = writer.write(turn.parts)
    role = value_of(turn.form, "role")
    if role:
        made["role"] = role
    return spelled(made, words, turn.rest)


def _write_turns(request: Request, crossing: Crossing) -> JSON:
    """Write turns that were read in another dialect."""
    writer = PartWriter(crossing, answer=False)
    system: list[JSON] = []
    contents: list[JSON] = []
    for turn in request.turns:
        crossing.rest(turn, turn.role)
        if turn.name:
            crossing.lose("name", "hint")
        if turn.role in _SYSTEM and not contents:
            system += writer.write(turn.parts)
        else:
            _add_turn(contents, turn, writer, crossing)
    if _SEALED in request.model:
        _seal(contents)
    if system and not contents:
        # A request must have contents.
        crossing.lose("system turn in place", "shape")
        return {"contents": [{"role": "user", "parts": system}]}
    made: JSON = {"contents": contents}
    return {"systemInstruction": {"parts": system}, **made} if system else made


def _add_turn(contents: list[JSON], turn: Turn, writer: PartWriter, crossing: Crossing) -> None:
    """Add a turn. All results of one turn's calls must stand together, and alone."""
    if turn.role in _SYSTEM:
        crossing.lose("system turn in place", "shape")
    if turn.role == "assistant":
        _add(contents, "model", writer.write(turn.parts))
        return
    results: list[Part] = [part for part in turn.parts if isinstance(part, ToolResult)]
    others: list[Part] = [part for part in turn.parts if not isinstance(part, ToolResult)]
    _add(contents, "user", writer.write(results))
    _add(contents, "user", writer.write(others))


def _add(contents: list[JSON], role: str, parts: list[JSON]) -> None:
    if parts and contents and _is_result(parts[0]) and _is_result(contents[-1]["parts"][0]):
        contents[-1]["parts"] += parts
    elif parts:
        contents.append({"role": role, "parts": parts})


def _is_result(part: JSON) -> bool:
    return "functionResponse" in part


def _seal(contents: list[JSON]) -> None:
    """Mark the first call of each turn that has no signature as another model's."""
    for content in contents:
        calls = [part for part in content["parts"] if "functionCall" in part]
        if calls:
            calls[0].setdefault("thoughtSignature", _NO_SEAL)
