"""The ledger as a process: it starts, serves, dies and comes back with all it acknowledged."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.support.child import Child, Line, runtime

from farthing.errors import ConfigError
from farthing.ledger import process as process_module
from farthing.ledger.account import Balance
from farthing.ledger.commit import Committer
from farthing.ledger.entry import (
    Config,
    Entry,
    Genesis,
    Hold,
    PriceBookInForce,
    Refusal,
    Settle,
    Unresolved,
)
from farthing.ledger.journal import EXTENT, FIRST_SEGMENT, Journal
from farthing.ledger.process import open_ledger
from farthing.ledger.protocol import (
    Append,
    AskStanding,
    Attach,
    FromLedger,
    Known,
    Outcome,
    decode_from_ledger,
)
from farthing.ledger.registry import KeyState
from farthing.ledger.standing import Standing
from farthing.paths import DataFolder

Build = Callable[..., Any]
Run = Callable[[Coroutine[Any, Any, None]], None]
Groups = Callable[[Path], list[list[Entry]]]


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path)


@pytest.fixture
def start(tmp_path: Path, environ: dict[str, str]) -> Iterator[Callable[..., Child]]:
    """Start a ledger process: start(durability=, config=); it has said that it is ready."""
    with ExitStack() as stack:

        def start_(**told: str) -> Child:
            told_ = runtime(tmp_path, "ledger", **told)
            child = stack.enter_context(Child("farthing.ledger.process", told_, environ))
            assert child.first_line() == b'{"ready":true}\n', child.log
            return child

        yield start_


@pytest.fixture
def call(data: DataFolder) -> Iterator[Callable[[], Line]]:
    """Connect to the ledger."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Line(data.socket("ledger")))


Start = Callable[..., Child]
Call = Callable[[], Line]


def ask(line: Line, message: object) -> FromLedger:
    line.say(message)
    told: FromLedger = decode_from_ledger(line.hear())
    return told


def written(groups: list[list[Entry]]) -> list[Entry]:
    return [entry for group in groups for entry in group]


# -- as a real process ----------------------------------------------------------------------------


def test_when_it_is_ready_it_serves_two_workers_under_one_limit(
    start: Start, call: Call, key: Build, hold: Build, limit: Build
) -> None:
    start()
    one, two, command = call(), call(), call()
    assert [ask(one, Attach("w1")), ask(two, Attach("w2"))] == [Known([], []), Known([], [])]
    assert ask(command, Append(1, limit(100))) == Outcome(1, None)
    assert ask(command, Append(2, key())) == Outcome(2, None)
    for worker in (one, two):
        assert decode_from_ledger(worker.hear()) == Known([KeyState(key())], [])
    assert ask(one, Append(7, hold("q1", usd=60))) == Outcome(7, None)
    refused = Refusal("limit_reached", "key:k1", "usd", 100, 0, 60, 41)
    assert ask(two, Append(7, hold("q2", usd=41, worker="w2"))) == Outcome(7, refused)
    assert ask(two, Append(8, hold("q3", usd=40, worker="w2"))) == Outcome(8, None)
    told = ask(command, AskStanding())
    assert isinstance(told, Standing)
    assert Balance("key:k1", "usd", 0, 100, 100) in told.balances
    assert told.keys == [KeyState(key())]


@pytest.mark.parametrize("durability", ["power", "process"])
def test_killed_while_it_works_it_comes_back_with_all_it_acknowledged(
    start: Start,
    call: Call,
    data: DataFolder,
    groups_in: Groups,
    key: Build,
    hold: Build,
    settle: Build,
    durability: str,
) -> None:
    child, worker = start(durability=durability), call()
    ask(worker, Append(0, key()))

    def work() -> None:
        """Hold and settle, one query after the other, until nobody listens."""
        with suppress(OSError):
            for query in range(100_000):
                worker.say(Append(2 * query, hold(f"q{query}", usd=9)))
                worker.say(Append(2 * query + 1, settle(f"q{query}", usd=7)))

    working = threading.Thread(target=work)
    working.start()
    answers = [worker.hear() for _ in range(300)]
    child.kill()
    answers += iter(worker.hear, b"")
    working.join()
    acknowledged = [decode_from_ledger(answer) for answer in answers]
    assert acknowledged == [Outcome(number, None) for number in range(len(answers))]
    start(durability=durability)
    kept = [e for e in written(groups_in(data.journal)) if isinstance(e, Hold | Settle)]
    assert len(kept) >= len(acknowledged)
    told = ask(call(), AskStanding())
    assert isinstance(told, Standing)
    settled, still_open = divmod(len(kept), 2)
    assert Balance("key:k1", "usd", 7 * settled, 9 * still_open, None) in told.balances
    assert ask(call(), Append(1, hold("later"))) == Outcome(1, None)


def test_a_second_one_on_the_same_folder_is_refused_with_a_sentence(
    start: Start, call: Call, data: DataFolder, environ: dict[str, str], key: Build
) -> None:
    start()
    with Child("farthing.ledger.process", runtime(data.root, "second"), environ) as second:
        assert second.first_line() == b""
        assert second.process.wait() == 1
    sentence = "is already open in another process; stop that gateway, or choose another folder"
    assert f"the ledger in {data.root} {sentence} with --data" in second.log
    assert ask(call(), Append(1, key())) == Outcome(1, None)  # the first has noticed nothing


