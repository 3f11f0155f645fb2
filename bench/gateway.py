"""farthing as one of the systems that are compared, and its ledger as a witness."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from bench.measure import HERE, BenchError, Result, pinned, tree, wait_until_quiet
from bench.mock import Mock
from bench.systems import CLIENT_HEADERS, System, check_answers

SETTLE_SECONDS = 30.0
LIMIT_DOLLARS = 1_000_000  # a limit that is checked for every query and never reached

# Dollars for a million tokens of the rig's model, and the same in nanodollars.
INPUT_DOLLARS, OUTPUT_DOLLARS = Decimal("2.5"), Decimal(10)
NANO, MILLION = 10**9, 10**6

CONFIG = """\
listen = "127.0.0.1:0"
workers = {workers}
durability = "{durability}"

[providers.bench]
base_url = "http://127.0.0.1:{mock.port}/v1"
auth = "none"
dialects = {{ chat = "/chat/completions" }}
models = ["bench-1"]
allow_private_address = true

[providers.bench-tls]
base_url = "https://localhost:{mock.tls_port}/v1"
auth = "none"
dialects = {{ chat = "/chat/completions" }}
models = ["bench-tls"]
allow_private_address = true

[[prices]]
provider = "bench"
model = "bench-1"
input = {input}
output = {output}

[[prices]]
provider = "bench-tls"
model = "bench-tls"
input = {input}
output = {output}
"""


class Farthing(System):
    """The gateway, on a data folder and with a key of its own."""

    def __init__(
        self, durability: str, folder: Path, mock: Mock, *cores: int, workers: int = 1
    ) -> None:
        super().__init__(f"farthing, {durability}")
        self._folder = folder / f"{durability}-{workers}"
        self._mock = mock
        self._cores = cores
        self._workers = workers
        self.tls_model = "bench-tls"
        self._durability = durability
        self._spent = 0
        self._tokens = 0
        source = os.environ.get("PYTHONPATH")
        paths = [str(HERE.parent / "src"), *([source] if source else [])]
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "SSL_CERT_FILE": str(mock.certificate),
            # Compiled once, as where it is installed; else each start would compile it anew.
            "PYTHONPYCACHEPREFIX": str(HERE / "build" / "bytecode"),
        }
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.processes: dict[str, int] = {}

    @property
    def log(self) -> Path:
        """The file of its log."""
        return self._folder / "log"

    def start(self) -> None:
        """Start it, and make the key that the rig asks with."""
        self._folder.mkdir()
        config = self._folder / "farthing.toml"
        config.write_text(
            CONFIG.format(
                durability=self._durability,
                workers=self._workers,
                mock=self._mock,
                input=INPUT_DOLLARS,
                output=OUTPUT_DOLLARS,
            )
        )
        self.launch()
        key = self._command("create", "bench", "--usd", str(LIMIT_DOLLARS))["key"]
        self.headers = (*CLIENT_HEADERS, f"Authorization: Bearer {key}")
        self.pause()

    def launch(self) -> None:
        """Start its processes on the data folder that is there; return when they listen."""
        command = ["serve", "--data", str(self._folder / "data"), "--json"]
        command += ["--config", str(self._folder / "farthing.toml")]
        with pinned(*self._cores), self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "farthing", *command],
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise BenchError(f"{self.name} did not start: {self.log.read_text().strip()}")
        told = msgspec.json.decode(line)
        self.processes = {"supervisor": self.process.pid, **told["processes"]}
        self.port = self.tls_port = int(told["address"].rpartition(":")[2])
        self.worker = [
            number for name, number in told["processes"].items() if name.startswith("worker-")
        ]

    def pause(self) -> None:
        """Keep its follower from looking at the journal."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on, and come to rest."""
        assert self.process is not None
        self._signal(signal.SIGCONT)
        wait_until_quiet(tree(self.process.pid))

    def settle(self, result: Result) -> float:
        """Wait for the follower, then hold the ledger against what the rig counted.

        Raises:
            BenchError: an answer was bad, or the ledger's sums are not exactly the rig's.
        """
        assert self.process is not None
        took = wait_until_quiet(tree(self.process.pid))
        check_answers(self.name, result)
        self.expect(result.answered, result.input_tokens, result.output_tokens)
        self._check_ledger()
        return took

    def expect(self, queries: int, input_tokens: int, output_tokens: int) -> None:
        """Remember what queries of this many tokens each cost: the ledger must say the same."""
        cost = input_tokens * INPUT_DOLLARS + output_tokens * OUTPUT_DOLLARS
        self._spent += queries * int(cost * NANO / MILLION)
        self._tokens += queries * (input_tokens + output_tokens)

    def _check_ledger(self) -> None:
        until = time.monotonic() + SETTLE_SECONDS
        while True:
            row = self._command("list")[0]
            held = (row["held_usd"], row["held_tokens"])
            if held == ("0", 0):
                break
            if time.monotonic() > until:
                raise BenchError(f"{self.name}: ${held[0]} and {held[1]} tokens stay held")
        spent, tokens = int(Decimal(row["spent_usd"]) * NANO), int(row["tokens"])
        if (spent, tokens) != (self._spent, self._tokens):
            raise BenchError(
                f"{self.name}: the ledger says {spent} nanodollars and {tokens} tokens, the "
                f"rig's answers came to {self._spent} and {self._tokens}"
            )
        bad = [line for line in self.log.read_text().splitlines() if _is_bad(line)]
        if bad:
            raise BenchError(f"{self.name} logged: {'; '.join(bad[:5])}")

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def _command(self, *arguments: str) -> Any:
        """Run `farthing keys` on its data folder and return what it prints."""
        data = str(self._folder / "data")
        done = subprocess.run(
            [sys.executable, "-m", "farthing", "keys", *arguments, "--data", data, "--json"],
            env=self._environment,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise BenchError(f"farthing keys {arguments[0]}: {done.stderr.decode().strip()}")
        return msgspec.json.decode(done.stdout)


def _is_bad(line: str) -> bool:
    return any(word in line for word in ("level=WARNING", "level=ERROR", "CRITICAL", "Traceback"))
