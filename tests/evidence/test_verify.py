"""Both verifiers: they accept what was published, and miss no byte that was changed."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.evidence import (
    IDENTITY,
    STANDALONE,
    VERIFIER,
    Log,
    entries,
    make_log,
    publish,
    raised,
    standalone,
    write,
)

from farthing.evidence.merkle import ProofError
from farthing.evidence.note import Head, NoteError
from farthing.evidence.receipt import Receipt
from farthing.evidence.source import source_of
from farthing.evidence.tiles import TileError
from farthing.evidence.verify import verify_consistency, verify_folder

KEY = str(VERIFIER)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """A log with whole tiles, parts, and older parts beside newer ones."""
    made = entries(600)
    log = make_log(tmp_path_factory.mktemp("log"), made[:1101])
    write(log.journal, made[1101:])
    publish(log.journal, log.folder)
    widths = {path.name for path in (log.folder / "tile/0/002.p").iterdir()}
    assert log.head.size == 600 and widths == {"39", "88"}
    return log


def test_both_accept_it(log: Log) -> None:
    assert verify_folder(log.folder, VERIFIER) == (log.head, 0, VERIFIER)
    assert "600 entries" in standalone().verify_folder(log.folder, KEY)


# -- changed bytes ----------------------------------------------------------------------------


def mutated(data: bytes, draw: random.Random) -> bytes:
    """Change one byte to another; or now and then lose it, or put another in."""
    at, kind = draw.randrange(len(data)), draw.random()
    other = bytes([draw.choice([n for n in range(256) if n != data[at]])])
    if kind < 0.9:
        return data[:at] + other + data[at + 1 :]
    return data[:at] + data[at + 1 :] if kind < 0.95 else data[: at + 1] + other + data[at + 1 :]


def folder_seen(log: Log, path: Path, data: bytes) -> tuple[bool, bool]:
    """Say which verifier sees that a file holds something else."""
    good = path.read_bytes()
    path.write_bytes(data)
    try:
        return (
            raised(lambda: verify_folder(log.folder, VERIFIER)),
            raised(lambda: standalone().verify_folder(log.folder, KEY)),
        )
    finally:
        path.write_bytes(good)


def receipt_seen(data: bytes) -> tuple[bool, bool]:
    """Say which verifier sees that a receipt is no receipt."""
    return (
        raised(lambda: Receipt.decode(data).check(VERIFIER)),
        raised(lambda: standalone().verify_receipt(data, KEY)),
    )


def missed(log: Log, count: int, seed: int) -> Iterator[str]:
    """Yield each change of a file or a receipt that a verifier did not see."""
    draw, files = random.Random(seed), log.files()
    for number in range(count):
        if number % 4:
            path = draw.choice(files)
            seen = folder_seen(log, path, mutated(path.read_bytes(), draw))
        else:
            path = Path("receipt")
            seen = receipt_seen(mutated(log.receipt(draw.randrange(600)).encode(), draw))
        if seen != (True, True):
            yield f"{seed}/{number}: {path} {seen}"


def test_no_changed_byte_is_missed(log: Log) -> None:
    assert list(missed(log, 300, 1)) == []


@pytest.mark.soak
def test_of_10_000_changed_bytes_none_is_missed(log: Log) -> None:
    assert list(missed(log, 10_000, 2)) == []


def test_missing_and_foreign_files_are_seen(log: Log, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for path in log.files():
        inner = path.relative_to(log.folder)
        if inner.name in ("39",):  # an older part may go
            continue
        shutil.copytree(log.folder, copy)
        (copy / inner).unlink()
        assert raised(lambda: verify_folder(copy, VERIFIER)), inner
        assert raised(lambda: standalone().verify_folder(copy, KEY)), inner
        shutil.rmtree(copy)
    shutil.copytree(log.folder, tmp_path / "more")
    (tmp_path / "more/tile/0/notes.txt").write_text("x")
    with pytest.raises(TileError, match="no file of a log"):
        verify_folder(tmp_path / "more", VERIFIER)
    assert raised(lambda: standalone().verify_folder(tmp_path / "more", KEY))


def test_files_beyond_the_checkpoint_are_counted(log: Log, tmp_path: Path) -> None:
    """So it looks between its tiles and its checkpoint, and to who copies a log that runs."""
    shutil.copytree(log.folder, tmp_path / "log")
    (tmp_path / "older").mkdir()
    older = make_log(tmp_path / "older", entries(551))
    (tmp_path / "log/checkpoint").write_bytes(older.checkpoint)
    checked = verify_folder(tmp_path / "log", VERIFIER)
    assert checked.head.size == 551 and checked.beyond == 2
    assert "2 files go beyond" in standalone().verify_folder(tmp_path / "log", KEY)


# -- growth -----------------------------------------------------------------------------------


def checkpoint_at(root: Path, size: int) -> bytes:
    root.mkdir()
    return make_log(root, entries(size)).checkpoint


def test_checkpoints_of_one_history_are_consistent(log: Log, tmp_path: Path) -> None:
    fetch = source_of(str(log.folder))
    for size in (1, 255, 256, 257, 512, 599, 600):
        old = checkpoint_at(tmp_path / str(size), size)
        for pair in ((old, log.checkpoint), (log.checkpoint, old)):
            found = verify_consistency(*pair, VERIFIER, fetch)
            assert [head.size for head in found] == [size, 600]


def test_two_histories_are_seen(log: Log) -> None:
    fetch = source_of(str(log.folder))
    for size in (1, 256, 300, 600):
        forged = IDENTITY.signer.sign(Head(IDENTITY.origin, size, b"f" * 32))
        with pytest.raises(ProofError):
            verify_consistency(forged, log.checkpoint, VERIFIER, fetch)
    with pytest.raises(NoteError):
        verify_consistency(b"x", log.checkpoint, VERIFIER, fetch)


# -- the program that needs nothing -----------------------------------------------------------


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", str(STANDALONE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_standalone_verifier_runs_without_any_package(log: Log, tmp_path: Path) -> None:
    file = tmp_path / "q1.tlog-proof"
    file.write_bytes(log.receipt(7).encode())
    assert json.loads(run(KEY, file).stdout.partition(": ")[2])["id"] == "q6"
    assert run(KEY, log.folder).stdout.startswith("600 entries and their tiles are what was signed")
    file.write_bytes(log.receipt(7).encode().replace(b"index 7", b"index 8"))
    failed = run(KEY, file)
    assert failed.returncode == 1 and failed.stderr.startswith("NOT VERIFIED: ")
    assert run().returncode == 1 and run(KEY, tmp_path / "none").returncode == 1


def test_the_standalone_verifier_can_be_read_at_once() -> None:
    text = STANDALONE.read_text()
    assert len(text.splitlines()) < 150
    imports = {line.split()[1] for line in text.splitlines() if line.startswith(("import", "from"))}
    assert imports <= sys.stdlib_module_names
