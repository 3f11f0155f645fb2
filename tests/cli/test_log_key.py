"""`farthing log-key`: the public key, and its rotation while a gateway runs and while none does."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli, one_line, values
from tests.support.evidence import configs, standalone, write
from tests.support.gateway import RunningGateway

from farthing.evidence.identity import verifier_of
from farthing.evidence.process import Publishing
from farthing.ledger.entry import Genesis
from farthing.ledger.reported import LogKey
from farthing.paths import DataFolder


def test_the_key_and_its_origin(cli: Cli, shared_gateway: RunningGateway) -> None:
    shared_gateway.wait_until(shared_gateway.data.log_key.exists)
    told = values(cli("log-key", "--json", "--data", str(shared_gateway.data.root)))[0]
    assert told["origin"].startswith("farthing/") and told["key"].startswith(told["origin"] + "+")


def test_where_nothing_has_run_there_is_nothing(cli: Cli) -> None:
    assert "there is no log" in one_line(cli("log-key", status=1))
    assert "there is no log" in one_line(cli("log-key", "rotate", status=1))


def test_a_rotation_while_the_gateway_runs(
    cli: Cli, shared_gateway: RunningGateway, tmp_path: Path
) -> None:
    """Queries go on; the rotation is an entry, and its receipt is signed with the new key."""
    folder, key = shared_gateway.data, shared_gateway.key()
    data = ("--data", str(folder.root))
    shared_gateway.wait_until(folder.log_key.exists)
    before = cli("log-key", *data).stdout.strip()
    told = values(cli("log-key", "rotate", "--json", *data))[0]
    assert (told["before"], told["origin"]) == (before, before.partition("+")[0])
    assert shared_gateway.chat(key, "echo").status == 200
    shared_gateway.wait_until(lambda: str(verifier_of(folder, "")) == told["key"])
    assert cli("log-key", *data).stdout.strip() == told["key"]
    numbered = enumerate(shared_gateway.entries(), 1)
    (number,) = [number for number, entry in numbered if isinstance(entry, LogKey)]
    out = tmp_path / "rotation.tlog-proof"
    cli("receipt", str(number), "--out", str(out), *data)
    _is_led_to(cli, ("receipt", str(out)), [before, told["key"]])
    assert '"kind":"log-key"' in standalone().verify_receipt(out.read_bytes(), before)


def test_rotations_while_none_runs(cli: Cli, tmp_path: Path) -> None:
    """Who has only the first key verifies the folder and growth; the last did not sign all."""
    folder = DataFolder(tmp_path / "stopped")
    data, checkpoint = ("--data", str(folder.root)), folder.log / "checkpoint"
    write(folder.journal, [Genesis(1, "one"), *configs(9)])
    Publishing(folder, "").finish()
    old = tmp_path / "old"
    old.write_bytes(checkpoint.read_bytes())
    keys = [cli("log-key", *data).stdout.strip()]
    for _ in range(2):
        keys.append(cli("log-key", "rotate", *data).stdout.splitlines()[0])
        assert cli("log-key", *data).stdout.strip() == keys[-2], "nothing has signed with it yet"
        Publishing(folder, "").finish()
        assert cli("log-key", *data).stdout.strip() == keys[-1]
    _is_led_to(cli, ("folder", str(folder.log)), keys)
    for key in keys:
        standalone().verify_folder(folder.log, key)
    growth = ("verify", "growth", str(old), str(checkpoint), "--tiles", str(folder.log))
    assert "are what they were" in cli(*growth, "--key", keys[0]).stdout
    assert "not signed" in one_line(cli(*growth, "--key", keys[2], status=1))


def _is_led_to(cli: Cli, what: tuple[str, str], keys: list[str]) -> None:
    """Each key verifies what the last has signed, and it is said which that is."""
    for key in keys:
        said = cli("verify", *what, "--key", key).stdout
        assert (f"signed with {keys[-1]}, which your key" in said) == (key != keys[-1])
