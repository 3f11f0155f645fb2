"""`farthing witness` as a process, and a gateway whose log it cosigns."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.support.evidence import IDENTITY, ORIGIN, VERIFIER, standalone
from tests.support.gateway import RunningGateway
from tests.support.provider import FakeProvider

from farthing.evidence.cosign import COSIGNATURE
from farthing.evidence.note import Head, Signer
from farthing.evidence.post import Answer, Target, post
from farthing.evidence.witness import hash_of
from farthing.evidence.witnesses import standings
from farthing.paths import DataFolder, write_private


class Process:
    """`farthing witness`; it prints its address and key."""

    def __init__(self, folder: Path, *logs: str, port: int = 0) -> None:
        keys = [argument for log in logs for argument in ("--log", log)]
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "farthing", "witness", "--name", "w.example", "--json"),
                *("--listen", f"127.0.0.1:{port}", "--folder", str(folder), *keys),
            ],
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        told: dict[str, str] = json.loads(self.process.stdout.readline())
        self.address, self.key = told["address"], told["key"]
        self.port = int(self.address.rpartition(":")[2])

    def add(self, body: bytes) -> Answer:
        return post(Target(self.address + "/add-checkpoint", True), body, "text/plain")

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        status = self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


def forged(old: int, size: int) -> bytes:
    return b"old %d\n\n" % old + IDENTITY.signer.sign(Head(ORIGIN, size, b"f" * 32))


def test_killed_it_knows_what_it_cosigned_and_its_key(tmp_path: Path) -> None:
    first = Process(tmp_path / "w", str(VERIFIER))
    head = IDENTITY.signer.sign(Head(ORIGIN, 3, b"r" * 32))
    assert first.add(b"old 0\n\n" + head).status == 200
    first.end(signal.SIGKILL)
    again = Process(tmp_path / "w", str(VERIFIER))
    assert again.key == first.key
    assert again.add(forged(0, 3)) == Answer(409, b"3\n")
    assert again.add(forged(3, 3)).status == 422
    assert again.end() == 0
    assert (tmp_path / "w/witness-key").stat().st_mode & 0o777 == 0o600


def test_what_it_is_not_started_with(cli: Cli, tmp_path: Path) -> None:
    wrong = str(Signer("w", b"w" * 32, COSIGNATURE).verifier)
    folder = ("--folder", str(tmp_path / "w"))
    assert "not a public key" in one_line(cli("witness", "--log", wrong, *folder, status=1))
    good = ("--log", str(VERIFIER))
    assert "no name" in one_line(cli("witness", *good, *folder, "--name", "a b", status=2))
    assert "address and a port" in one_line(
        cli("witness", *good, *folder, "--listen", "nowhere", status=1)
    )


def test_a_gateway_does_not_start_with_a_witness_whose_key_is_none(tmp_path: Path) -> None:
    toml = PEER.format(address="http://127.0.0.1:9", key=str(VERIFIER))
    with pytest.raises(RuntimeError, match=r"the witness http://127\.0\.0\.1:9: not a public key"):
        RunningGateway(tmp_path / "gateway", toml)


def test_a_gateways_receipts_carry_what_its_witness_saw(
    cli: Cli, tmp_path: Path, shared_provider: FakeProvider
) -> None:
    """The whole way, with the witness killed in between."""
    (tmp_path / "gateway").mkdir()
    write_private(DataFolder(tmp_path / "gateway/data").log_key, SEED.hex())
    public = str(Signer(ORIGIN, SEED).verifier)
    witness = Process(tmp_path / "w", public)
    peer = PEER.format(address=witness.address, key=witness.key)
    gateway = RunningGateway(tmp_path / "gateway", TOP + shared_provider.toml() + peer)
    data = ("--data", str(gateway.data.root))
    key, config = gateway.key(), gateway.folder / "farthing.toml"
    try:
        for kill in (True, False):
            query = gateway.chat(key, "echo").query
            gateway.record_when_ended(query, key)
            told = _cosigned(cli, gateway, query, key, (public, witness.key))
            assert told["entry"]["id"] == query
            assert [each["witness"] for each in told["cosigned"]] == ["w.example"]
            if kill:
                witness.end(signal.SIGKILL)
                assert gateway.chat(key, "echo").status == 200, "nobody waits for it"
                gateway.wait_until(lambda: _problem(gateway) != "")
                witness = Process(tmp_path / "w", public, port=witness.port)
        gateway.wait_until(lambda: _problem(gateway) == "")
        said = cli("doctor", "--offline", "--config", str(config), *data).stdout
        assert f"{witness.address} cosigned" in said
        gateway.wait_until(
            lambda: gateway.request("GET", "/log/cosigned").body == _seen(witness, public)
        )
    finally:
        gateway.stop()
        witness.end()
    file = tmp_path / "q.tlog-proof"
    other = str(Signer("other.example", b"o" * 32, COSIGNATURE).verifier)
    verify = ("verify", "receipt", str(file), "--key", public, "--witness", witness.key)
    assert "cosigned by w.example at 20" in cli(*verify).stdout
    failed = one_line(cli(*verify, "--witness", other, status=1))
    assert "1 of the witnesses cosigned it, and 2 must have; without: other.example" in failed
    cli(*verify, "--witness", other, "--need", "1")
    assert query in standalone().verify_receipt(file.read_bytes(), public)


SEED = b"k" * 32
TOP = f'log_origin = "{ORIGIN}"\nwitness_seconds = 0.2\n'
PEER = """
[[witnesses]]
url = "{address}"
key = "{key}"
allow_private_address = true
"""


def _seen(witness: Process, public: str) -> bytes:
    """What the witness itself shows of the log."""
    url = f"{witness.address}/{hash_of(public.partition('+')[0])}/checkpoint"
    with urllib.request.urlopen(url, timeout=10) as answer:
        data: bytes = answer.read()
        return data


def _cosigned(
    cli: Cli, gateway: RunningGateway, query: str, key: str, keys: tuple[str, str]
) -> dict[str, Any]:
    """A query's receipt, once a witness has seen the log with it; it is left in a file."""
    file = gateway.folder.parent / "q.tlog-proof"
    found: list[dict[str, Any]] = []

    def there() -> bool:
        served = gateway.request("GET", f"/v1/queries/{query}/receipt", key=key)
        file.write_bytes(served.body)
        arguments = ("--key", keys[0], "--witness", keys[1], "--need", "1", "--json")
        if "— w.example " not in served.body.decode():
            return False
        found.extend(values(cli("verify", "receipt", str(file), *arguments)))
        return True

    gateway.wait_until(there)
    return found[0]


def _problem(gateway: RunningGateway) -> str:
    (last,) = standings(gateway.data.witnesses)
    return last.problem
