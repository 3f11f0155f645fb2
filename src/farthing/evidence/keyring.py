"""The private keys of a log: the one that signs, and one that is to sign after it.

The journal says which key signs: the one of its last `log-key` entry. A new key's file is on the
disk before that entry is, under a name of its own; once a checkpoint is public that the new key
signed, its file takes the place of the old one, which is then nowhere any more. So at each moment
the one that the journal names is here, whatever was interrupted.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from farthing.errors import ConfigError
from farthing.evidence.note import Signer, Verifier
from farthing.evidence.store import Store
from farthing.ledger.disk import DISK, Disk
from farthing.paths import new_secret, secret_of

CURRENT = "log-key"


class Keyring:
    """The files of a log's private keys."""

    def __init__(self, folder: Path, origin: str, disk: Disk = DISK) -> None:
        self._folder = folder
        self._origin = origin
        self._store = Store(folder, disk)

    def current(self) -> Signer:
        """Return the key in the first place, made if there is none yet.

        Raises:
            ConfigError: its file holds something else.
        """
        if self._store.read(CURRENT) is None:
            self._store.replace(CURRENT, new_secret())
        return Signer(self._origin, self._seed(CURRENT))

    def signer(self, key: Verifier) -> Signer:
        """Return the private key of a public one.

        Raises:
            ConfigError: it is not here.
        """
        for name in (_named(key), CURRENT):  # as `keep` moves it
            if self._store.read(name) is not None:
                signer = Signer(self._origin, self._seed(name))
                if signer.verifier == key:
                    return signer
        raise ConfigError(
            f"the log is signed with {key} from now on, and its private key is not in "
            f"{self._folder}; put back {_named(key)} or {CURRENT}, whichever was there"
        )

    def add(self) -> Signer:
        """Make a new key, for the journal to name; durable when this returns."""
        seed = new_secret()
        signer = Signer(self._origin, bytes.fromhex(seed.decode()))
        self._store.replace(_named(signer.verifier), seed)
        return signer

    def keep(self, key: Verifier, older: Iterable[Verifier]) -> None:
        """Put a key in the first place, and forget the ones before it."""
        for each in older:
            self._store.remove(_named(each))
        if self._store.read(_named(key)) is not None:
            self._store.rename(_named(key), CURRENT)

    def _seed(self, name: str) -> bytes:
        return secret_of(self._store.read(name) or b"", self._folder / name)


def _named(key: Verifier) -> str:
    return f"{CURRENT}-{key.key.hex()[:16]}"
