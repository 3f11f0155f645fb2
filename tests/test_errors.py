"""The table of errors is complete, and every use of it agrees with it."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

import farthing
from farthing.errors import CODES, ConfigError, Failed, FarthingError, Malformed, Refused

SOURCE = Path(farthing.__file__).parent
KINDS: dict[str, type[FarthingError]] = {k.__name__: k for k in (Malformed, Refused, Failed)}


def _raised() -> dict[str, set[str]]:
    """Return every code that the source names, with the classes it is given to."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id in KINDS and node.args and isinstance(node.args[0], ast.Constant):
                found[str(node.args[0].value)].add(node.func.id)
    return found


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_an_error_status_and_a_sentence(code: str) -> None:
    status, meaning = CODES[code]
    assert 400 <= status <= 599
    assert meaning[0].isupper()
    assert meaning.endswith(".")
    assert code == code.lower()
    assert code.isidentifier()


def test_every_code_the_source_raises_is_in_the_table() -> None:
    raised = _raised()
    assert len(raised) > 10, "the search found the source"
    assert raised.keys() <= CODES.keys()


def test_a_code_belongs_to_one_kind_of_error() -> None:
    assert {code: kinds for code, kinds in _raised().items() if len(kinds) > 1} == {}


def test_every_code_of_the_table_is_named_in_the_source() -> None:
    text = "".join(
        file.read_text("utf-8") for file in SOURCE.rglob("*.py") if file.name != "errors.py"
    )
    assert [code for code in CODES if f'"{code}"' not in text] == []


@pytest.mark.parametrize("kind", KINDS.values())
def test_an_error_carries_its_code_status_and_sentence(kind: type[FarthingError]) -> None:
    problem = kind("journal_full", "Free some space.", retry_after=3)
    assert (problem.code, problem.status, problem.message) == (
        "journal_full",
        503,
        "Free some space.",
    )
    assert str(problem) == "Free some space."
    assert problem.retry_after == 3
    assert isinstance(problem, FarthingError)


def test_a_retry_is_promised_only_when_asked_for() -> None:
    assert Refused("max_cost", "No.").retry_after is None


def test_an_unknown_code_cannot_be_raised() -> None:
    with pytest.raises(KeyError):
        Failed("no_such_code", "Nothing.")


def test_a_configuration_error_is_no_query_s_error() -> None:
    assert not issubclass(ConfigError, FarthingError)
