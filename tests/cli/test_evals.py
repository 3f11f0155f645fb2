"""Evaluations from the command line, as a table and as JSON."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.cli.conftest import Cli, one_line, values

from farthing import clock
from farthing.ledger import admin
from farthing.ledger.evaluation import Evaluation, Score
from farthing.paths import DataFolder

AT = 1_790_000_000 * clock.SECOND
FIGURE = Score("match", "accuracy", "0.5", "0.150038", "0.849962", "wilson-95", 4)
WHOLE = Evaluation(
    AT + 9, "ann", "e1", "sums", "1", "fast", "complete", AT, "k", 4, 2, 8, "ab" * 32, (FIGURE,),
    ("p/m",), 8, 8, 216_000, 0, 0, 5, 20, "cd" * 32,
)  # fmt: skip
PARTIAL = Evaluation(
    AT + 9, "ann", "e2", "facts", "1", "slow", "partial", AT, "k", 4, 1, 1, "ef" * 32, (),
    ("p/m",), 2, 2, 27_000, 1, 90_000, 5, 20, "cd" * 32, "402: ann's limit",
)  # fmt: skip


def recorded(folder: Path) -> None:
    assert asyncio.run(admin.record(DataFolder(folder), [WHOLE, PARTIAL])) == [None, None]


def test_each_figure_is_a_line(cli: Cli, folder: Path) -> None:
    recorded(folder)
    _, whole, partial = cli("evals").stdout.splitlines()
    assert whole.split() == [
        "2026-09-21", "14:13", "e1", "sums", "fast", "match", "accuracy", "0.5", "0.150038", "to",
        "0.849962", "8/8", "8", "0.000216", "ab" * 6, "complete",
    ]  # fmt: skip
    assert "0.000027 + ≤ 0.00009" in partial and partial.split()[-1] == "partial"


def test_json_says_everything(cli: Cli, folder: Path) -> None:
    recorded(folder)
    (one, other), (only,) = (
        values(cli("evals", "--json"))[0],
        values(cli("evals", "facts", "--json"))[0],
    )
    assert (one["entry"], other["entry"], only) == (2, 3, other)
    assert one["dataset_sha256"] == "ab" * 32 and one["scores"][0]["low"] == "0.150038"
    assert (one["usd"], one["at"], one["calls"]) == ("0.000216", "2026-09-21T14:13:20.000Z", 8)
    assert other["reason"] == "402: ann's limit" and other["held"] == "0.00009"


def test_none_is_a_sentence(cli: Cli, folder: Path) -> None:
    assert "there is no ledger" in one_line(cli("evals", status=1))
    recorded(folder)
    assert cli("evals", "other").stdout == (
        "there is no evaluation; `farthing eval --help` says how to make one\n"
    )
