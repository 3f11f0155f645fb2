"""The official client libraries' embeddings and counts, against providers of every dialect."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.promises.test_clients import CLIENTS
from tests.support import sdk
from tests.support.embedder import TOKENS, VECTOR, Embedder
from tests.support.gateway import RunningGateway

from farthing.ledger.entry import Hold, Settle
from farthing.wire.count.envelopes import ENVELOPES
from farthing.wire.embed.codecs import CODECS

# The libraries, and whether they live in an environment of their own.
EMBEDDING = {"embeddings": False, "gemini_embeddings": True, "bedrock_embeddings": True}
COUNTING = {
    "counting": False,
    "responses_counting": False,
    "gemini_counting": True,
    "converse_counting": True,
}
QUERIES = 2


@pytest.fixture(scope="module")
def embedders() -> Iterator[dict[str, Embedder]]:
    made = {name: Embedder(name) for name in [*CODECS, *ENVELOPES]}
    yield made
    for embedder in made.values():
        embedder.close()


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, embedders: dict[str, Embedder]
) -> Iterator[RunningGateway]:
    toml = "".join(embedder.toml() for embedder in embedders.values())
    running = RunningGateway(tmp_path_factory.mktemp("embedders"), toml)
    yield running
    running.stop()


def talk(gateway: RunningGateway, library: str, elsewhere: bool, key: str, model: str) -> Any:
    """Return what a library made of its conversation."""
    python = CLIENTS if elsewhere else Path(sys.executable)
    if not python.exists():
        pytest.skip(f"its library is not installed in {CLIENTS.parent.parent}: run make test")
    ran = subprocess.run(
        [python, sdk.__file__, library, gateway.address, key, model],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return json.loads(ran.stdout)


def costs(gateway: RunningGateway, key: str) -> list[int]:
    """Return what each query of a key cost."""
    entries = gateway.entries()
    settled = {e.id: e.usd for e in entries if isinstance(e, Settle)}
    return [settled[e.id] for e in entries if isinstance(e, Hold) and e.key == key.split("_")[1]]


@pytest.mark.parametrize("there", CODECS)
@pytest.mark.parametrize("library", EMBEDDING)
def test_a_library_gets_its_embeddings_from_any_provider(
    gateway: RunningGateway, embedders: dict[str, Embedder], library: str, there: str
) -> None:
    key, embedder = gateway.key(), embedders[there]
    before = len(embedder.asked)
    told = talk(gateway, library, EMBEDDING[library], key, embedder.model)
    assert told == {"vectors": [VECTOR] * QUERIES, "usage": TOKENS, "error": True}
    assert len(embedder.asked) == before + QUERIES
    assert costs(gateway, key) == [TOKENS * 1000] * QUERIES


@pytest.mark.parametrize("there", ENVELOPES)
@pytest.mark.parametrize("library", COUNTING)
def test_a_library_gets_its_count_from_any_provider(
    gateway: RunningGateway, embedders: dict[str, Embedder], library: str, there: str
) -> None:
    key, embedder = gateway.key(), embedders[there]
    before = len(embedder.asked)
    told = talk(gateway, library, COUNTING[library], key, embedder.model)
    assert told == {"counts": [TOKENS] * QUERIES}
    assert len(embedder.asked) == before + QUERIES
    assert costs(gateway, key) == [0] * QUERIES
