"""What is read of the ledger: places in the log, draws, lineage."""

from __future__ import annotations

from tests.support.bills import LEDGER, bills
from tests.support.exports import Billed

from farthing.evidence.leaf import Leaves
from farthing.ledger.entry import Draw, Hold, Settle
from farthing.report.postings import Draws, Lineage, Places, entered, posted, unknown


def test_an_entrys_leaf_is_its_place_less_the_holds_before(both_bills: Billed) -> None:
    """Against the log's own leaves, for every entry that has one."""
    leaves, count, wanted = Leaves(b"s" * 32), 0, {}
    for position, entry in enumerate(bills(), start=1):
        if leaves.take(entry, position) is not None:
            wanted[position] = count
            count += 1
    with both_bills.engine.connect() as connection:
        places = Places(connection, LEDGER)
    assert {position: places.leaf(position) for position in wanted} == wanted


def test_draws_are_found_by_the_ending_that_they_pay_for(sqlite_bills: Billed) -> None:
    made = bills()
    wanted: dict[int, list[tuple[str, int]]] = {}
    for position, entry in enumerate(made, start=1):
        if isinstance(entry, Draw) and entry.source.startswith("commitment:"):
            ending = max(
                n for n, e in enumerate(made[:position], start=1)
                if getattr(e, "id", "") == entry.id and not isinstance(e, Draw)
                and type(e).__name__ not in ("Overrun", "Warned")
            )  # fmt: skip
            wanted.setdefault(ending, []).append((entry.source, entry.usd))
    with sqlite_bills.engine.connect() as connection:
        terms = entered(connection, LEDGER, "commitment")
    draws = Draws(sqlite_bills.folder.journal, terms)
    assert wanted and {ending: draws.of(ending) for ending in wanted} == wanted
    assert draws.of(1) == []
    credit = sum(e.usd for e in made if isinstance(e, Draw) and e.source == "credit:t1")
    assert draws.drawn["credit:t1"] == credit > 0
    (opening,) = draws.openings
    assert (opening.commitment, opening.tranche) == ("c1", 2)
    before = [
        e for e in made[: opening.position] if isinstance(e, Draw) and e.source.endswith("c1/1")
    ]
    assert sum(e.usd for e in before) >= 20_000_000 > sum(e.usd for e in before[:-1])


def test_nothing_is_read_where_nothing_pays(sqlite_bills: Billed) -> None:
    assert Draws(sqlite_bills.folder.journal, [], read=False).of(7) == []


def test_posted_queries_come_in_the_journals_order(both_bills: Billed) -> None:
    with both_bills.engine.connect() as connection:
        rows = list(posted(connection, LEDGER, 0, 2**62))
        none = list(posted(connection, "another", 0, 2**62))
        assert unknown(connection, "another", 0, 2**62) == (0, 0, 0)
        lineage = Lineage(connection, LEDGER)
    places = [row["end_position"] for row in rows]
    assert places == sorted(places) and not none
    made = bills()
    assert all(not isinstance(made[place - 1], Hold) for place in places)
    assert sum(isinstance(e, Settle) for e in made) < len(rows)
    assert lineage.of("key:k1") == ["key:k1", "project:search", "team:web", "org:acme"]
    assert lineage.of("user:bob") == ["user:bob"]
