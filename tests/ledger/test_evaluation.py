"""An evaluation's entry: a run that stopped is never told as whole."""

from __future__ import annotations

import msgspec
import pytest

from farthing.ledger.entry import Genesis, decode, encode
from farthing.ledger.evaluation import Evaluation, Score, contradiction, outcome
from farthing.ledger.state import State
from farthing.money import MOST

WHOLE = Evaluation(
    at=9, by="ann", id="e1", task="t", version="1", model="m", outcome="complete", began=1, key="k",
    samples=3, epochs=2, completed=6, dataset_sha256="ab" * 32,
    scores=(Score("s", "accuracy", "0.5", "0.1", "0.9", "wilson-95", 3),), served=("p/m",),
    queries=6, calls=6, usd=7, first=3, last=8, log_sha256="cd" * 32,
)  # fmt: skip


@pytest.mark.parametrize(
    ("completed", "told"), [(0, "failed"), (1, "partial"), (5, "partial"), (6, "complete")]
)
def test_what_became_of_it_follows_from_how_far_it_came(completed: int, told: str) -> None:
    assert outcome(completed, 6) == told
    reason = "" if told == "complete" else "why"
    made = msgspec.structs.replace(WHOLE, completed=completed, outcome=told, reason=reason)
    assert not contradiction(made)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"completed": 5}, "5 of 6 samples are not complete"),
        ({"completed": 0}, "0 of 6 samples are not complete"),
        ({"completed": 7}, "completes some of its samples"),
        ({"completed": -1}, "completes some of its samples"),
        ({"outcome": "success"}, "completes some of its samples"),
        ({"outcome": "failed"}, "6 of 6 samples are not failed"),
        ({"outcome": "partial", "completed": 0}, "0 of 6 samples are not partial"),
        ({"reason": "it stopped"}, "6 of 6 samples are not complete"),
        ({"usd": -1}, "is an amount, or nothing"),
        ({"held": MOST + 1}, "is an amount, or nothing"),
        ({"dataset_sha256": ""}, "samples that were scored have a digest"),
    ],
)
def test_what_contradicts_itself_is_refused(change: dict[str, object], said: str) -> None:
    made = msgspec.structs.replace(WHOLE, **change)
    assert said in contradiction(made)
    refusal = State().apply(made)
    assert refusal is not None and (refusal.code, refusal.detail) == (
        "invalid",
        contradiction(made),
    )


def test_the_ledger_takes_it_and_it_changes_nothing_else() -> None:
    state = State()
    state.apply(Genesis(1, "one"))
    before = state.encoded()
    assert state.apply(WHOLE) is None and state.position == 2
    assert state.apply(msgspec.structs.replace(WHOLE, completed=5)) is not None
    state.position = 1
    assert state.encoded() == before


def test_it_is_the_same_when_it_is_read_again() -> None:
    assert decode(encode(WHOLE)) == WHOLE
    failed = Evaluation(9, "a", "e", "t", "", "m", "failed", 1, "k", 0, 0, 0, "", reason="why")
    assert not contradiction(failed) and decode(encode(failed)) == failed
