"""What each meter of a query cost: its price by the book that was in force, checked against the bill.

The ledger has what a query used of each meter and what it cost in all; the price of each meter
stands in the price book, which it names. Prices are believed only if they come to the list cost
that was posted, to the nanodollar. The served tier is not in the ledger: each that has a price is
tried, and where none comes to it the query is one line, without meters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from farthing.errors import Refused
from farthing.money import PER_MILLION, charge
from farthing.prices.book import PriceBook
from farthing.prices.rate import SPECIAL, Prices
from farthing.wire.dialect import TOKENS, Usage

PPM = 1_000_000

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


WHOLLY = ((WHOLE, PER_MILLION),)


class Pricing:
    """Finds the prices of queries in the books that are kept in a folder."""

    def __init__(self, books: Path, lists: Mapping[str, str], terms: list[Mapping[str, Any]]) -> None:
        """`lists` says by whose prices a provider's models go; `terms` are all commitments."""
        self._folder = books
        self._lists = lists
        self._discounts: dict[str, list[int]] = {}
        for term in terms:
            found = self._discounts.setdefault(term["provider"], [])
            if term["discount_ppm"] and term["discount_ppm"] not in found:
                found.append(term["discount_ppm"])
        self._books: dict[str, PriceBook | None] = {}

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
            if None not in [price for _, price, _ in each]:
                if charge(sum(price * count for _, price, count in each)) == list_usd:
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
        provider, name = self._lists.get(row["provider"], row["provider"]), row["model"]
        special = tuple(meter for meter, _ in used if meter in SPECIAL)
        tokens = sum(row[meter] for meter in INPUT)
        for when in _options(book, provider, name):
            tier = ",".join(f"{option}={value}" for option, value in sorted(when.items()))
            for meters in dict.fromkeys([(*TOKENS, *special), special or TOKENS]):
                with suppress(Refused):  # there are no such prices
                    rate = book.rate(
                        provider, name, row["began"], when,
                        makes_output=bool(row["output"]), meters=meters,
                    )  # fmt: skip
                    yield rate.prices(tokens), tier or "standard"

    def _book(self, digest: str) -> PriceBook | None:
        """Return the book whose digest begins so, if it is still kept."""
        if digest not in self._books:
            path = next(iter(self._folder.glob(f"{digest}*.json")), None) if digest else None
            self._books[digest] = PriceBook(path.read_bytes()) if path is not None else None
        return self._books[digest]


def _options(book: PriceBook, provider: str, name: str) -> Iterator[dict[str, str]]:
    """Yield what may select a price: nothing, and each option of the model that has its own."""
    yield {}
    model = book.model(provider, name)
    if model is not None:
        yield from (variant.when for variant in model.variants)
