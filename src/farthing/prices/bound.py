"""The most a query can cost, before it is sent, and the output cap that keeps it there.

A token of text is at least one byte of it, and the request's JSON has at least as many bytes as
the text it carries; so the body's length bounds the input, with what a provider's templates add
(`Bound` in providers/load.py). Images count by their own bound. What has none is refused.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

import msgspec

from farthing import money
from farthing.errors import Refused
from farthing.prices.rate import Prices, Rate
from farthing.providers import Provider
from farthing.wire.dialect import Ask

# Meters that are not tokens, of which a request says itself how much it can use.
UNITS = ("characters", "audio_seconds", "search_units")


class Quote(msgspec.Struct, frozen=True):
    """The upper bound of one attempt."""

    usd: int
    """Nanodollars the attempt costs at most."""
    tokens: int
    """Input and output tokens it counts at most."""
    input_tokens: int
    output_cap: int
    """The cap on output tokens it is sent with."""


def quote(
    ask: Ask, rate: Rate, provider: Provider, default_cap: int, max_cost: int | None = None
) -> Quote:
    """Return the upper bound of a query, its output capped so that it costs at most max_cost.

    Raises:
        Refused: unbounded; or max_cost, when no useful output fits.
    """
    if ask.free:
        return Quote(0, 0, 0, 0)
    tokens = input_bound(ask, provider)
    if ask.made_images:
        ask = _image_maker(ask, rate, provider)
    default = max(
        min(ask.default_cap or default_cap, rate.context or default_cap), ask.least_output
    )
    cap = (ask.output_cap or default) if ask.makes_output else 0
    reachable = rate.reachable(tokens)
    _check_searches(rate, provider, reachable)
    if max_cost is not None and ask.makes_output:
        cap = min(cap, _affordable(ask, reachable, tokens, max_cost))
        if cap < min(ask.least_output, ask.output_cap or default):
            raise _too_dear(ask, reachable, tokens, max_cost)
    output = cap * ask.choices + ask.extra_output
    usd = max(money.charge(_total(ask, p, tokens, output)) for p in reachable)
    if max_cost is not None and usd > max_cost:  # when there is no output to cap
        raise _too_dear(ask, reachable, tokens, max_cost)
    if max(usd, tokens + output) > money.MOST:
        raise Refused(
            "unbounded", "This query could cost more than can be recorded; lower its cap."
        )
    return Quote(usd, tokens + output, tokens, cap)


def input_bound(ask: Ask, provider: Provider) -> int:
    """Return the most input tokens a provider can count for a request.

    Raises:
        Refused: unbounded, naming what has no bound.
    """
    bound = provider.bound
    if ask.unbounded:
        names = ", ".join(ask.unbounded)
        raise Refused("unbounded", f"The cost of {names} has no upper bound yet; send it without.")
    if ask.images and bound.image_tokens is None:
        raise Refused(
            "unbounded",
            f"No bound is known for the tokens {provider.name} counts for an image. Set "
            f"image_tokens under [providers.{provider.name}] in farthing.toml.",
        )
    if "input" not in ask.meters:
        return 0
    tokens = len(ask.body) - ask.opaque_bytes + bound.query_tokens + ask.extra_input
    if ask.tools:
        tokens += bound.tool_tokens
    return tokens + ask.images * (bound.image_tokens or 0)


def _image_maker(ask: Ask, rate: Rate, provider: Provider) -> Ask:
    """Return the request with the tokens of each image as its output, which cannot be capped."""
    known = provider.bound.made_images.items()
    most = next((n for pattern, n in known if fnmatchcase(rate.model.lower(), pattern)), None)
    if most is None:
        raise Refused(
            "unbounded",
            f"No bound is known for the tokens of an image made by {provider.name}/{rate.model}.",
        )
    return msgspec.structs.replace(ask, output_cap=most, least_output=most, choices=ask.made_images)


def _check_searches(rate: Rate, provider: Provider, reachable: list[Prices]) -> None:
    """Refuse a model that searches unasked, unless a price of each query says what that costs."""
    searching = any(fnmatchcase(rate.model.lower(), pattern) for pattern in provider.searching)
    if searching and not all(prices.request for prices in reachable):
        raise Refused(
            "unbounded",
            f"{provider.name}/{rate.model} searches unasked, for a fee that the price book does "
            "not know. Add a [[prices]] entry for it to farthing.toml, with `request`.",
        )


def _input_price(ask: Ask, prices: Prices) -> int:
    """Return the dearest price that a token of input can have."""
    image = (prices.input_image or 0) if "input_image" in ask.meters else 0
    if not ask.cache_marks:
        return max(prices.input, prices.cache_read, image)
    return max(prices.input, prices.cache_read, prices.cache_write, prices.cache_write_1h, image)


def _output_price(ask: Ask, prices: Prices) -> int:
    image = (prices.output_image or 0) if "output_image" in ask.meters else 0
    return max(prices.output, image)


def _total(ask: Ask, prices: Prices, tokens: int, output: int) -> int:
    total = tokens * _input_price(ask, prices) + output * _output_price(ask, prices)
    for meter in UNITS:
        total += getattr(ask.most, meter) * (getattr(prices, meter) or 0)
    return total + prices.request


def _affordable(ask: Ask, reachable: list[Prices], tokens: int, max_cost: int) -> int:
    """Return the largest cap with which the query costs at most max_cost; negative for none."""
    caps = []
    for prices in reachable:
        room = max_cost * money.PER_MILLION - _total(ask, prices, tokens, ask.extra_output)
        if price := _output_price(ask, prices):
            caps.append(room // (price * ask.choices))
        else:
            caps.append(-1 if room < 0 else money.MOST)
    return min(caps)


def _too_dear(ask: Ask, reachable: list[Prices], tokens: int, max_cost: int) -> Refused:
    output = ask.least_output * ask.choices + ask.extra_output if ask.makes_output else 0
    least = max(money.charge(_total(ask, prices, tokens, output)) for prices in reachable)
    return Refused(
        "max_cost",
        f"This query can cost ${money.dollars(least)} even with its output capped at "
        f"{ask.least_output} tokens, more than its cap of ${money.dollars(max_cost)}: its input "
        f"is bounded by {tokens} tokens. Shorten it, choose a cheaper model, or raise the cap.",
    )
