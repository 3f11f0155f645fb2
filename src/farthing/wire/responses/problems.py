"""Errors, both ways."""

from __future__ import annotations

from typing import Any

from farthing.wire.canon import JSON, Problem
from farthing.wire.crossing import Crossing
from farthing.wire.responses.forms import NAME, NOTHING, Spelling, keep, spelling, word
from farthing.wire.take import Taker

# Where the message stands: in an object under "error", or, with some hosts, under a key.
NESTED = "nested"
PLAIN_KEYS = ("error", "detail", "message")

# https://platform.openai.com/docs/guides/error-codes
KINDS = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}

MESSAGE_MOST = 500


def read_problem(status: int, body: Any) -> Problem:
    """Read an error, whatever its body is."""
    if not isinstance(body, dict):
        told = body if isinstance(body, str) else ""
        told = told[:MESSAGE_MOST] or _sentence(status)
        return Problem(dialect=NAME, status=status, message=told)
    taker = Taker(body)
    if isinstance(inner := taker.left.get("error"), dict):
        del taker.left["error"]
        return _read_nested(status, taker.left, Taker(inner))
    for key in PLAIN_KEYS:
        if message := word(taker.left, key):
            code = word(taker.left, "code")
            form, rest = keep(taker.left, key)
            return Problem(
                dialect=NAME, status=status, message=message, code=code, form=form, rest=rest
            )
    form, rest = keep(taker.left, "none")
    return Problem(dialect=NAME, status=status, message=_sentence(status), form=form, rest=rest)


def _read_nested(status: int, outer: JSON, inner: Taker) -> Problem:
    message, kind, code = (word(inner.left, key) for key in ("message", "type", "code"))
    param = inner.left.get("param")
    # A parameter's name is a handle: it means the request that was sent, not the client's.
    usual = {"param": (param,)} if isinstance(param, str) else NOTHING
    form, rest = keep(inner.left, NESTED if message else "silent", usual)
    hidden, beside = keep(outer)
    if rest:
        beside["error"] = rest
    return Problem(
        dialect=NAME,
        status=status,
        message=message or _sentence(status),
        kind=kind,
        code=code,
        form=f"{form}\n{hidden}",
        rest=beside,
    )


def _sentence(status: int) -> str:
    return f"The provider answered {status}."


def write_problem(problem: Problem, crossing: Crossing) -> JSON:
    """Write an error."""
    rest = crossing.rest(problem, severities={"error": "hint"})
    if form := crossing.form(problem):
        inner, _, outer = form.partition("\n")
        return _write_back(problem, spelling(inner) or Spelling(), spelling(outer), rest)
    return {"error": new_error(problem)}


def _write_back(problem: Problem, told: Spelling, outer: Spelling | None, rest: JSON) -> JSON:
    code = {"code": problem.code} if problem.code else {}
    if outer is None:
        said = {told.word: problem.message} if told.word in PLAIN_KEYS else {}
        return {**told.hidden, **rest, **said, **code}
    error = {**told.hidden, **rest.get("error", {}), **code}
    error |= {"type": problem.kind} if problem.kind else {}
    error |= {"message": problem.message} if told.word == NESTED else {}
    return {**outer.hidden, **rest, "error": error}


def new_error(problem: Problem) -> JSON:
    """Return an error's object, in this dialect's words."""
    default = "server_error" if problem.status >= 500 else "invalid_request_error"
    kind = KINDS.get(problem.status, default)
    return {"message": problem.message, "type": kind, "param": None, "code": problem.code or None}
