"""A rate: what each meter of one model costs, and what a usage costs by it."""

from __future__ import annotations

from operator import attrgetter

import msgspec

from farthing import money
from farthing.errors import Refused
from farthing.wire.dialect import Usage


class Prices(msgspec.Struct, frozen=True):
    """Nanodollars for a million units of each meter. None: the meter has no price."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    input_audio: int | None = None
    output_audio: int | None = None
    web_searches: int | None = None
    input_image: int | None = None
    output_image: int | None = None
    characters: int | None = None
    audio_seconds: int | None = None
    search_units: int | None = None
    request: int = 0


METERS = Prices.__struct_fields__
# Meters that not every model has a price of.
SPECIAL = (
    *("input_audio", "output_audio", "web_searches", "input_image", "output_image"),
    *("characters", "audio_seconds", "search_units"),
)


_special = attrgetter(*SPECIAL)


class Tier(msgspec.Struct, frozen=True):
    """Prices for queries whose input is above a number of tokens; all their tokens pay them."""

    above: int
    prices: Prices


class Rate(msgspec.Struct, frozen=True):
    """What one model costs at one moment."""

    provider: str
    model: str
    tiers: tuple[Tier, ...]
    context: int | None = None
    """The model's context window in tokens, as the book has it: often rounded."""

    def prices(self, input_tokens: int) -> Prices:
        """Return the prices for a query with that much input."""
        tiers = self.tiers
        if len(tiers) == 1:
            return tiers[0].prices
        return [t for t in tiers if t.above < input_tokens or t.above == 0][-1].prices

    def reachable(self, input_tokens: int) -> list[Prices]:
        """Return the prices of every tier that a query of at most that much input can be in."""
        tiers = self.tiers
        if len(tiers) == 1:
            return [tiers[0].prices]
        return [t.prices for t in tiers if t.above < input_tokens or t.above == 0]


def cost(usage: Usage, rate: Rate) -> int:
    """Return what a usage costs, in nanodollars, rounded up once.

    Raises:
        Refused: unpriced_model, when a meter that was used has no price: it is not taken as zero.
    """
    cached = usage.cache_read + usage.cache_write + usage.cache_write_1h
    prices = rate.prices(usage.input + cached + usage.input_audio + usage.input_image)
    total = usage.input * prices.input + usage.output * prices.output + prices.request
    if cached:
        total += usage.cache_read * prices.cache_read
        total += usage.cache_write * prices.cache_write
        total += usage.cache_write_1h * prices.cache_write_1h
    special = _special(usage)
    if any(special):
        for meter, quantity in zip(SPECIAL, special, strict=True):
            total += quantity * _price_of(meter, prices, rate) if quantity else 0
    return money.charge(total)


def merged(rates: list[Rate]) -> Rate:
    """Return the rate at which every usage costs at least what it costs at any of these."""
    starts = sorted({tier.above for rate in rates for tier in rate.tiers})
    tiers = tuple(Tier(start, _dearest([r.prices(start + 1) for r in rates])) for start in starts)
    return msgspec.structs.replace(rates[0], tiers=tiers)


def _dearest(rows: list[Prices]) -> Prices:
    found: dict[str, int] = {}
    for meter in METERS:
        told = [price for row in rows if (price := getattr(row, meter)) is not None]
        if told:
            found[meter] = max(told)
    return Prices(**found)


def _price_of(meter: str, prices: Prices, rate: Rate) -> int:
    price: int | None = getattr(prices, meter)
    if price is None:
        raise Refused(
            "unpriced_model",
            f"{rate.provider}/{rate.model} used {meter}, which the price book has no price for.",
        )
    return price
