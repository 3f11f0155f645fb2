"""What is read off the framework's log. Its real logs are read in test_run.py."""

from __future__ import annotations

from types import SimpleNamespace as Of
from typing import Any

import pytest

from farthing.report.evaluation.log import read


def model(cache: str | None = None, retries: int | None = None) -> Any:
    return Of(event="model", cache=cache, retries=retries)


def sample(*events: Any, error: str = "", scored: bool = True, tried: Any = None) -> Any:
    problem = Of(message=error) if error else None
    scores = {"s": 1} if scored else None
    return Of(events=events, error=problem, scores=scores, error_retries=tried)


def score(**metrics: float) -> Any:
    made = {name: Of(name=name, value=value) for name, value in metrics.items()}
    return Of(name="s", reducer=None, scored_samples=2, metrics=made)


def log(*samples: Any, scores: Any = (), values: Any = (), status: str = "success") -> Any:
    reduced = Of(scorer="s", reducer=None, samples=[Of(value=value) for value in values])
    return Of(
        location="x.eval", samples=samples, eval=Of(scorers=[1]), results=Of(scores=scores),
        reductions=[reduced], status=status, error=None,
    )  # fmt: skip


def test_each_try_is_a_call_and_a_cached_answer_is_none() -> None:
    before = [Of(events=[model(), Of(event="info")]), Of(events=None)]
    told = read(log(sample(model(), model(cache="read"), model(cache="write", retries=2)),
                    sample(model(), tried=before)))  # fmt: skip
    assert told.calls == 1 + 3 + 1 + 1


def test_only_what_was_answered_and_scored_is_complete() -> None:
    told = read(log(sample(), sample(error="no  \n room"), sample(scored=False)))
    assert (told.completed, told.reason) == (1, "no room")


def test_without_a_scorer_an_answer_is_enough() -> None:
    made = log(sample(scored=False), sample(error="no", scored=False))
    made.eval.scorers = None
    assert read(made).completed == 1


@pytest.mark.parametrize(
    ("values", "method"),
    [([1.0, 0.0], "wilson-95"), ([3.0, -2.0], "normal-95"), ([{"a": 1}, 2.0], "normal-95")],
)
def test_a_figure_has_its_interval_and_keeps_its_text(values: Any, method: str) -> None:
    told = read(log(scores=[score(mean=0.5, stderr=0.25)], values=values)).scores
    (one,) = told
    assert (one.scorer, one.metric, one.value, one.method, one.n) == ("s", "mean", "0.5", method, 2)


def test_a_figure_of_another_reducer_is_not_measured_by_these_samples() -> None:
    made = score(mean=0.5)
    made.reducer = "max"
    assert read(log(scores=[made], values=[1.0, 0.0])).scores[0].method == ""


def test_what_was_cancelled_says_so_whatever_else_went_wrong() -> None:
    assert read(log(sample(error="CancelledError()"), status="cancelled")).reason == "cancelled"
    broken = log(sample(error="one"), status="error")
    broken.error, broken.results = Of(message="all of it"), None
    told = read(broken)
    assert (told.reason, told.scores) == ("all of it", [])
