"""Who a log is: its name, the key it signs with, and the secret of its salts."""

from __future__ import annotations

from typing import NamedTuple

from farthing.errors import ConfigError
from farthing.evidence.keyring import Keyring
from farthing.evidence.note import Signer, Verifier
from farthing.ledger.disk import DISK
from farthing.ledger.entry import Genesis
from farthing.ledger.segments import first_entry
from farthing.paths import DataFolder, private_secret


class Identity(NamedTuple):
    """What one log is signed and salted with."""

    origin: str
    signer: Signer
    """The key in the first place; the journal may name another that comes after it."""
    salt: bytes
    keys: Keyring | None = None
    """Where another is; without it, the one key is all there is."""

    def signs_with(self, key: Verifier) -> Identity:
        """Return the identity with the private key of a public one.

        Raises:
            ConfigError: it is not there.
        """
        if self.signer.verifier == key:
            return self
        if self.keys is None:
            raise ConfigError(f"the private key of {key} is not there")
        return self._replace(signer=self.keys.signer(key))


def origin_of(data: DataFolder, setting: str) -> str | None:
    """Return the log's name: the setting's, or the ledger's own; None before its first entry."""
    genesis = first_entry(DISK, data.journal)
    if not isinstance(genesis, Genesis):
        return None
    return setting or f"farthing/{genesis.ledger}"


def identity_of(data: DataFolder, setting: str) -> Identity | None:
    """Return the log's identity, made at first use; None while there is no journal."""
    origin = origin_of(data, setting)
    if origin is None:
        return None
    keys = Keyring(data.log_key.parent, origin)
    return Identity(origin, keys.current(), private_secret(data.log_salt), keys)


def verifier_of(data: DataFolder, setting: str) -> Verifier:
    """Return the public key that signs, or will until a rotation has been published.

    Raises:
        ConfigError: no gateway has run on the data folder yet.
    """
    origin = origin_of(data, setting)
    if origin is None or not data.log_key.exists():
        raise ConfigError(f"there is no log in {data.root} yet; `farthing up` starts one")
    return Keyring(data.log_key.parent, origin).current().verifier
