"""Errors."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.messages.crossings import into
from tests.wire.messages.golden import PROBLEMS

from farthing.wire.canon import Problem
from farthing.wire.crossing import Crossing
from farthing.wire.messages.problems import read_problem, write_problem


@pytest.mark.parametrize(
    ("name", "kind", "message", "code"),
    [
        ("documented", "rate_limit_error", "Slower.", ""),
        ("with more", "invalid_request_error", "No.", "x"),
        ("flat", "", "No access.", ""),
        ("a cloud's", "", "No model.", ""),
        ("unknown", "", "", ""),
    ],
)
def test_an_error_is_read(name: str, kind: str, message: str, code: str) -> None:
    problem = read_problem(*PROBLEMS[name])
    assert (problem.kind, problem.message, problem.code) == (kind, message, code)
    assert problem.status == PROBLEMS[name][0]


@pytest.mark.parametrize(
    ("body", "message"),
    [("gone", "gone"), (None, "The provider answered with the status 503.")],
)
def test_what_is_no_object_becomes_one(body: Any, message: str) -> None:
    written = write_problem(read_problem(503, body), Crossing("messages", "messages"))
    detail = {"type": "overloaded_error", "message": message}
    assert written == {"type": "error", "error": detail}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (529, "overloaded_error"),
    ],
)
def test_an_error_crosses(status: int, kind: str) -> None:
    problem = Problem(
        dialect="chat", status=status, message="No.", kind="theirs", code="c", rest={"param": "x"}
    )
    detail = {"type": kind, "message": "No.", "code": "c"}
    assert write_problem(problem, into()) == {"type": "error", "error": detail}
