"""Accounts: what each scope has spent and holds, and the limits that are measured there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.clock import SECOND
from farthing.ledger.account import KEPT, REMEMBERED, Account, Accounts, Balance, Charge, Quantities
from farthing.ledger.entry import Limit, Refusal, TopUp
from farthing.ledger.meter import UNITS

NOW = 1_800_000_000 * SECOND
KEY = ("key:k",)
WANTED: Quantities = (100, 10, 1, 1)
SPENT: Quantities = (60, 6, 1, 0)
NOTHING: Quantities = (0, 0, 0, 0)


def limit(
    amount: int | None,
    unit: str = "usd",
    window: str = "ever",
    scope: str = "key:k",
    soft: bool = False,
) -> Limit:
    return Limit(NOW, "ada", scope, unit, amount, window, soft)


class Book:
    """Accounts with the queries that are open."""

    def __init__(self, *limits: Limit) -> None:
        self.accounts = Accounts()
        self.open: list[Charge] = []
        self.limit(*limits)

    def limit(self, *limits: Limit) -> None:
        for entry in limits:
            self.accounts.limit(entry, self.open, NOW)

    def refusal(
        self, path: tuple[str, ...] = KEY, wanted: Quantities = WANTED, now: int = NOW
    ) -> Refusal | None:
        found = (account.refusal(wanted, now) for account in self.accounts.on(path))
        return next((refusal for refusal in found if refusal is not None), None)

    def hold(self, path: tuple[str, ...] = KEY, wanted: Quantities = WANTED) -> Charge:
        charge = self.accounts.charge(self.accounts.on(path), wanted, NOW)
        self.open.append(charge)
        return charge

    def end(self, charge: Charge, spent: Quantities = SPENT) -> None:
        charge.end(spent, NOW)
        self.open = [each for each in self.open if each is not charge]

    def used(
        self, unit: str = "usd", window: str = "ever", scope: str = "key:k"
    ) -> tuple[int, int]:
        """What a scope's meter counts."""
        account = self.accounts.by_scope[scope]
        (meter,) = [m for m in account.meters if (UNITS[m.unit], m.window) == (unit, window)]
        return meter.used(NOW)


# -- which accounts there are -----------------------------------------------------------------


def test_an_account_is_kept_of_whoever_spends_and_of_nobody_else() -> None:
    book = Book()
    book.hold(("key:k", "project:p", "team:t", "org:o", "user:u", "model:a/m", "tag:x", "route:r"))
    assert set(book.accounts.by_scope) == {"key:k", "project:p", "team:t", "org:o"}
    assert {scope.partition(":")[0] for scope in book.accounts.by_scope} == KEPT


def test_asking_alone_keeps_nothing() -> None:
    book = Book(limit(5, scope="user:*"))
    assert book.refusal(("key:k", "user:u")) is not None
    assert book.accounts.by_scope == {}


def test_an_end_user_s_account_is_kept_where_a_limit_names_it() -> None:
    one, each = Book(limit(500, scope="user:u")), Book(limit(500, scope="user:*"))
    for book in (one, each):
        book.hold(("key:k", "user:u"))
        book.hold(("key:k", "user:v"))
    assert set(one.accounts.by_scope) == {"key:k", "user:u"}
    assert set(each.accounts.by_scope) == {"key:k", "user:u", "user:v"}


def test_the_accounts_of_a_path_are_found_again_and_forgotten_when_limits_change() -> None:
    book = Book()
    path = ("key:k", "user:u")
    book.hold(path)
    assert book.accounts.on(path) is book.accounts.on(path)
    book.limit(limit(5, scope="user:u"))
    assert [account.scope for account in book.accounts.on(path)] == ["key:k", "user:u"]
    book.accounts.top_up(TopUp(NOW, "ada", "t", "tag:x", 5))
    assert len(book.accounts.on((*path, "tag:x"))) == 3


def test_a_path_that_was_asked_before_its_scope_was_kept_finds_it_afterwards() -> None:
    book = Book()
    book.accounts.keep("key:k")
    path = ("key:k", "tag:x")
    assert [account.scope for account in book.accounts.on(path)] == ["key:k"]
    kept = book.accounts.keep("tag:x")
    assert book.accounts.on(path)[1] is kept
    assert book.accounts.keep("tag:x") is kept


