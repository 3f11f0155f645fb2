"""What each meter of a query cost: its price by the book in force, checked against the bill.

The ledger has what a query used of each meter and what it cost in all; the price of each meter
stands in the price book, which it names. Prices are believed only if they come to the list cost
that was posted, to the nanodollar. The served tier is not in the ledger: each that has a price is
tried, and where none comes to it the query is one line, without meters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from farthing import money
from farthing.errors import Refused
from farthing.prices.book import MINUTE, Model, PriceBook
from farthing.prices.book import Row as BookRow
from farthing.prices.rate import SPECIAL, Prices, Rate
from farthing.wire.dialect import TOKENS, Usage

PPM = 1_000_000
DAY = 1440 * MINUTE

# The meter of queries whose meters nobody knows: what it counts are nanodollars, at list.
WHOLE = "whole"

# Of what is used, what is counted as input: a rate's tier is chosen by it.
INPUT = ("input", "cache_read", "cache_write", "cache_write_1h", "input_audio", "input_image")
# `reasoning` names a part of `output`, which is billed already.
COUNTED = tuple(name for name in Usage.__struct_fields__ if name != "reasoning")


class Meter(NamedTuple):
    """How a meter is told in an export."""

    name: str
    """Its display name."""
    unit: str
    """What is counted; prices are for a million of them."""
    direction: str = ""
    cache: str = ""


METERS: dict[str, Meter] = {
    "input": Meter("Input Tokens", "Tokens", "Input", "Uncached"),
    "cache_read": Meter("Cache Read Input Tokens", "Tokens", "Input", "Read"),
    "cache_write": Meter("Cache Write Input Tokens", "Tokens", "Input", "Write"),
    "cache_write_1h": Meter("Cache Write Input Tokens, 1 Hour", "Tokens", "Input", "Write"),
    "output": Meter("Output Tokens", "Tokens", "Output"),
    "input_audio": Meter("Audio Input Tokens", "Tokens", "Input", "Uncached"),
    "output_audio": Meter("Audio Output Tokens", "Tokens", "Output"),
    "input_image": Meter("Image Input Tokens", "Tokens", "Input", "Uncached"),
    "output_image": Meter("Image Output Tokens", "Tokens", "Output"),
    "web_searches": Meter("Web Searches", "Searches"),
    "characters": Meter("Spoken Characters", "Characters"),
    "audio_seconds": Meter("Transcribed Seconds", "Seconds"),
    "search_units": Meter("Rerank Searches", "Searches"),
    "request": Meter("Requests", "Requests"),
}


class Priced(NamedTuple):
    """The prices that a query was billed by."""

    prices: tuple[tuple[str, int], ...]
    """Of each meter, nanodollars for a million."""
    tier: str
    """Which of the model's price lists: "standard", or such as "service_tier=priority"."""
    discount_ppm: int = 0
    """What a commitment took off list prices, in millionths."""


WHOLLY = ((WHOLE, money.PER_MILLION),)


class PriceTier(NamedTuple):
    """One of a model's price lists."""

    name: str
    when: dict[str, str]
    """The options that select it."""
    slot: int
    """For how long its prices are the same, from whole multiples of it on, in nanoseconds."""


