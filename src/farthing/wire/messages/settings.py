"""How much to think, and what shape the answer must have, both ways."""

from __future__ import annotations

from farthing.wire.canon import JSON, Format, Request, Thinking
from farthing.wire.crossing import Crossing, Severity
from farthing.wire.messages.parts import overlay, word
from farthing.wire.messages.schemas import narrow
from farthing.wire.messages.turns import unsealed_loop
from farthing.wire.take import Taker

KINDS = {"enabled": True, "adaptive": True, "disabled": False}

# Other dialects' words for how hard to think; those that this one has are its own.
EFFORTS = {word: word for word in ("low", "medium", "high", "xhigh", "max")} | {"minimal": "low"}

# What a format may carry elsewhere that does not change the answer.
HINTS: dict[str, Severity] = {"description": "hint", "strict": "hint"}

# The smallest thinking budget that the provider takes.
LEAST_BUDGET = 1024


def read_settings(taker: Taker, request: Request) -> None:
    """Take `thinking`, `output_config` and `output_format`."""
    told = taker.left.get("output_config")
    config = Taker(told if isinstance(told, dict) else {})
    keys = len(config.left)
    request.thinking = _read_thinking(taker, word(config, "effort"))
    request.format = _read_format(config, "format") or _read_format(taker, "output_format")
    if len(config.left) < keys:
        del taker.left["output_config"]
        if config.left:
            taker.left["output_config"] = config.left


def _read_thinking(taker: Taker, effort: str) -> Thinking | None:
    thinking = Thinking(effort=effort)
    told = taker.left.get("thinking")
    inner = Taker(told if isinstance(told, dict) else {})
    kind = word(inner, "type")
    if kind not in KINDS:
        return thinking if effort else None
    del taker.left["thinking"]
    thinking.enabled, thinking.form = KINDS[kind], kind
    thinking.budget = inner.maybe("budget_tokens", int)
    thinking.summary = word(inner, "display")
    thinking.rest = inner.left
    return thinking


def _read_format(taker: Taker, key: str) -> Format | None:
    told = taker.left.get(key)
    if not isinstance(told, dict) or told.get("type") != "json_schema":
        return None
    inner = Taker(told)
    schema = inner.maybe("schema", dict)
    if schema is None:
        return None
    del taker.left[key]
    del inner.left["type"]
    return Format(kind="schema", schema=schema, form=key, rest=inner.left)


def write_settings(request: Request, crossing: Crossing, out: JSON) -> None:
    """Write how much to think and the answer's shape."""
    config: JSON = {}
    if request.thinking is not None:
        write = _same_thinking if crossing.same else _foreign_thinking
        write(request, request.thinking, crossing, out, config)
    if request.format is not None:
        _write_format(request.format, crossing, out, config)
    if config:
        out["output_config"] = config


def _write_format(told: Format, crossing: Crossing, out: JSON, config: JSON) -> None:
    if told.kind == "json":
        crossing.lose("JSON without a schema", "meaning")
    if told.kind != "schema":
        return
    schema = told.schema or {}
    if not crossing.same:
        schema = narrow(schema, crossing)
    written = {"type": "json_schema", "schema": schema} | crossing.rest(told, "format", HINTS)
    if crossing.form(told) == "output_format":
        out["output_format"] = written
    else:
        config["format"] = written


def _same_thinking(
    request: Request, thinking: Thinking, crossing: Crossing, out: JSON, config: JSON
) -> None:
    if thinking.effort:
        config["effort"] = thinking.effort
    if not thinking.form:
        return
    written: JSON = {"type": thinking.form}
    if thinking.budget is not None:
        written["budget_tokens"] = thinking.budget
    if thinking.summary:
        written["display"] = thinking.summary
    out["thinking"] = overlay(written, crossing.rest(thinking))


def _foreign_thinking(
    request: Request, thinking: Thinking, crossing: Crossing, out: JSON, config: JSON
) -> None:
    crossing.rest(thinking, "thinking")
    if thinking.enabled is False or thinking.budget == 0 or thinking.effort == "none":
        out["thinking"] = {"type": "disabled"}
        return
    if thinking.effort in EFFORTS:
        config["effort"] = EFFORTS[thinking.effort]
    elif thinking.effort:
        crossing.lose(f"effort `{thinking.effort}`", "shape")
    forced = request.choice is not None and request.choice.mode in ("required", "named")
    wanted = bool(thinking.enabled or thinking.effort or thinking.budget)
    if not wanted:
        return
    if forced:  # the provider does not think when a call is forced
        crossing.lose("thinking", "shape")
        return
    written = _budget(request, thinking.budget or 0, crossing)
    if written is not None:
        shown = thinking.summary not in ("", "none", "omitted")
        out["thinking"] = {**written, "display": "summarized"} if shown else written


def _budget(request: Request, budget: int, crossing: Crossing) -> JSON | None:
    """Return how to think: as much as it takes, or within a budget where that can be."""
    if budget <= 0:
        return {"type": "adaptive"}
    fitting = max(budget, LEAST_BUDGET)
    if request.output_cap is not None:  # the cap counts the thinking too
        fitting = min(fitting, request.output_cap - 1)
    if fitting < LEAST_BUDGET or unsealed_loop(request):
        crossing.lose("thinking", "shape")
        return None
    if fitting != budget:
        crossing.lose("thinking budget", "shape")
    return {"type": "enabled", "budget_tokens": fitting}
