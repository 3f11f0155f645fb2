"""Spans and metrics of queries, in the SDK's own terms."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

from opentelemetry.metrics import Histogram, Meter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from farthing import __version__
from farthing.ledger.entry import Settle
from farthing.report.telemetry.attributes import (
    SCHEMA,
    Teller,
    first_byte,
    input_tokens,
    output_tokens,
    seconds,
    span_name,
)
from farthing.report.telemetry.reader import Ended

SCOPE = InstrumentationScope("farthing", __version__, SCHEMA)

# The conventions' bucket boundaries, gen-ai-metrics of v1.41.1.
TOKENS = [4**power for power in range(14)]
SECONDS = [0.01 * 2**power for power in range(14)]
FIRST = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]


def ids(ledger: str, query: str) -> tuple[int, int]:
    """Return a query's trace id and span id, for ever the same: who gets it twice can see that."""
    digest = sha256(f"{ledger}/{query}".encode()).digest()
    return int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])


def span(query: Ended, teller: Teller, ledger: str, resource: Resource) -> ReadableSpan:
    """Return a query as a span, from its hold to its ending."""
    told = teller.of_span(query)
    trace, own = ids(ledger, query.hold.id)
    failed = "error.type" in told
    return ReadableSpan(
        name=span_name(told),
        context=SpanContext(trace, own, is_remote=False, trace_flags=TraceFlags(1)),
        kind=SpanKind.CLIENT,
        attributes=told,
        status=Status(StatusCode.ERROR) if failed else Status(StatusCode.UNSET),
        start_time=query.hold.at,
        end_time=max(query.hold.at, query.ending.at),
        resource=resource,
        instrumentation_scope=SCOPE,
    )


class Instruments(NamedTuple):
    """The conventions' histograms."""

    usage: Histogram
    duration: Histogram
    served: Histogram
    first_token: Histogram
    first_chunk: Histogram | None

    @classmethod
    def made(cls, meter: Meter, *, latest: bool) -> Instruments:
        """Make them."""

        def histogram(name: str, unit: str, buckets: list[Any]) -> Histogram:
            return meter.create_histogram(
                name, unit=unit, explicit_bucket_boundaries_advisory=buckets
            )

        chunk = "gen_ai.client.operation.time_to_first_chunk"
        return cls(
            histogram("gen_ai.client.token.usage", "{token}", TOKENS),
            histogram("gen_ai.client.operation.duration", "s", SECONDS),
            histogram("gen_ai.server.request.duration", "s", SECONDS),
            histogram("gen_ai.server.time_to_first_token", "s", FIRST),
            histogram(chunk, "s", SECONDS) if latest else None,
        )

    def record(self, query: Ended, teller: Teller) -> None:
        """Count a query in."""
        told, ending = teller.common(query), query.ending
        if (took := seconds(query)) is not None:
            self.duration.record(took, told)
            self.served.record(took, told)
        if (first := first_byte(query)) is not None:
            self.first_token.record(first, told)
            if self.first_chunk is not None:
                self.first_chunk.record(first, told)
        if isinstance(ending, Settle) and ending.status < 400:
            told.pop("error.type", None)
            counts = {"input": input_tokens(ending.usage), "output": output_tokens(ending.usage)}
            for kind, count in counts.items():
                if count:
                    self.usage.record(count, {**told, "gen_ai.token.type": kind})
