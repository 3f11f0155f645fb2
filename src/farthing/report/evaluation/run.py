"""One evaluation: a key for it, the framework in a process of its own, and what becomes of both.

Whatever happens, the key is revoked and an entry says how far it came. A key that outlives the
command (killed, or the machine lost its power) opens nothing for long, and spends no more than its
limit.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from farthing import clock
from farthing.errors import ConfigError
from farthing.ledger import admin
from farthing.ledger.cursor import Cursor
from farthing.ledger.entry import Entry, Limit, Revoke
from farthing.ledger.evaluation import COMPLETE, Evaluation, outcome
from farthing.paths import DataFolder
from farthing.policy.keys import NewKey, make_key
from farthing.providers.clients import INSPECT_NEEDS
from farthing.report.evaluation.queries import Queries
from farthing.report.evaluation.told import Began, Broke, Ended, Said, Told, decode_said

MODULE = "farthing.report.evaluation.child"
HOW_TO_INSTALL = "evaluations need the Inspect framework: pip install 'farthing[eval]'"

# A run that takes longer than this ends with its key.
KEY_SECONDS = 7 * 86_400
# Answers that come when the run has ended are waited for, as long as a provider may be silent.
OPEN_SECONDS = 120
LOOK_AGAIN_SECONDS = 0.1
REASON_MOST = 500

# What the framework's process sees of the environment: no key, no address and no proxy.
SEEN = ("PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")

Tell = Callable[[Said], None]


class Asked(NamedTuple):
    """What is to be evaluated, and how."""

    task: str
    """"FILE.py" or "FILE.py@NAME"."""
    model: str
    arguments: dict[str, str]
    limit: int | None = None
    epochs: int | None = None
    max_usd: int | None = None
    """The most that all its queries may cost, in nanodollars."""
    at_once: int = 1
    max_tokens: int | None = None
    parent: str = ""
    """The scope that its key belongs to."""


class Run:
    """One evaluation of one model."""

    def __init__(self, data: DataFolder, asked: Asked, tell: Tell) -> None:
        """Look at what it needs.

        Raises:
            ConfigError: no gateway runs, the framework is missing, or the task's file is.
        """
        if any(importlib.util.find_spec(module) is None for module in INSPECT_NEEDS):
            raise ConfigError(HOW_TO_INSTALL)
        if not data.address.exists():
            raise ConfigError(f"no gateway runs on {data.root}; start one with `farthing up`")
        self._data, self._asked, self._tell = data, asked, tell
        self.id = secrets.token_hex(6)
        self.folder = data.root / "evaluations" / self.id
        self._task = _absolute(asked.task)
        self._process: subprocess.Popen[bytes] | None = None
        self._stops = 0
        self._began: Began | None = None
        self._ended: Ended | None = None
        self._problem = ""

    def stop(self) -> None:
        """Let it end early, and be recorded so; the second time, at once. For signal handlers."""
        process = self._process
        self._stops += 1
        if process is not None and process.poll() is None:
            if self._stops > 1:
                process.kill()
            elif process.stdin is not None:
                process.stdin.close()

    def run(self) -> Evaluation:
        """Evaluate; return what was recorded.

        Raises:
            ConfigError: the ledger did not take the run's key, or its record.
        """
        self.folder.mkdir(parents=True, mode=0o700)
        with closing(Cursor(self._data.journal)) as cursor:
            cursor.go_to_end()
            began = clock.wall()
            key = self._make_key(began)
            queries = Queries(cursor, key.entry.id)
            try:
                self._ask(key.text)
            except OSError as problem:
                self._problem = str(problem)
            finally:
                self._enter(Revoke(clock.wall(), admin.who(), key.entry.id))
                self._wait_for(queries)
                made = self._evaluation(began, key.entry.id, queries)
                self._enter(made)
        return made

    def _make_key(self, now: int) -> NewKey:
        asked, by = self._asked, admin.who()
        name, ends = f"eval {self.id}", now + KEY_SECONDS * clock.SECOND
        key = make_key(name, self._data.pepper(), now, by, ends, None, asked.parent)
        limits: list[Entry] = []
        if asked.max_usd is not None:  # before its key: there is no moment without it
            limits.append(Limit(now, by, f"key:{key.entry.id}", "usd", asked.max_usd))
        self._enter(*limits, key.entry)
        return key

    def _enter(self, *entries: Entry) -> None:
        for refusal in asyncio.run(admin.record(self._data, list(entries))):
            if refusal is not None:
                raise ConfigError(f"the ledger did not take it: {refusal.detail or refusal.code}")

    def _ask(self, key: str) -> None:
        """Run the framework and listen to it, until it ends."""
        asked = self._asked
        told = Told(
            self._task, asked.arguments, asked.model, self._data.address.read_text().strip(), key,
            f"eval:{self.id}", str(self.folder), asked.limit, asked.epochs, asked.at_once,
            asked.max_tokens,
        )  # fmt: skip
        errors = self.folder / "errors.txt"
        with errors.open("wb") as file:
            self._process = process = subprocess.Popen(  # noqa: S603  (our own module)
                [sys.executable, "-P", "-m", MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                cwd=self.folder,
                env={name: os.environ[name] for name in SEEN if name in os.environ},
                start_new_session=True,  # Ctrl-C is for us; it is told to stop by its lifeline
            )
        assert process.stdin is not None and process.stdout is not None
        with process.stdout:
            self._write(process, msgspec.json.encode(told) + b"\n")
            for line in process.stdout:
                self._hear(decode_said(line))
        if status := process.wait():
            self._problem = self._problem or f"its process ended ({status}); see {errors}"
        if not process.stdin.closed:
            process.stdin.close()

    def _write(self, process: subprocess.Popen[bytes], line: bytes) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(line)
            process.stdin.flush()
            if self._stops:
                process.stdin.close()
        except (BrokenPipeError, ValueError):  # it ended, or was stopped, meanwhile
            self._problem = "cancelled" if self._stops else "its process did not start"

    def _hear(self, said: Said) -> None:
        if isinstance(said, Began):
            self._began = said
        elif isinstance(said, Ended):
            self._ended = said
        elif isinstance(said, Broke):
            self._problem = said.reason
        self._tell(said)

    def _wait_for(self, queries: Queries) -> None:
        """Wait until all have ended: what clients left is read on to its end by the gateway."""
        until = time.monotonic() + OPEN_SECONDS
        queries.catch_up()
        while queries.open and time.monotonic() < until and self._stops < 2:
            time.sleep(LOOK_AGAIN_SECONDS)
            queries.catch_up()

    def _evaluation(self, began: int, key: str, queries: Queries) -> Evaluation:
        asked = self._asked
        task = self._began or Began(Path(self._task).name, "", "", 0, 0)
        log = self._ended or Ended("", 0, 0, [], self._problem or "cancelled")
        became = outcome(log.completed, task.samples * task.epochs)
        unknown = queries.unknown
        return Evaluation(
            at=clock.wall(),
            by=admin.who(),
            id=self.id,
            task=task.task,
            version=task.version,
            model=asked.model,
            outcome=became,
            began=began,
            key=key,
            samples=task.samples,
            epochs=task.epochs,
            completed=log.completed,
            dataset_sha256=task.dataset_sha256,
            scores=tuple(log.scores),
            served=queries.served,
            queries=len(queries),
            calls=log.calls if self._ended else None,
            usd=queries.usd,
            unknown=len(unknown),
            held=sum(hold.usd for hold in unknown),
            first=queries.first,
            last=queries.last,
            log_sha256=_digest(log.log),
            reason="" if became == COMPLETE else (log.reason or "samples failed")[:REASON_MOST],
        )


def _absolute(task: str) -> str:
    """Return a task with its file's whole path."""
    file, at, name = task.partition("@")
    path = Path(file).absolute()
    if not path.is_file():
        raise ConfigError(f"there is no file {path}; name a Python file with Inspect tasks")
    return f"{path}{at}{name}"


def _digest(path: str) -> str:
    return sha256(Path(path).read_bytes()).hexdigest() if path else ""
