"""The most a query can cost, before it is sent, and the output cap that keeps it there.

A token of text is at least one byte of it, and the request's JSON has at least as many bytes as
the text it carries; so the body's length bounds the input, with what a provider's templates add
(`Bound` in providers/load.py). Images count by their own bound. The model's context window bounds
whatever costs nothing but its input tokens. What has none of these is refused.
docs/decisions/011-what-a-window-bounds.md
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

import msgspec

from farthing import money
from farthing.errors import Refused
from farthing.prices.rate import Prices, Rate
from farthing.providers import Provider
from farthing.wire.dialect import Ask, Usage

# Meters that are not tokens, of which a request says itself how much it can use.
UNITS = ("characters", "audio_seconds", "search_units")

# Content that can have sound in it.
SOUNDING = frozenset({"audio", "video"})

# What a request uses that says nothing of it.
NOTHING = Usage()

# What a query costs before its output is counted, and the price of that output.
Line = tuple[int, int]


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

    `rate` is the dearest at which it may be served (`PriceBook.dearest`).

    Raises:
        Refused: unbounded; or max_cost, when no useful output fits.
    """
    if ask.free:
        return Quote(0, 0, 0, 0)
    tokens = input_bound(ask, rate, provider)
    if ask.made_images:
        ask = _image_maker(ask, rate, provider)
    asked = ask.output_cap or _default(ask, rate, default_cap)
    cap = asked if ask.makes_output else 0
    reachable = rate.reachable(tokens)
    if provider.searching or provider.bound.unbounded:
        _check_model(rate, provider, reachable)
    if ask.opaque:
        _check_sound(ask, rate, provider, reachable)
    beyond = ask.extra_output
    if provider.bound.beside_cap:
        beyond += ask.choices * _beside_cap(ask, rate, provider)
    lines = [_line(ask, provider, prices, tokens, beyond) for prices in reachable]
    if max_cost is not None and ask.makes_output:
        cap = min(cap, _affordable(lines, ask.choices, max_cost))
        if cap < min(ask.least_output, asked):
            raise _too_dear(ask, provider, lines, tokens, max_cost)
    counted = _counted(cap, ask, provider)
    usd = _most(lines, counted)
    if max_cost is not None and usd > max_cost:  # when there is no output to cap
        raise _too_dear(ask, provider, lines, tokens, max_cost)
    total = tokens + counted + beyond
    if max(usd, total) > money.MOST:
        raise Refused(
            "unbounded", "This query could cost more than can be recorded; lower its cap."
        )
    return Quote(usd, total, tokens, cap)


def _default(ask: Ask, rate: Rate, default_cap: int) -> int:
    """Return the cap of a request that sets none."""
    usual = ask.default_cap or default_cap
    return max(min(usual, rate.context or usual), ask.least_output)


def input_bound(ask: Ask, rate: Rate, provider: Provider) -> int:
    """Return the most input tokens a provider can count for a request.

    Raises:
        Refused: unbounded, naming what has no bound.
    """
    bound = provider.bound
    if ask.unbounded:
        raise _unbounded(ask.unbounded)
    if "input" not in ask.meters:
        return 0
    if ask.opaque:
        return _window_of(ask, rate, provider)
    tokens = len(ask.body) - ask.opaque_bytes + bound.query_tokens + ask.extra_input
    if ask.tools:
        tokens += bound.tool_tokens
    if ask.images:
        if bound.image_tokens is None:
            return _window_of_images(rate, provider)
        tokens += ask.images * bound.image_tokens
    # Only of one prompt that is answered at once: each text to embed has the window to itself.
    one = ask.makes_output and ask.prompts == 1
    if bound.windows and one and tokens > min(bound.windows.values()):
        return min(tokens, _window(rate, provider) or tokens)
    return tokens


def _window(rate: Rate, provider: Provider) -> int | None:
    """Return the most input the model takes; None where the provider does not document it.

    The price book may know of a larger window than the documentation did when it was read.
    """
    windows = provider.bound.windows
    most = next((windows[p] for p in windows if _fits(rate.model, (p,))), None)
    return None if most is None else max(most, rate.context or 0)


def _window_of(ask: Ask, rate: Rate, provider: Provider) -> int:
    kinds, window = provider.bound.windowed, _window(rate, provider)
    if ask.images and provider.bound.image_tokens is None and "image" not in kinds:
        return _window_of_images(rate, provider)
    named = [words for kind, words in ask.opaque if kind not in kinds or window is None]
    if named or window is None:
        raise _unbounded(named)
    return window


def _window_of_images(rate: Rate, provider: Provider) -> int:
    window = _window(rate, provider)
    if window is None or "image" not in provider.bound.windowed:
        raise Refused(
            "unbounded",
            f"No bound is known for the tokens {provider.name} counts for an image. Set "
            f"image_tokens under [providers.{provider.name}] in farthing.toml.",
        )
    return window