def test_an_account_that_was_asked_for_by_two_paths_is_one() -> None:
    book = Book(limit(150, scope="user:*"))
    one, other = ("key:k", "user:u"), ("key:l", "user:u")
    for key in ("key:k", "key:l"):
        book.accounts.keep(key)
    assert book.refusal(one) is book.refusal(other) is None
    book.hold(one)
    assert book.refusal(other) is not None
    assert book.used(scope="user:u") == (0, 100)


def test_a_limit_of_each_is_found_on_a_path_that_was_asked_before_it() -> None:
    book = Book()
    book.accounts.keep("key:k")
    path = ("key:k", "user:u")
    assert book.refusal(path) is None
    book.limit(limit(99, scope="user:*"))
    assert book.refusal(path) is not None


def test_no_more_paths_are_remembered_than_the_bound() -> None:
    book = Book()
    book.hold()
    for number in range(REMEMBERED + 10):
        book.accounts.on((*KEY, f"user:{number}"))
    assert len(book.accounts._paths) <= REMEMBERED


# -- totals -----------------------------------------------------------------------------------


def test_a_query_counts_in_each_account_of_its_path() -> None:
    book = Book()
    path = ("key:k", "team:t")
    charge = book.hold(path)
    book.hold(("key:other", "team:t"))
    accounts = book.accounts.by_scope
    assert accounts["key:k"].held == [100, 10, 1, 1]
    assert accounts["team:t"].held == [200, 20, 2, 2]
    book.end(charge)
    assert (accounts["key:k"].held, accounts["key:k"].posted) == ([0, 0, 0, 0], [60, 6, 1, 0])
    assert (accounts["team:t"].held, accounts["team:t"].posted) == ([100, 10, 1, 1], [60, 6, 1, 0])


def test_a_query_that_was_never_sent_leaves_nothing() -> None:
    book = Book(*(limit(900, unit) for unit in UNITS))
    book.end(book.hold(), NOTHING)
    assert book.accounts.by_scope["key:k"].held == [0, 0, 0, 0]
    assert book.accounts.by_scope["key:k"].posted == [0, 0, 0, 0]
    assert [book.used(unit) for unit in UNITS] == [(0, 0)] * 4


def test_a_query_whose_end_nobody_waits_for_runs_no_more_but_is_held() -> None:
    book = Book(limit(1, "concurrent"), limit(500), limit(5, "requests", "minute"))
    charge = book.hold()
    assert book.refusal() is not None
    charge.stop()
    assert book.refusal() is None
    assert book.accounts.by_scope["key:k"].held == [100, 10, 1, 0]
    assert (book.used("concurrent"), book.used()) == ((0, 0), (0, 100))
    assert book.used("requests", "minute") == (0, 1)
    book.end(charge)
    assert book.accounts.by_scope["key:k"].held == [0, 0, 0, 0]
    assert book.used("concurrent") == (0, 0)


def test_more_is_never_released_than_is_held() -> None:
    book = Book()
    charge = book.hold()
    book.end(charge)
    with pytest.raises(AssertionError, match="more was released than was held"):
        charge.end(SPENT, NOW)


# -- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "wanted"), list(zip(UNITS, WANTED, strict=True)))
def test_a_query_is_admitted_if_it_fits_to_the_unit(unit: str, wanted: int) -> None:
    assert Book(limit(wanted, unit)).refusal() is None
    assert Book(limit(wanted - 1, unit)).refusal() == Refusal(
        "limit_reached", "key:k", unit, wanted - 1, 0, 0, wanted
    )


def test_a_refusal_tells_every_figure_and_when_it_refills() -> None:
    book = Book(limit(250, window="minute"))
    book.end(book.hold())
    book.hold()
    assert book.refusal() == Refusal(
        "limit_reached", "key:k", "usd", 250, 60, 100, 100, "minute", NOW + 61 * SECOND
    )


