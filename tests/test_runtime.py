"""What a child is told and says, when it must stop, and how its log looks."""

from __future__ import annotations

import io
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from farthing.runtime import LocalModel, Ready, Runtime, log_as, read_told
from farthing.settings import PriceOverride, Settings
from farthing.settings.schema import LocalSettings, ProviderSettings

TOLD = Runtime(
    name="worker-1",
    data="/a folder/with \u00fc",
    settings=Settings(
        workers=2,
        models={"fast": "own/m"},
        local=LocalSettings(dollars_per_hour=Decimal("0.050000001")),
        providers={"own": ProviderSettings(base_url="https://example.com", auth="none")},
        prices=[PriceOverride("own", "m", Decimal("1E-9"), Decimal(2), starts=date(2026, 1, 2))],
    ),
    config_digest="c0ffee",
    price_book="/books/1.json",
    price_source="somewhere\nelse",
    host="::1",
    port=1960,
    worker="worker-1-0a",
    own_ledger=True,
    local=LocalModel("http://127.0.0.1:2", "s3cret"),
)


def say(monkeypatch: pytest.MonkeyPatch, data: bytes) -> io.BytesIO:
    """Put bytes on standard input; return it."""
    stdin = io.TextIOWrapper(raw := io.BytesIO(data))
    monkeypatch.setattr(sys, "stdin", stdin)
    return raw


# -- what it is told --------------------------------------------------------------------------


def test_what_a_child_is_told_is_read_as_it_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, msgspec.json.encode(TOLD) + b"\n")
    assert read_told(Runtime) == TOLD


def test_a_child_reads_one_line_and_leaves_its_lifeline(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = say(monkeypatch, msgspec.json.encode(TOLD) + b"\nrest")
    read_told(Runtime)
    assert stdin.read() == b"rest"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"\n", "truncated"),
        (b'{"name": "s3cret"', "truncated"),
        (b"s3cret\n", "malformed"),
        (b'{"data": "s3cret"}\n', "missing required field `name`"),
        (b'{"name": "w", "data": ["s3cret"]}\n', r"Expected `str`, got `array` - at `\$\.data`"),
        (msgspec.json.encode(TOLD).replace(b":1960,", b':"s3cret",'), r"`int`.* at `\$\.port`"),
        (msgspec.json.encode(TOLD).replace(b'"workers"', b'"s3cret"'), r"at `\$\.settings`"),
    ],
)
def test_a_line_that_is_not_what_a_child_needs_is_an_error_that_says_where_and_keeps_secrets(
    monkeypatch: pytest.MonkeyPatch, line: bytes, problem: str
) -> None:
    say(monkeypatch, line)
    with pytest.raises(msgspec.DecodeError, match=problem) as error:
        read_told(Runtime)
    if b'"s3cret":' not in line:  # a field's name is no secret
        assert "s3cret" not in str(error.value)


def test_a_child_that_is_never_told_ends_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its supervisor found something wrong before it came to that, and says so itself."""
    say(monkeypatch, b"")
    with pytest.raises(SystemExit) as end:
        read_told(Runtime)
    assert end.value.code == 0


# -- what it says, and when it stops ----------------------------------------------------------

CHILD = """
import asyncio, signal, sys
signal.alarm(30)  # a test that fails does not wait for ever
from farthing.runtime import Ready, log_as, read_told, say_ready, stop_event

async def main():
    stop = stop_event()
    say_ready()
    await stop.wait()

read_told(Ready)
asyncio.run(main())
sys.exit(7)
"""


@contextmanager
def serving() -> Iterator[subprocess.Popen[bytes]]:
    """Run a child until it says that it serves."""
    pipe, program = subprocess.PIPE, [sys.executable, "-c", CHILD]
    environ = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(program, stdin=pipe, stdout=pipe, env=environ) as child:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(b"{}\n")
        child.stdin.flush()
        try:
            assert msgspec.json.decode(child.stdout.readline(), type=Ready) == Ready()
            yield child
        finally:
            child.kill()


def test_a_child_stops_when_its_lifeline_closes_and_has_said_one_line() -> None:
    with serving() as child:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.close()
        assert child.wait(10) == 7
        assert child.stdout.read() == b""


def test_a_child_stops_at_a_sigterm() -> None:
    with serving() as child:
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 7


def test_a_child_does_not_stop_at_a_ctrl_c_or_because_something_is_said() -> None:
    with serving() as child:
        assert child.stdin is not None
        child.send_signal(signal.SIGINT)
        child.stdin.write(b"more than nothing")
        child.stdin.flush()
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.2)
        child.stdin.close()
        assert child.wait(10) == 7


# -- its log ----------------------------------------------------------------------------------


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """The log of farthing, as before after the test."""
    monkeypatch.delenv("FARTHING_LOG", raising=False)
    log = logging.getLogger("farthing")
    before = (log.handlers[:], log.level, log.propagate)
    yield log
    log.handlers[:], level, log.propagate = before
    log.setLevel(level)


LINE = r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=%s process=worker-1 %s\n"


def test_a_line_of_the_log_says_when_how_grave_and_who(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log_as("worker-1")
    log.warning("%d were lost", 3)
    assert re.fullmatch(LINE % ("WARNING", "3 were lost"), capsys.readouterr().err)


def test_the_log_s_time_is_utc(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_as("worker-1")
    record = log.makeRecord("farthing", logging.INFO, "", 0, "then", (), None)
    record.created, record.msecs = 1_767_323_045.007, 7.0
    log.handle(record)
    assert capsys.readouterr().err.startswith("time=2026-01-02T03:04:05.007Z ")


def test_line_breaks_do_not_split_an_event(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody can write a line into the log that farthing did not."""
    log_as("worker-1")
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        log.exception("three\nfour")
    (line,) = capsys.readouterr().err.splitlines()
    assert "three | four | Traceback" in line and line.endswith("ValueError: one | two")


@pytest.mark.parametrize("mark", ["\r", "\x0b", "\u2028"])
def test_other_line_breaks_do_not_split_an_event_either(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], mark: str
) -> None:
    log_as("worker-1")
    log.warning("one%stwo", mark)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_log_is_written_once_however_often_it_is_named(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    log_as("supervisor")
    log_as("worker-1")
    log.info("one")
    assert re.fullmatch(LINE % ("INFO", "one"), capsys.readouterr().err)
    assert not caplog.records, "the root's log has its own readers"


@pytest.mark.parametrize(
    ("level", "said"), [("debug", "debug info warning"), ("WARNING", "warning")]
)
def test_the_environment_says_how_much_is_logged(
    log: logging.Logger,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    level: str,
    said: str,
) -> None:
    monkeypatch.setenv("FARTHING_LOG", level)
    log_as("worker-1")
    for number in (logging.DEBUG, logging.INFO, logging.WARNING):
        log.log(number, logging.getLevelName(number).lower())
    words = [line.split()[-1] for line in capsys.readouterr().err.splitlines()]
    assert " ".join(words) == said


def test_a_process_that_gives_way_runs_when_others_rest() -> None:
    """Where the system knows no such processes, it is as polite as can be."""
    asked = "import os; from farthing.runtime import give_way; give_way(); "
    told = "print(os.sched_getscheduler(0) == os.SCHED_IDLE or os.nice(0) == 19)"
    done = subprocess.run([sys.executable, "-c", asked + told], capture_output=True, check=True)
    assert done.stdout.strip() == b"True"
