"""Laws over traffic that others recorded with real providers.

Each test states one law, prints one line of counts, and names every exception with its reason.
"""

from __future__ import annotations

import json
import lzma
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from farthing.errors import Malformed, Refused
from farthing.prices.book import PriceBook
from farthing.prices.compile import make_book
from farthing.prices.rate import cost
from farthing.providers import Provider, load_providers
from farthing.settings import Settings
from farthing.wire import DIALECTS, sse
from farthing.wire.dialect import Answer, Ask, Changes, Dialect, Tap, Usage
from farthing.wire.refrain import Refrain
from farthing.wire.translate import Translation, _CrossingTap

CORPUS = Path(__file__).parents[2] / "../shared/corpus/exchanges.jsonl.xz"
SURFACES = {"openai.chat": "chat", "anthropic.messages": "messages"}

# The corpus' names of providers, where they are not farthing's.
NAMES = {"google": "gemini"}

# When the corpus was made; the moment of an answer that carries no date.
MADE = datetime(2026, 11, 23, 12, tzinfo=UTC)
GENAI_PRICES = "0.2.3"
DEFAULT_CAP = 16_384

# Streams up to this size are also read byte by byte; it is most of them, in a third of the time.
SHORT = 16 * 1024

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="no corpus")

# A request that the provider took and farthing does not.
MALFORMED = {
    "dd_trace_py-a96fb87c5f0b": "its messages are plain strings, and the provider said 400 too",
}

# Where the usage read here is not the one that genai-prices reads, and why ours is right.
OTHER_USAGE = {
    "prism-5c62ad6b1444": "prompt_cache_hit_tokens is read: 128 of the 187 were cached",
    "prism-bb6266083d1e": "prompt_cache_hit_tokens is read: 256 of the 287 were cached",
    "pydantic_ai-22bd0409e2bb": "66 + 6 tokens and a total of 100: thinking is beside the rest",
    "rig-6ce2ea6e3d32": "11 + 15 tokens and a total of 401: 375 of audio are beside the prompt",
}

# What farthing refuses to price and genai-prices does not, leaving out a part of what was used.
NO_PRICE = {
    "openllmetry-7f37de9651ce": "served as `priority`, a tier without a price at its date",
    "pydantic_ai-1f4317576064": "genai-prices has no price for the model and says 0",
    "ai_gateway-08cbb4fa360c": "12 tokens of audio came out, which the model has no price for",
    "rig-6ce2ea6e3d32": "375 tokens of audio went in, which the model has no price for",
    "pydantic_ai-d956a8116a99": "served as `provisioned`, a tier without a price",
}

# Where the provider billed something else than what farthing settles at.
OTHER_BILL = {
    "braintrust_sdk_python-1c79d5e8e89e": "its own fee is 0; the client's key of the upstream pays",
    "pydantic_ai-4ee9e42ca091": "its own fee is 0; the client's key of the upstream pays",
    "llm-8b573033925c": "another model answered than the cassette's request names",
    "ruby_llm-2e58250953d8": "hosted by another, who sends its own bill: the maker's says nothing",
    "ruby_llm-ded9483827c8": "hosted by another, who sends its own bill: the maker's says nothing",
    "ruby_llm-fc92a3aad35a": "hosted by another, who sends its own bill: the maker's says nothing",
}


@dataclass(frozen=True)
class Exchange:
    """One recorded query and its answer."""

    row: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.row["id"])

    @property
    def dialect(self) -> Dialect:
        return DIALECTS[SURFACES[self.row["surface"]]]

    @property
    def served(self) -> bool:
        return bool(self.row["response"]["status"] < 400)

    @property
    def request(self) -> dict[str, Any] | None:
        body = (self.row.get("request") or {}).get("body")
        return body if isinstance(body, dict) else None

    @property
    def stream(self) -> bytes | None:
        told = self.row["response"].get("sse")
        return told.encode() if told is not None else None

    @property
    def at(self) -> int:
        """The moment of the answer, on a ledger's clock."""
        told = self.row["response"]["headers"].get("date")
        moment = parsedate_to_datetime(told) if told else MADE
        return int(moment.timestamp()) * 10**9

    @property
    def expected(self) -> dict[str, Any] | None:
        """Usage and price as genai-prices read them: a third party's answer, not the truth."""
        return self.row.get("expected")

    @property
    def billed(self) -> Decimal | None:
        """What the provider said that it charged, in nanodollars: the truth."""
        told = self.row.get("billed_by_provider")
        return Decimal(told["usd"]) * 10**9 if told else None

    @cached_property
    def ask(self) -> Ask:
        """The request as farthing reads it; a bare one where none was recorded."""
        bare: dict[str, Any] = {"stream": self.stream is not None}
        return self.dialect.read_request(compact(self.request or bare))

    @cached_property
    def answer(self) -> Answer:
        if self.stream is not None:
            return feed(self.dialect.tap(self.ask), self.stream, len(self.stream) + 1)[1]
        return self.dialect.read_answer(compact(self.row["response"].get("body")))


def compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def feed(tap: Tap, stream: bytes, step: int) -> tuple[bytes, Answer]:
    """Return what passes and what is read, of a stream in pieces of a size."""
    passed = [tap.feed(stream[i : i + step]) for i in range(0, len(stream), step)]
    return b"".join(passed) + tap.rest(), tap.answer()


@pytest.fixture(scope="session")
def exchanges() -> list[Exchange]:
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        rows = (json.loads(line) for line in lines)
        found = [Exchange(row) for row in rows if row["surface"] in SURFACES]
    return [exchange for exchange in found if exchange.id not in MALFORMED]


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> PriceBook:
    return PriceBook(make_book(tmp_path_factory.mktemp("books"), [], []).read_bytes())


@pytest.fixture(scope="session")
def providers() -> dict[str, Provider]:
    """farthing's providers, by the corpus' names."""
    known = load_providers(Settings(), {})
    return {**known, **{theirs: known[ours] for theirs, ours in NAMES.items()}}


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str, Counter[str]], None]:
    """Print a law's line of counts, whatever pytest captures."""

    def line(law: str, counts: Counter[str]) -> None:
        told = ", ".join(f"{number:,} {what}" for what, number in counts.items())
        with capsys.disabled():
            print(f"\n  corpus | {law:<44} | {told}", end="  ")

    return line


Say = Callable[[str, Counter[str]], None]


def test_a_request_is_malformed_or_goes_on_as_it_came(say: Say) -> None:
    counts: Counter[str] = Counter()
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        for exchange in map(Exchange, map(json.loads, lines)):
            if exchange.row["surface"] not in SURFACES or exchange.request is None:
                continue
            counts["requests"] += 1
            try:
                ask = exchange.dialect.read_request(compact(exchange.request))
            except Malformed:
                counts["malformed"] += 1
                assert exchange.id in MALFORMED
                assert not exchange.served
                continue
            assert exchange.dialect.write_request(ask, Changes()) == ask.body
            spaced = exchange.dialect.read_request(json.dumps(exchange.request).encode())
            again = exchange.dialect.write_request(spaced, Changes())
            assert json.loads(again) == exchange.request
            assert (spaced.model, spaced.output_cap) == (ask.model, ask.output_cap)
    say("a request goes on as it came", counts)
    assert counts["requests"] > 800


def test_the_network_s_cuts_change_neither_bytes_nor_answer(
    exchanges: list[Exchange], say: Say
) -> None:
    counts: Counter[str] = Counter()
    for exchange in exchanges:
        if exchange.stream is None:
            continue
        for wanted in (True, False):
            ask = exchange.dialect.read_request(compact({"stream": True}))
            ask.wants_usage = wanted
            whole = feed(exchange.dialect.tap(ask), exchange.stream, len(exchange.stream) + 1)
            for step in (1, 7) if len(exchange.stream) <= SHORT else (7,):
                assert feed(exchange.dialect.tap(ask), exchange.stream, step) == whole, exchange.id
            shown = b"".join(_shown(exchange, wanted))
            assert whole[0] == shown, exchange.id
            counts["streams"] += wanted
            counts["of them byte by byte"] += wanted and len(exchange.stream) <= SHORT
            counts["with a usage chunk hidden"] += shown != exchange.stream
    say("cuts change neither bytes nor answer", counts)
    assert counts["streams"] > 300
    assert counts["with a usage chunk hidden"] > 50


