"""Bounds over traffic that others recorded with real providers, in every dialect.

For each recorded query the bound that it would have got is set against what was counted, what that
cost, and what the provider said it billed. The table says how loose the bounds are, and what is
refused for want of one. Cases of our own with the same facts hold where there is no corpus.
"""

from __future__ import annotations

import base64
import json
import lzma
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import pytest
from tests.wire.chat import golden as chat
from tests.wire.converse import golden as converse
from tests.wire.gemini import golden as gemini
from tests.wire.messages import golden as messages
from tests.wire.responses import cases as responses
from tests.wire.test_corpus import CORPUS, MADE, MALFORMED, NO_PRICE, Exchange, compact, feed
from tests.wire.test_corpus_crossing import SURFACES

from farthing.errors import Malformed, Refused
from farthing.prices.book import PriceBook
from farthing.prices.bound import Quote, quote
from farthing.prices.compile import make_book
from farthing.prices.rate import Prices, Rate, Tier, cost, merged
from farthing.providers import Provider, load_providers
from farthing.settings import ProviderSettings, Settings
from farthing.wire import DIALECTS
from farthing.wire.canon import Part, Reasoning, Text, Tool, ToolCall, ToolResult
from farthing.wire.codecs import CODECS
from farthing.wire.dialect import Answer, Ask, Dialect, Usage

# The corpus' names of providers, where they are not farthing's.
NAMES = {"google": "gemini", "vertex": "gemini"}
DEFAULT_CAP = 16_384

# For models that the price book does not know: their tokens are bounded all the same.
FLAT = Rate("any", "any", (Tier(0, Prices(1, 1, 1, 1, 1, input_audio=1)),))

# Served in a tier, or with a meter, that has no price: then the cost stays unknown, and held.
UNPRICED = {
    *NO_PRICE,
    "rig-21cdcf8ad08c",
    "rig-67d86a8d1cd8",
    "rig-e3bdbf257142",
}

# More output than the cap that was sent, and why the bound is above it all the same.
ABOVE_CAP = {
    **dict.fromkeys(
        ("rig-00c58fb5b5a9", "rig-264174331542", "rig-2bbdae600403", "rig-939f4fab2938",
         "rig-a45880ba9813", "rig-dbcc4e482a3a", "rig-fb19c0b8deff"),
        "the provider raises small caps to 16: `least_cap`",
    ),
    **dict.fromkeys(
        ("rig-2077342d9c0e", "rig-a7d892056f4b", "rig-ae7108bf7d0b"),
        "reasoning is beside the cap: `beside_cap`",
    ),
}  # fmt: skip


class Recorded(Exchange):
    """A recorded exchange in any dialect."""

    @property
    def dialect(self) -> Dialect:
        return DIALECTS[SURFACES[self.row["surface"]]]

    @property
    def at(self) -> int:
        try:
            return super().at
        except ValueError:  # redacted
            return int(MADE.timestamp()) * 10**9

    @cached_property
    def ask(self) -> Ask:
        ask = self.dialect.read_request(compact(self.request))
        ask.model = ask.model or self.row["model"] or ""
        return ask

    @cached_property
    def answer(self) -> Answer:
        frames = self.row["response"].get("eventstream_base64")
        stream = base64.b64decode(frames) if frames else self.stream
        if stream is not None:
            return feed(self.dialect.tap(self.ask), stream, len(stream) + 1)[1]
        return self.dialect.read_answer(compact(self.row["response"].get("body")))


@dataclass
class Row:
    """A line of the table."""

    counts: Counter[str] = field(default_factory=Counter)
    above_bytes: list[int] = field(default_factory=list)
    with_tools: list[int] = field(default_factory=list)
    inputs: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    """The bound by what it bounds: of input tokens, and of money."""


def counted(usage: Usage) -> tuple[int, int]:
    """Return the tokens of input and of output."""
    output = usage.output + usage.output_audio
    return usage.tokens() - output, output


def exceeded(offer: Quote, usage: Usage, cost: int, billed: Fraction | int = 0) -> list[str]:
    """Name what went above its bound."""
    of_input, of_output = counted(usage)
    bounds = {
        "input": (of_input, offer.input_tokens),
        "output": (of_output, offer.tokens - offer.input_tokens),
        "cost": (cost, offer.usd),
        "bill": (billed, offer.usd),
    }
    return [f"{name}: {was} > {most}" for name, (was, most) in bounds.items() if was > most]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> PriceBook:
    return PriceBook(make_book(tmp_path_factory.mktemp("books"), [], []).read_bytes())


