"""What the framework's log says of a run: its figures, its calls of models, and what went wrong."""

from __future__ import annotations

from typing import Any

from farthing.ledger.evaluation import Score
from farthing.report.evaluation.interval import interval
from farthing.report.evaluation.told import Ended

STDERR = "stderr"
CANCELLED = "cancelled"
REASON_MOST = 500


def read(log: Any) -> Ended:
    """Return what an `inspect_ai.log.EvalLog` says, read with its samples."""
    samples = log.samples or []
    good = [sample for sample in samples if _good(sample, scored=bool(log.eval.scorers))]
    return Ended(
        log=str(log.location),
        completed=len(good),
        calls=sum(_calls(sample) for sample in samples),
        scores=_scores(log),
        reason=_reason(log),
    )


def _good(sample: Any, *, scored: bool) -> bool:
    return sample.error is None and bool(sample.scores or not scored)


def _calls(sample: Any) -> int:
    """Count the requests of a sample, each try by itself; a cached answer is none."""
    events = [*sample.events]
    for attempt in sample.error_retries or []:
        events += attempt.events or []
    models = [event for event in events if event.event == "model" and event.cache != "read"]
    return sum(1 + (event.retries or 0) for event in models)


def _scores(log: Any) -> list[Score]:
    if log.results is None:
        return []
    return [
        _score(log, score, metric)
        for score in log.results.scores
        for metric in score.metrics.values()
        if metric.name != STDERR
    ]


def _score(log: Any, score: Any, metric: Any) -> Score:
    values = _values(log, score)
    stderr = score.metrics.get(STDERR)
    found = interval(metric.value, values, None if stderr is None else stderr.value)
    n = score.scored_samples if score.scored_samples is not None else len(values)
    return Score(score.name, metric.name, repr(metric.value), *found, n=n)


def _values(log: Any, score: Any) -> list[float]:
    """Return the samples' scores, epochs reduced, where all are numbers."""
    for reduced in log.reductions or []:
        if (reduced.scorer, reduced.reducer) == (score.name, score.reducer):
            values = [sample.value for sample in reduced.samples]
            return values if all(isinstance(value, int | float) for value in values) else []
    return []


def _reason(log: Any) -> str:
    """Return why a run is not complete: the run's own error, else the first of a sample's."""
    if log.status == CANCELLED:
        return CANCELLED
    errors = [log.error] if log.error is not None else []
    errors += [sample.error for sample in log.samples or [] if sample.error is not None]
    return " ".join(errors[0].message.split())[:REASON_MOST] if errors else ""
