"""A witness over HTTP: POST /add-checkpoint, and GET /HASH/checkpoint for who monitors logs."""

from __future__ import annotations

import asyncio
import logging

from farthing.errors import FarthingError
from farthing.evidence.note import NoteError
from farthing.evidence.witness import Reply, Witness
from farthing.proxy.request import Request
from farthing.proxy.server import ClientConnection
from farthing.proxy.sweep import Sweeper
from farthing.settings import HttpSettings

log = logging.getLogger("farthing")

ADD = b"/add-checkpoint"
LATEST = b"/checkpoint"
# A checkpoint of at most 16 KiB, and 63 lines of a proof.
BODY_MOST = 32 * 1024
CLIENTS_MOST = 200

BROKEN = Reply(500, "this witness cannot keep what it sees; its log tells more\n")
MISSING = Reply(404, "there is only /add-checkpoint, and /HASH/checkpoint of known logs\n")


class WitnessServer:
    """Answers logs and monitors."""

    def __init__(self, witness: Witness) -> None:
        """Must be made in a running event loop."""
        self.settings = HttpSettings(max_body_bytes=BODY_MOST, max_header_bytes=8192)
        self.sweeper = Sweeper()
        self._witness = witness
        self._clients: set[ClientConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def opened(self, client: ClientConnection) -> None:
        """Remember a client; one too many is sent away."""
        self._clients.add(client)
        if len(self._clients) > CLIENTS_MOST:
            client.close_after()

    def closed(self, client: ClientConnection) -> None:
        """Forget a client."""
        self._clients.discard(client)

    def request(self, client: ClientConnection, request: Request) -> None:
        """Answer a request, in a thread: it waits for the disk."""
        task = asyncio.get_running_loop().create_task(self._answer(client, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def refuse(self, client: ClientConnection, request: Request, problem: FarthingError) -> None:
        """Answer a request that could not be read to its end."""
        client.linger(problem.status, _headers(MISSING), f"{problem.message}\n".encode())

    async def _answer(self, client: ClientConnection, request: Request) -> None:
        try:
            reply = await asyncio.to_thread(self._reply, request)
        except (NoteError, OSError) as problem:
            log.error("nothing is cosigned: %s", problem)
            reply = BROKEN
        client.respond(reply.status, _headers(reply), reply.body.encode())

    def _reply(self, request: Request) -> Reply:
        if request.path == ADD:
            if request.method != b"POST":
                return Reply(405, "POST a checkpoint here (c2sp.org/tlog-witness)\n")
            return self._witness.add_checkpoint(request.body)
        name = request.path.removesuffix(LATEST).removeprefix(b"/").decode("latin-1")
        known = request.path.endswith(LATEST) and request.method in (b"GET", b"HEAD")
        found = self._witness.latest(name) if known else None
        return MISSING if found is None else Reply(200, found.decode())

    async def close(self) -> None:
        """Let what is being answered be answered, then hang up."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in list(self._clients):
            client.close_after()
        self.sweeper.stop()


def _headers(reply: Reply) -> bytes:
    return f"content-type: {reply.content_type}\r\n".encode()
