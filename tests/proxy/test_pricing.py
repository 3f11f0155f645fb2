"""What a query is offered at: a rate and a bound, nothing, or no price."""

from __future__ import annotations

import pytest
from tests.support.application import BOOK

from farthing.errors import Refused
from farthing.prices.bound import Quote
from farthing.providers import Provider
from farthing.proxy.pricing import offer, rate_of
from farthing.route.plan import Route
from farthing.settings import Settings
from farthing.wire.dialect import Ask, Usage

PASS = Settings(unpriced="pass")


def route(model: str = "m", dialect: str = "files", **fields: object) -> Route:
    told = {"name": "loop", "prices": "loop", **fields}
    return Route(Provider("http://x", {}, **told), model, dialect)  # type: ignore[arg-type]


def ask(**fields: object) -> Ask:
    told = {"body": b"x" * 10, "fields": {}, "model": "m", "makes_output": False, **fields}
    return Ask(**told)  # type: ignore[arg-type]


def test_what_has_a_price_and_a_bound_is_offered_at_both() -> None:
    made = offer(ask(), route(), BOOK, 0, Settings(), None)
    assert (made.quote.usd, made.unpriced) == ((10 + 1024) * 1000, "")
    assert made.rate == rate_of(ask(), route(), BOOK, 0, {})


def test_what_the_provider_calls_free_is_offered_at_nothing_whatever_it_asks() -> None:
    of = ask(unbounded=("a picture",))
    made = offer(of, route("unheard-of", free={"files": "https://x"}), BOOK, 0, Settings(), 0)
    assert (made.quote, made.unpriced) == (Quote(0, 0, 0, 0), "")
    assert (of.free, of.usage) == (True, Usage())


def test_what_is_bought_for_later_is_never_free() -> None:
    with pytest.raises(Refused, match="This buys a batch and nothing says"):
        offer(ask(buys="a batch"), route(free={"files": "x"}), BOOK, 0, Settings(), None)


def test_without_a_model_or_a_word_of_its_price_there_is_none() -> None:
    with pytest.raises(Refused, match=r"free = { files = ") as refused:
        offer(ask(), route(""), BOOK, 0, Settings(), None)
    assert refused.value.code == "unbounded"


@pytest.mark.parametrize(
    ("fields", "model", "code"),
    [
        ({"buys": "a batch"}, "m", "unbounded"),
        ({"unbounded": ("x",)}, "m", "unbounded"),
        ({}, "unheard-of", "unpriced_model"),
        ({"meters": ("characters",)}, "m", "unpriced_model"),
    ],
)
def test_what_has_no_price_passes_only_where_it_may(
    fields: dict[str, object], model: str, code: str
) -> None:
    made = offer(ask(**fields), route(model), BOOK, 0, PASS, None)
    assert (made.unpriced, made.quote.usd) == (code, 0)
    for settings, most in ((Settings(), None), (PASS, 10**12)):
        with pytest.raises(Refused) as refused:
            offer(ask(**fields), route(model), BOOK, 0, settings, most)
        assert refused.value.code == code
