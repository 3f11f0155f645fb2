"""What is told of a query: by the conventions' names, and nothing that is private."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.support.evidence import hold

from farthing.ledger.entry import Settle, Unresolved, Void
from farthing.providers import load_providers
from farthing.providers.load import built_in, built_in_names
from farthing.report.telemetry.attributes import Teller, first_byte, seconds, span_name
from farthing.report.telemetry.reader import Ended
from farthing.settings import ProviderSettings, Settings
from farthing.wire import DIALECTS
from farthing.wire.dialect import Usage
from farthing.wire.operations import operation

SPECIFICATION = Path(__file__).parents[3] / "../shared/specs/otel"
USAGE = Usage(
    input=10, cache_read=20, cache_write=3, cache_write_1h=4, output=50, reasoning=40,
    input_audio=5, output_audio=6, input_image=7, output_image=8,
)  # fmt: skip
SETTLED = Settle(9, "q1", 1_234_567, USAGE, 200, 250_000, 1_500_000, "resp-1", "m-2026")
HELD = msgspec.structs.replace(
    hold(1, ("key:k1", "org:acme", "user:ann", "tag:night", "model:mistral/m")),
    provider="mistral",
    dialect="responses",
    stream=True,
)
ELSEWHERE = Settings(providers={"mistral": ProviderSettings(base_url="https://a.example:444/v1")})
TELLER = Teller(load_providers(ELSEWHERE, {}))

# All that is ever told, by the conventions; a test below holds them against the specification.
STANDARD = {
    "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model",
    "gen_ai.request.max_tokens", "gen_ai.response.model", "gen_ai.response.id",
    "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.reasoning.output_tokens", "error.type", "server.address", "server.port",
}  # fmt: skip
NEWER = {"gen_ai.request.stream", "gen_ai.response.time_to_first_chunk"}
OURS = {
    "farthing.query", "farthing.entry", "farthing.dialect", "farthing.scopes", "farthing.cost_usd",
}  # fmt: skip

with_specification = pytest.mark.skipif(not SPECIFICATION.exists(), reason="no specification here")


def of(ending: Any, teller: Teller = TELLER) -> dict[str, Any]:
    return dict(teller.of_span(Ended(7, HELD, ending)))


def test_a_query_that_was_settled() -> None:
    told = of(SETTLED)
    assert span_name(told) == "chat m"
    assert told == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "m", "gen_ai.request.max_tokens": 100,
        "gen_ai.response.model": "m-2026", "gen_ai.response.id": "resp-1",
        "gen_ai.usage.input_tokens": 10 + 20 + 3 + 4 + 5 + 7,
        "gen_ai.usage.output_tokens": 50 + 6 + 8,
        "gen_ai.usage.cache_read.input_tokens": 20,
        "gen_ai.usage.cache_creation.input_tokens": 7,
        "gen_ai.usage.reasoning.output_tokens": 40,
        "server.address": "a.example", "server.port": 444,
        "farthing.query": "q1", "farthing.entry": 7, "farthing.dialect": "responses",
        "farthing.cost_usd": "0.001234567",
        "farthing.scopes": ("key:k1", "org:acme", "model:mistral/m"),
    }  # fmt: skip


def test_what_failed_says_how_and_an_unknown_cost_is_not_told() -> None:
    refused = msgspec.structs.replace(SETTLED, status=429, usd=0, usage=Usage())
    told = of(refused)
    assert (told["error.type"], told["farthing.cost_usd"]) == ("429", "0")
    assert not [name for name in told if name.startswith("gen_ai.usage")]
    told = of(Void(9, "q1", "upstream_unreachable"))
    assert (told["error.type"], told["farthing.cost_usd"]) == ("upstream_unreachable", "0")
    told = of(Unresolved(9, "q1", "usage_missing", 200, 5, "resp-1"))
    assert told["error.type"] == "usage_missing" and told["gen_ai.response.id"] == "resp-1"
    assert "farthing.cost_usd" not in told


def test_end_users_and_tags_are_named_only_where_that_is_asked_for() -> None:
    assert "ann" not in str(of(SETTLED)) and "night" not in str(of(SETTLED))
    assert of(SETTLED, TELLER._replace(users=True))["farthing.scopes"] == HELD.path


def test_newer_names_are_behind_the_opt_in() -> None:
    assert not NEWER & of(SETTLED).keys()
    told = of(SETTLED, TELLER._replace(latest=True))
    assert told["gen_ai.request.stream"] is True
    assert told["gen_ai.response.time_to_first_chunk"] == 0.25


def test_no_name_is_told_that_is_not_listed() -> None:
    failed = msgspec.structs.replace(SETTLED, status=500)
    endings = (SETTLED, failed, Void(9, "q1", "why"), Unresolved(9, "q1", "why", 200, 5, "r"))
    teller = TELLER._replace(latest=True, users=True)
    names = set[str]().union(*(of(ending, teller) for ending in endings))
    assert names == STANDARD | NEWER | OURS


@with_specification
def test_the_names_are_those_of_the_specification() -> None:
    pages = [path.read_text() for path in SPECIFICATION.glob("*.md")]
    known = set(re.findall(r"^\| \[`([a-z_.]+)`\]", "\n".join(pages), re.M))
    assert len(known) > 20 and known >= STANDARD | NEWER
    assert not [name for name in known if name.startswith("farthing")]


def _values(attribute: str) -> set[str]:
    page = (SPECIFICATION / "gen-ai-attributes-v1.41.1.md").read_text()
    rows = page[page.index(f"`{attribute}` has the following list of well-known values") :]
    table = re.search(r"(?:^\|.*\n)+", rows, re.M)
    assert table is not None
    return set(re.findall(r"^\| `([a-z_.]+)` \|", table[0], re.M))


@with_specification
def test_well_known_providers_and_operations_have_their_well_known_names() -> None:
    names = {name: built_in(name).telemetry_name for name in built_in_names()}
    known = _values("gen_ai.provider.name")
    assert set(names.values()) <= known | {""}
    # Three of the well-known ones are none of ours; each of the others is found by some name.
    told = {said or name for name, said in names.items()}
    assert known - told == {"azure.ai.inference", "gcp.gen_ai", "ibm.watsonx.ai"}
    operations = {name: operation(name) for name in DIALECTS}
    changed = {said for name, said in operations.items() if said != name}
    assert changed <= _values("gen_ai.operation.name") and len(changed) == 4


@pytest.mark.parametrize("name", built_in_names())
def test_where_a_provider_is_is_told_only_if_it_is_one_known_place(name: str) -> None:
    held = msgspec.structs.replace(HELD, provider=name)
    told = Teller(load_providers(Settings(), {})).common(Ended(7, held, SETTLED))
    assert ("server.address" in told) == ("server.port" in told)
    assert "{" not in str(told.get("server.address", ""))
    if name == "local":  # its port is another each time
        assert "server.port" not in told


def test_a_provider_that_is_no_more_is_told_by_its_name() -> None:
    held = msgspec.structs.replace(HELD, provider="gone")
    told = TELLER.common(Ended(7, held, SETTLED))
    assert told["gen_ai.provider.name"] == "gone" and "server.address" not in told


def test_times() -> None:
    settled = Ended(7, HELD, SETTLED)
    assert (seconds(settled), first_byte(settled)) == (1.5, 0.25)
    whole = Ended(7, msgspec.structs.replace(HELD, stream=False), SETTLED)
    assert first_byte(whole) is None
    for ending in (Void(9, "q1", "why"), Unresolved(9, "q1", "worker_lost")):
        lost = Ended(7, HELD, ending)
        assert (seconds(lost), first_byte(lost)) == (None, None)
