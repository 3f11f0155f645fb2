"""The files of private keys: made once, private, and each in the place that says what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from farthing.errors import ConfigError
from farthing.evidence.keyring import CURRENT, Keyring
from farthing.evidence.note import Signer
from farthing.paths import secret_of


@pytest.fixture
def keys(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "secrets", "log.example")


def names(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "secrets").iterdir())


def test_the_first_key_is_made_once_and_private(keys: Keyring, tmp_path: Path) -> None:
    one = keys.current().verifier
    assert one == keys.current().verifier == keys.signer(one).verifier
    assert names(tmp_path) == [CURRENT]
    assert (tmp_path / "secrets" / CURRENT).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_another_waits_beside_it_until_it_is_kept(keys: Keyring, tmp_path: Path) -> None:
    first, second, third = keys.current(), keys.add(), keys.add()
    assert keys.current().verifier == first.verifier
    assert keys.signer(third.verifier).verifier == third.verifier
    assert len(names(tmp_path)) == 3
    for _ in range(2):  # again, as after a crash
        keys.keep(third.verifier, [first.verifier, second.verifier])
        assert keys.current().verifier == third.verifier and names(tmp_path) == [CURRENT]
    with pytest.raises(ConfigError, match="put back log-key-"):
        keys.signer(first.verifier)


@pytest.mark.parametrize("text", [b"", b"abc", b"zz" * 32, b"ab" * 31, b"\xff" * 64])
def test_what_is_no_secret_is_refused(text: bytes, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not 32 bytes in hexadecimal"):
        secret_of(text, tmp_path)


def test_a_key_of_another_name_is_another(keys: Keyring, tmp_path: Path) -> None:
    made = keys.current()
    other = Keyring(tmp_path / "secrets", "other.example")
    assert other.current().verifier != made.verifier
    assert isinstance(other.current(), Signer)