class Pricing:
    """Finds the prices of queries in the books that are kept in a folder."""

    def __init__(
        self, books: Path, lists: Mapping[str, str], terms: Sequence[Mapping[str, Any]]
    ) -> None:
        """`lists` says by whose prices a provider's models go; `terms` are all commitments."""
        self._folder = books
        self._lists = lists
        self._discounts: dict[str, list[int]] = {}
        for term in terms:
            found = self._discounts.setdefault(term["provider"], [])
            if term["discount_ppm"] and term["discount_ppm"] not in found:
                found.append(term["discount_ppm"])
        self._books: dict[str, PriceBook | None] = {}
        self._known: dict[tuple[str, str, str], list[PriceTier]] = {}
        self._rates: dict[tuple[Any, ...], Rate | None] = {}

    def priced(self, row: Mapping[str, Any]) -> Priced:
        """Return what a settled query was billed by."""
        list_usd = row["cost"] if row["list_cost"] is None else row["list_cost"]
        off = self._discount(row["provider"], list_usd, row["cost"])
        if row["input"] is None:  # settled from evidence, which tells the cost and no meters
            return Priced(WHOLLY, "evidence", off)
        used = [(name, row[name]) for name in COUNTED if row[name]]
        for prices, tier in self._candidates(row, used):
            each = [(name, getattr(prices, name), count) for name, count in used]
            if prices.request:
                each.append(("request", prices.request, 1))
            if None not in [price for _, price, _ in each] and _charge(each) == list_usd:
                return Priced(tuple((name, price) for name, price, _ in each), tier, off)
        return Priced(WHOLLY, "stated", off)

    def _discount(self, provider: str, list_usd: int, usd: int) -> int:
        """Return the discount that makes a list cost the cost; 0 where none does."""
        for ppm in self._discounts.get(provider, ()) if list_usd != usd else ():
            if -(-list_usd * (PPM - ppm) // PPM) == usd:
                return ppm
        return 0

    def _candidates(
        self, row: Mapping[str, Any], used: list[tuple[str, int]]
    ) -> Iterator[tuple[Prices, str]]:
        """Yield the prices of each tier that the query may have been served in."""
        book = self._book(row["price_book"])
        if book is None:
            return
        provider = self._lists.get(row["provider"], row["provider"])
        special = tuple(meter for meter, _ in used if meter in SPECIAL)
        tokens = sum(row[meter] for meter in INPUT)
        makes = bool(row["output"])
        for tier, when, slot in self._tiers(book, provider, row["model"]):
            for meters in dict.fromkeys([(*TOKENS, *special), special or TOKENS]):
                key = (
                    book.digest,
                    provider,
                    row["model"],
                    row["began"] // slot,
                    tier,
                    meters,
                    makes,
                )
                if key not in self._rates:
                    self._rates[key] = _rate(book, key, row["began"], when)
                rate = self._rates[key]
                if rate is not None:
                    yield rate.prices(tokens), tier

    def _tiers(self, book: PriceBook, provider: str, name: str) -> list[PriceTier]:
        """Return what may select a model's price: nothing, and each option that has its own."""
        key = (book.digest, provider, name)
        if key not in self._known:
            self._known[key] = _price_tiers(book.model(provider, name))
        return self._known[key]

    def _book(self, digest: str) -> PriceBook | None:
        """Return the book whose digest begins so, if it is still kept."""
        if digest not in self._books:
            path = next(iter(self._folder.glob(f"{digest}*.json")), None) if digest else None
            self._books[digest] = PriceBook(path.read_bytes()) if path is not None else None
        return self._books[digest]


def _charge(each: list[tuple[str, int, int]]) -> int:
    return money.charge(sum(price * count for _, price, count in each))


def _rate(book: PriceBook, key: Any, at: int, when: dict[str, str]) -> Rate | None:
    """Return the rate at a moment, if there is one."""
    _, provider, name, _, _, meters, makes_output = key
    try:
        return book.rate(provider, name, at, when, makes_output=makes_output, meters=meters)
    except Refused:
        return None


def _price_tiers(model: Model | None) -> list[PriceTier]:
    if model is None:
        return []
    slot = min(_slot(row) for row in [*model.rows, *model.variants])
    whens = [{}, *(row.when for row in model.variants if row.prices)]
    return [PriceTier(_tier_name(when), when, slot) for when in whens]


def _tier_name(when: dict[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(when.items())) or "standard"


def _slot(row: BookRow) -> int:
    """Return for how long a row's prices stay the same: a minute, a day, or for ever."""
    return MINUTE if row.hours is not None else DAY if row.starts else money.MOST
