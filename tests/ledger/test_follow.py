"""The follower: look-ups of queries in every state, and a process that stays behind the journal."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.child import WAIT_SECONDS, Child, Line, runtime
from tests.support.postgres import PostgresServer
from tests.support.records import content

from farthing.ledger import follow
from farthing.ledger.database import shown
from farthing.ledger.entry import Entry, Genesis, Unresolved, Void, encode
from farthing.ledger.follow import Follower
from farthing.ledger.journal import FIRST_SEGMENT, Journal
from farthing.ledger.lookup import Found, Lookup, decode_found
from farthing.ledger.project import catch_up
from farthing.ledger.snapshotter import contradictions
from farthing.ledger.state import State
from farthing.paths import DataFolder

Build = Callable[..., Any]
Run = Callable[[Coroutine[Any, Any, None]], None]
Append = Callable[..., None]


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path)


@pytest.fixture
def append(open_journal: Callable[..., Journal], key: Build) -> Append:
    """Append entries to the journal of a gateway that runs: append(entry, entry, …)."""
    journal = open_journal()

    def append_(*entries: Entry) -> None:
        journal.append([encode(entry) for entry in entries])

    append_(Genesis(1, "one"), key("k1"), key("k2"))
    return append_


@pytest.fixture
def follower(data: DataFolder, database: str | None) -> Iterator[Follower]:
    made = Follower(data, database)
    yield made
    if made.engine is not None:
        made.engine.dispose()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look-ups of an open query give up at once."""
    monkeypatch.setattr(follow, "PATIENCE_SECONDS", 0.0)


# -- look-ups -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("held", ("open", None, None)),
        ("settled", ("settled", 60, None)),
        ("voided", ("void", 0, "upstream_unreachable")),
        ("lost", ("unresolved", None, "worker_lost")),
        ("proven", ("settled", 70, None)),
        ("unknown", None),
        ("", None),
        ("other", None),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_each_query_is_found_as_it_is_and_only_by_its_key(
    run: Run,
    follower: Follower,
    append: Append,
    hold: Build,
    settle: Build,
    query: str,
    told: tuple[str, int | None, str | None] | None,
) -> None:
    append(*(hold(name) for name in ("held", "settled", "voided", "lost", "proven")))
    append(hold("other", key="k2"), settle("settled"), settle("other"))
    append(Void(9, "voided", "upstream_unreachable"), Unresolved(9, "lost", "worker_lost"))
    append(Unresolved(9, "proven", "worker_lost"), settle("proven", usd=70))

    async def test() -> None:
        found = await follower.look_up(Lookup(1, query, "k1"))
        shown = found and (found["status"], found["cost"], found["reason"])
        assert shown == told

    run(test())


def test_a_query_is_found_as_soon_as_it_is_journaled_and_waited_for_until_it_ends(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    follower: Follower,
    append: Append,
    hold: Build,
    settle: Build,
) -> None:
    seen_open = threading.Event()
    find = follower._find

    def find_(query: str) -> dict[str, Any] | None:
        record = find(query)
        seen_open.set()
        return record

    monkeypatch.setattr(follower, "_find", find_)
    monkeypatch.setattr(follow, "PATIENCE_SECONDS", 15.0)

    async def test() -> None:
        append(hold("q1"))
        looking = asyncio.ensure_future(follower.look_up(Lookup(1, "q1", "k1")))
        await asyncio.to_thread(seen_open.wait, WAIT_SECONDS)
        append(settle("q1"))
        record = await looking
        assert record is not None
        assert record["status"] == "settled"

    run(test())


def test_an_open_query_is_not_waited_for_by_another_key(
    run: Run, monkeypatch: pytest.MonkeyPatch, follower: Follower, append: Append, hold: Build
) -> None:
    """Else the time it takes would tell that it is there."""
    monkeypatch.setattr(follow, "PATIENCE_SECONDS", 1_000.0)

    async def test() -> None:
        append(hold("q1"))
        assert await follower.look_up(Lookup(1, "q1", "k2")) is None

    run(test())


@pytest.mark.usefixtures("impatient")
def test_a_torn_tail_is_never_found(
    run: Run, follower: Follower, data: DataFolder, write_journal: Callable[..., Path], key: Build,
    hold: Build, settle: Build,
) -> None:  # fmt: skip
    write_journal([[Genesis(1, "one"), key(), hold("q1")], [settle("q1"), hold("q2")]])
    file = data.journal / FIRST_SEGMENT
    os.truncate(file, file.stat().st_size - 1)

    async def test() -> None:
        record = await follower.look_up(Lookup(1, "q1", "k1"))
        assert record is not None
        assert record["status"] == "open"
        assert await follower.look_up(Lookup(1, "q2", "k1")) is None

    run(test())


# -- as a server --------------------------------------------------------------------------------


Serve = Callable[[Callable[[], Coroutine[Any, Any, None]]], Coroutine[Any, Any, None]]


