"""Errors."""

from __future__ import annotations

import pytest
from tests.wire.gemini.golden import PROBLEMS

from farthing.wire.canon import Problem
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.problems import read_problem, write_problem


def test_a_problem_is_read() -> None:
    problem = read_problem(*PROBLEMS["details"])
    assert (problem.status, problem.message) == (400, "Bad key")
    assert (problem.kind, problem.code) == ("INVALID_ARGUMENT", "API_KEY_INVALID")
    assert read_problem(*PROBLEMS["text"]).message == "Bad gateway"
    assert read_problem(*PROBLEMS["list"]).kind == "NOT_FOUND"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "UNAUTHENTICATED"), (418, "INVALID_ARGUMENT"), (529, "UNAVAILABLE"), (599, "INTERNAL")],
)
def test_a_problem_of_another_dialect_is_written(status: int, kind: str) -> None:
    crossing = Crossing("chat", "gemini")
    problem = Problem(dialect="chat", status=status, message="No.", code="x", rest={"param": None})
    assert write_problem(problem, crossing) == {
        "error": {"code": status, "message": "No.", "status": kind}
    }
    assert {loss.what: loss.severity for loss in crossing.losses} == {"error.code": "hint"}
