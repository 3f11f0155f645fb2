"""The framework's process: what it says when it cannot begin, and what it does not see."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from farthing.report.evaluation.child import _arguments
from farthing.report.evaluation.told import Began, Broke, Said, Told, decode_said, encode

MODULE = "farthing.report.evaluation.child"

TWO = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample

@task
def one() -> Task:
    return Task(dataset=[Sample(input="1")])

@task
def other(n: int) -> Task:
    print(f"n is {n!r}")
    raise ValueError(f"{n!r}")
"""


def said(folder: Path, task: str, *, parent_gone: bool = False, **arguments: str) -> list[Said]:
    """What it says of a task in a file of two."""
    (folder / "two.py").write_text(TWO)
    told = Told(
        f"{folder}/{task}", arguments, "m", "http://127.0.0.1:9", "fk_a_b", "eval:x", str(folder),
        None, None, 1, None,
    )  # fmt: skip
    pipe, command = subprocess.PIPE, [sys.executable, "-P", "-m", MODULE]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=dict(os.environ)) as ran:
        assert ran.stdin is not None and ran.stdout is not None
        ran.stdin.write(encode(told) + b"\n")
        ran.stdin.flush()
        if parent_gone:
            ran.stdin.close()
        lines = ran.stdout.read().splitlines()
        assert ran.wait() == 0  # before its standard input is closed: that tells it to end
    return [decode_said(line) for line in lines]


def test_arguments_are_read_as_the_framework_reads_them() -> None:
    written = {"n": "3", "x": "0.5", "yes": "true", "list": "[a, 2]", "text": "plain words"}
    assert _arguments(written) == {
        "n": 3, "x": 0.5, "yes": True, "list": ["a", 2], "text": "plain words",
    }  # fmt: skip


def test_of_several_tasks_one_is_named(tmp_path: Path) -> None:
    (broke,) = said(tmp_path, "two.py", n="1")
    assert isinstance(broke, Broke)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("task", "reason"),
    [("two.py@other", "ValueError: 3"), ("two.py@none", "none"), ("three.py", "three.py")],
)
def test_what_goes_wrong_before_it_begins_is_its_reason(
    tmp_path: Path, task: str, reason: str
) -> None:
    """What a task prints is not taken for what the process says."""
    (broke,) = said(tmp_path, task, n="3")
    assert isinstance(broke, Broke) and reason in broke.reason


@pytest.mark.soak
def test_when_its_parent_is_gone_it_ends(tmp_path: Path) -> None:
    """Its standard input is at its end at once, while nothing listens where the gateway was."""
    *began, broke = said(tmp_path, "two.py@one", parent_gone=True)
    assert all(isinstance(line, Began) for line in began)
    assert isinstance(broke, Broke) and "cancelled" in broke.reason
