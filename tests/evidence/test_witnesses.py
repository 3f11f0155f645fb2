"""Asking witnesses: what they cosigned is published, and what they did not is said."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from tests.support.evidence import (
    IDENTITY,
    ORIGIN,
    VERIFIER,
    Log,
    configs,
    entries,
    make_log,
    publish,
    standalone,
    write,
)

from farthing.errors import ConfigError
from farthing.evidence.cosign import COSIGNATURE, cosignature, cosigned_at
from farthing.evidence.note import Head, Signer, read_checkpoint, read_note
from farthing.evidence.post import Answer, Target
from farthing.evidence.publish import Publisher
from farthing.evidence.receipt import receipt_at
from farthing.evidence.verify import verify_folder
from farthing.evidence.witness import Witness
from farthing.evidence.witnesses import Standing, Witnesses, check_witnesses, standings
from farthing.settings.schema import WitnessSettings

NOW = 1_700_000_000
SIGNERS = [Signer(f"w{n}.example", bytes([n]) * 32, COSIGNATURE) for n in (1, 2)]
SETTINGS = [
    WitnessSettings(f"https://{signer.verifier.name}/", str(signer.verifier)) for signer in SIGNERS
]


class World:
    """A log, and real witnesses of it that can be away."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log: Log = make_log(root, entries(300))
        self.peers = {
            f"https://{s.verifier.name}/add-checkpoint": self.witness(s, root / s.verifier.name)
            for s in SIGNERS
        }
        self.away: set[str] = set()
        self.asked: list[bytes] = []
        self.answers: dict[str, Answer] = {}

    def witness(self, signer: Signer, folder: Path) -> Witness:
        folder.mkdir(exist_ok=True)
        return Witness(folder, signer, [VERIFIER], lambda: NOW)

    def post(self, target: Target, body: bytes, _: str) -> Answer:
        self.asked.append(body)
        if any(name in target.url for name in self.away):
            raise OSError("Connection refused")
        for name, answer in self.answers.items():
            if name in target.url:
                return answer
        reply = self.peers[target.url].add_checkpoint(body)
        return Answer(reply.status, reply.body.encode())

    def client(self) -> Witnesses:
        return Witnesses(self.log.folder, self.root / "state.json", SETTINGS, self.post)

    def round(self) -> bytes | None:
        """One round, as the publisher's process makes it."""
        cosigned = self.client().round()
        if cosigned is not None:
            publisher = Publisher(self.log.journal, self.log.folder, IDENTITY)
            while publisher.publish():
                pass
            publisher.show_cosigned(cosigned)
            publisher.close()
        return cosigned

    def grow(self, count: int = 10) -> None:
        write(self.log.journal, configs(count))
        publish(self.log.journal, self.log.folder)

    def cosigners(self, data: bytes) -> list[int]:
        note = read_note(data)
        return [n for n, s in enumerate(SIGNERS, 1) if cosigned_at(note, s.verifier) == NOW]

    def told(self) -> list[tuple[int, int, str]]:
        return [(each.size, each.at, each.problem) for each in standings(self.root / "state.json")]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_checkpoint_carries_who_has_seen_it(world: World) -> None:
    before = world.log.checkpoint
    world.round()
    assert world.log.checkpoint.startswith(before) and world.cosigners(world.log.checkpoint) == [
        1,
        2,
    ]
    assert verify_folder(world.log.folder, VERIFIER).head.size == 300
    assert "300 entries" in standalone().verify_folder(world.log.folder, str(VERIFIER))
    assert world.told() == [(300, NOW, "")] * 2
    asked = len(world.asked)
    assert world.round() is None and len(world.asked) == asked, "all have seen it"


def test_a_receipt_is_of_the_cosigned_checkpoint_if_that_covers_it(world: World) -> None:
    world.round()
    world.grow()
    old, new = receipt_at(world.log.folder, 3), receipt_at(world.log.folder, 601)
    assert old is not None and new is not None
    assert old.check(VERIFIER).size == 300 and world.cosigners(old.checkpoint) == [1, 2]
    assert new.check(VERIFIER).size == 310 and world.cosigners(new.checkpoint) == []
    world.round()
    again = receipt_at(world.log.folder, 3)
    assert again is not None and again.check(VERIFIER).size == 310


def test_after_a_rotation_a_receipt_is_of_the_new_keys_checkpoint(world: World) -> None:
    world.round()
    data = (world.log.folder / "checkpoint").read_bytes()
    new = Signer(ORIGIN, b"n" * 32)
    head = read_note(data).head
    signed = new.sign(head, [IDENTITY.signer.hand_over(new.verifier)])
    (world.log.folder / "checkpoint").write_bytes(signed)
    receipt = receipt_at(world.log.folder, 3)
    assert receipt is not None and receipt.check(new.verifier) == head