def test_every_limit_of_a_scope_and_of_a_path_must_admit_it() -> None:
    book = Book(limit(500), limit(9, "tokens"), limit(99, window="day", scope="team:t"))
    refusal = book.refusal(("key:k", "team:t"))
    assert refusal is not None
    assert (refusal.scope, refusal.unit) == ("key:k", "tokens")
    book.limit(limit(10, "tokens"))
    refusal = book.refusal(("key:k", "team:t"))
    assert refusal is not None
    assert (refusal.scope, refusal.window) == ("team:t", "day")
    assert book.refusal(("key:k",)) is None


def test_a_soft_limit_refuses_nothing_and_hides_no_hard_one() -> None:
    book = Book(limit(5, soft=True), limit(5, "tokens", soft=True))
    assert book.refusal() is None
    book.limit(limit(50, window="day"))
    refusal = book.refusal()
    assert refusal is not None
    assert refusal.window == "day"


def test_a_prepaid_scope_spends_its_credit_or_nothing() -> None:
    book = Book()
    book.accounts.top_up(TopUp(NOW, "ada", "t", "team:t", 150, NOW + 5))
    path = ("key:k", "team:t")
    assert book.refusal(path) is None
    charge = book.hold(path)
    assert book.refusal(path) == Refusal("credit_exhausted", "team:t", "usd", 50, wanted=100)
    assert book.refusal() is None, "the key's other queries are not of that team"
    assert [(lot.id, lot.scope, usd) for lot, usd in charge.end(SPENT, NOW)] == [
        ("t", "team:t", 60)
    ]
    assert book.refusal(path, (90, 1, 1, 1)) is None
    assert book.refusal(path, (91, 1, 1, 1)) is not None
    assert book.refusal(path, (90, 1, 1, 1), NOW + 5) is not None, "it has expired"


def test_a_top_up_without_an_end_never_expires() -> None:
    book = Book()
    book.accounts.top_up(TopUp(NOW, "ada", "t", "key:k", 150))
    assert book.refusal(now=2**63 - 2) is None


# -- limits that change -----------------------------------------------------------------------


def test_a_limit_without_a_window_counts_what_was_spent_and_held_before_it() -> None:
    book = Book()
    book.end(book.hold())
    mine = book.hold()
    stopped = book.hold()
    stopped.stop()
    book.hold(("key:other",))
    book.limit(limit(500), limit(5, "concurrent"), limit(9, "requests"))
    assert book.used() == (60, 200)
    assert book.used("concurrent") == (0, 1)
    assert book.used("requests") == (1, 2)
    book.end(mine)
    assert book.used() == (120, 100)


def test_a_limit_with_a_window_begins_with_nothing() -> None:
    book = Book()
    book.end(book.hold())
    before = book.hold()
    book.limit(limit(500, window="day"), limit(500, window="minute"))
    assert book.used(window="day") == book.used(window="minute") == (0, 0)
    after = book.hold()
    book.end(before)
    assert book.used(window="day") == book.used(window="minute") == (0, 100)
    book.end(after)
    assert book.used(window="day") == book.used(window="minute") == (60, 0)


@pytest.mark.parametrize("window", ["ever", "month", "minute"])
def test_a_limit_that_is_changed_goes_on_counting(window: str) -> None:
    book = Book(limit(500, window=window))
    book.end(book.hold())
    charge = book.hold()
    book.limit(limit(160, window=window))
    assert book.used(window=window) == (60, 100)
    assert book.refusal(wanted=(1, 0, 0, 0)) is not None
    book.limit(limit(161, window=window, soft=True))
    assert book.refusal(wanted=(900, 0, 0, 0)) is None
    book.limit(limit(161, window=window))
    assert book.refusal(wanted=(1, 0, 0, 0)) is None
    assert book.refusal(wanted=(2, 0, 0, 0)) is not None
    book.end(charge)
    assert book.used(window=window) == (120, 0)


def test_a_limit_that_was_lifted_refuses_nothing_and_is_not_listed() -> None:
    book = Book(limit(5), limit(5, window="day"))
    book.limit(limit(None))
    assert [m.window for m in book.accounts.on(KEY)[0].meters] == ["day"]
    book.limit(limit(None, window="day"), limit(None, window="day"))
    assert book.refusal() is None
    assert book.accounts.limits == {}
    assert Book(limit(None)).accounts.limits == {}, "lifting what is not there"


