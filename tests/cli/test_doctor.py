"""The doctor: what is configured, reachable and priced."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from tests.cli.conftest import Cli, values
from tests.support.authority import Authority
from tests.support.gateway import RunningGateway
from tests.support.provider import FakeProvider
from tests.support.service_accounts import service_account, write

from farthing.evidence.timestamp import query


def rows(told: dict[str, list[dict[str, object]]]) -> dict[object, dict[str, object]]:
    return {row["name"]: row for row in told["providers"]}


def test_an_empty_folder_is_healthy(cli: Cli) -> None:
    told = values(cli("doctor", "--json"))[0]
    assert told["healthy"]
    assert told["ledger"]["note"] == "not begun yet"
    assert told["gateway"]["running"] is False
    assert rows(told)["openai"]["key_env"] == ["OPENAI_API_KEY"]
    assert rows(told)["openai"]["key"] is None
    assert "OPENAI_API_KEY" in cli("doctor", "--all").stdout


def test_a_key_in_the_environment_configures_its_provider(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-canary")
    result = cli("doctor", "--offline", "--json")
    row = rows(values(result)[0])["anthropic"]
    assert (row["key"], row["reachable"]) == ("ANTHROPIC_API_KEY", None)
    assert isinstance(row["priced"], int) and row["priced"] > 10
    assert "sk-canary" not in result.output


def test_a_provider_that_answers_is_reachable(
    cli: Cli, tmp_path: Path, provider: FakeProvider
) -> None:
    (tmp_path / "farthing.toml").write_text(provider.toml())
    told = values(cli("doctor", "--json"))[0]
    row = rows(told)["fake"]
    assert (row["key"], row["reachable"], row["problem"]) == ("none needed", True, None)
    assert told["settings"] == str(tmp_path / "farthing.toml")


def test_a_provider_that_does_not_answer_is_said_and_ends_with_1(
    cli: Cli, tmp_path: Path, provider: FakeProvider
) -> None:
    (tmp_path / "farthing.toml").write_text(provider.toml())
    provider.close()
    told = values(cli("doctor", "--json", status=1))[0]
    assert rows(told)["fake"]["reachable"] is False
    assert "cannot be reached" in str(rows(told)["fake"]["problem"])
    assert "cannot be reached" in " ".join(cli("doctor", status=1).stdout.split())


def test_a_provider_without_prices_is_said(cli: Cli, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        (tmp_path / "farthing.toml").write_text(
            f'[providers.own]\nbase_url = "http://127.0.0.1:{server.getsockname()[1]}"\n'
            'auth = "none"\ndialects = { chat = "/c" }\nallow_private_address = true\n'
        )
        told = values(cli("doctor", "--json", status=1))[0]
    assert "add [[prices]]" in str(rows(told)["own"]["problem"])


def test_a_running_gateway_is_found(cli: Cli, shared_gateway: RunningGateway) -> None:
    arguments = ("--data", str(shared_gateway.data.root), "--offline", "--json")
    told = values(cli("doctor", *arguments))[0]
    assert told["gateway"] == {"running": True, "address": shared_gateway.address, "healthy": True}


def test_a_wrong_setting_is_named_with_file_and_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "farthing.toml").write_text('\nlisten_on = "x"\n')
    said = " ".join(cli("doctor", status=1).stderr.split())
    assert "farthing.toml, line 2: there is no setting `listen_on`; did you mean `listen`?" in said


def test_a_provider_whose_address_is_not_told_is_said(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "sk-canary")
    told = values(cli("doctor", "--json", "--offline", status=1))[0]
    assert "set AZURE_OPENAI_ENDPOINT" in str(rows(told)["azure"]["problem"])


def test_credentials_that_may_be_for_others_make_nothing_ill(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, service_account("https://oauth2.example.com/token"))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    result = cli("doctor", "--json", "--offline")
    row = rows(values(result)[0])["vertex"]
    assert (row["key"], row["reachable"]) == (None, False)
    assert "set GOOGLE_CLOUD_LOCATION" in str(row["problem"])
    assert "PRIVATE KEY" not in result.output
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "global")
    row = rows(values(cli("doctor", "--json", "--offline"))[0])["vertex"]
    assert (row["key"], row["problem"]) == (str(file), None)
    assert isinstance(row["priced"], int) and row["priced"] > 10


def test_the_logs_time_stamps_are_shown_or_why_there_is_none(
    cli: Cli, folder: Path, tmp_path: Path
) -> None:
    assert values(cli("doctor", "--offline", "--json"))[0]["timestamp"] is None
    (tmp_path / "farthing.toml").write_text('timestamp_url = "https://tsa.example/tsr"\n')
    told = values(cli("doctor", "--offline", "--json"))[0]["timestamp"]
    assert told == {
        "url": "https://tsa.example/tsr", "size": 0, "at": None, "problem": "not asked yet",
    }  # fmt: skip
    stamps, data = folder / "log" / "timestamps", b"a checkpoint"
    stamps.mkdir(parents=True)
    (stamps / "7.checkpoint").write_bytes(data)
    (stamps / "7.tsr").write_bytes(Authority(tmp_path / "tsa").answer(query(data).body))
    assert "stamped 7 entries at 20" in cli("doctor", "--offline").stdout
    assert values(cli("doctor", "--offline", "--json"))[0]["timestamp"]["problem"] is None
    (folder / "timestamps.json").write_text('["https://tsa.example/tsr", "it was away"]')
    shown = cli("doctor", "--offline").stdout
    assert "https://tsa.example/tsr stamped 7 entries at 20" in shown and "it was away" in shown
    (stamps / "7.tsr").write_bytes(b"damaged")
    assert "7.tsr: not an answer of RFC 3161" in cli("doctor", "--offline").stdout
