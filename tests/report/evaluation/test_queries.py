"""What a key's queries came to, as they end in every way there is."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from tests.support.evidence import write

from farthing.ledger.cursor import Cursor
from farthing.ledger.entry import (
    Config,
    Entry,
    Expire,
    Genesis,
    Hold,
    Resolve,
    Settle,
    Unresolved,
    Void,
    WriteOff,
)
from farthing.report.evaluation.queries import Queries
from farthing.wire.dialect import Usage


def hold(query: str, usd: int = 50, key: str = "k", model: str = "m") -> Hold:
    return Hold(1, query, key, (), "p", model, "asked", "chat", False, usd, 9, 4, 6, "book", "w")


def settle(query: str, usd: int) -> Settle:
    return Settle(2, query, usd, Usage(), 200, 1, 1)


ENDINGS: list[tuple[list[Entry], int, int]] = [
    ([settle("q", 7)], 7, 0),
    ([Void(2, "q", "upstream_unreachable")], 0, 0),
    ([Unresolved(2, "q", "usage_missing")], 0, 1),
    ([Unresolved(2, "q", "usage_missing"), Resolve(3, "a", "q", 8, "invoice")], 8, 0),
    ([Unresolved(2, "q", "usage_missing"), Expire(3, "q")], 50, 0),
    ([Unresolved(2, "q", "usage_missing"), WriteOff(3, "a", "q", "no")], 0, 0),
]


@pytest.mark.parametrize(("ending", "usd", "unknown"), ENDINGS)
def test_each_ending_costs_what_it_says(
    tmp_path: Path, ending: list[Entry], usd: int, unknown: int
) -> None:
    write(tmp_path, [Genesis(1, "one"), hold("q")])
    with closing(Cursor(tmp_path)) as cursor:
        queries = Queries(cursor, "k")
        queries.catch_up()
        assert (len(queries), queries.open, queries.usd, queries.last) == (1, 1, 0, 2)
        write(tmp_path, ending)
        queries.catch_up()
        assert (queries.open, queries.usd, len(queries.unknown)) == (0, usd, unknown)
        assert (queries.first, queries.last) == (2, 2 + len(ending))


def test_only_those_of_its_key_and_only_from_where_it_began(tmp_path: Path) -> None:
    write(tmp_path, [Genesis(1, "one"), hold("before"), settle("before", 1)])
    with closing(Cursor(tmp_path)) as cursor:
        cursor.go_to_end()
        write(tmp_path, [hold("q1"), hold("other", key="x"), Config(1, "c"), hold("q2", model="n")])
        write(tmp_path, [settle("other", 5), settle("q2", 3), settle("q1", 4), Config(2, "c")])
        queries = Queries(cursor, "k")
        queries.catch_up()
    assert (queries.usd, len(queries), queries.first, queries.last) == (7, 2, 4, 10)
    assert queries.served == ("p/m", "p/n")
