"""The telemetry process: tells the collector of queries behind the journal, in nobody's way.

Spans are told at least once: the place in the journal moves when the collector has them. Metrics
are sums since this process started, and are sent again until they arrive.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path

import uvloop
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from farthing import __version__
from farthing.ledger.segments import JournalDamagedError
from farthing.paths import DataFolder
from farthing.providers import load_providers
from farthing.report.telemetry.attributes import LATEST, OPT_IN, SCHEMA, Teller
from farthing.report.telemetry.reader import Ended, Reader
from farthing.report.telemetry.signals import Instruments, span
from farthing.runtime import Runtime, give_way, log_as, read_told, say_ready, stop_event
from farthing.settings import Settings

log = logging.getLogger("farthing")

EVERY_SECONDS = 1.0
# A collector that is away is tried ever more rarely; nothing is gathered up meanwhile.
LONGEST_PAUSE = 60.0
# One request of the exporter's, its own tries included. A stopping gateway waits that long.
REQUEST_SECONDS = 5.0
SPANS_AT_ONCE = 512
METRICS_SECONDS = 10.0


class Telemetry:
    """Tells of a data folder's queries in turns."""

    def __init__(self, data: DataFolder, settings: Settings, environ: Mapping[str, str]) -> None:
        """Find the place in the journal. What is read from it was not told before."""
        otel = settings.otel
        latest = LATEST in environ.get(OPT_IN, "").replace(" ", "").split(",")
        self._reader = Reader(data.journal, data.telemetry)
        self._teller = Teller(load_providers(settings, environ), otel.users, latest)
        self._resource = Resource.create(
            {"service.name": otel.service_name, "service.version": __version__}
        )
        base, headers = otel.endpoint.rstrip("/"), otel.headers
        self._spans = OTLPSpanExporter(
            endpoint=f"{base}/v1/traces", headers=headers, timeout=REQUEST_SECONDS
        )
        metrics = OTLPMetricExporter(
            endpoint=f"{base}/v1/metrics", headers=headers, timeout=REQUEST_SECONDS
        )
        self._metrics = PeriodicExportingMetricReader(metrics, export_interval_millis=math.inf)
        self._provider = MeterProvider([self._metrics], self._resource, shutdown_on_exit=False)
        meter = self._provider.get_meter("farthing", __version__, SCHEMA)
        self._instruments = Instruments.made(meter, latest=latest)
        self._waiting: list[Ended] = []
        """What was read and is not told yet: one piece of the journal at most."""
        self._pause = EVERY_SECONDS
        self._metrics_due: float | None = None

    def turn(self) -> float:
        """Tell some; return how many seconds to wait before the next turn."""
        try:
            self._waiting = self._waiting or self._reader.read()
            while self._waiting:
                some = self._waiting[:SPANS_AT_ONCE]
                if not self._told(some):
                    return self._away()
                del self._waiting[: len(some)]
            more = self._reader.moved
            if more:
                self._reader.keep()
        except (JournalDamagedError, OSError) as problem:
            log.error("telemetry stands still: %s", problem)
            return LONGEST_PAUSE
        if self._pause > EVERY_SECONDS:
            log.info("the telemetry's collector is there again")
        self._pause = EVERY_SECONDS
        self._send_metrics()
        return 0 if more else EVERY_SECONDS

    def _told(self, some: list[Ended]) -> bool:
        ledger = self._reader.ledger
        spans = [span(query, self._teller, ledger, self._resource) for query in some]
        if self._spans.export(spans) is not SpanExportResult.SUCCESS:
            return False
        for query in some:
            self._instruments.record(query, self._teller)
        if self._metrics_due is None:
            self._metrics_due = time.monotonic() + METRICS_SECONDS
        return True

    def _away(self) -> float:
        """Say, once, that the collector does not take what it is told."""
        if self._pause == EVERY_SECONDS:
            log.error("the telemetry's collector does not take the spans; trying again")
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        return self._pause

    def _send_metrics(self, *, now: bool = False) -> None:
        due = self._metrics_due
        if due is not None and (now or time.monotonic() >= due):
            self._metrics.force_flush(REQUEST_SECONDS * 1000)
            self._metrics_due = None

    def finish(self) -> None:
        """Tell what is left, if the collector is there, and close."""
        if self._pause == EVERY_SECONDS:
            self.turn()
            self._send_metrics(now=True)
        self._reader.close()
        self._spans.shutdown()  # type: ignore[no-untyped-call]
        self._provider.shutdown(1000)


async def _serve(runtime: Runtime) -> None:
    stop = stop_event()
    telemetry = Telemetry(DataFolder(Path(runtime.data)), runtime.settings, os.environ)
    say_ready()  # the place is found: no query that comes now is left out
    while not stop.is_set():
        seconds = await asyncio.to_thread(telemetry.turn)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
    await asyncio.to_thread(telemetry.finish)


def main() -> None:
    """Run the telemetry as a process of its own."""
    runtime = read_told(Runtime)
    log_as(runtime.name)
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # we say it in one line
    give_way()
    uvloop.run(_serve(runtime))


if __name__ == "__main__":
    main()
