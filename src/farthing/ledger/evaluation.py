"""An evaluation's entry: a run that stopped is never told as whole."""

from __future__ import annotations

import re

import msgspec

from farthing.money import MOST

COMPLETE, PARTIAL, FAILED = "complete", "partial", "failed"

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Score(msgspec.Struct, frozen=True, array_like=True):
    """A figure of an evaluation, as text: what was measured is no amount, and stays exact so."""

    scorer: str
    metric: str
    value: str
    """As the framework computed it."""
    low: str = ""
    """The interval's ends, rounded outwards; empty where no method applies."""
    high: str = ""
    method: str = ""
    """"wilson-95" or "normal-95"."""
    n: int = 0
    """How many samples it is of."""


class Evaluation(msgspec.Struct, frozen=True, array_like=True, tag="evaluation"):
    """A model or a route was evaluated through the gateway, wholly or not."""

    at: int
    by: str
    id: str
    task: str
    version: str
    """The task's own."""
    model: str
    """As it was asked for."""
    outcome: str
    """"complete", "partial" (some samples were scored) or "failed" (none was)."""
    began: int
    key: str
    """The key of its queries, made for it and revoked after it."""
    samples: int
    """Of the data set, as it was used."""
    epochs: int
    """How often each was asked."""
    completed: int
    """How many of samples times epochs were answered and scored."""
    dataset_sha256: str
    """SHA-256 of its samples (input, target, choices, id) in their order, as RFC 8785 JSON; empty
    where it ended before they were known."""
    scores: tuple[Score, ...] = ()
    served: tuple[str, ...] = ()
    """The "provider/model" that its queries went to, by the ledger."""
    queries: int = 0
    """How many queries of its key are in the ledger."""
    calls: int | None = None
    """How many the framework's own log has; None: it left none."""
    usd: int = 0
    """What its queries cost, as far as that is known."""
    unknown: int = 0
    """How many of them cost what is not known."""
    held: int = 0
    """The most that those can cost."""
    first: int = 0
    """Entries from here to `last` are its queries', among others'."""
    last: int = 0
    log_sha256: str = ""
    """Of the framework's log."""
    reason: str = ""
    """Why it is not complete."""


def outcome(completed: int, wanted: int) -> str:
    """Return what became of a run that scored so many of the samples it wanted to."""
    if not completed:
        return FAILED
    return COMPLETE if completed == wanted else PARTIAL


def contradiction(entry: Evaluation) -> str:
    """Return what is wrong with an evaluation in itself; nothing if it can be one."""
    wanted = entry.samples * entry.epochs
    if not 0 <= entry.completed <= wanted or entry.outcome not in (COMPLETE, PARTIAL, FAILED):
        return "an evaluation completes some of its samples, and says so"
    told_better = entry.outcome == COMPLETE and (entry.reason or entry.completed < wanted)
    if told_better or (entry.outcome == FAILED) != (not entry.completed):
        return f"{entry.completed} of {wanted} samples are not {entry.outcome}"
    if not all(0 <= amount <= MOST for amount in (entry.usd, entry.held)):
        return "what an evaluation costs is an amount, or nothing"
    if not _DIGEST.fullmatch(entry.dataset_sha256) and entry.completed:
        return "samples that were scored have a digest"
    return ""
