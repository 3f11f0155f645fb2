"""One child process: started, told, watched, started again, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from farthing.errors import ConfigError

log = logging.getLogger("farthing")

READY_SECONDS = 120.0
# The first restart is nearly at once; one that keeps dying is tried ever more rarely.
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
# Living this long makes a child's next death its first again.
SETTLED_SECONDS = 10.0
KILL_AFTER_SECONDS = 10.0


class KilledError(ConfigError):
    """A process was killed before it served."""


class Child:
    """A process of a module's `main`, kept alive."""

    def __init__(
        self, name: str, module: str, tell: Callable[[], msgspec.Struct], log_to: Path | None = None
    ) -> None:
        """`tell` makes what the process is told, anew for each start."""
        self.name = name
        self.process: asyncio.subprocess.Process | None = None
        self._module = module
        self._tell = tell
        self._log_to = log_to
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self, *, stubborn: bool = False) -> bytes:
        """Start it, wait until it says that it serves, and return the line it says.

        One that is killed meanwhile, for its memory for example, is an error as well, unless it is
        to be stubborn: then it is started again, as it would be later.

        Raises:
            ConfigError: it ended, or said nothing for too long.
        """
        pause = FIRST_PAUSE
        while True:
            if self.process is None:
                await self.spawn()
            try:
                line = await self._begin()
                break
            except KilledError as problem:
                if not stubborn:
                    raise
                log.error("%s; trying again", problem)
            self.process = None
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        if self._stopping:
            raise ConfigError(f"{self.name} was stopped while it started")
        self._watch = asyncio.get_running_loop().create_task(self._keep())
        return line

    async def stop(self, patience: float = KILL_AFTER_SECONDS) -> None:
        """Close its lifeline, wait for its end, and kill it when patience is over."""
        self._stopping = True
        process = self.process
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), patience)
        except TimeoutError:
            log.error("%s did not stop within %g s and is killed", self.name, patience)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def spawn(self) -> None:
        """Let the process come up to where it waits to be told."""
        errors = self._log_to.open("ab") if self._log_to is not None else None
        try:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # the folder we happen to be in must not be imported from
                "-m",
                self._module,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        finally:
            if errors is not None:
                errors.close()

    async def _begin(self) -> bytes:
        """Tell the process, and return what it says when it serves."""
        process = self.process
        assert process is not None, "it was spawned"
        told = msgspec.json.encode(self._tell()) + b"\n"
        assert process.stdin is not None and process.stdout is not None
        line, silent = b"", False
        try:
            with contextlib.suppress(ConnectionError):
                process.stdin.write(told)
                await process.stdin.drain()
                line = await asyncio.wait_for(process.stdout.readline(), READY_SECONDS)
        except TimeoutError:
            silent = True
        if line:
            return line
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        status = await process.wait()
        how = _how(status)
        if silent:
            how = f"it did not say within {READY_SECONDS:g} s that it serves"
        error = KilledError if status < 0 and not silent else ConfigError
        raise error(f"{self.name} did not start ({how}){self._where()}")

    async def _keep(self) -> None:
        """Start it again whenever it ends."""
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE
        began = loop.time()
        while True:
            assert self.process is not None
            status = await self.process.wait()
            if loop.time() - began > SETTLED_SECONDS:
                pause = FIRST_PAUSE
            log.error("%s ended (%s)%s; starting it again", self.name, _how(status), self._where())
            started = False
            while not started:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                began = loop.time()
                started = await self._spawned()

    async def _spawned(self) -> bool:
        try:
            await self.spawn()
            await self._begin()
        except (ConfigError, OSError) as problem:
            log.error("%s; trying again", problem)
            return False
        return True

    def _where(self) -> str:
        return f"; its output is in {self._log_to}" if self._log_to is not None else ""


def _how(status: int) -> str:
    """Say how a process ended."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