@pytest.fixture
def serve(follower: Follower) -> Serve:
    """Run the follower while a coroutine does: serve(client); it is told to stop afterwards."""

    async def serve_(client: Callable[[], Coroutine[Any, Any, None]]) -> None:
        stop, ready = asyncio.Event(), asyncio.Event()
        running = asyncio.ensure_future(follower.run(stop, ready.set))
        await ready.wait()
        acting = asyncio.ensure_future(client())
        await asyncio.wait({running, acting}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await running
        await acting

    return serve_


def ask(line: Line, *asked: Lookup) -> dict[int, Any]:
    """Ask everything at once; return the answers by their numbers."""
    for message in asked:
        line.say(message)
    answers = [decode_found(line.hear()) for _ in asked]
    return {answer.number: answer.record and answer.record["id"] for answer in answers}


def test_each_of_many_look_ups_gets_its_own_answer(
    run: Run, data: DataFolder, serve: Serve, append: Append, hold: Build, settle: Build
) -> None:
    """One that waits for an open query holds up none that is asked after it."""

    def work() -> None:
        with Line(data.socket("records")) as line, Line(data.socket("records")) as other:
            append(hold("open"), hold("q1"), hold("q2"), settle("q1"), settle("q2"))
            line.say(Lookup(5, "open", "k1"))
            asked = Lookup(1, "q1", "k1"), Lookup(2, "q2", "k1"), Lookup(3, "q3", "k1")
            assert ask(line, *asked) == {1: "q1", 2: "q2", 3: None}
            assert ask(other, Lookup(1, "q2", "k1")) == {1: "q2"}
            append(settle("open"))
            answer = decode_found(line.hear())
            assert isinstance(answer, Found)
            assert answer.number == 5
            assert answer.record is not None
            assert answer.record["status"] == "settled"

    run(serve(lambda: asyncio.to_thread(work)))


def test_a_socket_that_was_left_is_replaced_and_only_its_owner_can_reach_it(
    run: Run, data: DataFolder, serve: Serve
) -> None:
    data.socket("records").write_text("left over")
    before = os.umask(0)

    async def look() -> None:
        assert data.socket("records").stat().st_mode & 0o777 == 0o600
        assert os.umask(0) == 0
        with Line(data.socket("records")):
            pass

    try:
        run(serve(look))
    finally:
        os.umask(before)


def test_the_records_follow_though_nobody_looks_anything_up(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    follower: Follower,
    serve: Serve,
    until: Callable[[Callable[[], bool]], Coroutine[Any, Any, None]],
    append: Append,
    hold: Build,
    settle: Build,
) -> None:
    """And what was journaled before it was told to stop is in them when it has stopped."""
    monkeypatch.setattr(follow, "EVERY_SECONDS", 0.005)

    def status() -> list[str]:
        rows = content(follower.engine)["queries"] if follower.engine is not None else []
        return [row["status"] for row in rows]

    async def client() -> None:
        append(hold("q1"))
        await until(lambda: status() == ["open"])
        append(settle("q1"))
        await until(lambda: status() == ["settled"])

    run(serve(client))


def test_when_it_has_stopped_everything_is_projected(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    follower: Follower,
    serve: Serve,
    append: Append,
    hold: Build,
) -> None:
    monkeypatch.setattr(follow, "EVERY_SECONDS", 1_000.0)
    once = threading.Event()

    def catch_up_(engine: sa.Engine, journal: Path) -> int:
        done = catch_up(engine, journal)
        once.set()
        return done

    monkeypatch.setattr(follow, "catch_up", catch_up_)

    async def client() -> None:
        await asyncio.to_thread(once.wait, WAIT_SECONDS)
        append(hold("q1"))

    run(serve(client))
    assert follower.engine is not None
    assert [row["id"] for row in content(follower.engine)["queries"]] == ["q1"]


# uvloop does not end while warnings of what a failure left open are errors.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_records_that_cannot_be_written_are_tried_again(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    follower: Follower,
    serve: Serve,
) -> None:
    monkeypatch.setattr(follow, "EVERY_SECONDS", 0.001)
    monkeypatch.setattr(follow, "AWAY_SECONDS", 0.001)
    monkeypatch.setattr(logging.getLogger("farthing"), "propagate", True)
    caplog.set_level(logging.INFO, "farthing")
    tries, enough = list[int](), threading.Event()

    def fail_twice(*_: object) -> int:
        tries.append(1)
        if len(tries) <= 2:
            raise sa.exc.OperationalError("INSERT", None, OSError("disk is full"))
        enough.set()
        return 0

    monkeypatch.setattr(follow, "catch_up", fail_twice)

    async def client() -> None:
        await asyncio.to_thread(enough.wait, WAIT_SECONDS)

    run(serve(client))
    said = [record.getMessage() for record in caplog.records if record.name == "farthing"]
    where = shown(follower.database)
    failed = f"{where}: the records cannot be written (disk is full); trying again"
    assert said == [failed, failed, f"{where}: the records are written again"]
    assert len(tries) > 2


