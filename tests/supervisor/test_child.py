"""A child: told on its standard input, started again when it dies, ended with its lifeline."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.supervisor.conftest import Run

from farthing.errors import ConfigError
from farthing.supervisor import child as supervisor
from farthing.supervisor.child import Child

# What a program of these tests does, one after the other.
HEAR = """
import os, signal, sys
signal.alarm(30)  # nothing is left for long by a test that fails
told = sys.stdin.readline()
print("heard", told, end="", file=sys.stderr, flush=True)
"""
READY = "print('serving', flush=True)\n"
LIFELINE = "sys.stdin.read()\n"
SERVE = HEAR + READY + LIFELINE


class Told(msgspec.Struct):
    """What the programs are told."""

    start: int
    padding: str = ""


class Starts:
    """Counts a child's starts: it is told at each."""

    def __init__(self, padding: int = 0) -> None:
        self.count = 0
        self._padding = "x" * padding

    def tell(self) -> Told:
        self.count += 1
        return Told(self.count, self._padding)


class Pauses:
    """Stands for asyncio.sleep: the first few pauses are over at once, the next one never is."""

    def __init__(self, most: int) -> None:
        self.seconds: list[float] = []
        self.reached = asyncio.Event()
        self._most = most

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) == self._most:
            self.reached.set()
            await asyncio.Event().wait()


Make = Callable[[str, Starts], Child]


@pytest.fixture
def log_to(tmp_path: Path) -> Path:
    """Where the programs' standard error goes."""
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs" / "stub.log"


@pytest.fixture
def make(tmp_path: Path, log_to: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make a child of a program's text."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make_(program: str, starts: Starts) -> Child:
        (tmp_path / "stub.py").write_text(program)
        return Child("stub", "stub", starts.tell, log_to)

    return make_


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Pauses]:
    """Let no pause between starts take time; the last of so many never ends."""

    def pauses_(most: int) -> Pauses:
        made = Pauses(most)
        monkeypatch.setattr(supervisor.asyncio, "sleep", made.sleep)  # type: ignore[attr-defined]
        return made

    return pauses_


def running(child: Child) -> asyncio.subprocess.Process:
    assert child.process is not None
    return child.process


# -- start ------------------------------------------------------------------------------------


def test_a_child_is_told_and_its_line_returned(make: Make, log_to: Path, run: Run) -> None:
    async def test() -> None:
        child = make(SERVE, Starts())
        assert await child.start() == b"serving\n"
        await child.stop()

    run(test())
    assert log_to.read_text() == 'heard {"start":1,"padding":""}\n'


def test_a_child_imports_nothing_from_the_folder_it_is_started_in(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "colorsys.py").write_text("raise RuntimeError('imported from here')")
    monkeypatch.chdir(tmp_path / "here")

    async def test() -> None:
        child = make("import colorsys\n" + SERVE, Starts())
        assert await child.start()
        await child.stop()

    run(test())


def test_a_child_that_ends_before_it_serves_is_an_error_that_says_how_and_where_to_look(
    make: Make, log_to: Path, run: Run
) -> None:
    async def test() -> None:
        child = make(HEAR + "sys.exit('no weights')", Starts())
        where = re.escape(f"stub did not start (exit status 1); its output is in {log_to}")
        with pytest.raises(ConfigError, match=f"^{where}$"):
            await child.start()
        await child.stop()

    run(test())
    assert log_to.read_text().endswith("no weights\n")


