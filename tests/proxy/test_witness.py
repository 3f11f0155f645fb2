"""A witness over HTTP: the statuses of the specification, bounded bodies, one log at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support.evidence import IDENTITY, ORIGIN, VERIFIER
from tests.support.loopback import run

from farthing.evidence.cosign import COSIGNATURE
from farthing.evidence.note import Head, Signer
from farthing.evidence.witness import Witness, hash_of
from farthing.proxy import witness as witness_module
from farthing.proxy.server import ClientConnection
from farthing.proxy.witness import BODY_MOST, WitnessServer

SIGNER = Signer("w.example", b"w" * 32, COSIGNATURE)
FIRST = b"old 0\n\n" + IDENTITY.signer.sign(Head(ORIGIN, 1, b"r" * 32))


class Reply(NamedTuple):
    status: int
    kind: str
    body: bytes


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[int]:
    """A witness on a free port."""
    pages = WitnessServer(Witness(folder, SIGNER, [VERIFIER], lambda: 5))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ClientConnection(pages), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await pages.close()


async def ask(port: int, method: str, path: str, body: bytes = b"") -> Reply:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"{method} {path} HTTP/1.1\r\nhost: w\r\ncontent-length: {len(body)}\r\n"
    writer.write(head.encode() + b"connection: close\r\n\r\n" + body)
    data = await reader.read()
    writer.close()
    head_, _, said = data.partition(b"\r\n\r\n")
    lines = head_.decode().split("\r\n")
    kinds = [line.partition(": ")[2] for line in lines if line.startswith("content-type: ")]
    return Reply(int(lines[0].split()[1]), "".join(kinds), said)


def scene(folder: Path, *asked: tuple[str, str, bytes]) -> list[Reply]:
    async def play() -> list[Reply]:
        async with serving(folder) as port:
            return [await ask(port, *each) for each in asked]

    return run(play())


def test_a_checkpoint_is_cosigned_and_shown(tmp_path: Path) -> None:
    latest = f"/{hash_of(ORIGIN)}/checkpoint"
    add = ("POST", "/add-checkpoint", FIRST)
    before, first, again, shown, head = scene(
        tmp_path, ("GET", latest, b""), add, add, ("GET", latest, b""), ("HEAD", latest, b"")
    )
    assert before.status == 404
    assert first.status == 200 and first.body.startswith("— w.example ".encode())
    assert again == (409, "text/x.tlog.size", b"1\n")
    assert shown.status == 200 and shown.body.endswith(first.body)
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (("POST", "/add-checkpoint", b""), 400),
        (("POST", "/add-checkpoint", FIRST.replace(b"log.example", b"other.one")), 404),
        (("POST", "/add-checkpoint", FIRST.replace(b"\n1\n", b"\n2\n")), 403),
        (("GET", "/add-checkpoint", b""), 405),
        (("POST", "/sign-subtree", b""), 404),
        (("GET", "/../witness-key", b""), 404),
        (("POST", f"/{hash_of(ORIGIN)}/checkpoint", b""), 404),
        (("POST", "/add-checkpoint", b"x" * (BODY_MOST + 1)), 413),
    ],
)
def test_what_else_is_asked(tmp_path: Path, asked: tuple[str, str, bytes], status: int) -> None:
    (tmp_path / "witness-key").write_text("secret")
    assert [reply.status for reply in scene(tmp_path, asked)] == [status]


def test_what_it_cannot_keep_it_does_not_cosign(tmp_path: Path) -> None:
    (tmp_path / hash_of(ORIGIN)).mkdir()
    (tmp_path / hash_of(ORIGIN) / "checkpoint").write_bytes(b"damaged")
    (reply,) = scene(tmp_path, ("POST", "/add-checkpoint", FIRST))
    assert reply.status == 500 and "—" not in reply.body.decode()


def test_one_too_many_is_sent_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness_module, "CLIENTS_MOST", 2)

    async def play() -> None:
        async with serving(tmp_path) as port:
            held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
            assert await held[2][0].read() == b""
            for _, writer in held:
                writer.close()

    run(play())
