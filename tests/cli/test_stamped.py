"""`farthing verify timestamp`: offline, and plain about what it was not given to check."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.support.authority import Authority
from tests.support.evidence import IDENTITY, ORIGIN, VERIFIER

from farthing.evidence.note import Head, Signer
from farthing.evidence.timestamp import query

KEY = ("--key", str(VERIFIER))
CHECKPOINT = IDENTITY.signer.sign(Head(ORIGIN, 300, b"r" * 32))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))


class Files:
    """A stored stamp, its checkpoint and its authority's root."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.stamp, self.checkpoint = folder / "300.tsr", folder / "300.checkpoint"
        self.stamp.write_bytes(authority.answer(query(CHECKPOINT).body))
        self.checkpoint.write_bytes(CHECKPOINT)
        self.command = (
            "verify",
            "timestamp",
            str(self.stamp),
            "--checkpoint",
            str(self.checkpoint),
        )
        self.ca = ("--ca", str(authority.ca))


@pytest.fixture
def files(tmp_path: Path, authority: Authority) -> Files:
    return Files(tmp_path, authority)


def test_with_a_ca_and_the_key_everything_is_verified(cli: Cli, files: Files) -> None:
    said = cli(*files.command, *files.ca, *KEY).stdout
    assert said.startswith(f"verified: 300 entries of {ORIGIN} were there at 20")
    assert said.endswith("Z, says CN=Test TSA\n") and "NOT CHECKED" not in said
    (told,) = values(cli(*files.command, *files.ca, *KEY, "--json"))
    assert (told["size"], told["origin"], told["key"]) == (300, ORIGIN, str(VERIFIER))
    assert told["not_checked"] == [] and told["authority"] == "CN=Test TSA"


def test_what_was_not_checked_is_said(cli: Cli, files: Files) -> None:
    said = cli(*files.command).stdout
    assert said.startswith("the stamp is of this checkpoint: 300") and "verified" not in said
    assert "NOT CHECKED: the stamp's signature and whose it is" in said
    assert "NOT CHECKED: the checkpoint's signature" in said
    assert "the stamp's signature" not in cli(*files.command, *files.ca).stdout
    assert "the checkpoint's signature" not in cli(*files.command, *KEY).stdout
    assert values(cli(*files.command, "--json"))[0]["key"] is None


def test_a_changed_byte_is_found(cli: Cli, files: Files) -> None:
    files.checkpoint.write_bytes(CHECKPOINT.replace(b"300", b"301"))
    assert "NOT VERIFIED: the time stamp is of something else" in one_line(
        cli(*files.command, status=1)
    )
    files.checkpoint.write_bytes(CHECKPOINT)
    stamp = bytearray(files.stamp.read_bytes())
    stamp[-1] ^= 1  # the signature's last byte
    files.stamp.write_bytes(stamp)
    cli(*files.command)  # which nobody could see without the certificate's root
    said = one_line(cli(*files.command, *files.ca, status=1))
    assert "NOT VERIFIED: no certificate that was given vouches for it" in said


def test_files_that_are_something_else(cli: Cli, files: Files, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("something else\n")
    said = one_line(cli(*files.command, "--ca", str(other), status=1))
    assert "holds no certificates in PEM" in said
    files.checkpoint.write_text("something else\n")
    assert "NOT VERIFIED" in one_line(cli(*files.command, status=1))
    files.checkpoint.write_bytes(CHECKPOINT)
    files.stamp.write_bytes(CHECKPOINT)
    assert "not an answer of RFC 3161" in one_line(cli(*files.command, status=1))


def test_the_roots_and_the_key_must_be_theirs(cli: Cli, files: Files, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger")
    said = one_line(cli(*files.command, "--ca", str(stranger.ca), status=1))
    assert said.endswith(
        "no certificate that was given vouches for it: unable to get local issuer certificate"
    )
    both = tmp_path / "both.pem"
    both.write_bytes(stranger.ca.read_bytes() + Path(files.ca[1]).read_bytes())
    cli(*files.command, "--ca", str(both))
    key = str(Signer(ORIGIN, b"o" * 32).verifier)
    assert "not signed" in one_line(cli(*files.command, "--key", key, status=1))
