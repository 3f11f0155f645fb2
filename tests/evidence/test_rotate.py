"""Rotation: at each moment one key signs, and whoever has an older one can follow to it."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from pathlib import Path

import pytest
from tests.support.disk import PowerCutError, SimulatedDisk
from tests.support.evidence import (
    IDENTITY,
    ORIGIN,
    VERIFIER,
    Log,
    configs,
    entries,
    make_log,
    publish,
    raised,
    standalone,
    write,
)

from farthing.errors import ConfigError
from farthing.evidence.identity import Identity, identity_of, verifier_of
from farthing.evidence.keyring import CURRENT, Keyring
from farthing.evidence.note import NoteError, Signer, Verifier, encoded, read_checkpoint, read_note
from farthing.evidence.publish import ContradictionError
from farthing.evidence.receipt import receipt_at
from farthing.evidence.rotate import begin, handover_of, rotate
from farthing.evidence.source import source_of
from farthing.evidence.store import Store
from farthing.evidence.verify import verify_consistency, verify_folder
from farthing.ledger.entry import Genesis
from farthing.ledger.reported import LogKey
from farthing.ledger.search import entries_of
from farthing.paths import DataFolder, lock

SECRETS, JOURNAL, LOG = Path("/data/secrets"), Path("/data/journal"), Path("/data/log")


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    """A folder on which a log was published, as by a gateway that stopped."""
    data = DataFolder(tmp_path)
    write(data.journal, [Genesis(1, "one"), *configs(29)])
    data.log.mkdir()
    go_on(data)
    return data


def go_on(data: DataFolder) -> None:
    identity = identity_of(data, ORIGIN)
    assert identity is not None
    publish(data.journal, data.log, identity)


def turn(data: DataFolder) -> Verifier:
    return asyncio.run(rotate(data, ORIGIN)).key


def secrets_in(data: DataFolder) -> set[str]:
    return {path.name for path in data.log_key.parent.iterdir() if path.suffix != ".lock"}


def test_an_older_key_verifies_all_that_a_newer_one_signed(data: DataFolder) -> None:
    """Receipt, folder and growth, by both verifiers, over two rotations; a newer key alone, too."""
    keys, checkpoints = [verifier_of(data, ORIGIN)], [(data.log / "checkpoint").read_bytes()]
    for _ in range(2):
        keys.append(turn(data))
        write(data.journal, configs(300))
        go_on(data)
        checkpoints.append((data.log / "checkpoint").read_bytes())
    assert verifier_of(data, ORIGIN) == keys[2] and secrets_in(data) == {CURRENT, "log-salt"}
    receipt = receipt_at(data.log, 30)
    assert receipt is not None
    for key in keys:
        checked = verify_folder(data.log, key)
        assert (checked.head.size, checked.key) == (632, keys[2])
        assert receipt.check(key) == checked.head
        assert "leaf 29 of 632" in standalone().verify_receipt(receipt.encode(), str(key))
        assert "632 entries" in standalone().verify_folder(data.log, str(key))
    fetch = source_of(str(data.log))
    old, new = verify_consistency(checkpoints[0], checkpoints[2], keys[0], fetch)
    assert (old.size, new.size) == (30, 632)
    assert raised(lambda: read_checkpoint(checkpoints[0], keys[1])), "a new key vouches for none"


def test_the_entry_is_in_the_log(data: DataFolder) -> None:
    before, key = verifier_of(data, ORIGIN), turn(data)
    go_on(data)
    (found,) = entries_of(data.journal, LogKey)
    assert handover_of(found[1]) == (before, key, handover_of(found[1]).signature)
    receipt = receipt_at(data.log, found[0])
    assert receipt is not None and receipt.number == 30
    for text in (str(key), str(before), found[1].signature):
        assert f'"{text}"'.encode() in receipt.entry


def test_until_it_is_published_the_old_key_is_kept(data: DataFolder) -> None:
    before = verifier_of(data, ORIGIN)
    key = turn(data)
    assert verifier_of(data, ORIGIN) == before and len(secrets_in(data)) == 3
    again = turn(data)
    assert handover_of(list(entries_of(data.journal, LogKey))[1][1]).before == key
    go_on(data)
    assert verifier_of(data, ORIGIN) == again and len(secrets_in(data)) == 2


def test_a_key_that_the_journal_names_is_not_made_up_for(data: DataFolder) -> None:
    turn(data)
    (new,) = secrets_in(data) - {CURRENT, "log-salt"}
    kept = (data.log_key.parent / new).read_bytes()
    (data.log_key.parent / new).unlink()
    before = (data.log / "checkpoint").read_bytes()
    with pytest.raises(ConfigError, match=f"put back {new} or log-key"):
        go_on(data)
    with pytest.raises(ConfigError, match="put back"):
        turn(data)
    assert (data.log / "checkpoint").read_bytes() == before
    (data.log_key.parent / new).write_bytes(kept)
    go_on(data)
    assert verify_folder(data.log, verifier_of(data, ORIGIN)).head.size == 31


def test_where_there_is_no_log_there_is_no_rotation(tmp_path: Path, data: DataFolder) -> None:
    with pytest.raises(ConfigError, match="there is no log"):
        turn(DataFolder(tmp_path / "none"))
    held = lock(data.log_key.with_suffix(".lock"), "")
    with pytest.raises(ConfigError, match="another rotation"):
        turn(data)
    os.close(held)


# -- what is not a handover -------------------------------------------------------------------


def rotated(root: Path, entry: LogKey) -> Log:
    log = make_log(root, entries(3))
    write(log.journal, [entry])
    return log


def word(signer: Signer = IDENTITY.signer, key: Verifier | None = None) -> LogKey:
    made = signer.hand_over(key or Signer(ORIGIN, b"n" * 32).verifier)
    return LogKey(9, "ann", str(made.key), str(made.before), encoded(made.signature))


@pytest.mark.parametrize(
    "entry",
    [
        LogKey(9, "ann", word().key, word().before, word(Signer(ORIGIN, b"o" * 32)).signature),
        LogKey(9, "ann", str(Signer(ORIGIN, b"m" * 32).verifier), word().before, word().signature),
        word(key=Signer("other", b"n" * 32).verifier),
        LogKey(9, "ann", "x", word().before, word().signature),
    ],
)
def test_without_the_old_keys_word_nothing_is_signed(tmp_path: Path, entry: LogKey) -> None:
    log = rotated(tmp_path, entry)
    before = log.checkpoint
    with pytest.raises(ContradictionError):
        publish(log.journal, log.folder)
    assert log.checkpoint == before


def test_only_the_key_that_signs_can_hand_over(tmp_path: Path) -> None:
    log = rotated(tmp_path, word())
    write(log.journal, [word(key=Signer(ORIGIN, b"x" * 32).verifier)])
    with pytest.raises(ContradictionError, match="not the word of the key that signs"):
        publish(log.journal, log.folder)


def test_a_checkpoint_of_the_key_before_is_seen(data: DataFolder) -> None:
    """Whoever kept an old key cannot sign on: the entries say whose turn it is."""
    identity = identity_of(data, ORIGIN)
    assert identity is not None
    old = identity.signer
    turn(data)
    go_on(data)
    head = read_note((data.log / "checkpoint").read_bytes()).head
    (data.log / "checkpoint").write_bytes(old.sign(head))
    with pytest.raises(NoteError, match="the entries say that"):
        verify_folder(data.log, old.verifier)
    with pytest.raises(ContradictionError, match="was not signed by this log"):
        go_on(data)


def test_a_changed_handover_is_seen(data: DataFolder) -> None:
    old = verifier_of(data, ORIGIN)
    turn(data)
    go_on(data)
    good, draw = (data.log / "checkpoint").read_bytes(), random.Random(4)
    lines = good.index(b"\n\n") + 2
    for _ in range(60):
        at = draw.randrange(lines, len(good))
        bad = good[:at] + bytes([good[at] ^ (1 << draw.randrange(8))]) + good[at + 1 :]
        assert raised(lambda bad=bad: read_checkpoint(bad, old)), at  # type: ignore[misc]
        assert raised(lambda bad=bad: standalone().read_checkpoint(bad, str(old))), at  # type: ignore[misc]


# -- crashes ----------------------------------------------------------------------------------


class Life:
    """A log on a simulated disk whose key is rotated by processes that are stopped."""

    def __init__(self, seed: int) -> None:
        self.disk = SimulatedDisk(random.Random(seed))
        write(JOURNAL, [Genesis(1, "one"), *configs(9)], self.disk)
        self.first = self.identity().signer.verifier
        publish(JOURNAL, LOG, self.identity(), self.disk)

    def identity(self) -> Identity:
        keys = Keyring(SECRETS, ORIGIN, self.disk)
        return Identity(ORIGIN, keys.current(), IDENTITY.salt, keys)

    def last(self) -> LogKey | None:
        named = [entry for _, entry in entries_of(JOURNAL, LogKey, self.disk)]
        return named[-1] if named else None

    def rotate(self) -> None:
        entry = begin(self.identity(), self.last())
        write(JOURNAL, [entry, *configs(2)], self.disk)
        publish(JOURNAL, LOG, self.identity(), self.disk)

    def look(self) -> None:
        """One key signs, the one that the journal names, and the first key leads to it."""
        last = self.last()
        key = handover_of(last).key if last else self.first
        assert Keyring(SECRETS, ORIGIN, self.disk).signer(key).verifier == key
        publish(JOURNAL, LOG, self.identity(), self.disk)
        store = Store(LOG, self.disk)
        for name in ("signed", "checkpoint"):
            assert read_note(store.read(name) or b"").follow(self.first) == key, name
        assert self.identity().signer.verifier == key


@pytest.mark.parametrize("power_lost", [False, True])
def test_stopped_at_every_step_one_key_signs(power_lost: bool) -> None:
    calls, done, rotated = 0, False, 0
    while not done:
        life = Life(calls)
        life.disk.calls_left = calls
        try:
            life.rotate()
            done = True
        except PowerCutError:
            life.disk.off = False
        life.disk.restart(power_lost and not done)
        rotated += life.last() is not None
        life.look()
        life.rotate()
        life.look()
        calls += 1
    assert calls > 25 and 0 < rotated < calls


def test_a_copy_of_a_rotated_log_is_verified_by_its_first_key(
    data: DataFolder, tmp_path: Path
) -> None:
    first = verifier_of(data, ORIGIN)
    turn(data)
    go_on(data)
    shutil.copytree(data.log, tmp_path / "copy")
    assert verify_folder(tmp_path / "copy", first).key != first != VERIFIER
