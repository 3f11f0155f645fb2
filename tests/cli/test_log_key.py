"""`farthing log-key`: the public key, and its rotation while a gateway runs and while none does."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli, one_line, values
from tests.support.evidence import standalone
from tests.support.gateway import RunningGateway

from farthing.evidence.receipt import Receipt
from farthing.ledger.reported import LogKey


def test_the_key_and_its_origin(cli: Cli, shared_gateway: RunningGateway) -> None:
    told = values(cli("log-key", "--json", "--data", str(shared_gateway.data.root)))[0]
    assert told["origin"].startswith("farthing/") and told["key"].startswith(told["origin"] + "+")


def test_where_nothing_has_run_there_is_nothing(cli: Cli) -> None:
    assert "there is no log" in one_line(cli("log-key", status=1))
    assert "there is no log" in one_line(cli("log-key", "rotate", status=1))


def test_a_rotation_while_the_gateway_runs_and_one_while_it_does_not(
    cli: Cli, tmp_path: Path
) -> None:
    """Queries go on; who has only the first key verifies receipts, the folder, and growth."""
    gateway = RunningGateway(tmp_path / "gateway", toml=TOML)
    data = ("--data", str(gateway.data.root))
    checkpoint = gateway.data.log / "checkpoint"
    try:
        gateway.wait_until(checkpoint.exists)
        keys = [cli("log-key", *data).stdout.strip()]
        old = tmp_path / "old"
        old.write_bytes(checkpoint.read_bytes())
        told = values(cli("log-key", "rotate", "--json", *data))[0]
        assert told["before"] == keys[0]
        keys.append(told["key"])
        gateway.wait_until(lambda: cli("log-key", *data).stdout.strip() == keys[1])
    finally:
        gateway.stop()
    keys.append(cli("log-key", "rotate", *data).stdout.splitlines()[0])
    assert cli("log-key", *data).stdout.strip() == keys[1], "nothing has signed with it yet"
    gateway = RunningGateway(tmp_path / "gateway", toml=TOML)
    try:
        gateway.wait_until(lambda: cli("log-key", *data).stdout.strip() == keys[2])
        entries = list(enumerate(gateway.entries(), 1))
        rotations = [number for number, entry in entries if isinstance(entry, LogKey)]
        assert len(rotations) == 2
        out = tmp_path / "rotation.tlog-proof"
        cli("receipt", str(rotations[0]), "--out", str(out), *data)
    finally:
        gateway.stop()
    assert f'"key":"{keys[1]}"'.encode() in Receipt.decode(out.read_bytes()).entry
    for key in keys:
        given = ("--key", key)
        for command in (("receipt", str(out)), ("folder", str(gateway.data.log))):
            said = cli("verify", *command, *given).stdout
            assert (f"signed with {keys[2]}, which your key" in said) == (key != keys[2])
        assert '"kind":"log-key"' in standalone().verify_receipt(out.read_bytes(), key)
        standalone().verify_folder(gateway.data.log, key)
    growth = ("verify", "growth", str(old), str(checkpoint), "--tiles", str(gateway.data.log))
    assert "are what they were" in cli(*growth, "--key", keys[0]).stdout
    assert "not signed" in one_line(cli(*growth, "--key", keys[2], status=1))


TOML = "[local]\nenabled = false\n"
