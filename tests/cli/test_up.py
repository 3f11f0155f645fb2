"""Starting a gateway from the command line: what it says, and what it refuses."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from tests.cli.conftest import Cli
from tests.support.gateway import RunningGateway
from tests.support.provider import FakeProvider

NO_MODEL = "[local]\nenabled = false\n"


def test_up_makes_a_first_key_once_and_serve_makes_none(tmp_path: Path) -> None:
    first = RunningGateway(tmp_path, NO_MODEL, command="up")
    key = first.told["key"]
    assert first.data.first_key.read_text().strip() == key
    assert first.data.first_key.stat().st_mode & 0o777 == 0o600
    assert first.request("GET", "/v1/models", key=key).status == 200
    first.stop()
    again = RunningGateway(tmp_path, NO_MODEL, command="up")
    assert again.told["key"] is None
    assert again.request("GET", "/v1/models", key=key).status == 200
    again.stop()
    serving = RunningGateway(tmp_path / "other", NO_MODEL)
    assert serving.told["key"] is None
    assert not serving.data.first_key.exists()
    serving.stop()


def test_a_revoked_first_key_is_made_anew(tmp_path: Path, cli: Cli) -> None:
    first = RunningGateway(tmp_path, NO_MODEL, command="up")
    cli("keys", "revoke", first.told["key"], "--data", str(first.data.root))
    first.stop()
    again = RunningGateway(tmp_path, NO_MODEL, command="up")
    assert again.told["key"] not in (None, first.told["key"])
    again.stop()


def test_a_taken_port_is_a_sentence(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = cli("serve", "--listen", f"127.0.0.1:{port}", status=1)
    assert "choose another address with --listen" in " ".join(result.stderr.split())


def test_a_port_another_gateway_shares_is_taken_too(
    cli: Cli, shared_gateway: RunningGateway
) -> None:
    result = cli("serve", "--listen", f"127.0.0.1:{shared_gateway.port}", status=1)
    assert "Another gateway may be running" in " ".join(result.stderr.split())


def test_a_data_folder_in_use_is_a_sentence(shared_gateway: RunningGateway) -> None:
    """And the gateway that uses it goes on as before."""
    settings = (shared_gateway.folder / "farthing.toml").read_text()
    with pytest.raises(RuntimeError, match="already open in another process"):
        RunningGateway(shared_gateway.folder, settings)
    assert shared_gateway.chat(shared_gateway.key()).status == 200


def test_a_wrong_address_or_setting(cli: Cli, tmp_path: Path) -> None:
    assert "such as" in cli("serve", "--listen", "here", status=1).stderr
    (tmp_path / "farthing.toml").write_text("workers = 0\n")
    assert "line 1: `workers`" in " ".join(cli("serve", status=1).stderr.split())
    (tmp_path / "farthing.toml").write_text('[providers.x]\nbase_url = "https://x"\n')
    assert "it needs dialects" in " ".join(cli("serve", status=1).stderr.split())


def test_the_models_it_names_are_those_it_serves(tmp_path: Path, provider: FakeProvider) -> None:
    running = RunningGateway(
        tmp_path, NO_MODEL + provider.toml(), environ={"GROQ_API_KEY": "canary"}
    )
    assert "canary" not in json.dumps(running.told)
    assert running.told["models"] == ["groq/…", "fake/…"]
    running.stop()
