"""G8, fail closed: with a full disk nothing is sent, what runs is settled, and it recovers."""

from __future__ import annotations

import asyncio
import resource

from tests.promises.test_crash import OpenStream
from tests.support.gateway import RunningGateway
from tests.support.provider import FakeProvider

from farthing.ledger import admin
from farthing.ledger.entry import Hold, Key, Settle
from farthing.ledger.journal import EXTENT, FIRST_SEGMENT


def limit_files(gateway: RunningGateway, size: int) -> None:
    """Let the worker's files grow no further than this: to it, the disk is full there."""
    pid = gateway.pids["worker-1"]
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))


def fill(gateway: RunningGateway) -> None:
    """Use up most of the journal's extent with a few large entries."""
    for number in range(39):
        entry = Key(1, "test", f"filler-{number}", "x" * 100_000, b"")
        assert asyncio.run(admin.record(gateway.data, [entry])) == [None]


def test_a_full_disk_refuses_queries_and_settles_the_open_ones(
    gateway: RunningGateway, provider: FakeProvider
) -> None:
    key = gateway.key()
    stream = OpenStream(gateway, provider, key)
    journal = gateway.data.journal / FIRST_SEGMENT
    limit_files(gateway, journal.stat().st_size)  # the extent at hand is all there is
    fill(gateway)
    answered = refused = 0
    while not refused:
        answer = gateway.chat(key)
        if answer.status == 200:
            answered += 1
        else:
            refused += 1
            assert (answer.status, answer.headers["farthing-error"]) == (503, "journal_full")
            assert "free space" in answer.json["error"]["message"]
    sent = len(provider.seen)
    assert gateway.chat(key).status == 503
    assert len(provider.seen) == sent
    provider.gate.set()
    assert stream.rest().endswith(b"data: [DONE]\n\n")
    record = gateway.record_when_ended(stream.query, key)
    assert record["status"] == "settled"
    limit_files(gateway, resource.RLIM_INFINITY)
    assert gateway.chat(key).status == 200
    entries = gateway.entries()
    holds = sum(isinstance(e, Hold) for e in entries)
    assert holds == answered + 2
    assert sum(isinstance(e, Settle) for e in entries) == holds
    assert journal.stat().st_size % EXTENT == 0
