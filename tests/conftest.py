"""Servers that tests share: a scripted provider, a gateway in front of it, and a PostgreSQL."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.gateway import RunningGateway
from tests.support.postgres import PostgresServer
from tests.support.provider import FakeProvider


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """A provider of the test's own."""
    made = FakeProvider()
    yield made
    made.close()


@pytest.fixture
def gateway(tmp_path: Path, provider: FakeProvider) -> Iterator[RunningGateway]:
    """A gateway with one worker in front of the test's own provider."""
    running = RunningGateway(tmp_path, provider.toml())
    yield running
    running.stop()


@pytest.fixture(scope="module")
def shared_provider() -> Iterator[FakeProvider]:
    """A provider for a whole module, for tests that use no gate."""
    made = FakeProvider()
    yield made
    made.close()


SHORT = """
[http]
max_body_bytes = 1000000
max_answer_bytes = 2000000
head_seconds = 0.5
body_seconds = 0.5
stalled_seconds = 1
silence_seconds = 1
answer_seconds = 2
"""


@pytest.fixture(scope="module")
def shared_gateway(
    tmp_path_factory: pytest.TempPathFactory, shared_provider: FakeProvider
) -> Iterator[RunningGateway]:
    """A gateway for a whole module, with short time-outs and small bounds."""
    folder = tmp_path_factory.mktemp("gateway")
    running = RunningGateway(folder, SHORT + shared_provider.toml())
    yield running
    running.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL for the whole run; each test makes databases of its own in it."""
    made = PostgresServer()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """Put farthing's log back as it was: a command that a test runs sends it elsewhere."""
    logger = logging.getLogger("farthing")
    handlers, level, propagate = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.propagate = handlers, propagate
    logger.setLevel(level)
