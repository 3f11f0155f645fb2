"""Go's own packages for transparency logs accept ours: somebody else's code, no word of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.evidence import IDENTITY, ORIGIN, VERIFIER, configs, make_log

from farthing.evidence.cosign import COSIGNATURE, cosignature
from farthing.evidence.note import Signer
from farthing.ledger.entry import Genesis

# Where Debian's golang-golang-x-mod-dev puts it.
GOPATH = Path("/usr/share/gocode")
PROGRAM = Path(__file__).parents[1] / "support" / "verify_log.go"
SIZE, STEP = 100_000, 997


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built from what is on this machine."""
    go = shutil.which("go")
    if go is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").exists():
        pytest.skip("Go and golang.org/x/mod are not here; on Debian: golang-go "
                    "golang-golang-x-mod-dev")  # fmt: skip
    built = tmp_path_factory.mktemp("go") / "verify_log"
    environ = {
        **os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOFLAGS": "",
        "GOCACHE": str(built.parent / "cache"), "CGO_ENABLED": "0",
    }  # fmt: skip
    command = [go, "build", "-o", str(built), str(PROGRAM)]
    subprocess.run(command, env=environ, check=True, capture_output=True, timeout=300)
    return built


def run(program: Path, key: str, folder: Path, *witness: str) -> subprocess.CompletedProcess[str]:
    command = [str(program), key, str(folder), str(STEP), *witness]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_go_verifies_a_log_of_100_000_entries(program: Path, tmp_path: Path) -> None:
    log = make_log(tmp_path, [Genesis(1, "one"), *configs(SIZE - 1)])
    said = run(program, str(VERIFIER), log.folder)
    assert said.stdout == f"verified {-(-SIZE // STEP)} of {SIZE}\n", said
    path = log.folder / "tile/0/007"
    changed = bytearray(path.read_bytes())
    changed[5] ^= 1
    path.write_bytes(changed)
    assert run(program, str(VERIFIER), log.folder).stdout.startswith("NOT VERIFIED: ")


def test_go_takes_a_checkpoint_that_was_cosigned_by_a_key_that_was_rotated_to(
    program: Path, tmp_path: Path
) -> None:
    """Its note package passes over handovers, as it must, and finds both who signed."""
    log = make_log(tmp_path, [Genesis(1, "one"), *configs(299)])
    new = Signer(ORIGIN, b"n" * 32)
    witness = Signer("w.example", b"w" * 32, COSIGNATURE)
    signed = new.sign(log.head, [IDENTITY.signer.hand_over(new.verifier)])
    line = cosignature(witness, log.head, 1_700_000_000).line.encode()
    (log.folder / "checkpoint").write_bytes(signed + line)
    both = (str(new.verifier), log.folder, str(witness.verifier))
    assert run(program, *both).stdout == "verified 1 of 300\n"
    assert "NOT VERIFIED" in run(program, str(VERIFIER), log.folder).stdout
    late = cosignature(witness, log.head, 1_700_000_001)._replace(
        data=(1_700_000_000).to_bytes(8, "big")
        + cosignature(witness, log.head, 1_700_000_001).data[8:]
    )
    (log.folder / "checkpoint").write_bytes(signed + late.line.encode())
    assert "NOT VERIFIED" in run(program, *both).stdout