def test_a_translated_stream_is_the_same_with_refrains_and_without(
    exchanges: list[Exchange], say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counter[str] = Counter()
    learn = Refrain.learn
    other = _CrossingTap._other

    def counted(tap: _CrossingTap, raw: bytes) -> bytes:
        counts["events translated"] += 1
        return other(tap, raw)

    monkeypatch.setattr(_CrossingTap, "_other", counted)
    for exchange in exchanges:
        if exchange.stream is None or exchange.dialect.name not in PAIRS:
            continue
        for here in PAIRS[exchange.dialect.name]:
            told = []
            for name, way in {"with": learn, "without": lambda *_: None}.items():
                monkeypatch.setattr(Refrain, "learn", way)
                before = counts["events translated"]
                translation = Translation(here, exchange.dialect.name)
                tap = translation.tap(exchange.dialect.tap(exchange.ask), usage=True)
                told.append((*_fed(tap, exchange.stream), translation.losses()))
                counts[name] += counts["events translated"] - before
            assert told[0] == told[1], exchange.id
            counts["streams"] += 1
    say("refrains change nothing", counts)
    assert counts["without"] - counts["with"] > 1000


PAIRS = {"chat": ("messages", "responses", "gemini", "converse"), "messages": ("chat", "responses")}


def _fed(tap: Tap, stream: bytes) -> tuple[object, ...]:
    try:
        return feed(tap, stream, 997)
    except Malformed as problem:
        return (problem.message,)


def _shown(exchange: Exchange, wanted: bool) -> Iterator[bytes]:
    """Yield the events a client sees: all but chat's usage chunk, if it did not ask for it."""
    assert exchange.stream is not None
    for event in sse.events(exchange.stream):
        try:
            chunk = json.loads(sse.data(event))
        except ValueError:
            chunk = None
        told = isinstance(chunk, dict) and chunk.get("usage") and not chunk.get("choices")
        if wanted or exchange.dialect.name != "chat" or not told:
            yield event


def test_usage_is_what_a_third_party_reads(exchanges: list[Exchange], say: Say) -> None:
    counts: Counter[str] = Counter()
    excepted = set()
    for exchange in exchanges:
        if not exchange.served or exchange.expected is None:
            continue
        usage = exchange.answer.usage
        assert usage is not None, (exchange.id, "genai-prices reads one")
        counts["answers"] += 1
        told, ours = dict(exchange.expected["usage"]), _inclusive(usage)
        told.pop("cache_write_5m_tokens", None)  # what the other two leave of the writes
        differing = {name for name, number in told.items() if number != ours[name]}
        missing = {name for name, number in ours.items() if number and name not in told}
        if differing or missing - {"output_reasoning_tokens"}:
            excepted.add(exchange.id)
    counts["named exceptions"] = len(excepted)
    say("usage is what genai-prices reads", counts)
    assert excepted == OTHER_USAGE.keys()
    assert counts["answers"] > 700


def _inclusive(usage: Usage) -> dict[str, int]:
    """Return a usage as genai-prices says it: its counts contain one another."""
    written = usage.cache_write + usage.cache_write_1h
    return {
        "input_tokens": usage.input + usage.cache_read + written + usage.input_audio,
        "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": usage.cache_write_1h,
        "output_tokens": usage.output + usage.output_audio,
        "output_reasoning_tokens": usage.reasoning,
        "input_audio_tokens": usage.input_audio,
        "output_audio_tokens": usage.output_audio,
        "web_searches": usage.web_searches,
    }


def test_a_price_is_what_a_third_party_calculates(
    exchanges: list[Exchange], book: PriceBook, providers: dict[str, Provider], say: Say
) -> None:
    if metadata.version("genai-prices") != GENAI_PRICES:
        pytest.skip(f"the corpus was priced by genai-prices {GENAI_PRICES}")
    counts: Counter[str] = Counter()
    refused, differing = set(), set()
    for exchange in exchanges:
        if not exchange.served or exchange.expected is None:
            continue
        provider = providers.get(exchange.row["provider"])
        if provider is None:
            continue
        answer, theirs = exchange.answer, Decimal(exchange.expected["price_usd"]) * 10**9
        assert answer.usage is not None
        try:
            rate = book.rate(provider.prices, answer.model, exchange.at, answer.options)
            ours = cost(answer.usage, rate)
        except Refused:
            refused.add(exchange.id)
            continue
        counts["answers"] += 1
        if not 0 <= ours - theirs < 1:
            differing.add(exchange.id)
    counts["refused, named"], counts["named exceptions"] = len(refused), len(differing)
    say("a price is what genai-prices calculates", counts)
    assert refused == NO_PRICE.keys()
    assert differing == OTHER_USAGE.keys() - NO_PRICE.keys()
    assert counts["answers"] > 600


def test_a_cost_is_what_the_provider_billed(
    exchanges: list[Exchange], book: PriceBook, providers: dict[str, Provider], say: Say
) -> None:
    counts: Counter[str] = Counter()
    differing = set()
    for exchange in exchanges:
        provider, answer = providers.get(exchange.row["provider"]), exchange.answer
        if provider is None or exchange.billed is None or answer.usage is None:
            continue
        by_book = _priced(book, provider, exchange)
        stated = answer.stated if provider.states_cost else None
        price = by_book if stated is None else stated
        if price is None:
            counts["without a price"] += 1
            continue
        counts["bills"] += 1
        counts["as stated"] += stated is not None
        counts["as in the book"] += by_book is not None and abs(by_book - exchange.billed) <= 1
        if abs(price - exchange.billed) > 1:
            differing.add(exchange.id)
    counts["named exceptions"] = len(differing)
    say("a cost is what the provider billed", counts)
    assert differing == OTHER_BILL.keys()
    assert counts["bills"] > 200
    assert len(differing) * 20 < counts["bills"], "less than 95 % are equal"


def _priced(book: PriceBook, provider: Provider, exchange: Exchange) -> int | None:
    answer = exchange.answer
    assert answer.usage is not None
    try:
        rate = book.rate(provider.prices, exchange.ask.model, exchange.at, answer.options)
        return cost(answer.usage, rate)
    except Refused:
        return None