def test_a_start_keeps_the_cosignatures(world: World) -> None:
    world.round()
    before = world.log.checkpoint
    publish(world.log.journal, world.log.folder)
    assert world.log.checkpoint == before


def test_a_cosigned_checkpoint_of_before_does_not_take_the_latests_place(world: World) -> None:
    cosigned = world.client().round()
    assert cosigned is not None
    world.grow()
    latest = world.log.checkpoint
    publisher = Publisher(world.log.journal, world.log.folder, IDENTITY)
    while publisher.publish():
        pass
    publisher.show_cosigned(cosigned)
    publisher.close()
    assert world.log.checkpoint == latest
    assert (world.log.folder / "cosigned").read_bytes() == cosigned


def test_one_that_is_away_is_said_and_asked_again(world: World) -> None:
    world.away = {"w2"}
    world.round()
    assert world.cosigners(world.log.checkpoint) == [1]
    assert world.told() == [(300, NOW, ""), (0, 0, "Connection refused")]
    world.away = set()
    world.round()
    assert world.cosigners(world.log.checkpoint) == [1, 2] and world.told() == [(300, NOW, "")] * 2


def test_from_the_size_that_a_witness_knows_it_is_proven_again(world: World) -> None:
    """What we know of it is lost, or it took in a cosignature whose answer did not arrive."""
    world.round()
    (world.root / "state.json").unlink()
    world.grow()
    world.asked.clear()
    world.round()
    assert world.cosigners(world.log.checkpoint) == [1, 2]
    firsts = sorted(body.split(b"\n", 1)[0] for body in world.asked)
    assert firsts == [b"old 0", b"old 0", b"old 300", b"old 300"]
    world.grow()
    world.asked.clear()
    world.round()
    assert [body.split(b"\n", 1)[0] for body in world.asked] == [b"old 310"] * 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(409, b"301\n"), "longer than this one of 300"),
        (Answer(409, b"many\n"), "does not say which"),
        (Answer(409, b"299\n"), "longer|another size|answered 409"),
        (Answer(403, b"who?\n"), "it answered 403: who?"),
        (Answer(200, b""), "cut off"),
        (Answer(200, b"hello\n"), "is not one"),
        (Answer(200, b"\xff\n"), "is not one"),
        (
            Answer(200, cosignature(SIGNERS[1], Head(ORIGIN, 300, b"r" * 32), 5).line.encode()),
            "has no cosignature of its key",
        ),
        (
            Answer(200, cosignature(SIGNERS[0], Head(ORIGIN, 300, b"r" * 32), 5).line.encode()),
            "the cosignature of w1.example is wrong",
        ),
    ],
)
def test_what_is_no_cosignature_is_not_published(world: World, answer: Answer, said: str) -> None:
    world.answers["w1"] = answer
    world.round()
    assert world.cosigners(world.log.checkpoint) == [2]
    assert re.search(said, world.told()[0][2])
    assert read_checkpoint(world.log.checkpoint, VERIFIER).size == 300


def test_lines_of_strangers_are_left_out(world: World) -> None:
    good = cosignature(SIGNERS[0], world.log.head, 9)
    stranger = good._replace(name="stranger.example").line
    world.answers["w1"] = Answer(200, (stranger + good.line).encode())
    world.round()
    assert b"stranger" not in world.log.checkpoint and good.line.encode() in world.log.checkpoint


def test_they_are_asked_at_once(world: World) -> None:
    """Two that wait for each other would wait for ever if one came after the other."""
    both = threading.Barrier(2, timeout=10)
    inner = world.post

    def post(target: Target, body: bytes, kind: str) -> Answer:
        both.wait()
        return inner(target, body, kind)

    client = Witnesses(world.log.folder, world.root / "state.json", SETTINGS, post)
    assert world.cosigners(client.round() or b"") == [1, 2]


def test_before_there_is_a_log_nobody_is_asked(tmp_path: Path) -> None:
    client = Witnesses(tmp_path, tmp_path / "state.json", SETTINGS)
    assert client.round() is None and standings(tmp_path / "state.json") == []
    (tmp_path / "state.json").write_text("damaged")
    assert standings(tmp_path / "state.json") == []


def test_settings_are_checked() -> None:
    check_witnesses(SETTINGS)
    with pytest.raises(ConfigError, match=r"w1\.example/: not a public key"):
        check_witnesses([WitnessSettings(SETTINGS[0].url, str(VERIFIER))])
    with pytest.raises(ConfigError, match="the same key"):
        check_witnesses([SETTINGS[0]] * 2)
    assert Standing("a", "b", "c").size == 0
