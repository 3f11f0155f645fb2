"""Spans and metrics as the SDK has them, with the conventions' units and boundaries."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanKind, StatusCode
from tests.report.telemetry.test_attributes import (
    HELD,
    SETTLED,
    SPECIFICATION,
    TELLER,
    with_specification,
)

from farthing.ledger.entry import Void
from farthing.report.telemetry.reader import Ended
from farthing.report.telemetry.signals import FIRST, SECONDS, TOKENS, Instruments, ids, span

QUERY = Ended(7, HELD, msgspec.structs.replace(SETTLED, at=HELD.at + 1_500_000_000))


def measured(*queries: Ended, latest: bool = False) -> dict[str, Any]:
    """The histograms that queries make, by name."""
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader], shutdown_on_exit=False).get_meter("test")
    made = Instruments.made(meter, latest=latest)
    for query in queries:
        made.record(query, TELLER)
    data = reader.get_metrics_data()
    if data is None:
        return {}
    (resource,) = data.resource_metrics
    return {m.name: m for scope in resource.scope_metrics for m in scope.metrics}


def test_a_span_is_a_clients_call_from_hold_to_ending() -> None:
    made = span(QUERY, TELLER, "ledger", Resource({"service.name": "x"}))
    assert (made.name, made.kind) == ("chat m", SpanKind.CLIENT)
    assert (made.start_time, made.end_time) == (HELD.at, HELD.at + 1_500_000_000)
    assert made.status.status_code is StatusCode.UNSET and made.parent is None
    failed = span(Ended(7, HELD, Void(1, "q1", "why")), TELLER, "ledger", Resource({}))
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.end_time == failed.start_time, "a clock that was put back makes no negative time"


def test_ids_follow_from_the_query_and_its_ledger() -> None:
    assert ids("one", "q1") == ids("one", "q1")
    assert len({ids("one", "q1"), ids("one", "q2"), ids("two", "q1")}) == 3
    trace, own = ids("one", "q1")
    assert 0 < trace < 2**128 and 0 < own < 2**64


def test_each_histogram_has_its_unit_and_its_values() -> None:
    found = measured(QUERY)
    assert {name: m.unit for name, m in found.items()} == {
        "gen_ai.client.token.usage": "{token}",
        "gen_ai.client.operation.duration": "s",
        "gen_ai.server.request.duration": "s",
        "gen_ai.server.time_to_first_token": "s",
    }
    points = found["gen_ai.client.token.usage"].data.data_points
    assert {p.attributes["gen_ai.token.type"]: p.sum for p in points} == {"input": 49, "output": 64}
    (took,) = found["gen_ai.client.operation.duration"].data.data_points
    assert (took.sum, took.count, list(took.explicit_bounds)) == (1.5, 1, SECONDS)
    (first,) = found["gen_ai.server.time_to_first_token"].data.data_points
    assert (first.sum, list(first.explicit_bounds)) == (0.25, FIRST)
    assert took.attributes["gen_ai.provider.name"] == "mistral_ai"
    assert not [name for name in took.attributes if "farthing" in name]


def test_what_was_not_sent_has_no_duration() -> None:
    assert measured(Ended(7, HELD, Void(1, "q1", "why"))) == {}


def test_newer_metrics_are_behind_the_opt_in() -> None:
    name = "gen_ai.client.operation.time_to_first_chunk"
    assert name not in measured(QUERY) and name in measured(QUERY, latest=True)


@with_specification
@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("gen_ai.client.token.usage", TOKENS),
        ("gen_ai.client.operation.duration", SECONDS),
        ("gen_ai.client.operation.time_to_first_chunk", SECONDS),
        ("gen_ai.server.request.duration", SECONDS),
        ("gen_ai.server.time_to_first_token", FIRST),
    ],
)
def test_boundaries_are_the_specifications(name: str, bounds: list[float]) -> None:
    page = (SPECIFICATION / "gen-ai-metrics-v1.41.1.md").read_text()
    section = page[page.index(f"### Metric: `{name}`") :]
    listed = re.search(r"ExplicitBucketBoundaries\] of\s+\[([^\]]+)\]", section)
    assert listed is not None
    assert [float(bound) for bound in listed[1].split(",")] == bounds