def test_a_child_that_ends_before_it_has_read_everything_is_the_same_error(
    make: Make, run: Run
) -> None:
    async def test() -> None:
        more_than_a_pipe_holds = Starts(padding=10**6)
        child = make("raise SystemExit(7)", more_than_a_pipe_holds)
        with pytest.raises(ConfigError, match="exit status 7"):
            await child.start()

    run(test())


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a moment only for a child to serve."""
    monkeypatch.setattr(supervisor, "READY_SECONDS", 0.2)


@pytest.mark.usefixtures("hasty")
def test_a_child_that_never_serves_is_killed_and_an_error(
    make: Make, log_to: Path, run: Run
) -> None:
    async def test() -> None:
        child = make(HEAR + LIFELINE, Starts())
        with pytest.raises(ConfigError, match=f"stub did not start.*{re.escape(str(log_to))}"):
            await child.start()
        assert running(child).returncode == -signal.SIGKILL

    run(test())


@pytest.mark.usefixtures("hasty")
def test_a_child_that_never_serves_is_an_error_that_says_so(make: Make, run: Run) -> None:
    async def test() -> None:
        with pytest.raises(ConfigError, match=r"within 0\.2 s"):
            await make(HEAR + LIFELINE, Starts()).start()

    run(test())


def test_a_child_comes_up_before_there_is_anything_to_tell_it(
    make: Make, log_to: Path, run: Run
) -> None:
    async def test() -> None:
        starts = Starts()
        child = make(SERVE, starts)
        await child.spawn()
        process = running(child)
        assert starts.count == 0
        assert await child.start() == b"serving\n"
        assert (running(child), starts.count) == (process, 1)
        await child.stop()

    run(test())
    assert log_to.read_text() == 'heard {"start":1,"padding":""}\n'


# -- start again ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("death", "how"),
    [
        ("os._exit(3)", "exit status 3"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed by SIGKILL"),
        ("os.kill(os.getpid(), 40)", "killed by signal 40"),
    ],
)
def test_a_child_that_dies_is_started_again_and_the_log_says_why(
    make: Make,
    pauses: Callable[[int], Pauses],
    log_to: Path,
    logged: list[str],
    run: Run,
    death: str,
    how: str,
) -> None:
    async def test() -> None:
        twice = pauses(2)
        child = make(HEAR + READY + death, Starts())
        await child.start()
        await twice.reached.wait()
        await child.stop()

    run(test())
    line = f"ERROR stub ended ({how}); its output is in {log_to}; starting it again"
    assert logged == [line, line]
    starts = [line for line in log_to.read_text().splitlines() if line.startswith("heard")]
    assert starts == [f'heard {{"start":{n},"padding":""}}' for n in (1, 2)], "told anew, kept both"


def test_a_child_that_is_killed_serves_again(make: Make, run: Run) -> None:
    async def test() -> None:
        starts = Starts()
        child = make(SERVE, starts)
        await child.start()
        first = running(child)
        first.kill()
        await first.wait()
        while running(child) is first:
            await asyncio.sleep(0.001)
        second = running(child)
        await child.stop()
        assert (second.returncode, starts.count) == (0, 2)

    run(test())


KILLED_TWICE = "if '\"start\":3,' not in told: os.kill(os.getpid(), signal.SIGKILL)\n"


def test_a_child_that_is_killed_before_it_served_is_an_error_or_is_stubborn(
    make: Make, pauses: Callable[[int], Pauses], logged: list[str], run: Run
) -> None:
    async def test() -> None:
        starts, waited = Starts(), pauses(99)
        child = make(HEAR + KILLED_TWICE + READY + LIFELINE, starts)
        with pytest.raises(ConfigError, match="did not start"):
            await child.start()
        assert not logged and not waited.seconds
        child = make(HEAR + KILLED_TWICE + READY + LIFELINE, starts)
        assert await child.start(stubborn=True) == b"serving\n"
        assert waited.seconds == [supervisor.FIRST_PAUSE]
        await child.stop()

    run(test())
    assert len(logged) == 1 and "killed by SIGKILL" in logged[0] and "trying again" in logged[0]


def test_stubbornness_is_for_accidents(make: Make, run: Run) -> None:
    async def test() -> None:
        child = make(HEAR + "sys.exit('no weights')", Starts())
        with pytest.raises(ConfigError, match="exit status 1"):
            await child.start(stubborn=True)

    run(test())


FAILS_AFTER_THE_FIRST_START = (
    HEAR + "if '\"start\":1,' not in told: sys.exit('broken')\n" + READY + "sys.exit()"
)


def test_the_pauses_between_starts_double_up_to_five_seconds(
    make: Make, pauses: Callable[[int], Pauses], run: Run
) -> None:
    async def test() -> None:
        many = pauses(9)
        child = make(FAILS_AFTER_THE_FIRST_START, Starts())
        await child.start()
        await many.reached.wait()
        await child.stop()
        assert many.seconds == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]

    run(test())


def test_after_a_long_life_a_child_s_next_death_is_its_first_again(
    make: Make, pauses: Callable[[int], Pauses], monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setattr(supervisor, "SETTLED_SECONDS", -1)

    async def test() -> None:
        few = pauses(3)
        child = make(HEAR + READY, Starts())
        await child.start()
        await few.reached.wait()
        await child.stop()
        assert few.seconds == [0.05, 0.05, 0.05]

    run(test())


def test_a_restart_that_the_system_refuses_is_tried_again(
    make: Make, pauses: Callable[[int], Pauses], log_to: Path, run: Run
) -> None:
    async def test() -> None:
        before, twice = asyncio.all_tasks(), pauses(2)
        child = make(SERVE, Starts())
        await child.start()
        watch = asyncio.all_tasks() - before
        log_to.unlink()
        log_to.parent.rmdir()  # then the log cannot be opened
        running(child).kill()
        reached = asyncio.create_task(twice.reached.wait())
        await asyncio.wait({*watch, reached}, return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        assert [task.exception() for task in watch if task.done()] == [], "nobody watches it"
        await child.stop()

    run(test())


# -- stop -------------------------------------------------------------------------------------


def test_stopping_closes_the_lifeline_and_waits_for_the_end(
    make: Make, log_to: Path, logged: list[str], run: Run
) -> None:
    async def test() -> None:
        starts = Starts()
        child = make(SERVE + "print('put away', file=sys.stderr)", starts)
        await child.start()
        await child.stop()
        assert (running(child).returncode, starts.count) == (0, 1)

    run(test())
    assert log_to.read_text().endswith("put away\n")
    assert logged == [], "its end was wanted"


def test_a_child_that_does_not_stop_is_killed(make: Make, logged: list[str], run: Run) -> None:
    async def test() -> None:
        child = make(HEAR + READY + "while True: signal.pause()", Starts())
        await child.start()
        await child.stop(patience=0.1)
        assert running(child).returncode == -signal.SIGKILL

    run(test())
    assert logged == ["ERROR stub did not stop within 0.1 s and is killed"]


def test_a_child_that_is_stopped_between_two_starts_stays_ended(
    make: Make, pauses: Callable[[int], Pauses], run: Run
) -> None:
    async def test() -> None:
        before, starts, pause = asyncio.all_tasks(), Starts(), pauses(1)
        child = make(HEAR + READY, starts)
        await child.start()
        await pause.reached.wait()
        await child.stop()
        assert asyncio.all_tasks() == before, "nobody is left who would start it"
        assert (running(child).returncode, starts.count) == (0, 1)

    run(test())


def test_a_child_that_was_never_started_stops_at_once(make: Make, run: Run) -> None:
    run(make(SERVE, Starts()).stop())


def test_a_child_that_is_stopped_while_it_starts_stays_ended(make: Make, run: Run) -> None:
    async def test() -> None:
        before = asyncio.all_tasks()
        child = make(HEAR + LIFELINE + READY, Starts())
        starting = asyncio.create_task(child.start())
        while child.process is None:
            await asyncio.sleep(0.001)
        await child.stop()
        await asyncio.gather(starting, return_exceptions=True)
        left = asyncio.all_tasks() - before
        await child.stop()
        assert not left, "somebody is left who would start it"

    run(test())


def test_children_do_not_hold_each_other_s_lifelines_open(make: Make, run: Run) -> None:
    async def test() -> None:
        first, second = make(SERVE, Starts()), make(SERVE, Starts())
        await first.start()
        await second.start()
        await first.stop()
        assert running(first).returncode == 0
        assert running(second).returncode is None
        await second.stop()

    run(test())
