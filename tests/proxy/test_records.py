"""Look-ups over the follower's socket: asked, answered, and refused when nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.loopback import jump, run, until

from farthing.errors import Refused
from farthing.ledger.frames import LENGTH
from farthing.ledger.lookup import Found, Lookup, decode_lookup, encode
from farthing.proxy import records
from farthing.proxy.records import ANSWER_SECONDS, RemoteRecords


def frame(message: bytes) -> bytes:
    return LENGTH.pack(len(message)) + message


class Follower:
    """A follower that answers as a test says."""

    def __init__(self, path: Path, answer: Callable[[Lookup], bytes]) -> None:
        self.path = path
        self.asked: list[Lookup] = []
        self.open = 0
        self._answer = answer

    async def __aenter__(self) -> Follower:
        self._server = await asyncio.start_unix_server(self._connected, str(self.path))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await until(lambda: self.open == 0)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
        asked = decode_lookup(await reader.readexactly(length))
        self.asked.append(asked)
        writer.write(self._answer(asked))
        writer.write_eof()
        await reader.read()  # until the worker closes too
        writer.close()
        self.open -= 1


async def refused(path: Path) -> Refused:
    with pytest.raises(Refused) as problem:
        await RemoteRecords(path).look_up("q1", "k1")
    assert (problem.value.code, problem.value.status) == ("ledger_unavailable", 503)
    assert problem.value.retry_after == 1
    return problem.value


@pytest.mark.parametrize("record", [None, {"id": "q1", "cost": 5, "reason": "é"}])
def test_a_record_is_asked_for_and_returned(tmp_path: Path, record: dict[str, Any] | None) -> None:
    async def scene() -> None:
        path = tmp_path / "records"
        async with Follower(path, lambda a: frame(encode(Found(a.number, record)))) as follower:
            records = RemoteRecords(path)
            assert await records.look_up("q1", "k1") == record
            assert await records.look_up("q2", "k2") == record
            assert follower.asked == [Lookup(0, "q1", "k1"), Lookup(0, "q2", "k2")]

    run(scene())


def test_a_follower_that_is_still_coming_up_is_waited_for(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "records.sock"
        asking = asyncio.create_task(RemoteRecords(path).look_up("q1", "k1"))
        await asyncio.sleep(0)
        async with Follower(path, lambda asked: frame(encode(Found(asked.number, {"id": "q1"})))):
            assert await asking == {"id": "q1"}

    run(test())


def test_a_follower_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PATIENCE_SECONDS", 0.01)
    assert "nothing is lost" in run(refused(tmp_path / "nobody")).message


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\1\0",
        frame(encode(Found(0, None)))[:-1],
        frame(b"\xc1"),
    ],
)
def test_a_follower_that_does_not_answer_to_the_end(tmp_path: Path, answer: bytes) -> None:
    async def scene() -> None:
        async with Follower(tmp_path / "records", lambda _: answer):
            await refused(tmp_path / "records")

    run(scene())


def test_a_follower_that_says_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        hung_up = asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connected.set()
            await reader.read()
            writer.close()
            hung_up.set()

        connected = asyncio.Event()
        server = await asyncio.start_unix_server(silent, str(tmp_path / "records"))
        asking = asyncio.create_task(refused(tmp_path / "records"))
        await connected.wait()
        await jump(ANSWER_SECONDS - 1)
        assert not asking.done()
        await jump(2)
        await asking
        await hung_up.wait()
        server.close()

    run(scene())
