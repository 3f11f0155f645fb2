"""Errors, both ways.

https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from typing import Any

from farthing.wire.canon import JSON, Problem
from farthing.wire.converse.unions import NAME
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

KINDS = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    402: "ServiceQuotaExceededException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    413: "ValidationException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}

# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
FAULTS = {
    "validationException": 400,
    "modelStreamErrorException": 424,
    "throttlingException": 429,
    "internalServerException": 500,
    "serviceUnavailableException": 503,
}

MESSAGES = ("message", "Message")


def kind_of(status: int) -> str:
    """Return the exception's name for an HTTP status."""
    return KINDS.get(status, KINDS[400] if status < 500 else KINDS[500])


def fault_of(status: int) -> str:
    """Return the name of the stream's exception for an HTTP status."""
    default = "validationException" if status < 500 else "internalServerException"
    return next((name for name, known in FAULTS.items() if known == status), default)


def read_problem(status: int, body: Any) -> Problem:
    """Read an error; its kind, which AWS sends in a header, is the status's where none is told."""
    problem = Problem(dialect=NAME, status=status, message="", kind=kind_of(status))
    if not isinstance(body, dict):
        problem.message = body if isinstance(body, str) else ""
        problem.rest, problem.form = {"body": body}, "body"
        return problem
    taker = Taker(body)
    for key in MESSAGES:
        told = taker.maybe(key, str)
        if told is not None:
            problem.message, problem.form = told, key
            break
    told = taker.left.get("__type")
    if isinstance(told, str) and told:
        # It may stand behind the service's name, as in "com.amazonaws.bedrock#Throttling...".
        problem.kind = told.rpartition("#")[2]
    problem.rest = taker.left
    return problem


def write_problem(problem: Problem, crossing: Crossing) -> JSON:
    """Return an error's body."""
    if not crossing.same:
        crossing.rest(problem, "error")
        return {"message": problem.message, "__type": kind_of(problem.status)}
    if problem.form == "body":
        whole: JSON = problem.rest["body"]
        return whole
    told: JSON = {problem.form: problem.message} if problem.form else {}
    return {**problem.rest, **told}
