"""What the systems that are compared have in common; and no gateway at all."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from bench.measure import BenchError, Result, cpu_ns, pinned, resident_mb, tree
from bench.mock import Mock, free_port

START_SECONDS, STOP_SECONDS = 90.0, 60.0
# The headers that OpenAI's client library sends beside the rig's own.
CLIENT_HEADERS = (
    "Accept-Encoding: identity",
    "X-Stainless-Lang: python",
    "X-Stainless-Package-Version: 2.6.1",
    "X-Stainless-OS: Linux",
    "X-Stainless-Runtime: CPython",
)


class System:
    """Something a query passes through. As it is, nothing: the rig asks itself."""

    rewrites = False
    """Whether its answers are written anew, so that their length may be another."""
    slow = False
    """Whether it comes up to speed so slowly that its first turn is not counted."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.tls_port = 0
        """Where it listens for what goes to the provider by TLS."""
        self.tls_model = "bench-1"
        """The model that goes there."""
        self.version = ""
        self.headers: tuple[str, ...] = CLIENT_HEADERS
        self.process: subprocess.Popen[bytes] | None = None
        self.worker: list[int] = []

    def start(self) -> None:
        """Start it; afterwards it serves."""

    def stop(self) -> None:
        """Stop it and everything it has started, whatever has happened."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGCONT)
            self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def pause(self) -> None:
        """Keep it from using the core while others are measured."""

    def resume(self) -> None:
        """Let it go on."""

    def settle(self, result: Result) -> float:
        """Wait until all work of a run is done, check it; return the seconds it took."""
        check_answers(self.name, result)
        return 0.0

    def arguments(self, *, tls: bool) -> list[str]:
        """Return what the rig must be told to ask it."""
        told = [part for header in self.headers for part in ("--header", header)]
        if tls:
            return [*told, "--target", str(self.tls_port), "--model", self.tls_model]
        if self.rewrites:
            told.append("--rewritten")
        return [*told, "--target", str(self.port)] if self.port else told

    def cpu(self) -> tuple[int, int]:
        """Return the CPU time used so far: by what serves queries, and by the rest of it."""
        if self.process is None:
            return 0, 0
        rest = [process for process in tree(self.process.pid) if process not in self.worker]
        return cpu_ns(self.worker), cpu_ns(rest)

    def resident(self) -> float:
        """Return the resident memory of what serves queries, in megabytes."""
        return sum(map(resident_mb, self.worker))


class Peer(System):
    """Somebody else's proxy or gateway, with one process or thread that serves, on one core."""

    def __init__(self, name: str, program: Path, folder: Path, mock: Mock, core: int) -> None:
        super().__init__(name)
        self.program = program
        self.folder = folder / name
        self.mock = mock
        self.core = core
        self.version = self.read_version()

    def read_version(self) -> str:
        """Return the program's version."""
        raise NotImplementedError

    def prepare(self) -> tuple[list[str], dict[str, str]]:
        """Write its configuration; return its command, and variables of its environment."""
        raise NotImplementedError

    def serving(self) -> list[int]:
        """Return the processes that serve queries."""
        assert self.process is not None
        return tree(self.process.pid)

    def start(self) -> None:
        """Start it with a configuration of its own."""
        self.folder.mkdir()
        self.port, self.tls_port = free_port(), free_port()
        command, environment = self.prepare()
        with pinned(self.core), (self.folder / "output").open("wb") as output:
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        self._wait()
        self.worker = self.serving()

    def _wait(self) -> None:
        assert self.process is not None
        until = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        told = (self.folder / "output").read_text(errors="replace").strip()
        raise BenchError(f"{self.name} did not start: {told[-2000:]}")


def check_answers(name: str, result: Result) -> None:
    """Let no bad answer pass for a fast one.

    Raises:
        BenchError: a query was not answered, or not well.
    """
    fields = ("non_2xx", "broken", "wrong_size", "unanswered")
    bad = {field: getattr(result, field) for field in fields if getattr(result, field)}
    if bad or result.answered != result.sent:
        counted = ", ".join(f"{number} {field}" for field, number in bad.items())
        raise BenchError(
            f"{name}: of {result.sent} queries {result.answered} were served: {counted}"
        )
