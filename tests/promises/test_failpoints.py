"""G1 to G4, G7: processes die at every named place, under load; the provider's log is the oracle.

Every query has a number of its own, in its text, which the provider sees, and in its tags, which
the hold has.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support import provider as provider_module
from tests.support.gateway import RunningGateway, states
from tests.support.provider import COMPLETION_TOKENS, PROMPT_TOKENS, FakeProvider

from farthing import money
from farthing.ledger.entry import Hold, Settle, Unresolved, Void

CLIENTS = 6
COST = (PROMPT_TOKENS + COMPLETION_TOKENS) * 1000
# What a death may take, with what it takes to start again: seconds.
PATIENCE = 10.0


class Load:
    """Clients that ask until told to stop, and remember what they were answered."""

    def __init__(self, gateway: RunningGateway, key: str) -> None:
        self.statuses: Counter[int] = Counter()
        self.recorded: set[str] = set()
        """The queries whose answer says what it cost: it was on the disk by then."""
        self.broken = 0
        self._gateway, self._key = gateway, key
        self._number = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._running = [self._pool.submit(self._ask) for _ in range(CLIENTS)]

    def _ask(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                self._number += 1
                number = self._number
            try:
                self._one(number)
            except (http.client.HTTPException, OSError):
                self.broken += 1
                self._stop.wait(0.02)  # or clients that nobody answers would use the machine up

    def _one(self, number: int) -> None:
        answer = self._gateway.chat(
            self._key,
            stream=number % 2 == 0,
            max_tokens=9,
            messages=[{"role": "user", "content": f"number {number}"}],
            headers={"farthing-tags": f"number-{number}"},
        )
        self.statuses[answer.status] += 1
        if "farthing-cost-usd" in answer.headers and answer.status == 200:
            self.recorded.add(answer.query)

    def stop(self) -> None:
        self._stop.set()
        for running in self._running:
            running.result()
        self._pool.shutdown()


def numbers_sent(provider: FakeProvider) -> list[str]:
    """Return the numbers of the queries the provider got."""
    texts = (seen.json["messages"][0]["content"] for seen in provider.seen)
    return [text.replace(" ", "-") for text in texts if text.startswith("number ")]


@pytest.mark.parametrize(
    ("workers", "kills"),
    [
        (1, 20),
        (2, 30),
        pytest.param(1, 400, marks=pytest.mark.soak),
        pytest.param(2, 600, marks=pytest.mark.soak),
    ],
)
def test_whatever_dies_and_wherever_nothing_is_lost_and_no_limit_is_passed(
    tmp_path: Path, provider: FakeProvider, workers: int, kills: int
) -> None:
    log = tmp_path / "kills"
    folder = Path(provider_module.__file__).parent / "failpoints"
    environ = {
        "PYTHONPATH": str(folder),
        "FARTHING_TEST_KILLS": str(log),
        "FARTHING_TEST_WORKERS": str(workers),
    }
    toml = f"workers = {workers}\n{provider.toml()}"
    gateway = RunningGateway(tmp_path / "gateway", toml, environ=environ)
    limit = "2" if kills > 100 else "0.2"
    key, other = gateway.key(usd=limit), gateway.key()
    log.touch()  # from now on they die
    load, until = Load(gateway, key), time.monotonic() + 60 + kills * PATIENCE
    try:
        while len(log.read_text().splitlines()) < kills:
            assert time.monotonic() < until, "too few of them died"
            time.sleep(0.1)
        places = log.read_text().splitlines()
    finally:
        log.unlink()
        load.stop()
        gateway.chat_until(other, 200, max_tokens=9)
        gateway.stop()
    # A ledger that ends soon after its start leaves what its workers lost to the next one.
    again = RunningGateway(tmp_path / "gateway", toml)
    entries = again.entries()
    ended = {e.id for e in entries if isinstance(e, Settle | Void | Unresolved)}
    for hold in entries:
        if isinstance(hold, Hold) and hold.id not in ended:
            again.wait_until_unresolved(hold.id)
    again.stop()
    _report(load, places)
    _check(again, provider, load, key, money.nanodollars(limit))


def _report(load: Load, places: list[str]) -> None:
    died = ", ".join(f"{place} {times}" for place, times in sorted(Counter(places).items()))
    print(f"{len(places)} deaths: {died}")
    print(f"answers {dict(load.statuses)}, {load.broken} connections broken")


def _check(
    gateway: RunningGateway, provider: FakeProvider, load: Load, key: str, limit: int
) -> None:
    entries = gateway.entries()
    holds = [e for e in entries if isinstance(e, Hold)]
    settled = [e for e in entries if isinstance(e, Settle)]
    assert len({h.id for h in holds}) == len(holds)
    assert len({e.id for e in settled}) == len(settled), "a query was settled twice"
    assert load.recorded <= {e.id for e in settled}, "an acknowledged record is lost"
    assert load.recorded, "nothing was answered, so nothing was tested"
    sent = numbers_sent(provider)
    held = [scope.removeprefix("tag:") for h in holds for scope in h.path if scope[:4] == "tag:"]
    assert len(set(held)) == len(held)
    assert set(sent) <= set(held), "the provider got a query without a durable hold"
    assert len(set(sent)) == len(sent)
    voided = {e.id for e in entries if isinstance(e, Void)}
    unsent = {s.removeprefix("tag:") for h in holds if h.id in voided for s in h.path}
    assert not unsent & set(sent), "a query that was sent counts as never sent"
    assert len(sent) * COST <= limit, "more was billed than the limit"
    scope = f"key:{key.split('_')[1]}"
    for number, position in enumerate(states(gateway.data), start=1):
        balance = position.balance(scope, "usd")
        assert balance.limit is None or balance.posted + balance.held <= balance.limit, number
