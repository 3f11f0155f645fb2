"""A provider's errors, both ways."""

from __future__ import annotations

from typing import Any

from farthing.wire.canon import JSON, Problem
from farthing.wire.chat.nested import filled, full, inner, leftover, put_back
from farthing.wire.chat.reading import NAME
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

# Forms: where the words of the error stood.
BODY = "body"  # the body is no object
TEXT = "error"  # {"error": "…"}
DETAIL = "detail"  # {"detail": "…"}
FLAT = "flat"  # {"message": "…", "type": "…"}

KINDS = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def read_problem(status: int, body: Any) -> Problem:
    """Read an error's body, whatever it is."""
    problem = Problem(dialect=NAME, status=status, message="")
    if not isinstance(body, dict):
        problem.form, problem.rest = BODY, {BODY: body}
        problem.message = body if isinstance(body, str) else _first_message(body)
        return problem
    taker = Taker(body)
    box = inner(taker, "error")
    if box is not None:
        _take(problem, box)
        problem.rest = leftover(taker, error=box)
        return problem
    for field in (TEXT, DETAIL):
        if problem.message == "" and (message := full(taker, field)):
            problem.message, problem.form = message, field
    if not problem.form:
        problem.form = FLAT
        _take(problem, taker)
    problem.rest = taker.left
    return problem


def _take(problem: Problem, taker: Taker) -> None:
    problem.message = full(taker, "message")
    problem.kind, problem.code = full(taker, "type"), full(taker, "code")


def _first_message(body: Any) -> str:
    """Return the message of an error that stands in an array, as one vendor sends it."""
    first = body[0] if isinstance(body, list) and body else None
    return read_problem(0, first).message if isinstance(first, dict) else ""


def write_problem(problem: Problem, crossing: Crossing) -> JSON:
    """Write an error's body."""
    if not crossing.same:
        return _cross(problem, crossing)
    if problem.form == BODY and BODY in problem.rest:
        body: JSON = problem.rest[BODY]
        return body
    if problem.form in (TEXT, DETAIL):
        return {problem.form: problem.message} | problem.rest
    told = filled(message=problem.message, type=problem.kind, code=problem.code)
    if problem.form == FLAT:
        return told | problem.rest
    return put_back({"error": told}, problem.rest, "error")


def _cross(problem: Problem, crossing: Crossing) -> JSON:
    crossing.rest(problem, "error", {})
    usual = "server_error" if problem.status >= 500 else "invalid_request_error"
    return {
        "error": {
            "message": problem.message or "The provider gave no reason.",
            "type": KINDS.get(problem.status, usual),
            "param": None,
            "code": problem.code or problem.kind or None,
        }
    }
