"""A witness: each answer of the specification, and never two histories, whatever breaks when."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.disk import PowerCutError, SimulatedDisk
from tests.support.evidence import IDENTITY, ORIGIN, VERIFIER, Log, entries, make_log

from farthing.evidence.cosign import COSIGNATURE, cosigned_at
from farthing.evidence.merkle import EMPTY, consistency_proof
from farthing.evidence.note import Head, NoteError, Signer, encoded, read_note
from farthing.evidence.source import source_of
from farthing.evidence.store import Store
from farthing.evidence.tiles import TreeReader
from farthing.evidence.tree import Tree
from farthing.evidence.witness import SIZE, Witness, hash_of

SIGNER = Signer("witness.example/w1", b"w" * 32, COSIGNATURE)
NOW = 1_700_000_000


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return make_log(tmp_path_factory.mktemp("log"), entries(300))


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path, SIGNER, [VERIFIER], lambda: NOW)


def head_of(log: Log, size: int) -> Head:
    tree, reader = Tree(), log.reader
    for entry in [*reader.bundle(0), *reader.bundle(1)][:size]:
        tree.add(entry)
    return Head(ORIGIN, size, tree.root())


def body(log: Log, old: int, size: int, signer: Signer = IDENTITY.signer) -> bytes:
    """What a log asks that grew from a size to another."""
    fetch = source_of(str(log.folder))
    proof = consistency_proof(TreeReader(fetch, log.head.size).subtree, old, size)
    lines = [f"old {old}", *map(encoded, proof)]
    return "\n".join(lines).encode() + b"\n\n" + signer.sign(head_of(log, size))


def status(witness: Witness, data: bytes) -> int:
    return witness.add_checkpoint(data).status


def test_what_only_grew_is_cosigned_and_remembered(log: Log, witness: Witness) -> None:
    last = 0
    for size in (1, 5, 5, 256, 257, 300):
        reply = witness.add_checkpoint(body(log, last, size))
        assert reply.status == 200
        signed = IDENTITY.signer.sign(head_of(log, size))
        assert cosigned_at(read_note(signed + reply.body.encode()), SIGNER.verifier) == NOW
        assert witness.latest(hash_of(ORIGIN)) == signed + reply.body.encode()
        last = size


def test_from_another_size_it_says_which_it_knows(log: Log, witness: Witness) -> None:
    assert status(witness, body(log, 0, 5)) == 200
    for old, size in ((0, 5), (4, 9), (0, 9), (9, 9)):
        reply = witness.add_checkpoint(body(log, old, size))
        assert (reply.status, reply.body, reply.content_type) == (409, "5\n", SIZE)
    assert status(witness, body(log, 5, 9)) == 200


def test_who_it_does_not_know_it_does_not_cosign(log: Log, witness: Witness) -> None:
    other = Signer("other.example", b"o" * 32)
    foreign = b"old 0\n\n" + other.sign(Head("other.example", 1, b"r" * 32))
    assert status(witness, foreign) == 404
    assert witness.latest(hash_of("other.example")) is None
    assert status(witness, body(log, 0, 5, Signer(ORIGIN, b"o" * 32))) == 403
    good = body(log, 0, 5)
    assert status(witness, good[:-10] + b"AAAAAAA==\n") == 403
    wrong = IDENTITY.signer.sign(head_of(log, 6)).partition(b"\n\n")[2]
    assert status(witness, good.rpartition(b"\n\n")[0] + b"\n\n" + wrong) == 403
    assert status(witness, good + wrong) == 403, "a known key's signature that is wrong"
    assert witness.latest(hash_of(ORIGIN)) is None


def test_two_histories_are_never_cosigned(log: Log, witness: Witness) -> None:
    assert status(witness, body(log, 0, 5)) == 200
    before = witness.latest(hash_of(ORIGIN))
    forged = IDENTITY.signer.sign(Head(ORIGIN, 9, b"f" * 32))
    proof = body(log, 5, 9).partition(b"\n\n")[0]
    assert status(witness, proof + b"\n\n" + forged) == 422
    assert status(witness, b"old 5\n\n" + forged) == 422
    assert status(witness, b"old 5\n\n" + IDENTITY.signer.sign(Head(ORIGIN, 5, b"f" * 32))) == 422
    assert witness.latest(hash_of(ORIGIN)) == before


def test_the_empty_tree(log: Log, witness: Witness) -> None:
    empty = IDENTITY.signer.sign(Head(ORIGIN, 0, b"f" * 32))
    assert status(witness, b"old 0\n\n" + empty) == 422
    assert status(witness, b"old 0\n" + encoded(EMPTY).encode() + b"\n\n" + empty) == 422
    assert status(witness, b"old 0\n\n" + IDENTITY.signer.sign(Head(ORIGIN, 0, EMPTY))) == 200
    assert status(witness, b"old 0\nAAAA\n\n" + IDENTITY.signer.sign(head_of(log, 3))) == 400
    assert status(witness, body(log, 0, 3)) == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b"",
        lambda b: b.replace(b"old ", b"Old "),
        lambda b: b.replace(b"old 3", b"old 03"),
        lambda b: b.replace(b"old 3", b"old -3"),
        lambda b: b.replace(b"old 3", b"old 10"),
        lambda b: b.replace(b"\n\n", b"\n", 1),
        lambda b: b.replace(b"old 3\n", b"old 3\n" + b"A" * 43 + b"=\n" + b"\n"),
        lambda b: b.replace(b"old 3\n", b"old 3\n" + (encoded(bytes(32)).encode() + b"\n") * 64),
        lambda b: b"\xff" + b,
        lambda b: b[:-1],
    ],
)
def test_what_is_malformed_is_400(
    log: Log, witness: Witness, change: Callable[[bytes], bytes]
) -> None:
    assert status(witness, body(log, 0, 3)) == 200
    assert status(witness, change(body(log, 3, 9))) == 400
    assert status(witness, body(log, 3, 9)) == 200


def test_a_rotated_key_is_followed_from_the_one_it_knows(log: Log, witness: Witness) -> None:
    new = Signer(ORIGIN, b"n" * 32)
    signed = new.sign(head_of(log, 5), [IDENTITY.signer.hand_over(new.verifier)])
    assert status(witness, b"old 0\n\n" + signed) == 200
    assert status(witness, b"old 5\n\n" + new.sign(head_of(log, 5))) == 403


def test_requests_that_come_at_once_are_judged_one_after_the_other(
    log: Log, tmp_path: Path
) -> None:
    """Of twenty from the same size one is cosigned; the others hear what it knows by then."""
    witness, statuses = Witness(tmp_path, SIGNER, [VERIFIER], lambda: NOW), list[int]()
    assert status(witness, body(log, 0, 100)) == 200
    asked = [body(log, 100, size) for size in range(101, 121)]
    threads = [
        threading.Thread(target=lambda data=data: statuses.append(status(witness, data)))
        for data in asked
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [409] * 19


def test_what_is_damaged_is_not_begun_anew(log: Log, witness: Witness, tmp_path: Path) -> None:
    assert status(witness, body(log, 0, 5)) == 200
    (tmp_path / hash_of(ORIGIN) / "checkpoint").write_bytes(b"damaged")
    with pytest.raises(NoteError):
        witness.add_checkpoint(body(log, 0, 5))


@pytest.mark.parametrize("power_lost", [False, True])
def test_stopped_at_every_step_it_never_cosigns_two_histories(log: Log, power_lost: bool) -> None:
    """What it answered it still knows; so what does not go on from that gets no cosignature."""
    calls, done, folder = 0, False, Path("/witness")
    while not done:
        disk = SimulatedDisk(random.Random(calls))

        def life(disk: SimulatedDisk = disk) -> Witness:
            return Witness(folder, SIGNER, [VERIFIER], lambda: NOW, disk)

        assert status(life(), body(log, 0, 5)) == 200
        disk.calls_left, answered = calls, False
        try:
            answered = done = status(life(), body(log, 5, 9)) == 200
        except PowerCutError:
            disk.off = False
        disk.restart(power_lost)
        known = read_note(Store(folder / hash_of(ORIGIN), disk).read("checkpoint") or b"").head
        assert known.size == 9 if answered else known.size in (5, 9)
        forged = IDENTITY.signer.sign(Head(ORIGIN, 9, b"f" * 32))
        for old in (5, 9):
            data = body(log, old, 9).partition(b"\n\n")[0] + b"\n\n" + forged
            assert status(life(), data) in (409, 422)
        calls += 1
    assert calls > 4