def test_a_limit_of_each_is_one_s_own_where_it_has_none() -> None:
    book = Book(limit(500, scope="user:*"))
    for user in ("user:u", "user:v"):
        book.hold(("key:k", user))
    book.limit(limit(100, scope="user:u"))
    assert book.used(scope="user:u") == book.used(scope="user:v") == (0, 100)
    assert book.refusal(("user:u",)) is not None
    assert book.refusal(("user:v",)) is None
    book.limit(limit(150, scope="user:*"))
    assert [book.accounts.by_scope[f"user:{u}"].meters[0].amount for u in "uv"] == [100, 150]
    book.limit(limit(None, scope="user:u"))
    assert book.accounts.by_scope["user:u"].meters[0].amount == 150, "that of each again"
    book.limit(limit(None, scope="user:*"))
    assert book.refusal(("user:u", "user:v")) is None


def test_a_limit_of_each_is_of_its_kind_alone_and_reaches_those_that_are_known() -> None:
    book = Book()
    for path in (("key:k", "team:t"), ("key:l", "team:u")):
        book.hold(path)
    book.limit(limit(150, scope="team:*"))
    assert [len(account.meters) for account in book.accounts.by_scope.values()] == [0, 1, 0, 1]
    assert book.used(scope="team:t") == (0, 100)
    assert "team:*" not in book.accounts.by_scope


def test_a_soft_limit_that_is_changed_is_told_again() -> None:
    book = Book(limit(5, soft=True))
    (meter,) = book.accounts.by_scope["key:k"].meters
    meter.warned = 0
    book.limit(limit(5))
    assert meter.warned == 0, "its amount is the same"
    book.limit(limit(6, soft=True))
    assert meter.warned == -1


# -- balances ---------------------------------------------------------------------------------


def test_balances_are_totals_and_what_counts_in_each_window() -> None:
    book = Book(limit(500), limit(70, "tokens", "hour", soft=True), limit(9, "requests", "minute"))
    book.end(book.hold())
    book.hold()
    assert book.accounts.by_scope["key:k"].balances(NOW) == [
        Balance("key:k", "usd", 60, 100, 500),
        Balance("key:k", "tokens", 6, 10, None),
        Balance("key:k", "requests", 1, 1, None),
        Balance("key:k", "concurrent", 0, 1, None),
        Balance("key:k", "tokens", 6, 10, 70, "hour", True, NOW // HOUR * HOUR + HOUR),
        Balance("key:k", "requests", 1, 1, 9, "minute", False, NOW + 61 * SECOND),
    ]
    assert Account("x").balance("usd") == Balance("x", "usd", 0, 0, None)


HOUR = 3600 * SECOND


# -- a law ------------------------------------------------------------------------------------

paths = st.lists(
    st.sampled_from(["key:a", "key:b", "team:t", "user:u", "user:v"]),
    min_size=1,
    max_size=4,
    unique=True,
).map(tuple)
limits = st.builds(
    limit,
    st.one_of(st.none(), st.integers(0, 60)),
    st.sampled_from(UNITS[:3]),
    st.just("ever"),
    st.sampled_from(["key:a", "team:t", "team:*", "user:*", "user:u"]),
)


@given(
    st.lists(
        st.one_of(limits, st.tuples(paths, st.integers(0, 30)), st.integers(0, 9)), max_size=50
    )
)
def test_a_meter_that_has_no_window_counts_what_its_account_does(
    steps: list[Limit | tuple[tuple[str, ...], int] | int],
) -> None:
    """Whenever its limit came, went and came again; and it never admits more than it allows."""
    book = Book()
    for step in steps:
        if isinstance(step, Limit):
            book.limit(step)
        elif isinstance(step, int):
            if book.open:
                charge = book.open[step % len(book.open)]
                book.end(charge, (charge.quantities[0] // 2, charge.quantities[1], 1, 0))
        elif book.refusal(step[0], wanted := (step[1], step[1] // 2, 1, 1)) is None:
            book.hold(step[0], wanted)
            for account in book.accounts.on(step[0]):
                assert all(m.posted + m.held <= m.amount for m in account.meters)
        for account in book.accounts.by_scope.values():
            for meter in account.meters:
                counted = (account.posted[meter.unit], account.held[meter.unit])
                assert meter.used(NOW) == counted
