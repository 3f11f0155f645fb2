"""Prices of a query's meters are believed if they come to what was posted, and only then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.bills import SEPTEMBER, book, book_file

from farthing.ledger.commitment import contracted
from farthing.ledger.entry import Commitment
from farthing.prices.rate import METERS as PRICED
from farthing.prices.rate import SPECIAL, cost
from farthing.report.meters import COUNTED, METERS, WHOLLY, Priced, Pricing
from farthing.wire.dialect import Usage

TERMS = [{"provider": "openai", "discount_ppm": 100_001}, {"provider": "openai", "discount_ppm": 0}]


@pytest.fixture
def pricing() -> Pricing:
    return Pricing(book_file().parent, {"inhouse": "openai"}, TERMS)


def row(usage: Usage, usd: int, **more: Any) -> dict[str, Any]:
    """A settled query as the records have it."""
    meters = {name: getattr(usage, name) for name in Usage.__struct_fields__}
    named = {"provider": "openai", "model": "gpt-4o-mini", "price_book": book().digest[:16]}
    return {**meters, **named, "began": SEPTEMBER, "cost": usd, "list_cost": usd, **more}


def at_list(usage: Usage, model: str, provider: str = "openai", **options: str) -> int:
    return cost(usage, book().rate(provider, model, SEPTEMBER, options))


def test_prices_of_each_meter(pricing: Pricing) -> None:
    usage = Usage(1_001, cache_read=77, output=503, reasoning=500)
    usd = at_list(usage, "gpt-4o-mini")
    said = pricing.priced(row(usage, usd))
    assert said.tier == "standard"
    assert [name for name, _ in said.prices] == ["input", "cache_read", "output"]
    assert dict(said.prices)["input"] == 150_000_000


@pytest.mark.parametrize("off", [-1, 1])
def test_a_nanodollar_off_is_not_believed(pricing: Pricing, off: int) -> None:
    usage = Usage(1_001, output=503)
    usd = at_list(usage, "gpt-4o-mini")
    assert pricing.priced(row(usage, usd + off)) == Priced(WHOLLY, "stated")


def test_the_tier_is_found_by_what_was_billed(pricing: Pricing) -> None:
    usage = Usage(1_001, output=503)
    usd = at_list(usage, "claude-opus-5", "anthropic", speed="fast")
    named = {"provider": "anthropic", "model": "claude-opus-5"}
    assert pricing.priced(row(usage, usd, **named)).tier == "speed=fast"


def test_the_discount_is_found_by_what_was_posted(pricing: Pricing) -> None:
    usage = Usage(1_001, output=503)
    usd = at_list(usage, "gpt-4o-mini")
    terms = [Commitment(0, "ann", "c", "openai", 0, 2**62, (), 100_001)]
    paid = contracted(usd, "openai", terms, SEPTEMBER)
    assert paid < usd
    assert pricing.priced(row(usage, paid, list_cost=usd)).discount_ppm == 100_001
    assert pricing.priced(row(usage, paid - 1, list_cost=usd)).discount_ppm == 0


def test_evidence_tells_no_meters(pricing: Pricing) -> None:
    said = pricing.priced(row(Usage(), 9, list_cost=None, input=None))
    assert said == Priced(WHOLLY, "evidence")


def test_a_book_that_is_gone_tells_nothing(pricing: Pricing, tmp_path: Path) -> None:
    usage = Usage(1_001, output=503)
    usd = at_list(usage, "gpt-4o-mini")
    assert pricing.priced(row(usage, usd, price_book="f" * 16)).prices == WHOLLY
    assert pricing.priced(row(usage, usd, price_book="")).prices == WHOLLY


def test_prices_of_another_providers_list(pricing: Pricing) -> None:
    usage = Usage(1_001, output=503)
    usd = at_list(usage, "gpt-4o-mini")
    assert pricing.priced(row(usage, usd, provider="inhouse")).tier == "standard"
    assert pricing.priced(row(usage, usd, provider="elsewhere")).tier == "stated"


def test_media_and_embeddings(pricing: Pricing) -> None:
    usage = Usage(1_001)
    embedding = book().rate(
        "openai", "text-embedding-3-small", SEPTEMBER, {}, makes_output=False
    )  # fmt: skip
    said = pricing.priced(row(usage, cost(usage, embedding), model="text-embedding-3-small"))
    assert [name for name, _ in said.prices] == ["input"]
    spoken = book().rate("openai", "tts-1", SEPTEMBER, {}, meters=("characters",))
    usage = Usage(characters=4_001)
    said = pricing.priced(row(usage, cost(usage, spoken), model="tts-1"))
    assert [name for name, _ in said.prices] == ["characters"]


def test_every_meter_has_a_name() -> None:
    """A meter that is added to usage or to prices needs its words here."""
    assert set(METERS) == {*COUNTED, "request"} == set(PRICED)
    assert set(SPECIAL) < set(METERS)
