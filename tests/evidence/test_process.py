"""The publisher as a process: it publishes, says when it must not, and ends with its gateway."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.support.authority import Authority, Served
from tests.support.child import Child, runtime
from tests.support.evidence import configs, entries, hold, settle, write

from farthing.evidence.identity import verifier_of
from farthing.evidence.process import LONGEST_PAUSE, SAY_AGAIN_SECONDS, Publishing
from farthing.evidence.timestamps import last_stamp
from farthing.evidence.verify import verify_folder
from farthing.ledger.segments import segment_path
from farthing.paths import DataFolder
from farthing.runtime import Runtime

Said = Callable[[], list[str]]

MODULE = "farthing.evidence.process"


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Said:
    """What was logged until now."""
    monkeypatch.setattr(logging.getLogger("farthing"), "propagate", True)
    return lambda: list(caplog.messages)


def size(data: DataFolder) -> int:
    return verify_folder(data.log, verifier_of(data, "")).head.size


def test_as_a_process_it_publishes_what_comes_and_at_its_end_what_is_left(
    data: DataFolder, environ: dict[str, str]
) -> None:
    write(data.journal, entries(300))
    with Child(MODULE, runtime(data.root, "publisher"), environ) as child:
        assert child.first_line() == b'{"ready":true}\n'
        until = time.monotonic() + 20
        while not (data.log / "checkpoint").exists():
            assert time.monotonic() < until, child.log
            time.sleep(0.01)
        write(data.journal, configs(3))
        assert child.let_go() == 0
    assert size(data) == 303 and child.log == ""


def test_killed_it_goes_on(data: DataFolder, environ: dict[str, str]) -> None:
    for number in range(3):
        write(data.journal, entries(300) if not number else configs(300, 300 * number))
        with Child(MODULE, runtime(data.root, "publisher"), environ) as child:
            child.first_line()
            time.sleep(0.1 * number)  # wherever it is by then
            child.kill()
    with Child(MODULE, runtime(data.root, "publisher"), environ) as child:
        child.first_line()
        assert child.let_go() == 0
    assert size(data) == 900


def stamping(data: DataFolder, url: str) -> Runtime:
    """What a publisher with a time-stamping authority is told."""
    told = runtime(data.root, "publisher")
    made = msgspec.structs.replace(
        told.settings, timestamp_url=url, timestamp_allow_private_address=True
    )
    return msgspec.structs.replace(told, settings=made)


def wait(done: Callable[[], bool], child: Child) -> None:
    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until, child.log
        time.sleep(0.01)


def test_it_has_the_log_stamped_once_a_period_over_restarts(
    data: DataFolder, environ: dict[str, str], tmp_path: Path
) -> None:
    write(data.journal, entries(3))
    Publishing(data, "").finish()
    authority = Authority(tmp_path / "tsa")
    with Served(authority) as url:
        with Child(MODULE, stamping(data, url), environ) as child:
            child.first_line()
            wait(lambda: last_stamp(data.log).size == 3, child)
            child.kill()
        write(data.journal, configs(3))
        with Child(MODULE, stamping(data, url), environ) as child:
            child.first_line()
            wait(lambda: b"\n6\n" in (data.log / "checkpoint").read_bytes(), child)
            assert child.let_go() == 0
    assert len(authority.asked) == 1 and last_stamp(data.log).size == 3
    folder = data.log / "timestamps"
    assert authority.accepts(folder / "3.tsr", folder / "3.checkpoint")
    assert size(data) == 6, "the folder of stamps is in no verifier's way"


def test_an_authority_that_never_answers_holds_up_nothing(
    data: DataFolder, environ: dict[str, str]
) -> None:
    write(data.journal, entries(3))
    Publishing(data, "").finish()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with Child(MODULE, stamping(data, url), environ) as child:
            child.first_line()
            asked, _ = silent.accept()  # and it waits for the answer from here on
            with asked:
                write(data.journal, configs(3))
                wait(lambda: b"\n6\n" in (data.log / "checkpoint").read_bytes(), child)
                assert child.let_go() == 0, "nor does its end wait"
    assert last_stamp(data.log).size == 0 and size(data) == 6


def test_before_there_is_a_journal_it_waits(data: DataFolder) -> None:
    publishing = Publishing(data, "")
    assert publishing.turn() == 1.0 and not data.log.exists()
    write(data.journal, entries(3))
    assert publishing.turn() == 1.0
    assert size(data) == 3
    publishing.finish()


def test_a_contradiction_stops_it_loudly_and_for_good(data: DataFolder, said: Said) -> None:
    write(data.journal, entries(30))
    Publishing(data, "").finish()
    before = (data.log / "checkpoint").read_bytes()
    segment_path(data.journal, 1).unlink()
    write(data.journal, [*entries(20), hold(99), settle(99), *configs(100)])
    publishing = Publishing(data, "")
    assert [publishing.turn() for _ in range(2)] == [SAY_AGAIN_SECONDS] * 2
    assert (
        len(said()) == 2 and "the transparency log stands still: the first 30 leaves" in said()[0]
    )
    publishing.finish()
    assert (data.log / "checkpoint").read_bytes() == before


def test_what_fails_is_tried_again_ever_more_rarely(
    data: DataFolder, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(data.journal, entries(3))
    publishing = Publishing(data, "")
    with monkeypatch.context() as broken:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        broken.setattr("farthing.evidence.store.Store.replace", full)
        pauses = [publishing.turn() for _ in range(8)]
    assert pauses[:3] == [2, 4, 8] and pauses[-1] == LONGEST_PAUSE
    assert "No space left on device" in said()[0]
    assert publishing.turn() == 1.0
    assert size(data) == 3
    publishing.finish()


def test_two_never_publish_at_once(data: DataFolder, said: Said) -> None:
    write(data.journal, entries(3))
    one, other = Publishing(data, ""), Publishing(data, "")
    assert one.turn() == 1.0
    assert other.turn() == 2.0 and "another process publishes it" in said()[0]
    one.finish()
    assert other.turn() == 1.0
    other.finish()


def test_a_lost_key_is_not_made_up_for(data: DataFolder, said: Said) -> None:
    write(data.journal, entries(3))
    Publishing(data, "").finish()
    data.log_key.unlink()
    publishing = Publishing(data, "")
    publishing.turn()
    assert "was not signed by this log" in said()[0] and "Put back the files" in said()[0]
    publishing.finish()
