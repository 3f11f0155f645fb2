"""How much to think: four spellings that vendors of this dialect have for it."""

from __future__ import annotations

from farthing.wire.canon import JSON, Request, Thinking
from farthing.wire.chat.nested import filled, full, inner, leftover, put_back
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

EFFORT, OBJECT, SWITCHED, FLAG = "reasoning_effort", "reasoning", "thinking", "enable_thinking"
BUDGET = "thinking_budget"

_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
_SWITCH = {"enabled": True, "disabled": False}

# Up to how many tokens of thinking an effort is meant; the vendor gives no figures, so these are
# what other gateways use.
_BUDGETS = ((1024, "low"), (8192, "medium"))


def read_thinking(request: Taker) -> Thinking | None:
    """Take a request's settings of thinking; of two that contradict each other, one stays."""
    thinking = Thinking()
    words: list[str] = []
    _read_object(request, thinking, words)
    _read_switched(request, thinking, words)
    _read_flag(request, thinking, words)
    if not thinking.effort and (effort := full(request, EFFORT)):
        words.append(EFFORT)
        thinking.effort = effort
        if effort == "none" and thinking.enabled is None:
            thinking.enabled = False
    thinking.form = " ".join(words)
    return thinking if words else None


def _read_object(request: Taker, thinking: Thinking, words: list[str]) -> None:
    box = inner(request, OBJECT)
    if box is None:
        return
    words.append(OBJECT)
    thinking.effort, thinking.summary = full(box, "effort"), full(box, "summary")
    thinking.budget, thinking.enabled = box.maybe("max_tokens", int), box.maybe("enabled", bool)
    thinking.rest = leftover(Taker({}), **{OBJECT: box})


def _read_switched(request: Taker, thinking: Thinking, words: list[str]) -> None:
    box = inner(request, SWITCHED)
    if box is None:
        return
    if words:
        request.left[SWITCHED] = box.left
        return
    words.append(SWITCHED)
    kind = box.left.get("type")
    if isinstance(kind, str) and kind in _SWITCH:
        thinking.enabled = _SWITCH[kind]
        del box.left["type"]
    thinking.budget = box.maybe("budget_tokens", int)
    thinking.rest = leftover(Taker({}), **{SWITCHED: box})


def _read_flag(request: Taker, thinking: Thinking, words: list[str]) -> None:
    if words or not isinstance(request.left.get(FLAG), bool):
        return
    words.append(FLAG)
    thinking.enabled = request.maybe(FLAG, bool)
    thinking.budget = request.maybe(BUDGET, int)


def write_thinking(request: Request, crossing: Crossing) -> JSON:
    """Return a request's settings of thinking."""
    thinking = request.thinking
    if thinking is None:
        return {}
    if not crossing.same:
        return _cross(thinking, crossing)
    words = thinking.form.split()
    written: JSON = {}
    if OBJECT in words:
        told = filled(effort=thinking.effort, summary=thinking.summary)
        written[OBJECT] = told | filled(max_tokens=thinking.budget, enabled=thinking.enabled)
    elif SWITCHED in words:
        kind = {True: "enabled", False: "disabled"}.get(thinking.enabled or False)
        told = filled(type=None if thinking.enabled is None else kind)
        written[SWITCHED] = told | filled(budget_tokens=thinking.budget)
    elif FLAG in words:
        written |= {FLAG: thinking.enabled} | filled(**{BUDGET: thinking.budget})
    if EFFORT in words or not words:
        written[EFFORT] = thinking.effort
    return put_back(written, thinking.rest, OBJECT, SWITCHED)


def _cross(thinking: Thinking, crossing: Crossing) -> JSON:
    crossing.rest(thinking, "thinking")
    if thinking.summary:
        crossing.lose("thinking.summary", "hint")
    if thinking.enabled is False:
        # Models that cannot think refuse to be told not to.
        crossing.lose("thinking", "shape")
        return {}
    if thinking.budget is not None:
        crossing.lose("thinking.budget", "shape")
    effort = thinking.effort
    if effort and effort not in _EFFORTS:
        crossing.lose("thinking.effort", "shape")
        effort = "high"
    if not effort and thinking.budget is not None:
        effort = next((word for most, word in _BUDGETS if thinking.budget <= most), "high")
    return filled(**{EFFORT: effort or ("medium" if thinking.enabled else "")})
