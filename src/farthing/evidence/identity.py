"""Who a log is: its name, the key it signs with, and the secret of its salts."""

from __future__ import annotations

from typing import NamedTuple

from farthing.errors import ConfigError
from farthing.evidence.note import Signer, Verifier
from farthing.ledger.disk import DISK
from farthing.ledger.entry import Genesis
from farthing.ledger.segments import first_entry
from farthing.paths import DataFolder, private_secret


class Identity(NamedTuple):
    """What one log is signed and salted with."""

    origin: str
    signer: Signer
    salt: bytes


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
    return Identity(
        origin, Signer(origin, private_secret(data.log_key)), private_secret(data.log_salt)
    )


def verifier_of(data: DataFolder, setting: str) -> Verifier:
    """Return the log's public key.

    Raises:
        ConfigError: no gateway has run on the data folder yet.
    """
    origin = origin_of(data, setting)
    if origin is None or not data.log_key.exists():
        raise ConfigError(f"there is no log in {data.root} yet; `farthing up` starts one")
    return Signer(origin, private_secret(data.log_key)).verifier
