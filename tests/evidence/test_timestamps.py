"""Having the log stamped: once a period, whole or not at all, and in the way of nothing."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.authority import Authority, Served
from tests.support.disk import PowerCutError, SimulatedDisk
from tests.support.evidence import IDENTITY, ORIGIN, Log, configs, entries, make_log, publish, write

from farthing import clock
from farthing.clock import SECOND
from farthing.evidence.note import Head
from farthing.evidence.post import Answer, Target
from farthing.evidence.store import Store
from farthing.evidence.timestamp import QUERY, Stamp, query
from farthing.evidence.timestamps import (
    AGAIN_SECONDS,
    LOOK_SECONDS,
    Last,
    Timestamps,
    last_stamp,
    problem_of,
)
from farthing.settings import Settings

HOUR = 3600


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Authority, str]]:
    authority = Authority(tmp_path_factory.mktemp("tsa"))
    with Served(authority) as url:
        yield authority, url


class World:
    """A log, an authority over HTTP, and a clock."""

    def __init__(self, root: Path, authority: Authority, url: str) -> None:
        self.log: Log = make_log(root, entries(300))
        self.authority, self.url = authority, url
        authority.asked.clear()
        authority.instead, authority.change = None, bytes
        self.state = root / "timestamps.json"
        self.later = 0
        """How many seconds the clock is put forward."""
        self.hours = 24.0

    def now(self) -> int:
        return clock.wall() + self.later * SECOND

    def start(self) -> Timestamps:
        """As the publisher's process makes it, at each start."""
        settings = Settings(
            timestamp_url=self.url,
            timestamp_hours=self.hours,
            timestamp_allow_private_address=True,
        )
        return Timestamps(self.log.folder, self.state, settings, now=self.now)

    def grow(self) -> int:
        write(self.log.journal, configs(10))
        return publish(self.log.journal, self.log.folder).size

    def stored(self) -> list[str]:
        folder = self.log.folder / "timestamps"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    @property
    def problem(self) -> str:
        return problem_of(self.state, self.url)


@pytest.fixture
def world(tmp_path: Path, shared: tuple[Authority, str]) -> World:
    return World(tmp_path, *shared)


def test_what_is_stored_openssl_verifies(world: World) -> None:
    assert world.start().round() == LOOK_SECONDS
    folder = world.log.folder / "timestamps"
    assert world.stored() == ["300.checkpoint", "300.tsr"]
    assert (folder / "300.checkpoint").read_bytes() == world.log.checkpoint
    assert world.authority.accepts(folder / "300.tsr", folder / "300.checkpoint")
    last = last_stamp(world.log.folder)
    assert last.size == 300 and abs(last.at - clock.wall()) < 60 * SECOND
    assert (last.problem, world.problem) == ("", "")
    assert not world.state.exists(), "there is nothing to tell"


def test_it_is_asked_for_once_a_period_however_often_it_starts(world: World) -> None:
    world.start().round()
    world.grow()
    world.later = 24 * HOUR - 60
    running = world.start()
    assert 50 < running.round() <= LOOK_SECONDS and world.start().round() > 0
    assert len(world.authority.asked) == 1, "it is not time yet"
    world.later = 24 * HOUR + 60
    running.round()
    assert len(world.authority.asked) == 2 and last_stamp(world.log.folder).size == 310
    assert "300.tsr" in world.stored() and "310.tsr" in world.stored()


def test_a_log_that_did_not_grow_is_not_stamped_again(world: World) -> None:
    world.start().round()
    world.later = 48 * HOUR
    assert world.start().round() == LOOK_SECONDS
    assert len(world.authority.asked) == 1
    world.grow()
    world.start().round()
    assert len(world.authority.asked) == 2


def test_a_clock_that_was_far_ahead_does_not_stop_it(world: World) -> None:
    world.start().round()
    world.grow()
    world.later = -48 * HOUR
    world.start().round()
    assert len(world.authority.asked) == 2


def test_before_there_is_a_checkpoint_nobody_is_asked(world: World) -> None:
    (world.log.folder / "checkpoint").unlink()
    assert world.start().round() == LOOK_SECONDS
    assert world.authority.asked == [] and last_stamp(world.log.folder) == Last()


def replaced(old: bytes, new: bytes, question: bytes) -> bytes:
    assert question.count(old) == 1
    return question.replace(old, new)


def imprinted(question: bytes) -> bytes:
    """The SHA-256 in a question: an OCTET STRING of 32 bytes."""
    return question.partition(b"\x04\x20")[2][:32]


def numbered(question: bytes) -> bytes:
    """The last bytes of the number in a question; certReq, three bytes, is behind it."""
    return question[-7:-3]


def refused(world: World, said: str) -> None:
    """Nothing is stored, why is kept, and it is tried again later; then all is well."""
    stamps = world.start()
    assert stamps.round() == AGAIN_SECONDS
    assert [name for name in world.stored() if name != ".new"] == []
    assert said in world.problem, world.problem
    assert said in problem_of(world.state, world.url)
    assert problem_of(world.state, "https://another.example") == ""
    world.authority.instead, world.authority.change = None, bytes
    world.start().round()
    assert world.problem == "" and last_stamp(world.log.folder).size == 300


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((500, b""), "the authority answered 500"),
        ((302, b""), "the authority answered 302"),
        ((200, b"<html>captive portal</html>"), "not an answer of RFC 3161"),
        ((200, b""), "not an answer of RFC 3161"),
        ((200, bytes(70_000)), "answered more than 65536 bytes"),
    ],
)
def test_garbage_is_not_stored(world: World, answer: tuple[int, bytes], said: str) -> None:
    world.authority.instead = answer
    refused(world, said)