def providers(*others: str) -> dict[str, Provider]:
    """farthing's providers by the corpus' names, and others as farthing.toml would add them."""
    table = {"base_url": "https://h", "dialects": dict.fromkeys(DIALECTS, "/x")}
    mine = {name: ProviderSettings(**table, image_tokens=5000) for name in others}  # type: ignore[arg-type]
    known = load_providers(Settings(providers=mine), {})
    return {**known, **{theirs: known[ours] for theirs, ours in NAMES.items()}}


# -- cases of our own -----------------------------------------------------------------------------

BASH = {"type": "bash_20250124", "name": "bash"}
EDITOR = {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
SOUND = {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}
PICTURE = {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}


def said(*content: Any, **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(content) or "Hi"}], **fields}


# What providers counted for requests like these, and once did not keep to.
CASES: dict[str, tuple[str, str, str, dict[str, Any], Usage]] = {
    "the prompts of tools": (
        "messages",
        "anthropic",
        "claude-opus-4-6",
        said(tools=[BASH, EDITOR], max_tokens=60),
        Usage(1842, output=52),
    ),
    "a cap that is raised": (
        "chat", "openrouter", "openai/gpt-4.1-mini", said(max_tokens=1), Usage(20, output=16),
    ),
    "reasoning beside the cap": (
        "responses",
        "xai",
        "grok-3-mini",
        {"input": "Hi", "max_output_tokens": 16},
        Usage(21, output=165, reasoning=162),
    ),
    "a document": (
        "messages",
        "anthropic",
        "claude-sonnet-4-5",
        said({"type": "document", "source": PDF}, max_tokens=9),
        Usage(7000, output=9),
    ),
    "sound": (
        "gemini",
        "gemini",
        "gemini-2.5-flash",
        {"contents": [{"parts": [SOUND]}], "generationConfig": {"maxOutputTokens": 9}},
        Usage(5, output=9, input_audio=30_000),
    ),
    "a picture without a bound of its own": (
        "converse",
        "bedrock",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        said(PICTURE, inferenceConfig={"maxTokens": 9}),
        Usage(1600, output=9),
    ),
    "a cache written unasked": (
        "responses",
        "openai",
        "gpt-5.6-sol",
        {"input": "word " * 9000, "max_output_tokens": 9},
        Usage(0, cache_write=9000, output=9),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_bound_is_above_what_is_known_to_be_counted(case: str, book: PriceBook) -> None:
    name, provider, model, body, usage = CASES[case]
    ask, at = DIALECTS[name].read_request(compact(body)), int(MADE.timestamp()) * 10**9
    chosen = providers()[provider]
    offer = quote(ask, book.dearest(chosen, model, at, ask), chosen, DEFAULT_CAP)
    ways = [{}, *({"service_tier": tier} for tier in chosen.unasked_tiers)]
    rates = [book.rate(chosen.prices, model, at, way) for way in ways]
    assert not exceeded(offer, usage, cost(usage, merged(rates)))


GOLDEN = {
    "chat": chat.REQUESTS,
    "responses": responses.REQUESTS,
    "messages": messages.REQUESTS,
    "gemini": gemini.REQUESTS,
    "converse": converse.REQUESTS,
}


def words(part: Part) -> Iterator[str]:
    """Yield the texts of a part that a model reads as text."""
    if isinstance(part, Text | Reasoning):
        yield part.text
    elif isinstance(part, ToolCall):
        yield from (part.name, part.arguments)
    elif isinstance(part, ToolResult):
        for inner in part.parts:
            yield from words(inner)


@pytest.mark.parametrize("name", GOLDEN)
def test_the_bytes_that_are_counted_are_no_fewer_than_those_of_its_texts(name: str) -> None:
    seen = 0
    for case, body in GOLDEN[name].items():
        try:
            ask = DIALECTS[name].read_request(json.dumps(body, ensure_ascii=False).encode())
        except (Malformed, UnicodeEncodeError):
            continue
        request = CODECS[name].read_request(body)
        texts = [text for turn in request.turns for part in turn.parts for text in words(part)]
        texts += [t.name + t.description for t in request.tools if isinstance(t, Tool)]
        size = sum(len(text.encode()) for text in texts)
        assert size <= len(ask.body) - ask.opaque_bytes, case
        seen += bool(texts)
    assert seen > 5


# -- recorded traffic -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded() -> list[Recorded]:
    if not CORPUS.exists():
        pytest.skip("no corpus")
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        rows = (json.loads(line) for line in lines)
        found = [Recorded(row) for row in rows if row["surface"] in SURFACES]
    good = [e for e in found if e.request is not None and e.served and e.id not in MALFORMED]
    return [exchange for exchange in good if exchange.answer.usage is not None]


class Tally:
    """Sets every recorded query's bound against what came of it."""

    def __init__(self, book: PriceBook, known: dict[str, Provider]) -> None:
        self.rows: dict[str, Row] = defaultdict(Row)
        self.reasons: Counter[str] = Counter()
        self.violations: list[str] = []
        self.above_cap: set[str] = set()
        self.unpriced: set[str] = set()
        self._book = book
        self._known = known

    def add(self, exchange: Recorded) -> None:
        ask, usage = exchange.ask, exchange.answer.usage
        assert usage is not None
        provider = self._known[exchange.row["provider"]]
        row = self.rows[f"{exchange.dialect.name} {provider.name}"]
        row.counts["queries"] += 1
        of_input, of_output = counted(usage)
        if not (ask.unbounded or ask.opaque or ask.images):
            seen = row.with_tools if ask.tools else row.above_bytes
            seen.append(of_input - len(ask.body))
        if of_output > (ask.output_cap or DEFAULT_CAP) * ask.choices + ask.extra_output:
            self.above_cap.add(exchange.id)
        rate = self._dearest(exchange, provider)
        row.counts["tokens only"] += rate is None
        try:
            offer = quote(ask, rate or FLAT, provider, DEFAULT_CAP)
        except Refused as refusal:
            row.counts["refused"] += 1
            self.reasons[_reason(refusal, ask)] += 1
            return
        row.counts["bounded"] += 1
        row.inputs.append(offer.input_tokens / max(1, of_input))
        price = self._price(exchange, provider, usage) if rate else None
        if price:
            row.costs.append(offer.usd / price)
        billed = exchange.billed
        row.counts["bills"] += billed is not None and rate is not None
        bill = Fraction(billed) if billed is not None and rate else 0
        above = exceeded(offer, usage, price or 0, bill)
        self.violations += [f"{exchange.id} {what}" for what in above]

    def _dearest(self, exchange: Recorded, provider: Provider) -> Rate | None:
        """Return what it may cost; None where the book has no price: then tokens alone count."""
        try:
            return self._book.dearest(provider, exchange.ask.model, exchange.at, exchange.ask)
        except Refused:
            return None

    def _price(self, exchange: Recorded, provider: Provider, usage: Usage) -> int | None:
        options = exchange.answer.options
        try:
            rate = self._book.rate(provider.prices, exchange.ask.model, exchange.at, options)
            return cost(usage, rate)
        except Refused:
            self.unpriced.add(exchange.id)
            return None

    def table(self) -> Iterator[str]:
        """Yield the table's lines; a median is of the bound divided by what it bounds."""
        yield (
            f"{'bounds':<22}{'queries':>8}{'bounded':>8}{'refused':>8}{'tokens only':>12}"
            f"{'bills':>6}{'above bytes':>12}{'with tools':>11}{'× input':>8}{'× cost':>9}"
        )
        for name, row in sorted(self.rows.items()):
            of = row.counts
            yield (
                f"{name:<22}{of['queries']:>8}{of['bounded']:>8}{of['refused']:>8}"
                f"{of['tokens only']:>12}{of['bills']:>6}{_most(row.above_bytes):>12}"
                f"{_most(row.with_tools):>11}{_median(row.inputs):>8}{_median(row.costs):>9}"
            )
        total = sum((row.counts for row in self.rows.values()), Counter[str]())
        costs = _median([ratio for row in self.rows.values() for ratio in row.costs])
        yield f"{dict(total)}, violations: {len(self.violations)}, median × cost: {costs}"
        for reason, number in self.reasons.most_common():
            yield f"  refused {number:>4}  {reason}"


def _reason(refusal: Refused, ask: Ask) -> str:
    """Return why a query was refused, the same for all that were for the same reason."""
    if refusal.code != "unbounded":
        return refusal.code
    names = ask.unbounded or tuple(words for _, words in ask.opaque) or (refusal.message[:40],)
    return f"{refusal.code}: {names[0]}"


def _most(numbers: list[int]) -> str:
    return f"{max(numbers):,}" if numbers else "-"


def _median(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):,.1f}" if ratios else "-"


def test_no_recorded_query_was_billed_above_its_bound(
    recorded: list[Recorded], book: PriceBook, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {exchange.row["provider"] for exchange in recorded}
    tally = Tally(book, providers(*(names - providers().keys())))
    for exchange in recorded:
        tally.add(exchange)
    with capsys.disabled():
        print("", *tally.table(), sep="\n")
    assert tally.violations == []
    assert tally.above_cap == ABOVE_CAP.keys()
    assert tally.unpriced <= UNPRICED
    total = sum((row.counts for row in tally.rows.values()), Counter[str]())
    assert total["queries"] > 1200
    assert total["bounded"] - total["tokens only"] > 900
    assert total["bills"] > 300
