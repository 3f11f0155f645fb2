"""Errors."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.chat.crossings import into, lost
from tests.wire.chat.golden import PROBLEMS

from farthing.wire.canon import Problem
from farthing.wire.chat.problems import read_problem, write_problem


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_words_are_found(name: str) -> None:
    problem = read_problem(429, PROBLEMS[name])
    assert problem.status == 429
    assert problem.message == ("" if name in ("nothing", "details") else "No")


def test_kind_and_code_are_read() -> None:
    problem = read_problem(400, PROBLEMS["the vendor's"])
    assert (problem.kind, problem.code) == ("invalid_request_error", "c")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (429, "rate_limit_error"),
        (529, "server_error"),
    ],
)
def test_another_dialect_s(status: int, kind: str) -> None:
    crossing = into()
    problem = Problem(
        dialect="other", status=status, message="No", kind="theirs", rest={"x": 1, "y": None}
    )
    told: dict[str, Any] = {"message": "No", "type": kind, "param": None, "code": "theirs"}
    assert write_problem(problem, crossing) == {"error": told}
    assert lost(crossing) == {"error.x": "shape"}
