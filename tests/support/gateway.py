"""A real gateway in its own processes, on a free port, for tests to talk to."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.journal import groups

from farthing import clock, money
from farthing.ledger import admin
from farthing.ledger.account import Balance
from farthing.ledger.entry import Entry, Hold, Limit, Unresolved
from farthing.ledger.meter import UNITS
from farthing.ledger.records import open_records
from farthing.ledger.state import State
from farthing.paths import DataFolder
from farthing.policy.keys import make_key

WAIT_SECONDS = 30

# What the first gateway of a test run found out of nothing: empty tables and genai-prices' rows.
BEGUN: dict[Path, bytes] = {}


def _empty_records(folder: Path) -> bytes:
    """Return a file of empty tables: the gateway's own is being made, or written to."""
    data = DataFolder(folder / "empty")
    open_records(data).dispose()
    return data.records.read_bytes()


class Answer:
    """A whole HTTP answer."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def query(self) -> str:
        return self.headers["farthing-request-id"]


class RunningGateway:
    """`farthing serve` (or `up`) as a process."""

    def __init__(
        self,
        folder: Path,
        toml: str = "",
        command: str = "serve",
        environ: dict[str, str] | None = None,
        arguments: tuple[str, ...] = (),
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.data = DataFolder(folder / "data")
        config = folder / "farthing.toml"
        config.write_text(toml)
        if not self.data.records.exists():
            self._begin_as_the_first()
        clean = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
        self.log = folder / "gateway.log"
        with self.log.open("ab") as errors:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "farthing",
                    command,
                    "--json",
                    "--data",
                    str(self.data.root),
                    "--config",
                    str(config),
                    "--listen",
                    "127.0.0.1:0",
                    *arguments,
                ],
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**clean, **(environ or {})},
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(10)
            self.process.stdout.close()
            raise RuntimeError(f"the gateway did not start:\n{self.log.read_text()}")
        if not BEGUN:
            BEGUN[self.data.records.relative_to(self.data.root)] = _empty_records(folder)
            for path in self.data.price_books.glob("genai-prices-*.json"):
                BEGUN[path.relative_to(self.data.root)] = path.read_bytes()
        self.told: dict[str, Any] = json.loads(line)
        self.address: str = self.told["address"]
        self.port = int(self.address.rpartition(":")[2])

    def _begin_as_the_first(self) -> None:
        """Take over what each first start makes alike, and takes half a second for."""
        for name, content in BEGUN.items():
            path = self.data.root / name
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o600)

    @property
    def pids(self) -> dict[str, int]:
        return dict(self.told["processes"])

    def key(
        self,
        usd: str | None = None,
        tokens: int | None = None,
        max_cost: str | None = None,
        expires: int | None = None,
        within: str = "",
    ) -> str:
        """Make a key, with limits, and return its text."""
        now = clock.wall()
        cap = money.nanodollars(max_cost) if max_cost is not None else None
        new = make_key("test", self.data.pepper(), now, "test", expires, cap, within)
        scope = f"key:{new.entry.id}"
        limits: list[Entry] = []
        if usd is not None:
            limits.append(Limit(now, "test", scope, "usd", money.nanodollars(usd)))
        if tokens is not None:
            limits.append(Limit(now, "test", scope, "tokens", tokens))
        self.enter(*limits, new.entry)
        return new.text

    def enter(self, *entries: Entry) -> None:
        """Have the ledger take entries of an administrator's."""
        assert not any(asyncio.run(admin.record(self.data, list(entries))))

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        key: str | None = None,
        **headers: str,
    ) -> Answer:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            lines["authorization"] = f"Bearer {key}"
        payload = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            connection.request(method, path, payload, lines)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def chat(self, key: str | None, model: str = "echo", **fields: Any) -> Answer:
        """Ask in the chat dialect. `headers` may be among the fields."""
        headers = fields.pop("headers", {})
        body = {"model": model, "messages": [{"role": "user", "content": "hello"}], **fields}
        return self.request("POST", "/v1/chat/completions", body, key, **headers)

    def chat_until(self, key: str, status: int, **fields: Any) -> Answer:
        """Ask again and again until an answer has a status; connections may break meanwhile."""
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            try:
                answer = self.chat(key, **fields)
            except (http.client.HTTPException, OSError):
                continue
            if answer.status == status:
                return answer
        raise AssertionError(f"no answer had status {status}")

    def wait_until_unresolved(self, query: str) -> None:
        """Wait until the ledger has given a query up."""
        self.wait_until(
            lambda: any(isinstance(e, Unresolved) and e.id == query for e in self.entries())
        )

    def wait_until_gone(self) -> None:
        """Wait until every child process has ended."""
        self.wait_until(lambda: not any(_alive(pid) for pid in self.pids.values()))

    def wait_until_refusing(self) -> None:
        """Wait until no connection is taken any more."""
        self.wait_until(lambda: not self._connects())

    def _connects(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except OSError:
            return False
        return True

    def wait_until(self, done: Callable[[], bool]) -> None:
        """Wait until something is so."""
        until = time.monotonic() + WAIT_SECONDS
        while not done():
            assert time.monotonic() < until, "waited in vain"
            time.sleep(0.02)

    def record(self, query: str, key: str) -> dict[str, Any]:
        """Look a query up; on a busy machine the records may need to be asked again."""
        until = time.monotonic() + WAIT_SECONDS
        while (found := self.request("GET", f"/v1/queries/{query}", key=key)).status == 503:
            assert time.monotonic() < until, found.body
        assert found.status == 200, found.body
        record: dict[str, Any] = found.json
        return record

    def record_when_ended(self, query: str, key: str) -> dict[str, Any]:
        """Look a query up until it has ended; each look-up itself waits a while for that."""
        for _ in range(10):
            record = self.record(query, key)
            if record["status"] != "open":
                return record
        raise AssertionError(f"{query} is still open")

    def last_query(self) -> str:
        """Return the id of the query that was held last."""
        return next(e.id for e in reversed(self.entries()) if isinstance(e, Hold))

    def entries(self) -> list[Entry]:
        """Everything in the journal."""
        return entries(self.data)

    def stop(self) -> None:
        """Stop as Ctrl-C does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def kill(self) -> None:
        """Kill every process at once, as a power cut would."""
        for pid in [self.process.pid, *self.pids.values()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def contents(folder: Path) -> dict[Path, bytes]:
    """Return what the files under a folder hold while processes write there."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            with contextlib.suppress(FileNotFoundError):  # it had another name until now
                found[path] = path.read_bytes()
    return found


def entries(data: DataFolder) -> list[Entry]:
    """Read a journal beside whoever writes it."""
    return [entry for group in groups(data.journal) for entry in group]


class Position:
    """What the ledger stood at after one entry."""

    def __init__(self, state: State) -> None:
        self.holds = dict(state.holds)
        self.unresolved = dict(state.unresolved)
        self._balances = {
            (account.scope, unit): account.balance(unit)
            for account in state.accounts.by_scope.values()
            for unit in UNITS
        }

    def balance(self, scope: str, unit: str) -> Balance:
        """Return a scope's totals then."""
        return self._balances.get((scope, unit), Balance(scope, unit, 0, 0, None))


def states(data: DataFolder) -> list[Position]:
    """Return what the ledger stood at after each entry: at every position of the journal."""
    state, found = State(), []
    for entry in entries(data):
        assert state.apply(entry) is None
        found.append(Position(state))
    return found
