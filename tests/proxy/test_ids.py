"""The ids of queries."""

from __future__ import annotations

from farthing.proxy.ids import new_id


def test_ids_sort_by_time_and_never_meet() -> None:
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(set(ids))
    assert all(id_.startswith("q") and id_.isalnum() and len(id_) <= 64 for id_ in ids)
