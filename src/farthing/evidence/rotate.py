"""Rotating a log's key: the new key's file, then the entry of the journal that names it."""

from __future__ import annotations

import os

from farthing import clock
from farthing.errors import ConfigError
from farthing.evidence.identity import Identity, identity_of
from farthing.evidence.note import Handover, NoteError, Verifier, decoded, encoded
from farthing.ledger import admin
from farthing.ledger.reported import LogKey
from farthing.ledger.search import entries_of
from farthing.paths import DataFolder, lock


async def rotate(data: DataFolder, setting: str) -> Handover:
    """Have a new key sign from the next checkpoint on, whether a gateway runs or not.

    Raises:
        ConfigError: there is no log, its key is not there, or another rotation is under way.
    """
    identity = identity_of(data, setting) if data.log_key.exists() else None
    if identity is None:
        raise ConfigError(f"there is no log in {data.root} yet; `farthing up` starts one")
    held = lock(data.log_key.with_suffix(".lock"), "another rotation of the log's key is under way")
    try:
        entry = begin(identity, _named_last(data))
        (refusal,) = await admin.record(data, [entry])
        assert refusal is None, "the state machine takes every key"
        return handover_of(entry)
    finally:
        os.close(held)


def begin(identity: Identity, last: LogKey | None) -> LogKey:
    """Make a new key, durable on the disk, and return the entry that will name it."""
    keys = identity.keys
    assert keys is not None, "a data folder's"
    if last is not None:
        identity = identity.signs_with(handover_of(last).key)
    made = identity.signer.hand_over(keys.add().verifier)
    word = encoded(made.signature)
    return LogKey(clock.wall(), admin.who(), str(made.key), str(made.before), word)


def handover_of(entry: LogKey) -> Handover:
    """Return what an entry says, its signature checked.

    Raises:
        NoteError: it is not a log's own.
    """
    keys = Verifier.of(entry.before), Verifier.of(entry.key)
    handover = Handover(*keys, decoded(entry.signature))
    if handover.key.name != handover.before.name:
        raise NoteError(f"the key of {handover.before.name!r} cannot be handed to another log")
    handover.check()
    return handover


def _named_last(data: DataFolder) -> LogKey | None:
    named = [entry for _, entry in entries_of(data.journal, LogKey)]
    return named[-1] if named else None