def test_snapshots_are_made_while_the_journal_is_followed(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    data: DataFolder,
    append: Append,
    hold: Build,
    until: Callable[[Callable[[], bool]], Coroutine[Any, Any, None]],
) -> None:
    monkeypatch.setattr(follow, "EVERY_SECONDS", 0.005)
    made = Follower(data)
    made.snapshotter._every = 5

    async def client() -> None:
        append(hold("q1"))
        assert not list(data.journal.glob("*.snapshot"))
        append(hold("q2"))
        await until(lambda: bool(list(data.journal.glob("*.snapshot"))))

    async def test() -> None:
        stop, ready = asyncio.Event(), asyncio.Event()
        running = asyncio.ensure_future(made.run(stop, ready.set))
        await ready.wait()
        await client()
        stop.set()
        await running

    run(test())
    assert made.engine is not None
    made.engine.dispose()
    assert contradictions(data.journal, State) == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_journal_that_is_damaged_is_said_and_what_is_there_is_still_looked_up(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    data: DataFolder,
    follower: Follower,
    serve: Serve,
    until: Callable[[Callable[[], bool]], Coroutine[Any, Any, None]],
) -> None:
    monkeypatch.setattr(follow, "EVERY_SECONDS", 0.001)
    monkeypatch.setattr(logging.getLogger("farthing"), "propagate", True)
    data.journal.mkdir()
    (data.journal / FIRST_SEGMENT).write_bytes(b"FSEG" + bytes(60))

    async def client() -> None:
        await until(lambda: "the journal cannot be followed" in caplog.text)
        (data.journal / FIRST_SEGMENT).unlink()

    run(serve(client))
    assert "is a later segment of a journal, and not the first" in caplog.text


# -- a server that is away ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
# uvloop does not end while warnings of what a failure left open are errors.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_server_that_goes_and_comes_back_is_written_to_again(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    data: DataFolder,
    new_database: Callable[[], str],
    until: Callable[[Callable[[], bool]], Coroutine[Any, Any, None]],
    append: Append,
    hold: Build,
) -> None:
    """Also one away from the beginning. Meanwhile look-ups end at once, and snapshots are made."""
    monkeypatch.setattr(follow, "EVERY_SECONDS", 0.005)
    monkeypatch.setattr(follow, "AWAY_SECONDS", 0.02)
    monkeypatch.setattr(logging.getLogger("farthing"), "propagate", True)
    caplog.set_level(logging.INFO, "farthing")
    own = PostgresServer()
    follower = Follower(data, own.new_database())
    follower.snapshotter._every = 5
    own.stop()

    def rows() -> int:
        return len(content(follower.engine)["queries"]) if follower.engine is not None else 0

    def said(what: str) -> int:
        return sum(what in record.getMessage() for record in caplog.records)

    def fails() -> bool:
        with Line(data.socket("records")) as line:
            line.say(Lookup(1, "q1", "k1"))
            return line.hear() == b""

    async def test() -> None:
        stop, ready = asyncio.Event(), asyncio.Event()
        running = asyncio.ensure_future(follower.run(stop, ready.set))
        await ready.wait()
        append(hold("q1"))
        await until(lambda: said("cannot be written") > 0)
        assert await asyncio.to_thread(fails)
        assert not list(data.journal.glob("*.snapshot"))
        append(hold("q3"))
        await until(lambda: bool(list(data.journal.glob("*.snapshot"))))
        await asyncio.to_thread(own.start)
        await until(lambda: said("written again") > 0 and rows() == 2)
        await asyncio.to_thread(own.stop)
        append(hold("q2"))
        await until(lambda: said("cannot be written") > 1)
        await asyncio.to_thread(own.start)
        await until(lambda: said("written again") > 1 and rows() == 3)
        stop.set()
        await running

    try:
        run(test())
    finally:
        if follower.engine is not None:
            follower.engine.dispose()
        own.close()
    assert "postgres@" not in caplog.text


# -- as a real process ----------------------------------------------------------------------------


@pytest.fixture
def start(tmp_path: Path, environ: dict[str, str]) -> Iterator[Callable[[], Child]]:
    """Start a follower process; it has said that it is ready."""
    with ExitStack() as stack:

        def start_() -> Child:
            told = runtime(tmp_path, "follower")
            child = stack.enter_context(Child("farthing.ledger.follow", told, environ))
            assert child.first_line() == b'{"ready":true}\n', child.log
            return child

        yield start_


def test_killed_or_robbed_of_its_records_it_comes_back_with_all_of_them(
    start: Callable[[], Child], data: DataFolder, append: Append, hold: Build, settle: Build
) -> None:
    def found(query: str) -> dict[int, Any]:
        with Line(data.socket("records")) as line:
            return ask(line, Lookup(1, query, "k1"))

    append(hold("q1"), settle("q1"))
    child = start()
    assert found("q1") == {1: "q1"}
    child.kill()
    append(hold("q2"), settle("q2"))
    child = start()
    assert [found("q1"), found("q2")] == [{1: "q1"}, {1: "q2"}]
    child.kill()
    data.records.unlink()
    child = start()
    assert [found("q1"), found("q2")] == [{1: "q1"}, {1: "q2"}]
    child.process.send_signal(signal.SIGTERM)
    assert child.process.wait() == 0
    assert start().let_go() == 0
    assert child.log == ""
