"""A log's name and secrets: made once, private, and never made up again."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.evidence import write

from farthing.errors import ConfigError
from farthing.evidence.identity import identity_of, origin_of, verifier_of
from farthing.ledger.entry import Genesis
from farthing.paths import DataFolder


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    data = DataFolder(tmp_path)
    write(data.journal, [Genesis(1, "0a1b")])
    return data


def test_before_the_first_entry_there_is_none(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    data.journal.mkdir()
    assert identity_of(data, "log.example") is None and not data.log_key.exists()
    with pytest.raises(ConfigError, match="there is no log in"):
        verifier_of(data, "")


def test_the_name_is_the_ledgers_or_the_settings(data: DataFolder) -> None:
    assert origin_of(data, "") == "farthing/0a1b"
    assert origin_of(data, "log.example/a") == "log.example/a"


def test_key_and_salt_are_made_once_and_private(data: DataFolder) -> None:
    one, again = identity_of(data, ""), identity_of(data, "")
    assert one is not None and again is not None
    assert (one.origin, one.salt) == (again.origin, again.salt)
    assert one.signer.verifier == again.signer.verifier == verifier_of(data, "")
    for path in (data.log_key, data.log_salt):
        assert path.stat().st_mode & 0o777 == 0o600
    assert data.log_key.read_text() != data.log_salt.read_text()


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, "ab" * 31])
def test_a_damaged_secret_is_refused(data: DataFolder, text: str) -> None:
    identity_of(data, "")
    data.log_key.write_text(text)
    with pytest.raises(ConfigError, match="not 32 bytes in hexadecimal"):
        identity_of(data, "")
    assert data.log_key.read_text() == text
