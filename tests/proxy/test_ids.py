"""The ids of queries."""

from __future__ import annotations

import itertools

import pytest

from farthing import clock
from farthing.ledger.seen import COUNT, LENGTH, RUN, Seen
from farthing.proxy import ids
from farthing.proxy.ids import RUN_MOST, new_id


@pytest.fixture(autouse=True)
def run(monkeypatch: pytest.MonkeyPatch) -> str:
    """A run of this test's own."""
    monkeypatch.setattr(ids, "_counter", itertools.count(1))
    monkeypatch.setattr(ids, "_run", "0123456789")
    return "0123456789"


def test_ids_sort_by_time_and_never_meet() -> None:
    made = [new_id() for _ in range(1000)]
    assert made == sorted(set(made))
    assert all(id_.startswith("q") and id_.isalnum() and len(id_) == LENGTH for id_ in made)


def test_an_id_is_a_time_a_run_and_a_count(monkeypatch: pytest.MonkeyPatch, run: str) -> None:
    monkeypatch.setattr(clock, "wall", lambda: 0x123456789AB * 1_000_000 + 999_999)
    one, two = new_id(), new_id()
    assert one == f"q0123456789ab{run}00000001"
    assert two == f"q0123456789ab{run}00000002"
    assert (one[RUN], one[COUNT]) == (run, "00000001")


def test_a_run_that_has_counted_to_its_end_is_followed_by_another(
    monkeypatch: pytest.MonkeyPatch, run: str
) -> None:
    monkeypatch.setattr(ids, "_counter", itertools.count(RUN_MOST - 1))
    made = [new_id() for _ in range(3)]
    assert [len(id_) for id_ in made] == [LENGTH] * 3
    assert [id_[COUNT] for id_ in made] == ["ffffffff", "00000001", "00000002"]
    assert made[0][RUN] == run
    assert made[1][RUN] == made[2][RUN] != run
    seen = Seen()
    for id_ in made:
        assert id_ not in seen
        seen.add(id_)


def test_a_run_is_drawn_at_random(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = set()
    for _ in range(100):
        ids._begin_run()
        runs.add(new_id()[RUN])
    assert len(runs) == 100
