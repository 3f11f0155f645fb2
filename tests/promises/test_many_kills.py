"""G1, G3, G4 and G7 together: processes are killed at random under load, again and again."""

from __future__ import annotations

import http.client
import os
import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.gateway import RunningGateway, states
from tests.support.provider import FakeProvider

from farthing.ledger.entry import Hold, Settle, Unresolved, Void

CLIENTS = 8
KILLS = 100
LIMIT = "0.5"


def children(pid: int) -> list[int]:
    """Return the process ids of a process's children, at this moment."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Load:
    """Clients that ask until told to stop, and remember what they were answered."""

    def __init__(self, gateway: RunningGateway, key: str) -> None:
        self.answered: list[str] = []
        self.recorded: list[str] = []
        """Those whose answer says what it cost: it was on the disk by then."""
        self.statuses: dict[int, int] = {}
        self.broken = 0
        self._gateway = gateway
        self._key = key
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._running = [self._pool.submit(self._ask, n) for n in range(CLIENTS)]

    def _ask(self, number: int) -> None:
        while not self._stop.is_set():
            try:
                answer = self._gateway.chat(self._key, stream=number % 2 == 0, max_tokens=9)
            except (http.client.HTTPException, OSError):
                self.broken += 1
                self._stop.wait(0.05)  # or clients that nobody answers would use the machine up
                continue
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
            if answer.status == 200:
                self.answered.append(answer.query)
                if "farthing-cost-usd" in answer.headers:
                    self.recorded.append(answer.query)

    def stop(self) -> None:
        self._stop.set()
        for running in self._running:
            running.result()
        self._pool.shutdown()


def without_ending(gateway: RunningGateway) -> set[str]:
    entries = gateway.entries()
    ended = {e.id for e in entries if isinstance(e, Settle | Void | Unresolved)}
    return {e.id for e in entries if isinstance(e, Hold)} - ended


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_processes_are_killed_at_random_under_load(
    tmp_path: Path, provider: FakeProvider, seed: int
) -> None:
    chance = random.Random(seed)
    gateway = RunningGateway(tmp_path, "workers = 2\n" + provider.toml())
    key, other = gateway.key(usd=LIMIT), gateway.key()
    load = Load(gateway, key)
    pause = threading.Event()
    for _ in range(KILLS):
        pause.wait(chance.uniform(0.1, 1.5))
        if alive := children(gateway.process.pid):
            os.kill(chance.choice(alive), signal.SIGKILL)
    load.stop()
    gateway.chat_until(other, 200, max_tokens=9)
    gateway.stop()
    # A ledger that ends soon after its start leaves what its workers lost to the next one.
    again = RunningGateway(tmp_path, "workers = 2\n" + provider.toml())
    for query in without_ending(again):
        again.wait_until_unresolved(query)
    again.stop()

    entries = again.entries()
    holds = [e.id for e in entries if isinstance(e, Hold)]
    settled = {e.id for e in entries if isinstance(e, Settle)}
    voided = {e.id for e in entries if isinstance(e, Void)}
    print(f"seed {seed}: {len(holds)} queries, {load.statuses}, {load.broken} connections broken")
    assert load.recorded, "nothing was answered, so nothing was tested"
    assert set(load.recorded) <= settled, "a record that was acknowledged is not in the journal"
    assert not set(load.answered) & voided, "an answered query counts as never sent"
    assert len(set(holds)) == len(holds)
    assert len(provider.seen) <= len(holds), "a query was sent without a hold"
    assert not without_ending(again)
    accounts = [state.balance(f"key:{key.split('_')[1]}", "usd") for state in states(gateway.data)]
    assert all(a.limit is None or a.posted + a.held <= a.limit for a in accounts)
