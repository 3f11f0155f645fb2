"""`farthing eval`: what it asks for, what it prints, and how it ends.

The runs themselves are real in tests/report/evaluation/test_run.py; here one stands for them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.cli.test_evals import PARTIAL, WHOLE

from farthing.cli import evaluate
from farthing.cli.evaluate import AT_ONCE
from farthing.ledger.evaluation import Evaluation
from farthing.local.weights import MODEL, installed
from farthing.paths import DataFolder
from farthing.report.evaluation.run import Asked
from farthing.report.evaluation.told import Began, Sampled

ROOT = Path(__file__).parents[2]


class Runs:
    """Stands for all runs."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.made: Evaluation = WHOLE
        self.stops = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self, data: DataFolder, asked: Asked, tell: Any) -> Runs:
        self.asked.append(asked)
        self._tell = tell
        return self

    def stop(self) -> None:
        self.stops += 1

    def run(self) -> Evaluation:
        self._tell(Began("sums", "1", "ab", 4, 2))
        self._tell(Sampled(True))
        self.meanwhile()
        return msgspec.structs.replace(self.made, model=self.asked[-1].model)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs()
    monkeypatch.setattr(evaluate, "Run", made)
    return made


def test_without_options_the_embedded_model_is_asked_the_whole_task(cli: Cli, runs: Runs) -> None:
    assert "0.150038 to 0.849962" in cli("eval", "t.py").stdout
    assert runs.asked == [Asked("t.py", MODEL, {}, at_once=AT_ONCE)]


def test_each_model_is_a_run_with_what_is_asked_for(cli: Cli, runs: Runs) -> None:
    cli(
        "eval", "t.py@one", "-m", "a/b", "--model", "fast", "--limit", "5", "--epochs", "3",
        "--max-cost", "$0.05", "-T", "n=2", "-T", "x=a=b", "--max-tokens", "9", "--in", "team:s",
    )  # fmt: skip
    both = ({"n": "2", "x": "a=b"}, 5, 3, 50_000_000, 1, 9, "team:s")
    assert runs.asked == [Asked("t.py@one", "a/b", *both), Asked("t.py@one", "fast", *both)]
    cli("eval", "t.py", "--max-cost", "1", "--at-once", "7")
    assert runs.asked[-1].at_once == 7


def test_a_run_that_is_not_whole_is_no_success(cli: Cli, runs: Runs) -> None:
    runs.made = PARTIAL
    ended = cli("eval", "t.py", "--json", status=1)
    assert values(ended)[0]["outcome"] == "partial"
    assert f"{MODEL}: 402: ann's limit" in one_line(cli("eval", "t.py", status=1))


def test_queries_that_the_framework_did_not_count_are_told(cli: Cli, runs: Runs) -> None:
    assert "framework" not in one_line(cli("eval", "t.py"))
    runs.made = msgspec.structs.replace(WHOLE, queries=9)
    said = one_line(cli("eval", "t.py"))
    assert "the ledger has 9 queries, the framework's log 8" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_the_run_and_asks_no_other_model(
    cli: Cli, runs: Runs, number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    runs.meanwhile = lambda: os.kill(os.getpid(), number)
    cli("eval", "t.py", "-m", "one", "-m", "two", status=1)
    assert ([asked.model for asked in runs.asked], runs.stops) == (["one"], 1)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-T", "n"), "-T: 'n' is no argument; write NAME=VALUE"),
        (("-T", "=2"), "-T: '' is no argument; write NAME=VALUE"),
        (("--max-cost", "much"), "--max-cost: 'much' is not a decimal number"),
    ],
)
def test_what_cannot_be_meant(cli: Cli, runs: Runs, arguments: tuple[str, ...], said: str) -> None:
    assert said in one_line(cli("eval", "t.py", *arguments, status=2))
    assert runs.asked == []


def test_without_a_gateway_it_says_how_to_start_one(cli: Cli) -> None:
    assert "no gateway runs on" in one_line(cli("eval", "t.py", status=1))


@pytest.mark.soak
@pytest.mark.skipif(not installed(), reason="the embedded model is not installed")
def test_our_own_task_is_asked_of_the_embedded_model(cli: Cli, folder: Path) -> None:
    """As the README says: right after the start, with nothing else."""
    from tests.support.gateway import RunningGateway

    running = RunningGateway(folder.parent / "own", command="up")
    try:
        data = ("--data", str(running.data.root))
        task = str(ROOT / "examples" / "arithmetic.py")
        (made,) = values(cli("eval", task, "--limit", "4", "--json", *data))
    finally:
        running.stop()
    assert (made["outcome"], made["queries"], made["calls"]) == ("complete", 4, 4)
    assert made["served"] == [f"local/{MODEL}"] and float(made["usd"]) > 0
