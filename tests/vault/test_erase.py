"""Erasing: nothing is left, the journal says so once, whatever crashes and wherever."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.disk import PowerCutError, SimulatedDisk
from tests.support.vault import (
    LEDGER,
    MASTER,
    ORG,
    all_bytes,
    frames,
    queries,
    records,
    write,
)

from farthing.errors import ConfigError
from farthing.ledger.disk import DISK, Disk
from farthing.ledger.entry import Genesis, encode
from farthing.ledger.journal import Journal
from farthing.ledger.reported import Erasure
from farthing.vault import erase as module
from farthing.vault.contents import read_contents
from farthing.vault.erase import PAPER, Eraser, Intent, chosen, sealed_frames
from farthing.vault.keys import Keys, key_id

OTHER = ("key:k2", "org:other")


class Ledger:
    """A ledger that remembers erasures, and dies when it is told to."""

    def __init__(self) -> None:
        self.entries: list[Erasure] = []
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def record(self, entries: list[Erasure]) -> None:
        self.before()
        self.entries += entries
        self.after()


class ListedEraser(Eraser):
    """An eraser whose journal is a list."""

    def __init__(self, vault: Path, ledger: Ledger, disk: Disk = DISK) -> None:
        super().__init__(vault, vault, ledger.record, disk)
        self._ledger = ledger

    def _is_recorded(self, entry: Erasure) -> bool:
        return entry in self._ledger.entries


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    folder = tmp_path / "vault"
    write(folder, records("q1", b"one"), records("q2", b"two"), run="a")
    write(folder, records("q3", b"three", lineage=OTHER), run="b")
    return folder


def intent(*some: str, **told: str) -> Intent:
    return Intent(5, "ann", "request", list(some), "asked for", {"q1": 7}, **told)


def test_what_is_erased_is_gone_and_named(vault: Path) -> None:
    ledger = Ledger()
    eraser = ListedEraser(vault, ledger)
    with eraser.alone():
        (entry,) = eraser.erase(intent("q1", "q3"))
    assert queries(vault) == ["q2"] and ledger.entries == [entry]
    assert (entry.queries, entry.endings) == (("q1", "q3"), (7, 0))
    assert (entry.by, entry.cause, entry.reason) == ("ann", "request", "asked for")
    assert not (vault / PAPER).exists()
    found = read_contents(vault, Keys(vault, MASTER), LEDGER, "q2")
    assert found is not None and found["prompt"].data == b"two"
    assert read_contents(vault, Keys(vault, MASTER), LEDGER, "q1") is None


def test_many_are_named_in_several_entries(vault: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTRY_QUERIES", 2)
    ledger = Ledger()
    eraser = ListedEraser(vault, ledger)
    with eraser.alone():
        eraser.erase(intent("q1", "q2", "q3"))
    assert [entry.queries for entry in ledger.entries] == [("q1", "q2"), ("q3",)]
    assert [entry.endings for entry in ledger.entries] == [(7, 0), ()]
    assert len({entry.id for entry in ledger.entries}) == 2


def test_with_a_tenants_key_goes_all_that_was_written_with_it(vault: Path) -> None:
    copy = {path: path.read_bytes() for path in vault.glob("*.vault")}
    keys, ledger = Keys(vault, MASTER), Ledger()
    key = key_id(vault, "org:acme")
    eraser = ListedEraser(vault, ledger)
    with eraser.alone():
        (entry,) = eraser.erase(intent("q1", tenant="org:acme", key=key))
    assert (entry.scope, entry.queries) == ("org:acme", ("q1", "q2"))  # q2 ended meanwhile
    assert queries(vault) == ["q3"] and bytes.fromhex(key) not in keys.all()
    for path, data in copy.items():  # a copy of the vault is put back
        path.write_bytes(data)
    assert read_contents(vault, keys, LEDGER, "q1") is None
    assert read_contents(vault, keys, LEDGER, "q3") is not None


def test_what_is_written_after_its_tenants_key_was_destroyed_stays(vault: Path) -> None:
    ledger, told = Ledger(), intent(tenant="org:acme", key=key_id(vault, "org:acme"))
    eraser = ListedEraser(vault, ledger)

    def later() -> None:
        ledger.before = lambda: None
        write(vault, records("q4", b"four"), run="c")
        raise ConfigError("the journal is full")

    ledger.before = later
    with eraser.alone(), pytest.raises(ConfigError):
        eraser.erase(told)
    with eraser.alone():  # what was begun is finished, with the old key alone
        assert queries(vault) == ["q3", "q4"]
    assert [entry.queries for entry in ledger.entries] == [("q1", "q2")]
    assert read_contents(vault, Keys(vault, MASTER), LEDGER, "q4") is not None


def test_only_one_erases_at_a_time(vault: Path) -> None:
    with ListedEraser(vault, Ledger()).alone(), pytest.raises(ConfigError, match="try again"):
        ListedEraser(vault, Ledger()).alone().__enter__()


def test_a_paper_that_cannot_be_read_is_not_passed_over(vault: Path) -> None:
    (vault / PAPER).write_bytes(b"{")
    with pytest.raises(ConfigError, match="interrupted erasure"):
        ListedEraser(vault, Ledger()).alone().__enter__()


def test_what_the_journal_has_already_is_not_recorded_again(vault: Path, tmp_path: Path) -> None:
    """After a crash between the entry and the end of the paper."""
    told = intent("q1")
    journal = Journal(tmp_path / "journal")
    list(journal.recover())
    journal.append([encode(Genesis(1, LEDGER)), *map(encode, told.entries())])
    journal.sync()
    journal.close()
    ledger = Ledger()
    eraser = Eraser(vault, tmp_path / "journal", ledger.record)
    eraser._write(told)
    with eraser.alone():
        assert queries(vault) == ["q2", "q3"]
    assert ledger.entries == [] and not (vault / PAPER).exists()


@pytest.mark.parametrize("power_lost", [False, True], ids=["kill -9", "power cut"])
@pytest.mark.parametrize("step", range(22))
def test_a_crash_at_any_step_is_made_good(tmp_path: Path, step: int, power_lost: bool) -> None:
    """Never said and still there; never gone and unsaid, once the next has begun."""
    for seed in range(12 if power_lost else 1):
        _crash(tmp_path, step, power_lost, SimulatedDisk(random.Random(100 * step + seed)))


def _crash(tmp_path: Path, step: int, power_lost: bool, disk: SimulatedDisk) -> None:
    keys = Keys(tmp_path, MASTER)
    write(tmp_path, records("q1", b"one"), records("q2", b"two"), keys=keys, disk=disk)
    (path,) = {frame.path for frame in frames(tmp_path, disk)}
    disk.open(tmp_path / "erasing", 0o100)  # the lock's file is there
    disk.sync_folder(tmp_path)
    sealed = [f.read(disk)[1] for f in frames(tmp_path, disk) if f.label and f.label.query == "q1"]
    ledger = Ledger()
    ledger.before = ledger.after = disk._change
    eraser, finished = ListedEraser(tmp_path, ledger, disk), False
    disk.calls_left = step
    try:
        with eraser.alone():
            eraser.erase(intent("q1"))
        finished = True
    except PowerCutError:
        pass
    disk.restart(power_lost)
    ledger.before = ledger.after = lambda: None

    def held() -> bytes:
        file = disk.open(path, 0)
        return disk.read(file, disk.size(file), 0)

    if ledger.entries:
        assert not any(data[-16:] in held() for data in sealed), "said, and still there"
    with eraser.alone():
        pass
    gone = queries(tmp_path, disk) == ["q2"]
    assert len(ledger.entries) == gone, "gone and unsaid, or said twice"
    assert gone or queries(tmp_path, disk) == ["q1", "q2"]
    assert gone or not finished
    if gone:
        assert not any(
            data[at : at + 8] in held() for data in sealed for at in range(len(data) - 8)
        )
    else:
        assert all(data in held() for data in sealed), "begun, and not written down"


def test_all_conditions_choose_together(vault: Path) -> None:
    sealed = list(sealed_frames(DISK, vault))
    at = {f.label.query: f.label.at for f in sealed if f.label}
    assert chosen(sealed) == ["q1", "q2", "q3"]
    assert chosen(sealed, scope="team:legal") == ["q1", "q2"]
    assert chosen(sealed, scope="team") == []
    assert chosen(sealed, before=at["q2"]) == ["q1"]
    assert chosen(sealed, queries={"q2", "q3"}) == ["q2", "q3"]
    assert chosen(sealed, "org:acme", at["q3"], {"q2", "q3"}) == ["q2"]


def test_a_query_that_is_still_open_is_not_chosen(tmp_path: Path) -> None:
    write(tmp_path, records("q1", b"one")[:2])
    assert chosen(sealed_frames(DISK, tmp_path)) == []
    assert all_bytes(tmp_path) and ORG
