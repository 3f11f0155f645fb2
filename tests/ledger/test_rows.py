"""Writing many rows at once: whole ones again and again, and changes of those that are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from farthing.ledger.records import keys
from farthing.ledger.rows import add, insert, plain, update

Open = Callable[..., sa.Engine]


def key(id_: str, **more: Any) -> dict[str, Any]:
    empty = {"expires": None, "revoked": None, "max_cost": None}
    return (
        {"ledger": "one", "id": id_, "name": id_, "made": 1, "made_by": "ann", "parent": ""}
        | empty
        | more
    )


def found(connection: sa.Connection) -> list[dict[str, Any]]:
    rows = connection.execute(sa.select(keys).order_by(keys.c.ledger, keys.c.id))
    return [dict(row) for row in rows.mappings()]


def test_rows_are_written_as_they_are(open_engine: Open) -> None:
    """Texts of any kind, and numbers up to the largest amount."""
    rows = [key("a", name='it\'s "ä"\\u0000 %s ?\n', made=2**63 - 1), key("b", max_cost=0)]
    with open_engine().begin() as connection:
        insert(connection, keys, rows)
        assert found(connection) == rows


def test_a_row_that_is_there_is_made_again_as_it_is_now(open_engine: Open) -> None:
    with open_engine().begin() as connection:
        insert(connection, keys, [key("a", revoked=5), key("b")])
        insert(connection, keys, [key("a", name="new"), key("c")])
        assert found(connection) == [key("a", name="new"), key("b"), key("c")]


def test_a_change_is_of_one_ledgers_row(open_engine: Open) -> None:
    other = key("a", ledger="two")
    with open_engine().begin() as connection:
        insert(connection, keys, [key("a"), key("b"), other])
        changes = [{"ledger": "one", "id": id_, "revoked": 7} for id_ in ("a", "b")]
        update(connection, keys, changes)
        assert found(connection) == [key("a", revoked=7), key("b", revoked=7), other]


def test_nothing_is_written_of_nothing(open_engine: Open) -> None:
    with open_engine().begin() as connection:
        insert(connection, keys, [])
        update(connection, keys, [])
        add(connection, keys, [])
        assert found(connection) == []


def test_what_is_added_is_added_to_what_is_known(open_engine: Open) -> None:
    with open_engine().begin() as connection:
        insert(
            connection, keys, [key("a", made=5, max_cost=None), key("b"), key("a", ledger="two")]
        )
        mine = {"ledger": "one", "id": "a"}
        add(connection, keys, [mine | {"made": 2, "max_cost": 1}])
        others = [key("b"), key("a", ledger="two")]
        assert found(connection) == [key("a", made=7), *others]


def test_a_text_without_nul_is_as_it_is() -> None:
    assert [plain("a\0b"), plain("äb")] == ["a\ufffdb", "äb"]
