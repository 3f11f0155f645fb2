"""A process of the gateway's, started as the supervisor starts it, and a way to speak to it."""

from __future__ import annotations

import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import msgspec

from farthing.ledger.frames import LENGTH
from farthing.runtime import Runtime
from farthing.settings import Settings

WAIT_SECONDS = 20


class Child:
    """One process of a module's `main`; killed, if need be, when it is left."""

    def __init__(self, module: str, runtime: Runtime, environ: Mapping[str, str]) -> None:
        self._log = Path(runtime.data) / f"{runtime.name}.log"
        with self._log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environ,
            )
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(runtime) + b"\n")
        self.process.stdin.flush()

    def first_line(self) -> bytes:
        """Wait for what it says; nothing if it ends before."""
        assert self.process.stdout is not None
        told, _, _ = select.select([self.process.stdout], [], [], WAIT_SECONDS)
        assert told, "it says nothing"
        return self.process.stdout.readline()

    def kill(self) -> None:
        self.process.kill()
        assert self.process.wait(WAIT_SECONDS) == -signal.SIGKILL

    def let_go(self) -> int:
        """Close its lifeline; return its exit status."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(WAIT_SECONDS)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait(WAIT_SECONDS)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


class Line:
    """A connection to a process's socket that waits for each answer."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(WAIT_SECONDS)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._answers = self._socket.makefile("rb")

    def say(self, message: object) -> None:
        data = msgspec.msgpack.encode(message)
        self._socket.sendall(LENGTH.pack(len(data)) + data)

    def hear(self) -> bytes:
        """Return the next message; nothing when the other side has hung up."""
        try:
            head = self._answers.read(LENGTH.size)
            return self._answers.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else b""
        except ConnectionResetError:
            return b""

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._answers.close()
        self._socket.close()


def runtime(data: Path, name: str, durability: str = "power", config: str = "c1") -> Runtime:
    """What a child of the data folder is told."""
    settings = msgspec.convert({"durability": durability}, Settings)
    book = str(data / "price-books" / "book1.json")
    return Runtime(name, str(data), settings, config, price_book=book, price_source="test")
