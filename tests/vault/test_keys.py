"""The vault's keys: one for each tenant, made once, and gone when they are destroyed."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.vault import MASTER, all_bytes

from farthing.errors import ConfigError
from farthing.paths import DataFolder
from farthing.vault.keys import MASTER_ENV, Keys, destroy, key_id, master_key, segment_cipher


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


def test_a_tenant_has_one_key_for_all_processes(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: Keys(folder, MASTER).of("org:acme"), range(32)))
    (key,) = found
    assert len(key.secret) == 32
    assert Keys(folder, MASTER).all() == {key.id: key}
    assert len(list((folder / "keys").iterdir())) == 1


def test_tenants_have_keys_of_their_own(folder: Path) -> None:
    keys = Keys(folder, MASTER)
    assert keys.of("org:acme") != keys.of("org:other") and len(keys.all()) == 2


def test_no_key_is_there_in_plain(folder: Path) -> None:
    key = Keys(folder, MASTER).of("org:acme")
    held = all_bytes(folder)
    assert key.secret not in held and key.secret.hex().encode() not in held


def test_another_master_key_opens_nothing_and_is_found_out(folder: Path) -> None:
    Keys(folder, MASTER).of("org:acme")
    other = Keys(folder, b"o" * 32)
    for ask in (lambda: other.of("org:acme"), other.all):
        with pytest.raises(ConfigError, match=r"put back the secrets/vault-key"):
            ask()


def test_a_destroyed_key_is_gone_and_the_next_is_another(folder: Path) -> None:
    keys = Keys(folder, MASTER)
    old, name = keys.of("org:acme"), key_id(folder, "org:acme")
    assert name == old.id.hex()
    before = (next((folder / "keys").iterdir())).read_bytes()
    destroy(folder, "org:acme", name)
    assert keys.all() == {} and key_id(folder, "org:acme") == ""
    new = keys.of("org:acme")  # the same process, which knew the old one
    assert new.id != old.id and new.secret != old.secret
    assert before not in all_bytes(folder)
    destroy(folder, "org:acme", name)  # again, after a crash: the new one stays
    assert keys.of("org:acme") == new


@pytest.mark.parametrize("cut", [0, 40, 10_000])
def test_one_that_was_half_overwritten_is_destroyed_all_the_same(folder: Path, cut: int) -> None:
    Keys(folder, MASTER).of("org:acme")
    (path,) = (folder / "keys").iterdir()
    name, data = key_id(folder, "org:acme"), path.read_bytes()
    path.write_bytes(bytes(min(cut, len(data))) + data[cut:])
    destroy(folder, "org:acme", name)
    assert not path.exists()


def test_the_master_key_is_made_once_or_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(MASTER_ENV, raising=False)
    data = DataFolder(tmp_path / "data")
    made = master_key(data)
    assert len(made) == 32 and master_key(data) == made
    assert data.vault_key.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv(MASTER_ENV, MASTER.hex())
    assert master_key(data) == MASTER
    monkeypatch.setenv(MASTER_ENV, "short")
    with pytest.raises(ConfigError, match="32 bytes in hexadecimal"):
        master_key(data)


def test_each_segment_has_a_key_of_its_own(folder: Path) -> None:
    key, nonce = Keys(folder, MASTER).of("org:acme"), os.urandom(12)
    one, other = (segment_cipher(key, bytes([n]) * 16) for n in (1, 2))
    assert one.encrypt(nonce, b"same", b"") != other.encrypt(nonce, b"same", b"")
