"""Telemetry as a process, with a real gateway before it and a collector behind it."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.collector import Collector, told
from tests.support.evidence import hold, settle, write
from tests.support.gateway import RunningGateway
from tests.support.provider import FakeProvider

from farthing.ledger.entry import Genesis, Hold
from farthing.paths import DataFolder
from farthing.report.telemetry import process
from farthing.report.telemetry.process import LONGEST_PAUSE, SPANS_AT_ONCE, Telemetry
from farthing.report.telemetry.signals import ids
from farthing.settings import OtelSettings, Settings

CANARIES = ("canary-prompt", "canary-user", "canary-tag", "four farthings make a penny")


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


def test_every_query_is_told_whatever_is_killed_or_away_and_nothing_private(
    tmp_path: Path, provider: FakeProvider, collector: Collector
) -> None:
    otel = f'[otel]\nendpoint = "{collector.address}/"\nheaders = {{ x-a = "b" }}\n'
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "x-secret=s3cret"}
    gateway = RunningGateway(tmp_path, otel + provider.toml(), environ=environ)
    try:
        key = gateway.key()
        private: dict[str, Any] = {
            "messages": [{"role": "user", "content": "canary-prompt"}],
            "headers": {"farthing-user": "canary-user", "farthing-tags": "canary-tag"},
        }
        first = [gateway.chat(key, **private).query, gateway.chat(key, "rate-limited").query]
        collector.wait(lambda: set(collector.queries()) >= set(first))
        _is_as_recorded(collector, gateway, key, *first)

        collector.refusing = True
        tried = collector.tried
        streamed = gateway.chat(key, stream=True, **private).query
        collector.wait(lambda: collector.tried > tried)
        os.kill(gateway.pids["telemetry"], signal.SIGKILL)  # it has it, and has not told it
        later = gateway.chat(key, "no-usage").query
        collector.refusing = False
        collector.wait(lambda: set(collector.queries()) >= {streamed, later})
        last = gateway.chat(key, "resets").headers["farthing-request-id"]
    finally:
        gateway.stop()
    asked = [e.id for e in gateway.entries() if isinstance(e, Hold)]
    assert set(collector.queries()) == set(asked) == {*first, streamed, later, last}
    for span in collector.spans:
        ledger = gateway.entries()[0].ledger  # type: ignore[union-attr]
        trace, own = ids(ledger, told(span.attributes)["farthing.query"])
        assert (int.from_bytes(span.trace_id), int.from_bytes(span.span_id)) == (trace, own)
    for body in collector.bodies:
        for secret in (*CANARIES, key, key.rpartition("_")[2], "s3cret"):
            assert secret.encode() not in body
    assert all((h["x-a"], h["x-secret"]) == ("b", "s3cret") for h in collector.headers)
    assert "s3cret" not in gateway.log.read_text()
    durations = collector.metrics["gen_ai.client.operation.duration"].histogram.data_points
    assert sum(point.count for point in durations) > 0


def _is_as_recorded(
    collector: Collector, gateway: RunningGateway, key: str, good: str, refused: str
) -> None:
    """What is told of two queries is what the ledger says of them."""
    spans = {told(span.attributes)["farthing.query"]: span for span in collector.spans}
    said, record = told(spans[good].attributes), gateway.record(good, key)
    assert (spans[good].name, spans[good].kind) == ("chat echo", 3)  # SPAN_KIND_CLIENT
    assert said["farthing.cost_usd"] == record["cost_usd"] == "0.000027"
    assert said["gen_ai.usage.input_tokens"] == record["usage"]["input"] == 20
    assert said["gen_ai.response.model"] == "fake-2026"
    assert said["gen_ai.provider.name"] == "fake" and said["server.address"] == "127.0.0.1"
    assert spans[good].end_time_unix_nano > spans[good].start_time_unix_nano
    assert told(spans[refused].attributes)["error.type"] == "429"
    assert spans[refused].status.code == 2  # STATUS_CODE_ERROR
    assert collector.resources[0]["service.name"] == "farthing"


@pytest.fixture
def said(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[str]]:
    """What was logged until now."""
    monkeypatch.setattr(logging.getLogger("farthing"), "propagate", True)
    caplog.set_level(logging.INFO, "farthing")
    return lambda: [r.getMessage() for r in caplog.records if r.name == "farthing"]


class Starts:
    """Starts telemetry on a data folder, as often as wanted."""

    def __init__(self, data: DataFolder) -> None:
        self._data = data
        self._running: list[Telemetry] = []

    def start(self, collector: Collector) -> Telemetry:
        settings = Settings(otel=OtelSettings(endpoint=collector.address, service_name="books"))
        self._running.append(Telemetry(self._data, settings, {}))
        return self._running[-1]

    def finish(self) -> None:
        while self._running:
            self._running.pop().finish()


@pytest.fixture
def starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Starts]:
    """It has little patience."""
    monkeypatch.setattr(process, "REQUEST_SECONDS", 0.2)
    made = Starts(DataFolder(tmp_path))
    yield made
    made.finish()


def queries(first: int, last: int) -> list[str]:
    return [f"q{number}" for number in range(first, last)]


def test_while_the_collector_is_away_the_place_stays_and_nothing_is_gathered(
    tmp_path: Path, collector: Collector, starts: Starts, said: Callable[[], list[str]]
) -> None:
    journal, place = DataFolder(tmp_path).journal, DataFolder(tmp_path).telemetry
    write(journal, [Genesis(1, "one")])
    telemetry = starts.start(collector)
    kept, collector.refusing = place.read_bytes(), True
    write(journal, [e for n in range(3) for e in (hold(n), settle(n))])
    assert telemetry.turn() == 2.0
    write(journal, [e for n in range(3, 9) for e in (hold(n), settle(n))])
    assert [telemetry.turn() for _ in range(6)] == [4.0, 8.0, 16.0, 32.0, 60.0, LONGEST_PAUSE]
    assert len(telemetry._waiting) == 3, "what came later is in the journal, and not in memory"
    assert place.read_bytes() == kept
    assert said() == ["the telemetry's collector does not take the spans; trying again"]
    collector.refusing = False
    while telemetry.turn() == 0:
        pass
    assert collector.queries() == queries(0, 9)
    assert said()[1:] == ["the telemetry's collector is there again"]
    assert collector.resources[0]["service.name"] == "books"


def test_many_are_told_in_requests_of_bounded_size_and_metrics_count_each_once(
    tmp_path: Path, collector: Collector, starts: Starts
) -> None:
    journal, many = DataFolder(tmp_path).journal, SPANS_AT_ONCE * 2 + 5
    write(journal, [Genesis(1, "one")])
    telemetry = starts.start(collector)
    write(journal, [e for n in range(many) for e in (hold(n), settle(n))])
    while telemetry.turn() == 0:
        pass
    starts.finish()
    assert collector.queries() == queries(0, many)
    assert sum(1 for body in collector.bodies if b"farthing.query" in body) >= 3
    (point,) = collector.metrics["gen_ai.server.request.duration"].histogram.data_points
    assert point.count == many
    tokens = collector.metrics["gen_ai.client.token.usage"].histogram.data_points
    assert sum(point.sum for point in tokens) == many * 150


def test_a_collector_that_is_not_there_yet_gets_all_of_it_later(
    tmp_path: Path, starts: Starts, said: Callable[[], list[str]]
) -> None:
    gone = Collector()
    gone.close()
    journal = DataFolder(tmp_path).journal
    write(journal, [Genesis(1, "one")])
    first = starts.start(gone)
    write(journal, [e for n in range(4) for e in (hold(n), settle(n))])
    assert first.turn() == 2.0
    starts.finish()
    back = Collector(gone.port)
    try:
        assert starts.start(back).turn() == 0
        assert back.queries() == queries(0, 4)
    finally:
        back.close()
