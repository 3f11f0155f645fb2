"""What a query is offered at: its rate and its bound, nothing where it is free, or no price."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from farthing.errors import Refused
from farthing.prices.book import PriceBook
from farthing.prices.bound import Quote, quote
from farthing.prices.rate import Prices, Rate, Tier
from farthing.providers import Provider
from farthing.route.plan import Route
from farthing.settings import Settings
from farthing.wire.dialect import Ask, Usage

NOTHING = (Tier(0, Prices(0, 0, 0, 0, 0)),)
# What may pass without a price where the settings say so.
UNPRICED = frozenset({"unbounded", "unpriced_model"})


class Offer(msgspec.Struct, frozen=True):
    """What one attempt can cost."""

    rate: Rate
    quote: Quote
    unpriced: str = ""
    """Why it has no price, where it goes on all the same: a code of errors.py."""

    def new_cap(self, ask: Ask) -> int | None:
        """Return the output cap that is sent, where the client set another or none."""
        cap = self.quote.output_cap
        uncapped = not ask.makes_output or ask.made_images or ask.free or self.unpriced
        return cap if not uncapped and cap != ask.output_cap else None


def offer(
    ask: Ask, route: Route, book: PriceBook, at: int, settings: Settings, most: int | None
) -> Offer:
    """Price a request before it is sent; `most` is what it may cost.

    Raises:
        Refused: it has no price or no bound, or does not fit what it may cost.
    """
    if route.dialect in route.provider.free and not ask.buys:
        ask.free, ask.usage = True, Usage()
    if ask.free:
        return Offer(_nothing(route), quote(ask, _nothing(route), route.provider, 0))
    try:
        if ask.buys or not route.model:
            raise _priceless(ask, route)
        rate, dearest = book.offer(route.provider, route.model, at, ask)
        cap = settings.default_output_tokens
        return Offer(rate, quote(ask, dearest, route.provider, cap, most))
    except Refused as problem:
        if problem.code not in UNPRICED or settings.unpriced != "pass" or most is not None:
            raise
        return Offer(_nothing(route), Quote(0, 0, 0, ask.output_cap or 0), problem.code)


def rate_of(ask: Ask, route: Route, book: PriceBook, at: int, options: Mapping[str, str]) -> Rate:
    """Return the rate of a request, with the options it asks for or was served with.

    Raises:
        Refused: unpriced_model.
    """
    return book.rate(
        route.provider.prices,
        route.model,
        at,
        options,
        makes_output=ask.makes_output,
        meters=ask.meters,
    )


def _nothing(route: Route) -> Rate:
    return Rate(route.provider.prices, route.model, NOTHING)


def _priceless(ask: Ask, route: Route) -> Refused:
    """Return the refusal of what no price book can price: what is billed later, or has no model."""
    if not ask.buys:
        return _not_free(route.provider, route.dialect)
    return Refused(
        "unbounded",
        f"This buys {ask.buys} and nothing says beforehand how much that is. Send its queries "
        "one by one, or have the operator set unpriced in farthing.toml.",
    )


def _not_free(provider: Provider, dialect: str) -> Refused:
    return Refused(
        "unbounded",
        f"What {provider.name} bills for {dialect} is not known here. If it is nothing, its "
        f"operator can say so in farthing.toml: under [providers.{provider.name}], free = "
        f'{{ {dialect} = "the page that says so" }}.',
    )
