"""Errors: what they mean, and how another dialect's are said."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.responses.cases import PROBLEMS

from farthing.wire.canon import Problem
from farthing.wire.crossing import Crossing
from farthing.wire.responses.problems import read_problem, write_problem


@pytest.mark.parametrize(
    ("case", "message", "kind", "code"),
    [
        ("usual", "Slow down.", "rate_limit_error", "rate_limit_exceeded"),
        ("param", "No.", "invalid_request_error", ""),
        ("detail", "Sign in.", "", ""),
        ("flat", "No such model", "", "invalid-argument"),
        ("silent", "The provider answered 500.", "", ""),
        ("odd", "The provider answered 500.", "", ""),
    ],
)
def test_a_problem_is_read(case: str, message: str, kind: str, code: str) -> None:
    problem = read_problem(*PROBLEMS[case])
    assert (problem.message, problem.kind, problem.code) == (message, kind, code)


@pytest.mark.parametrize(
    ("body", "message"),
    [("Bad gateway", "Bad gateway"), ("", "The provider answered 502."),
     (None, "The provider answered 502."), ([1], "The provider answered 502."),
     ("x" * 900, "x" * 500)],
)  # fmt: skip
def test_a_body_that_is_no_object_is_read(body: Any, message: str) -> None:
    assert read_problem(502, body).message == message


def test_a_parameter_s_name_is_no_loss() -> None:
    assert read_problem(400, {"error": {"message": "No.", "param": "input"}}).rest == {}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (429, "rate_limit_error"),
        (422, "invalid_request_error"),
        (529, "server_error"),
    ],
)
def test_another_dialect_s_problem_is_written(status: int, kind: str) -> None:
    problem = Problem(dialect="messages", status=status, message="No.", kind="overloaded_error")
    assert write_problem(problem, Crossing("messages", "responses")) == {
        "error": {"message": "No.", "type": kind, "param": None, "code": None}
    }
