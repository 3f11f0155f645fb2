"""The official client libraries, each in its dialect, against providers of every dialect."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import sdk
from tests.support.gateway import RunningGateway
from tests.support.speaker import Speaker

from farthing.ledger.entry import Hold, Settle
from farthing.wire.codecs import CODECS

# Libraries that need too much beside them live in an environment of their own.
ELSEWHERE = {"gemini", "converse"}
CLIENTS = Path(os.environ.get("FARTHING_CLIENTS", f"{sys.prefix}/clients")) / "bin" / "python"

EXPECTED = {
    "whole": "Four farthings make a penny.",
    "stop": True,
    "usage": [20, 7],
    "stream": "Four farthings make a penny.",
    "stream_usage": [20, 7],
    "call": ["weather", {"city": "Basel"}],
    "after": "It is 21 degrees.",
    "stream_call": ["weather", {"city": "Basel"}],
    "error": True,
}
QUERIES = 5


@pytest.fixture(scope="module")
def speakers() -> Iterator[dict[str, Speaker]]:
    made = {name: Speaker(name) for name in CODECS}
    yield made
    for speaker in made.values():
        speaker.close()


@pytest.fixture(scope="module")
def polyglot(
    tmp_path_factory: pytest.TempPathFactory, speakers: dict[str, Speaker]
) -> Iterator[RunningGateway]:
    toml = "".join(speaker.toml() for speaker in speakers.values())
    running = RunningGateway(tmp_path_factory.mktemp("polyglot"), toml)
    yield running
    running.stop()


PAIRS = [*((library, there) for library in CODECS for there in CODECS)]
PAIRS += [("azure", "chat"), ("azure", "messages")]


@pytest.mark.parametrize(("library", "there"), PAIRS)
def test_a_library_holds_its_conversation_with_any_provider(
    polyglot: RunningGateway, speakers: dict[str, Speaker], library: str, there: str
) -> None:
    python = CLIENTS if library in ELSEWHERE else Path(sys.executable)
    if not python.exists():
        pytest.skip(f"its library is not installed in {CLIENTS.parent.parent}: run make test")
    key, before = polyglot.key(), len(speakers[there].asked)
    ran = subprocess.run(
        [python, sdk.__file__, library, polyglot.address, key, f"{there}-model"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert json.loads(ran.stdout) == EXPECTED
    assert len(speakers[there].asked) == before + QUERIES
    if (library, there) == ("messages", "messages"):
        told = speakers[there].headers[-1]
        assert told["anthropic-version"] == "2026-10-21", "what the library says itself"
        assert "authorization" not in told, "its key is the gateway's, and stays here"
    mine = [e for e in polyglot.entries() if isinstance(e, Hold) and e.key == key.split("_")[1]]
    settled = {e.id: e.usd for e in polyglot.entries() if isinstance(e, Settle)}
    assert [settled[hold.id] for hold in mine] == [27_000] * QUERIES