def _image_maker(ask: Ask, rate: Rate, provider: Provider) -> Ask:
    """Return the request with the tokens of each image as its output, which cannot be capped."""
    known = provider.bound.made_images.items()
    most = next((tokens for pattern, tokens in known if _fits(rate.model, (pattern,))), None)
    if most is None:
        raise Refused(
            "unbounded",
            f"No bound is known for the tokens of an image made by {provider.name}/{rate.model}.",
        )
    return msgspec.structs.replace(ask, output_cap=most, least_output=most, choices=ask.made_images)


def _beside_cap(ask: Ask, rate: Rate, provider: Provider) -> int:
    """Return the most tokens of reasoning that one answer can have and the cap does not count.

    Raises:
        Refused: unbounded.
    """
    bound = provider.bound
    if not (bound.beside_cap and ask.makes_output and _fits(rate.model, bound.beside_cap)):
        return 0
    most = bound.reasoning_tokens
    most = _window(rate, provider) if most is None else most
    if most is None:
        raise _unbounded([f"the reasoning of {provider.name}/{rate.model}"])
    return most


def _check_model(rate: Rate, provider: Provider, reachable: list[Prices]) -> None:
    """Refuse a model that costs more than one answer's tokens.

    One that searches unasked passes if a price of each query says what that costs.
    """
    if _fits(rate.model, provider.searching) and not all(prices.request for prices in reachable):
        raise Refused(
            "unbounded",
            f"{provider.name}/{rate.model} searches unasked, for a fee that the price book does "
            "not know. Add a [[prices]] entry for it to farthing.toml, with `request`.",
        )
    for pattern, why in provider.bound.unbounded.items():
        if _fits(rate.model, (pattern,)):
            raise Refused("unbounded", f"{provider.name}/{rate.model} {why}; choose another model.")


def _check_sound(ask: Ask, rate: Rate, provider: Provider, reachable: list[Prices]) -> None:
    """Refuse sound that the price book has no price for: what it counted would stay unpriced."""
    named = [words for kind, words in ask.opaque if kind in SOUNDING]
    if named and any(prices.input_audio is None for prices in reachable):
        raise Refused(
            "unpriced_model",
            f"{provider.name}/{rate.model} has no price for sound, which {named[0]} can have. Add "
            "a [[prices]] entry for it to farthing.toml, with `input_audio`.",
        )


@lru_cache(maxsize=4096)  # a name is one of the price book's, and each query asks again
def _fits(model: str, patterns: tuple[str, ...]) -> bool:
    name = model.lower()
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _counted(cap: int, ask: Ask, provider: Provider) -> int:
    """Return the output that a cap leaves room for, in all answers together."""
    return max(cap, provider.bound.least_cap) * ask.choices if ask.makes_output else 0


def _line(ask: Ask, provider: Provider, prices: Prices, tokens: int, beyond: int) -> Line:
    """Return what a query costs at these prices, in millionths: whatever its cap, and by it."""
    fixed = tokens * _input_price(ask, provider, prices) + prices.request
    if ask.most != NOTHING:
        for meter in UNITS:
            fixed += getattr(ask.most, meter) * (getattr(prices, meter) or 0)
    output = prices.output
    if "output_image" in ask.meters:
        output = max(output, prices.output_image or 0)
    return fixed + beyond * output, output


def _input_price(ask: Ask, provider: Provider, prices: Prices) -> int:
    """Return the dearest price that a token of input can have."""
    if ask.cache_marks or not provider.bound.marked_writes:
        dearest = max(prices.input, prices.cache_read, prices.cache_write, prices.cache_write_1h)
    else:
        dearest = max(prices.input, prices.cache_read)
    if "input_image" in ask.meters:
        dearest = max(dearest, prices.input_image or 0)
    return max(dearest, prices.input_audio or 0) if ask.opaque else dearest


def _most(lines: list[Line], output: int) -> int:
    return max([money.charge(fixed + output * price) for fixed, price in lines])


def _affordable(lines: list[Line], choices: int, max_cost: int) -> int:
    """Return the largest cap with which the query costs at most max_cost; negative for none."""
    caps = []
    for fixed, price in lines:
        room = max_cost * money.PER_MILLION - fixed
        if price:
            caps.append(room // (price * choices))
        else:
            caps.append(-1 if room < 0 else money.MOST)
    return min(caps)


def _too_dear(
    ask: Ask, provider: Provider, lines: list[Line], tokens: int, max_cost: int
) -> Refused:
    least = _most(lines, _counted(ask.least_output, ask, provider))
    return Refused(
        "max_cost",
        f"This query can cost ${money.dollars(least)} even with its output capped at "
        f"{ask.least_output} tokens, more than its cap of ${money.dollars(max_cost)}: its input "
        f"is bounded by {tokens} tokens. Shorten it, choose a cheaper model, or raise the cap.",
    )


def _unbounded(names: Iterable[str]) -> Refused:
    told = ", ".join(names)
    return Refused("unbounded", f"The cost of {told} has no upper bound yet; send it without.")
