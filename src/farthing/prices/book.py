"""The price book: dated rows of prices by provider and model, as integers.

Rows are chosen as genai-prices defines it: of a model's rows the last active one applies, or
the first where none is active; an option that a request names (a tier, a speed) replaces the
prices that its variant gives. https://github.com/pydantic/genai-prices
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import product

import msgspec

from farthing.clock import SECOND, moment
from farthing.errors import Refused
from farthing.prices.rate import METERS, Prices, Rate, Tier, merged
from farthing.providers import Provider
from farthing.wire.dialect import TOKENS, Ask

# [prompt tokens above which it applies, nanodollars for a million units], by rising start.
Steps = list[tuple[int, int]]

# What a request asks for, or was served with, by name.
Options = tuple[tuple[str, str], ...]

# What stands in `Model.unpriced` where images cost more than other output: where those are what is
# asked for, they are counted.
DEAR_IMAGES = "output_image_mtok"

# Where a book does not tell images from other tokens, they cost what those do.
FALLBACKS = {"input_image": "input", "output_image": "output"}
FREE: Steps = [(0, 0)]

MINUTE = 60 * SECOND
REMEMBERED = 4096

# No answer takes longer, nor are any row's hours shorter.
LONGEST = 60 * MINUTE


class Row(msgspec.Struct, omit_defaults=True, frozen=True):
    """Prices, and when they apply."""

    prices: dict[str, Steps]
    starts: str = ""
    """The first day, as YYYY-MM-DD (UTC)."""
    hours: tuple[int, int] | None = None
    """The minutes of the day (UTC) between which it applies; the first may be the later one."""
    when: dict[str, str] = {}
    """For a variant: the options that select it."""

    def active(self, at: int) -> bool:
        """Whether the row applies at a moment."""
        time = moment(at)
        if self.starts:
            return time.date().isoformat() >= self.starts
        if self.hours is None:
            return True
        minute = time.hour * 60 + time.minute
        first, last = self.hours
        return first <= minute < last if first <= last else minute >= first or minute < last


class Model(msgspec.Struct, omit_defaults=True, frozen=True):
    """One model's prices at one provider."""

    id: str
    rows: list[Row]
    match: tuple[str, object] | None = None
    """How its names are recognised: (rule, text), or (and/or, [matches]); None: by its id."""
    variants: list[Row] = []
    context: int | None = None
    """Its context window, in tokens."""
    unpriced: str = ""
    """A meter it uses that farthing cannot count: then it has no usable price."""
    source: str = ""
    deprecated: bool = False

    def chats(self) -> bool:
        """Whether it has, or will have, a price for input and for output."""
        return any({"input", "output"} <= row.prices.keys() for row in self.rows)

    def embeds(self) -> bool:
        """Whether it makes embeddings, of which only input is priced.

        The book does not say what a model is for, but all names of such models do.
        """
        return "embed" in self.id.lower() and any("input" in row.prices for row in self.rows)


class Book(msgspec.Struct, frozen=True):
    """All prices in force, and where they come from."""

    source: str
    providers: dict[str, list[Model]]

    def encoded(self) -> bytes:
        """Return the book's canonical bytes, which its digest is taken of."""
        return msgspec.json.encode(self, order="deterministic")