def test_a_stamp_of_something_else_is_not_stored(world: World) -> None:
    world.authority.change = lambda asked: replaced(imprinted(asked), bytes(32), asked)
    refused(world, "its imprint differs")


def test_a_stamp_of_an_earlier_question_is_not_stored(world: World) -> None:
    world.authority.change = lambda asked: replaced(numbered(asked), b"\x01\x02\x03\x04", asked)
    refused(world, "its nonce differs")


def test_a_rejection_is_said(world: World, tmp_path: Path) -> None:
    picky = Authority(tmp_path / "picky", digests="sha512")
    world.authority.instead = (200, picky.answer(query(world.log.checkpoint).body))
    refused(world, "rejection: Message digest algorithm is not supported")


def test_an_authority_that_is_away_is_said_once(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("farthing"), "propagate", True)
    url = world.url
    world.url = "http://127.0.0.1:1/tsr"
    stamps = world.start()
    assert [stamps.round() for _ in range(3)] == [AGAIN_SECONDS] * 3
    assert "Connection refused" in world.problem
    assert len(caplog.messages) == 1
    assert "no new time stamp from http://127.0.0.1:1/tsr" in caplog.text
    world.url = url
    world.start().round()
    assert world.problem == "" and last_stamp(world.log.folder).size == 300


def test_a_short_period_is_kept_to(world: World) -> None:
    world.hours = 0.001
    assert world.start().round() == 3.6
    world.later, world.url = HOUR, "http://127.0.0.1:1/tsr"
    world.grow()
    assert world.start().round() == 3.6


def test_a_private_address_must_be_meant(world: World) -> None:
    settings = Settings(timestamp_url=world.url)
    Timestamps(world.log.folder, world.state, settings).round()
    assert "timestamp_allow_private_address = true" in world.problem


def test_a_stamp_that_was_damaged_is_said_and_never_written_over(world: World) -> None:
    world.start().round()
    stamp = world.log.folder / "timestamps" / "300.tsr"
    stamp.write_bytes(stamp.read_bytes()[:100])
    last = last_stamp(world.log.folder)
    assert (last.size, last.at) == (300, 0) and "300.tsr: not an answer" in last.problem
    world.start().round()
    assert len(world.authority.asked) == 1 and stamp.stat().st_size == 100
    world.grow()
    world.start().round()
    assert last_stamp(world.log.folder).size == 310


@pytest.mark.parametrize("power_lost", [False, True])
def test_stopped_at_every_step_a_stamp_is_whole_or_none(
    shared: tuple[Authority, str], tmp_path: Path, power_lost: bool
) -> None:
    """Whoever reads at that moment, or after the next start, finds no half of one."""
    authority, folder = shared[0], Path("/log")
    older, newer = (IDENTITY.signer.sign(Head(ORIGIN, n, bytes([n]) * 32)) for n in (5, 9))
    settings = Settings(timestamp_url="https://tsa.example/")
    calls, done = 0, False
    # What a power cut leaves of what was not synced is chance.
    lucks = range(6) if power_lost else range(1)

    def ask(_: Target, body: bytes, kind: str) -> Answer:
        assert kind == QUERY
        return Answer(200, authority.answer(body))

    def look(disk: SimulatedDisk) -> int:
        last = last_stamp(folder, disk)
        assert not last.problem, last
        if last.size:
            store = Store(folder / "timestamps", disk)
            answer = store.read(f"{last.size}.tsr") or b""
            stamped = store.read(f"{last.size}.checkpoint") or b""
            assert stamped == {5: older, 9: newer}[last.size]
            Stamp.of(answer, stamped).check_signature(authority.roots)
        return last.size

    def life(disk: SimulatedDisk) -> None:
        Timestamps(folder, tmp_path / "state", settings, ask, clock.wall, disk).round()

    def stopped(calls: int, luck: int) -> bool:
        """Be stopped after so many changes; say whether it came to its end."""
        disk, done = SimulatedDisk(random.Random(1000 * calls + luck)), False
        Store(folder, disk).replace("checkpoint", older)
        disk.calls_left = calls
        try:
            life(disk)
            done = True
        except PowerCutError:
            disk.off = False
        seen = look(disk)
        disk.restart(power_lost)
        kept = look(disk)
        assert kept == 5 if done else kept in (0, 5), "what was said to be kept is"
        assert power_lost or kept == seen
        Store(folder, disk).replace("checkpoint", newer)
        life(disk)
        assert look(disk) == (kept or 9), "it goes on, and asks no second time in a period"
        if not kept:
            assert sorted(disk.names(folder / "timestamps")) == ["9.checkpoint", "9.tsr"]
        return done

    while not done:
        done = all(stopped(calls, luck) for luck in lucks)
        calls += 1
    assert calls > 8
