"""Documents from the command line, of a gateway that runs."""

from __future__ import annotations

import json
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tests.cli.conftest import Cli, one_line
from tests.support.gateway import RunningGateway


def test_documents_of_a_gateway_that_runs(
    cli: Cli, shared_gateway: RunningGateway, tmp_path: Path
) -> None:
    data = ("--data", str(shared_gateway.data.root))
    key = shared_gateway.key()
    query = shared_gateway.chat(key, "echo").query
    record = shared_gateway.record_when_ended(query, key)
    cli("receipt", query, *data)  # waits until the log has it
    out = tmp_path / "models.json"
    cli("export", "mlbom", "--out", str(out), *data)
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(out.read_text()) is None
    names = [
        f"{c['supplier']['name']}/{c['name']}" for c in json.loads(out.read_text())["components"]
    ]
    assert record["model"] in names
    card = cli("export", "model-card", "--model", record["model"], *data).stdout
    assert card.startswith("---\n") and f"# {record['model']}\n" in card
    said = json.loads(cli("export", "ai-act", "--json", *data).stdout)
    assert said["log"]["verified"] is True and said["log"]["origin"].startswith("farthing/")
    assert cli("export", "ai-act", *data).stdout.startswith("# Checklist for articles 12, 19")


def test_what_cannot_be_is_a_sentence(
    cli: Cli, shared_gateway: RunningGateway, tmp_path: Path
) -> None:
    data = ("--data", str(shared_gateway.data.root))
    missing = cli("export", "model-card", "--model", "p/m", "--period", "2020", *data, status=1)
    assert "p/m was not in use in the period; in use were: none" in one_line(missing)
    wrong = ("export", "ai-act", "--since", "2026-02-01", "--until", "2026-01-01", *data)
    assert "before it begins" in one_line(cli(*wrong, status=1))
    nowhere = ("export", "mlbom", "--out", str(tmp_path / "no" / "x"), *data)
    assert "cannot be written" in one_line(cli(*nowhere, status=1))
