"""Errors."""

from __future__ import annotations

import pytest
from tests.wire.converse.golden import PROBLEMS

from farthing.wire.canon import Problem
from farthing.wire.converse.problems import FAULTS, fault_of, kind_of, read_problem, write_problem
from farthing.wire.crossing import Crossing

READ = {
    "plain": ("The provided model identifier is invalid.", "ValidationException"),
    "capital": ("User is not authorized.", "AccessDeniedException"),
    "typed": ("Too many", "ThrottlingException"),
    "bare": ("", "ServiceUnavailableException"),
    "text": ("Bad gateway", "InternalServerException"),
    "nothing": ("", "InternalServerException"),
}


@pytest.mark.parametrize("name", READ)
def test_a_problem_is_read(name: str) -> None:
    status, body = PROBLEMS[name]
    problem = read_problem(status, body)
    assert (problem.status, problem.message, problem.kind) == (status, *READ[name])


def test_a_problem_of_another_dialect() -> None:
    crossing = Crossing("chat", "converse")
    problem = Problem(dialect="chat", status=429, message="Slow down.", rest={"param": "n"})
    assert write_problem(problem, crossing) == {
        "message": "Slow down.",
        "__type": "ThrottlingException",
    }
    assert {loss.what for loss in crossing.losses} == {"error.param"}


@pytest.mark.parametrize(
    ("status", "kind"), [(418, "ValidationException"), (529, "InternalServerException")]
)
def test_a_status_without_a_kind_of_its_own(status: int, kind: str) -> None:
    assert kind_of(status) == kind


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_after_its_status(name: str) -> None:
    assert fault_of(FAULTS[name]) == name


def test_a_fault_of_another_status() -> None:
    assert fault_of(403) == "validationException"
    assert fault_of(529) == "internalServerException"
