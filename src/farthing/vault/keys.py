"""The vault's keys: one for each tenant, encrypted with the master key, to be destroyed alone.

A tenant is the topmost scope that a query's key belongs to. Whatever of the vault was copied cannot
be read any more once its tenant's key is gone; whoever has a copy of that file and the master key
can. `keys/NAME` is a file of JSON: the tenant, the key's id, and nonce and AES-256-GCM of the key.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from farthing.errors import ConfigError
from farthing.paths import DataFolder, private_secret, sync_folder

MASTER_ENV = "FARTHING_VAULT_KEY"
FOLDER = "keys"
KEY_BYTES = 32
ID_BYTES = 8
# NIST SP 800-38D §8.2.2: a random nonce of 96 bits, for at most 2³² messages of one key.
NONCE_BYTES = 12


class TenantKey(NamedTuple):
    """What a tenant's records are encrypted with."""

    id: bytes
    secret: bytes


class _File(msgspec.Struct):
    tenant: str
    id: str
    sealed: str


_decode = msgspec.json.Decoder(_File).decode


def master_key(data: DataFolder) -> bytes:
    """Return the master key, 32 bytes: of the environment, or a file that is made at first use.

    Raises:
        ConfigError: what is there is no key.
    """
    told = os.environ.get(MASTER_ENV)
    if told is None:
        return private_secret(data.vault_key)
    try:
        found = bytes.fromhex(told)
    except ValueError:
        found = b""
    if len(found) != KEY_BYTES:
        raise ConfigError(f"{MASTER_ENV} is not 32 bytes in hexadecimal")
    return found


def segment_cipher(key: TenantKey, segment: bytes) -> AESGCM:
    """Return what encrypts a tenant's records in one segment, of a key of its own (RFC 5869): no
    segment can have so many records that their random nonces would meet."""
    derive = HKDF(SHA256(), KEY_BYTES, salt=segment, info=b"farthing vault segment")
    return AESGCM(derive.derive(key.secret))


class Keys:
    """The tenants' keys in a folder, used by several processes at once."""

    def __init__(self, folder: Path, master: bytes) -> None:
        """`folder` is the vault's; it and what is in it are made when they are missing."""
        folder.mkdir(exist_ok=True, mode=0o700)
        self._vault = folder
        self._folder = folder / FOLDER
        self._folder.mkdir(exist_ok=True, mode=0o700)
        self._master = AESGCM(master)
        self._known: dict[str, tuple[bytes, TenantKey]] = {}

    def held(self) -> contextlib.AbstractContextManager[None]:
        """Keep all keys from being destroyed meanwhile."""
        return _guarded(self._vault, fcntl.LOCK_SH)

    def of(self, tenant: str) -> TenantKey:
        """Return a tenant's key, made when there is none; while it is `held`.

        Raises:
            ConfigError: the master key is not the one that it was encrypted with.
            OSError: the disk cannot take it.
        """
        path = _path(self._vault, tenant)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            self._make(path, tenant)
            return self.of(tenant)
        known = self._known.get(tenant)
        if known is None or known[0] != data:  # another process may have destroyed the one before
            known = self._known[tenant] = (data, self._read(path, data))
        return known[1]

    def all(self) -> dict[bytes, TenantKey]:
        """Return all keys by their ids.

        Raises:
            ConfigError: the master key is not the one that they were encrypted with.
        """
        paths = [path for path in sorted(self._folder.iterdir()) if not path.suffix]
        found = (self._read(path, path.read_bytes()) for path in paths)
        return {key.id: key for key in found}

    def _make(self, path: Path, tenant: str) -> None:
        """Put a new key in place whole, unless somebody else just has."""
        id_, nonce = secrets.token_bytes(ID_BYTES), secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._master.encrypt(nonce, secrets.token_bytes(KEY_BYTES), id_)
        temporary = path.with_suffix(f".{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(temporary, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
                file.write(msgspec.json.encode(_File(tenant, id_.hex(), sealed.hex())))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(self._folder)

    def _read(self, path: Path, data: bytes) -> TenantKey:
        try:
            file = _decode(data)
            id_, sealed = bytes.fromhex(file.id), bytes.fromhex(file.sealed)
            secret = self._master.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], id_)
        except (InvalidTag, ValueError):
            raise ConfigError(
                f"{path} cannot be decrypted: put back the secrets/vault-key (or {MASTER_ENV}) "
                "that it was made with"
            ) from None
        return TenantKey(id_, secret)


def key_id(vault: Path, tenant: str) -> str:
    """Return the id of a tenant's key, in hexadecimal; empty if it has none."""
    try:
        return _decode(_path(vault, tenant).read_bytes()).id
    except FileNotFoundError:
        return ""


def destroy(vault: Path, tenant: str, id_: str) -> None:
    """Overwrite a tenant's key and delete it, unless it is another one by now."""
    path = _path(vault, tenant)
    with _guarded(vault, fcntl.LOCK_EX):
        if not path.exists() or not _goes(path, id_):
            return
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        sync_folder(path.parent)


def _goes(path: Path, id_: str) -> bool:
    """Say whether a file is that key's, or was half overwritten."""
    try:
        return _decode(path.read_bytes()).id == id_
    except msgspec.DecodeError:
        return True


@contextlib.contextmanager
def _guarded(vault: Path, how: int) -> Iterator[None]:
    guard = os.open(vault / "guard", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(guard, how)
        yield
    finally:
        os.close(guard)


@lru_cache(1024)
def _path(vault: Path, tenant: str) -> Path:
    return vault / FOLDER / hashlib.sha256(tenant.encode()).hexdigest()[:32]
