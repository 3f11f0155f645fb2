"""Errors, both ways.

https://docs.anthropic.com/en/api/errors
"""

from __future__ import annotations

from typing import Any

from farthing.wire.canon import JSON, Problem
from farthing.wire.crossing import Crossing
from farthing.wire.messages.parts import DIALECT, lacking, overlay, word
from farthing.wire.messages.response import KINDS
from farthing.wire.take import Taker

# The provider's own status, outside of HTTP's register.
OVERLOADED = 529

# The status that goes with a kind, for the errors of streams, which carry none.
STATUSES = {
    **{kind: status for status, kind in reversed(KINDS.items())},
    "invalid_request_error": 400,
    "api_error": 500,
    "overloaded_error": OVERLOADED,
}

# The forms of an error: as documented; a bare message, as clouds send it; anything else.
FLAT, RAW = "flat", "raw"


def read_problem(status: int, body: Any) -> Problem:
    """Read the body of an answer that is an error, whatever it is."""
    problem = Problem(dialect=DIALECT, status=status, message="", form=RAW, rest={"body": body})
    if not isinstance(body, dict):
        problem.message = body if isinstance(body, str) else ""
        return problem
    taker = Taker(body)
    if isinstance(body.get("error"), dict):
        inner = Taker(taker.left.pop("error"))
        problem.form = lacking(taker, {"type": "error"})
        problem.kind = word(inner, "type")
        problem.message = word(inner, "message")
        problem.code = word(inner, "code")
        problem.rest = taker.left
        if inner.left:
            taker.left["error"] = inner.left
    elif message := word(taker, "message"):
        problem.message, problem.form, problem.rest = message, FLAT, taker.left
    return problem


def write_problem(problem: Problem, crossing: Crossing) -> JSON:
    """Write an error; one that was no object becomes one."""
    form = crossing.form(problem)
    body = problem.rest.get("body")
    if form == RAW and isinstance(body, dict):
        return body
    if form == FLAT:
        return {"message": problem.message, **problem.rest}
    told = {"type": problem.kind, "message": problem.message, "code": problem.code}
    detail = {key: value for key, value in told.items() if value}
    if not crossing.same or form == RAW:
        detail["type"] = _kind(problem.status)
        detail.setdefault("message", f"The provider answered with the status {problem.status}.")
        return {"type": "error", "error": detail}
    out: JSON = {"error": detail} if form == "type" else {"type": "error", "error": detail}
    return overlay(out, problem.rest)


def _kind(status: int) -> str:
    default = "invalid_request_error" if status < 500 else "api_error"
    return "overloaded_error" if status == OVERLOADED else KINDS.get(status, default)