def test_what_keeps_it_from_starting_is_one_line_of_its_log(
    data: DataFolder, open_journal: Callable[..., Journal], environ: dict[str, str]
) -> None:
    open_journal()
    with Child("farthing.ledger.process", runtime(data.root, "ledger"), environ) as child:
        assert child.first_line() == b""
        assert child.process.wait() == 1
    (line,) = child.log.splitlines()
    assert "level=CRITICAL process=ledger the ledger in" in line


@pytest.mark.parametrize("by_signal", [False, True])
def test_told_to_stop_it_gives_everything_back(
    start: Start, call: Call, data: DataFolder, groups_in: Groups, key: Build, by_signal: bool
) -> None:
    child, file = start(), data.journal / FIRST_SEGMENT
    child.process.send_signal(signal.SIGINT)  # Ctrl-C: the supervisor decides what it means
    assert ask(call(), Append(1, key())) == Outcome(1, None)
    assert file.stat().st_size % EXTENT == 0
    if by_signal:
        child.process.send_signal(signal.SIGTERM)
        assert child.process.wait() == 0
    else:
        assert child.let_go() == 0
    assert not file.read_bytes().endswith(b"\0")
    assert written(groups_in(data.journal))[-1] == key()
    start()
    assert f"the ledger has {len(written(groups_in(data.journal)))} entries" in child.log


def test_what_is_in_force_is_recorded_when_it_changes(
    start: Start, data: DataFolder, groups_in: Groups
) -> None:
    def restarted(config: str) -> list[Entry]:
        start(config=config).let_go()
        return written(groups_in(data.journal))

    (genesis, config, book) = first = restarted("c1")
    assert isinstance(genesis, Genesis)
    assert isinstance(config, Config)
    assert config.digest == "c1"
    assert isinstance(book, PriceBookInForce)
    assert (book.digest, book.source) == ("book1", "test")
    assert restarted("c1") == first
    *same, changed = restarted("c2")
    assert same == first
    assert isinstance(changed, Config)
    assert changed.digest == "c2"


# -- inside a worker ------------------------------------------------------------------------------


# uvloop does not end while warnings of what a failure left open are errors.
may_end = pytest.mark.filterwarnings("ignore::ResourceWarning")


@may_end
def test_in_a_worker_it_gives_up_what_the_run_before_left_open(
    run: Run,
    data: DataFolder,
    write_journal: Callable[..., Path],
    groups_in: Groups,
    key: Build,
    hold: Build,
) -> None:
    """Its own run's queries it keeps: it sends them."""
    left = [hold("q1", worker="w1-before"), hold("q2", worker="w1-now")]
    write_journal([[Genesis(1, "one"), key(), *left]])

    async def test() -> None:
        told = msgspec.structs.replace(runtime(data.root, "w1"), worker="w1-now")
        opened = await open_ledger(told)
        await opened.close()
        assert set(opened.ledger.state.unresolved) == {"q1"}

    run(test())
    (lost,) = [e for e in written(groups_in(data.journal)) if isinstance(e, Unresolved)]
    assert (lost.id, lost.reason) == ("q1", "worker_lost")


@may_end
@pytest.mark.parametrize("durability", ["power", "process"])
def test_it_is_as_durable_as_the_settings_say(
    run: Run, data: DataFolder, monkeypatch: pytest.MonkeyPatch, durability: str
) -> None:
    asked: list[str] = []

    def commit(journal: Journal, durability: str, *, waits: Callable[[], bool]) -> Committer:
        asked.append(durability)
        return Committer(journal, durability, waits=waits)

    monkeypatch.setattr(process_module, "Committer", commit)

    async def test() -> None:
        await (await open_ledger(runtime(data.root, "w1", durability))).close()

    run(test())
    assert asked == [durability]


@may_end
@pytest.mark.parametrize(
    ("alone", "waiting"), [(False, [True] * 2 + [False] * 2), (True, [True] * 4)]
)
def test_a_worker_s_loop_waits_for_the_disk_while_few_queries_are_open(
    run: Run, data: DataFolder, monkeypatch: pytest.MonkeyPatch, alone: bool, waiting: list[bool],
    key: Build, hold: Build,
) -> None:  # fmt: skip
    """Then nothing is late by it; a loop with more to do leaves it to a thread."""
    asked: list[Callable[[], bool]] = []

    def commit(journal: Journal, durability: str, *, waits: Callable[[], bool]) -> Committer:
        asked.append(waits)
        return Committer(journal, durability, waits=waits)

    monkeypatch.setattr(process_module, "Committer", commit)

    async def test() -> list[bool]:
        opened = await open_ledger(runtime(data.root, "w1"), alone=alone)
        opened.ledger.record(key())
        waited = []
        for number in range(4):
            opened.ledger.hold(hold(f"q{number}"))
            waited.append(asked[0]())
        await opened.close()
        return waited

    found: list[bool] = []

    async def kept() -> None:
        found.extend(await test())

    run(kept())
    assert found == waiting


@may_end
def test_closing_gives_back_the_lock_and_the_socket(
    run: Run, data: DataFolder, open_journal: Callable[..., Journal]
) -> None:
    async def test() -> None:
        opened = await open_ledger(runtime(data.root, "w1"))
        with pytest.raises(ConfigError, match="already open"):
            open_journal()
        before = len(list(Path("/dev/fd").iterdir()))
        await opened.close()
        assert len(list(Path("/dev/fd").iterdir())) < before
        with pytest.raises(ConnectionRefusedError):
            Line(data.socket("ledger"))
        open_journal()

    run(test())
