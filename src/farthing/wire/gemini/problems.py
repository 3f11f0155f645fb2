"""Errors, both ways: `{"error": {"code", "message", "status", "details"}}`."""

from __future__ import annotations

from typing import Any

from farthing.wire.canon import JSON, Problem
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.calls import VENDOR
from farthing.wire.gemini.spelling import Keys, spelled, words_of

# google.rpc.Code, by HTTP status.
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}


def read_problem(status: int, value: Any) -> Problem:
    """Read an error's body, whatever it is."""
    match value:
        case {"error": {"message": str()}}:
            return _read(status, value, [])
        case [{"error": {"message": str()}} as only]:
            # What a stream without `alt=sse` answers.
            return _read(status, only, ["list"])
    message = value if isinstance(value, str) and value else "The provider gave no reason."
    return Problem(
        dialect=VENDOR, status=status, message=message, rest={"body": value}, form="whole"
    )


def _read(status: int, value: JSON, words: list[str]) -> Problem:
    body = Keys(value, "error", words)
    told = Keys(body.take("error", dict, {}), "error", words)
    message = told.take("message", str, "")
    kind = told.text("status")
    if type(told.left.get("code")) is int and told.left["code"] == status:
        del told.left["code"]
    else:
        words.append("nocode")
    body.keep("error", told)
    return Problem(
        dialect=VENDOR,
        status=status,
        message=message,
        kind=kind,
        code=_reason(told.left.get("details")),
        rest=body.left,
        form=body.form,
    )


def _reason(details: Any) -> str:
    """Return the reason that one of an error's details gives."""
    for detail in details if isinstance(details, list) else []:
        match detail:
            case {"reason": str(reason)}:
                return reason
    return ""


def write_problem(problem: Problem, crossing: Crossing) -> JSON:
    """Write an error's body."""
    words = words_of(crossing.form(problem))
    if "whole" in words:
        body: JSON = problem.rest["body"]
        return body
    made: JSON = {"message": problem.message}
    if "nocode" not in words:
        made["code"] = problem.status
    kind = problem.kind if crossing.same else _status(problem.status)
    if kind:
        made["status"] = kind
    if problem.code and not crossing.same:
        crossing.lose("error.code", "hint")
    written = spelled({"error": made}, words, crossing.rest(problem, "error"))
    return [written] if "list" in words else written  # type: ignore[return-value]


def _status(status: int) -> str:
    known = _STATUSES.get(status)
    return known or ("INVALID_ARGUMENT" if status < 500 else "INTERNAL")
