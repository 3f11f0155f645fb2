"""Commitments: which tranche pays for what, and what it was bought for."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.ledger.commitment import PPM, Commitments, TrancheState, contracted
from farthing.ledger.entry import Commitment, Draw, Exercise, Tranche
from farthing.money import MOST

NOW = 1_000


def tranche(usd: int = 100, paid: int = 80, starts: int = 0, ends: int = 2_000) -> Tranche:
    return Tranche(usd, paid, starts, ends)


def called(usd: int = 100) -> Tranche:
    return Tranche(usd, usd, 0, 2_000, on_call=True)


def after(ppm: int, usd: int = 100, ends: int = 3_000) -> Tranche:
    return Tranche(usd, usd, 0, ends, after_ppm=ppm)


def agreed(*tranches: Tranche, name: str = "c", provider: str = "acme") -> Commitment:
    return Commitment(1, "ada", name, provider, 0, 5_000, tranches)


def book(*entries: Commitment) -> Commitments:
    made = Commitments()
    for entry in entries:
        assert made.add(entry) is None
    return made


def drawn(of: Commitments, usd: int, now: int = NOW) -> list[tuple[str, int, int]]:
    draws = of.draw("acme", usd, now, "q1")
    assert all(type(d) is Draw and (d.at, d.id) == (now, "q1") for d in draws)
    return [(d.source, d.usd, d.effective) for d in draws]


def exercise(of: Commitments, usd: int, number: int = 1, name: str = "c") -> str:
    """Call some of a tranche; return what is wrong with it, or nothing."""
    refusal = of.exercise(Exercise(1, "ada", name, number, usd))
    return refusal.detail if refusal is not None else ""


# -- drawing ----------------------------------------------------------------------------------


def test_what_ends_first_is_drawn_first_across_commitments() -> None:
    of = book(
        agreed(tranche(10, ends=3_000), tranche(10, ends=1_500), name="a"),
        agreed(tranche(10, ends=2_000), tranche(10, ends=3_000), name="b"),
    )
    assert drawn(of, 35) == [
        ("commitment:a/2", 10, 80),
        ("commitment:b/1", 10, 80),
        ("commitment:a/1", 10, 80),
        ("commitment:b/2", 5, 40),
    ]
    assert drawn(of, 35) == [("commitment:b/2", 5, 40)], "usage beyond it is billed like any other"
    assert drawn(of, 35) == []


def test_another_provider_s_commitment_pays_nothing() -> None:
    of = book(agreed(tranche(), provider="other"))
    assert drawn(of, 5) == []
    assert book().draw("acme", 5, NOW, "q1") == []


@pytest.mark.parametrize(("now", "draws"), [(999, 0), (1_000, 1), (1_999, 1), (2_000, 0)])
def test_a_tranche_is_drawn_in_its_time(now: int, draws: int) -> None:
    assert len(drawn(book(agreed(tranche(starts=1_000, ends=2_000))), 5, now)) == draws


# -- what it was bought for -------------------------------------------------------------------


@given(
    paid=st.integers(0, MOST),
    parts=st.lists(st.integers(1, MOST // 50), min_size=1, max_size=40),
)
def test_all_draws_together_come_to_the_price_exactly(paid: int, parts: list[int]) -> None:
    state = TrancheState(Tranche(sum(parts), paid, 0, 2), sum(parts))
    effective = [state.draw(part) for part in parts]
    assert sum(effective) == paid
    assert state.free(1) == 0
    # Never a nanodollar more than its share is told before its end.
    for number in range(1, len(parts)):
        told, share = sum(effective[:number]), paid * sum(parts[:number])
        assert told * sum(parts) <= share < (told + 1) * sum(parts)


# -- tranches that open later -----------------------------------------------------------------


@pytest.mark.parametrize(("first", "opens"), [(49, False), (50, True), (100, True)])
def test_a_tranche_opens_once_its_part_of_the_one_before_is_drawn(first: int, opens: bool) -> None:
    of = book(agreed(tranche(100), after(500_000, 70), after(1)))
    assert of.by_id["c"].tranches[1].usd == 0
    drawn(of, first)
    assert [t.usd for t in of.by_id["c"].tranches] == [100, 70 if opens else 0, 0]


def test_a_tranche_that_opens_pays_for_the_rest_of_the_same_query() -> None:
    of = book(agreed(tranche(100), after(PPM)))
    assert drawn(of, 130) == [("commitment:c/1", 100, 80), ("commitment:c/2", 30, 30)]


def test_a_tranche_opens_once_and_not_again_when_it_is_drawn() -> None:
    of = book(agreed(tranche(100), after(1, 20)))
    drawn(of, 100)
    assert drawn(of, 50) == [("commitment:c/2", 20, 20)]
    assert drawn(of, 50) == []


def test_the_last_millionth_counts() -> None:
    of = book(agreed(tranche(3), after(666_667)))
    drawn(of, 2)
    assert of.by_id["c"].tranches[1].usd == 0, "two of three are less than 666,667 millionths"
    drawn(of, 1)
    assert of.by_id["c"].tranches[1].usd == 100


# -- tranches on call -------------------------------------------------------------------------


def test_what_is_on_call_is_drawn_once_it_was_called() -> None:
    of = book(agreed(called(100)))
    assert drawn(of, 10) == []
    assert exercise(of, 30) == ""
    assert drawn(of, 40) == [("commitment:c/1", 30, 30)]
    assert exercise(of, 70) == ""
    assert drawn(of, 100) == [("commitment:c/1", 70, 70)]
    assert exercise(of, 1) == "$0 of this tranche can be called; write an amount up to that"


@pytest.mark.parametrize("usd", [0, -1, 101])
def test_no_more_is_called_than_there_is(usd: int) -> None:
    of = book(agreed(called(100)))
    told = "$0.0000001 of this tranche can be called; write an amount up to that"
    assert exercise(of, usd) == told
    assert of.by_id["c"].tranches[0].usd == 0


def test_what_is_not_on_call_cannot_be_called() -> None:
    of = book(agreed(tranche(), after(5)))
    told = "nothing of this tranche can be called: it is not on call, or has ended"
    assert exercise(of, 1) == exercise(of, 1, 2) == told


@pytest.mark.parametrize(("name", "number"), [("nothing", 1), ("c", 0), ("c", 2), ("c", -1)])
def test_a_tranche_that_is_not_there_says_where_to_look(name: str, number: int) -> None:
    of = book(agreed(called()))
    told = "there is no such tranche; `farthing commitments list` shows them"
    assert exercise(of, 1, number, name) == told


# -- what is refused --------------------------------------------------------------------------

GOOD = agreed(tranche())


def test_a_commitment_is_taken_once() -> None:
    of = book(GOOD)
    refusal = of.add(agreed(tranche(500)))
    assert refusal is not None
    assert refusal.code == "duplicate"
    assert drawn(of, 500) == [("commitment:c/1", 100, 80)]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (msgspec.structs.replace(GOOD, tranches=()), "one tranche at least"),
        (msgspec.structs.replace(GOOD, starts=5_000), "begins before it ends"),
        (msgspec.structs.replace(GOOD, starts=5_001), "begins before it ends"),
        (msgspec.structs.replace(GOOD, discount_ppm=-1), "its discount is a part of one"),
        (msgspec.structs.replace(GOOD, discount_ppm=PPM + 1), "its discount is a part of one"),
        (agreed(tranche(0)), "tranche 1 needs an amount"),
        (agreed(tranche(), tranche(-1)), "tranche 2 needs an amount"),
        (agreed(tranche(MOST + 1)), "tranche 1 needs an amount"),
        (agreed(tranche(paid=-1)), "tranche 1 needs an amount"),
        (agreed(tranche(paid=MOST + 1)), "tranche 1 needs an amount"),
        (agreed(tranche(starts=7, ends=7)), "tranche 1 ends before it begins"),
        (agreed(tranche(), after(-1)), "tranche 2 needs"),
        (agreed(tranche(), after(PPM + 1)), "tranche 2 needs"),
        (agreed(after(1)), "tranche 1 has none before it"),
        (
            agreed(tranche(), msgspec.structs.replace(after(1), on_call=True)),
            "tranche 2 cannot wait for another one and be called as well",
        ),
    ],
)
def test_a_commitment_that_is_wrong_in_itself_says_what_to_write(
    entry: Commitment, told: str
) -> None:
    of = Commitments()
    refusal = of.add(entry)
    assert refusal is not None
    assert refusal.code == "invalid"
    assert told in refusal.detail
    assert of.by_id == {}


@pytest.mark.parametrize(
    "entry",
    [
        agreed(tranche(MOST, MOST)),
        agreed(tranche(1, 0)),
        agreed(tranche(), after(PPM)),
        msgspec.structs.replace(GOOD, discount_ppm=PPM),
        msgspec.structs.replace(GOOD, starts=4_999),
    ],
)
def test_a_commitment_at_the_edge_of_what_can_be_is_taken(entry: Commitment) -> None:
    assert Commitments().add(entry) is None


# -- discounts --------------------------------------------------------------------------------


def discount(ppm: int, starts: int = 0, ends: int = 2_000, provider: str = "acme") -> Commitment:
    return Commitment(1, "ada", "d", provider, starts, ends, (tranche(),), ppm)


@pytest.mark.parametrize(
    ("usd", "ppm", "told"),
    [(100, 0, 100), (100, 200_000, 80), (1, 1, 1), (1, PPM - 1, 1), (0, 5, 0), (7, PPM, 0)],
)
def test_a_discount_is_rounded_up_once(usd: int, ppm: int, told: int) -> None:
    assert contracted(usd, "acme", [discount(ppm)], NOW) == told


@given(usd=st.integers(0, MOST), ppm=st.integers(0, PPM))
def test_a_discounted_price_is_the_exact_one_or_the_nanodollar_above_it(usd: int, ppm: int) -> None:
    told = contracted(usd, "acme", [discount(ppm)], NOW)
    assert 0 <= told * PPM - usd * (PPM - ppm) < PPM


def test_of_discounts_that_overlap_the_best_counts_alone() -> None:
    both = [discount(100_000), discount(300_000), discount(200_000)]
    assert contracted(1_000, "acme", both, NOW) == 700


@pytest.mark.parametrize(("now", "told"), [(999, 100), (1_000, 50), (1_999, 50), (2_000, 100)])
def test_a_discount_counts_while_its_commitment_is_in_force(now: int, told: int) -> None:
    assert contracted(100, "acme", [discount(PPM // 2, 1_000, 2_000)], now) == told


def test_without_a_discount_of_its_provider_the_list_price_stands() -> None:
    assert contracted(99, "acme", [discount(5, provider="other")], NOW) == 99
    assert contracted(99, "acme", [], NOW) == 99