class PriceBook:
    """Finds the rate of a model at a moment; remembers what it found for the minute."""

    def __init__(self, encoded: bytes) -> None:
        self.book = msgspec.json.decode(encoded, type=Book)
        self.digest = hashlib.sha256(encoded).hexdigest()
        self._found: dict[tuple[object, ...], Rate] = {}
        self._offers: dict[tuple[object, ...], tuple[Rate, Rate]] = {}
        self._minute = 0

    def rate(
        self,
        provider: str,
        model: str,
        at: int,
        options: Mapping[str, str],
        *,
        makes_output: bool = True,
        meters: tuple[str, ...] = TOKENS,
    ) -> Rate:
        """Return what a model costs at a moment; of output only if it `makes_output`.

        `meters` are those that bill such a query, each of which must have a price; tokens that
        are not among them must have none.

        Raises:
            Refused: unpriced_model; the sentence says what to write to price it.
        """
        self._forget(at)
        key = (provider, model, _sorted(options), makes_output, meters)
        rate = self._found.get(key)
        if rate is None:
            rate = self._found[key] = self._resolve(*key, at)
        return rate

    def offer(self, provider: Provider, model: str, at: int, ask: Ask) -> tuple[Rate, Rate]:
        """Return what a request costs as it asks to be served, and the dearest it can be.

        Raises:
            Refused: unpriced_model.
        """
        if at // MINUTE != self._minute or len(self._offers) > REMEMBERED:
            self._forget(at)
        options = _sorted(ask.options) if ask.options else ()
        tiers = provider.unasked_tiers if ask.open_tier else ()
        key = (provider.prices, model, options, ask.makes_output, ask.meters, tiers)
        found = self._offers.get(key)
        if found is None:
            rate = self.rate(
                provider.prices,
                model,
                at,
                ask.options,
                makes_output=ask.makes_output,
                meters=ask.meters,
            )
            found = self._offers[key] = rate, self.dearest(provider, model, at, ask)
        return found

    def dearest(self, provider: Provider, model: str, at: int, ask: Ask) -> Rate:
        """Return the most that each meter can cost for a request, whichever way it is served.

        What it asks for may be granted in part or not at all; where it leaves its tier open, it
        may be served in one of the provider's `unasked_tiers`; and another row's hours or day may
        begin before it is answered.

        Raises:
            Refused: unpriced_model, for what was asked; of the rest, what has no price is left out.
        """
        self._forget(at)
        tiers = provider.unasked_tiers if ask.open_tier else ()
        options = _sorted(ask.options)
        key = (provider.prices, model, options, ask.makes_output, ask.meters, tiers)
        found = self._found.get(key)
        if found is None:
            rate = self._resolve(provider.prices, model, options, ask.makes_output, ask.meters, at)
            ways = [options, (), *((option,) for option in options)]
            ways += [(("service_tier", tier),) for tier in tiers]
            others = self._known(provider.prices, model, (at, at + LONGEST), ways, ask)
            found = self._found[key] = merged([rate, *others])
        return found

    def _known(
        self, provider: str, model: str, moments: tuple[int, ...], ways: list[Options], ask: Ask
    ) -> Iterator[Rate]:
        """Yield the rates of these options at these moments that have a price."""
        for at, options in product(moments, ways):
            with suppress(Refused):
                yield self._resolve(provider, model, options, ask.makes_output, ask.meters, at)

    def _forget(self, at: int) -> None:
        """Forget what was found in another minute, or too much of it."""
        if at // MINUTE != self._minute or len(self._found) + len(self._offers) > REMEMBERED:
            self._minute = at // MINUTE
            self._found.clear()
            self._offers.clear()

    def model(self, provider: str, name: str) -> Model | None:
        """Return the model a name means at a provider, or None."""
        return find(self.models(provider), name)

    def models(self, provider: str) -> list[Model]:
        """Return all models priced at a provider."""
        return self.book.providers.get(provider, [])

    def _resolve(
        self,
        provider: str,
        name: str,
        options: Options,
        makes_output: bool,
        meters: tuple[str, ...],
        at: int,
    ) -> Rate:
        model = self.model(provider, name)
        if model is None:
            raise _unpriced(provider, name, "The price book has no price for it")
        if model.unpriced and not (model.unpriced == DEAR_IMAGES and "output_image" in meters):
            raise _unpriced(provider, name, f"It is also charged by {model.unpriced}")
        row = next((r for r in reversed(model.rows) if r.active(at)), model.rows[0])
        prices = dict(row.prices)
        for option in options:
            prices |= _variant(model, option, at, provider)
        if not makes_output and "output" in meters:
            prices["output"] = FREE
        _complete(prices, meters, provider, name)
        return Rate(provider, model.id, _tiers(prices), model.context)


def _complete(prices: dict[str, Steps], meters: tuple[str, ...], provider: str, name: str) -> None:
    """See that every meter that bills a query has a price, and no other one of tokens has."""
    for meter, instead in FALLBACKS.items():
        if meter in meters and instead in prices:
            prices.setdefault(meter, prices[instead])
    for meter in meters:
        if meter not in prices:
            raise _unpriced(provider, name, f"The price book has no price for its {meter}")
    for meter in TOKENS:
        if meter not in meters and any(price for _, price in prices.setdefault(meter, FREE)):
            raise _unpriced(provider, name, f"It is also charged by its {meter}")


def _sorted(options: Mapping[str, str]) -> Options:
    return tuple(sorted(options.items())) if options else ()


def find(models: list[Model], name: str) -> Model | None:
    """Return the first model that a name means, or None."""
    lowered = name.lower()
    return next((m for m in models if _matches(m.match or ("equals", m.id), lowered)), None)


def _variant(model: Model, option: tuple[str, str], at: int, provider: str) -> dict[str, Steps]:
    """Return the prices an option selects; of several variants the first wins."""
    for row in model.variants:
        if row.when == dict([option]) and row.active(at):
            return row.prices
    name, value = option
    raise _unpriced(provider, model.id, f"The price book has no price for {name} = {value!r}")


def _unpriced(provider: str, model: str, reason: str) -> Refused:
    return Refused(
        "unpriced_model",
        f"{provider}/{model} cannot be priced, so it is not sent. {reason}. To price it, add to "
        f'farthing.toml: [[prices]] provider = "{provider}", model = "{model}", and input and '
        "output in dollars for a million tokens.",
    )


def _tiers(prices: Mapping[str, Steps]) -> tuple[Tier, ...]:
    """Lay the meters' steps side by side: at each start, the price of every meter."""
    starts = sorted({start for steps in prices.values() for start, _ in steps})
    return tuple(Tier(start, _prices_at(prices, start)) for start in starts)


def _prices_at(prices: Mapping[str, Steps], start: int) -> Prices:
    """Return all meters' prices; cached input costs what input does where nothing else is said."""
    found: dict[str, int] = {}
    for meter in METERS:
        steps = [price for above, price in prices.get(meter, []) if above <= start]
        if steps:
            found[meter] = steps[-1]
    found.setdefault("cache_read", found["input"])
    found.setdefault("cache_write", found["input"])
    found.setdefault("cache_write_1h", found["cache_write"])
    return Prices(**found)


def _matches(match: tuple[str, object], name: str) -> bool:
    rule, operand = match
    if isinstance(operand, str):
        return _RULES[rule](operand, name)
    parts = (_matches((part[0], part[1]), name) for part in operand)  # type: ignore[attr-defined]
    return any(parts) if rule == "or" else all(parts)


_RULES: dict[str, Callable[[str, str], bool]] = {
    "equals": lambda text, name: name == text.lower(),
    "starts_with": lambda text, name: name.startswith(text.lower()),
    "ends_with": lambda text, name: name.endswith(text.lower()),
    "contains": lambda text, name: text.lower() in name,
    "regex": lambda text, name: re.search(text, name) is not None,
}
