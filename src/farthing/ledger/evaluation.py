"""What an evaluation's entry must say to be one: a run that stopped is never told as whole."""

from __future__ import annotations

import re

from farthing.ledger.entry import Refusal
from farthing.ledger.registry import invalid
from farthing.ledger.reported import Evaluation
from farthing.money import MOST

COMPLETE, PARTIAL, FAILED = "complete", "partial", "failed"

_DIGEST = re.compile(r"[0-9a-f]{64}")


def outcome(completed: int, wanted: int) -> str:
    """Return what became of a run that scored so many of the samples it wanted to."""
    if not completed:
        return FAILED
    return COMPLETE if completed == wanted else PARTIAL


def misshapen(entry: Evaluation) -> Refusal | None:
    """Return what is wrong with an evaluation in itself, if anything."""
    wanted = entry.samples * entry.epochs
    if not 0 <= entry.completed <= wanted or entry.outcome not in (COMPLETE, PARTIAL, FAILED):
        return invalid("an evaluation completes some of its samples, and says so")
    told_better = entry.outcome == COMPLETE and (entry.reason or entry.completed < wanted)
    if told_better or (entry.outcome == FAILED) != (not entry.completed):
        return invalid(f"{entry.completed} of {wanted} samples are not {entry.outcome}")
    if not all(0 <= amount <= MOST for amount in (entry.usd, entry.held)):
        return invalid("what an evaluation costs is an amount, or nothing")
    if not _DIGEST.fullmatch(entry.dataset_sha256) and entry.completed:
        return invalid("samples that were scored have a digest")
    return None
