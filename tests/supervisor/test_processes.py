"""A whole gateway's real processes: killed with their supervisor, stopped by it, secrets unseen."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.supervisor.conftest import SPEED, Run, started
from tests.support.gateway import RunningGateway, contents
from tests.support.provider import FakeProvider

from farthing.ledger.entry import PriceBookInForce
from farthing.local.weights import installed
from farthing.paths import DataFolder
from farthing.settings import Settings
from farthing.settings.schema import LocalSettings
from farthing.supervisor.prepare import price_book_for

# Every kind of process there is.
ALL = {"model", "ledger", "follower", "publisher", "worker-1", "worker-2"}
TOML = "workers = 2\n[local]\nthreads = 1\ncontext_tokens = 512\n"

with_model = pytest.mark.skipif(not installed(), reason="the embedded model is not installed")


@pytest.fixture
def start(tmp_path: Path) -> Callable[[], RunningGateway]:
    """Start a gateway with all of them; its model is known to be fast."""
    data = DataFolder(tmp_path / "data")
    data.local_speed.write_bytes(msgspec.json.encode(SPEED))
    return lambda: RunningGateway(tmp_path, TOML, command="up")


@with_model
def test_when_the_supervisor_is_killed_nobody_is_left(start: Callable[[], RunningGateway]) -> None:
    gateway = start()
    try:
        assert gateway.pids.keys() == ALL
        gateway.process.kill()
        gateway.process.wait(10)
        gateway.wait_until_gone()
    finally:
        gateway.kill()


@with_model
def test_when_the_supervisor_is_stopped_nobody_is_left(start: Callable[[], RunningGateway]) -> None:
    gateway = start()
    try:
        assert gateway.pids.keys() == ALL
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(30) == 0
        gateway.wait_until_gone()
        assert not gateway.data.address.exists()
        with socket.create_server(("127.0.0.1", gateway.port)):
            pass
        assert "starting it again" not in gateway.log.read_text()
    finally:
        gateway.kill()


@with_model
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc here")
def test_the_model_s_secret_is_in_no_argument_no_environment_and_no_file(
    tmp_path: Path, run: Run
) -> None:
    DataFolder(tmp_path).local_speed.write_bytes(msgspec.json.encode(SPEED))
    local = LocalSettings(enabled=True, threads=1, context_tokens=512)

    async def test() -> None:
        async with started(tmp_path, Settings(listen="127.0.0.1:0", local=local)) as made:
            assert made.local is not None
            for pid in made.process_ids().values():
                for name in ("cmdline", "environ"):
                    text = Path(f"/proc/{pid}/{name}").read_bytes()
                    assert text and made.local.secret.encode() not in text
            for path, content in contents(tmp_path).items():
                assert made.local.secret.encode() not in content, path

    run(test())


def test_a_gateway_uses_the_price_book_that_quotes_are_made_with(
    gateway: RunningGateway,
) -> None:
    _, book = price_book_for(gateway.data, gateway.folder / "farthing.toml")
    used = [e.digest for e in gateway.entries() if isinstance(e, PriceBookInForce)]
    assert used == [book.digest]


def test_a_gateway_whose_records_cannot_be_opened_ends_and_says_why(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "data")
    data.records.write_bytes(b"this is no database, however long it is looked at" * 9)
    made = RunningGateway(tmp_path)
    assert made.process.wait(20) == 1
    assert made.process.stdout is not None
    made.process.stdout.close()
    said = made.log.read_text()
    assert "SQLite in the data folder: file is not a database" in said
    assert "follower did not start" in said
    assert not data.address.exists()


def test_a_second_gateway_on_a_data_folder_takes_nothing_from_the_first(
    gateway: RunningGateway, provider: FakeProvider
) -> None:
    key = gateway.key()
    query = gateway.chat(key).query
    with pytest.raises(RuntimeError, match="already open in another process"):
        RunningGateway(gateway.folder, provider.toml())
    found = gateway.request("GET", f"/v1/queries/{query}", key=key)
    assert (found.status, gateway.data.address.exists()) == (200, True)
