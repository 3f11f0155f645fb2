"""An OpenTelemetry collector on a loopback port: real OTLP over HTTP."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

WAIT_SECONDS = 20


class Collector:
    """Keeps what it is sent. While `refusing`, it answers 503."""

    def __init__(self, port: int = 0) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.spans: list[Any] = []
        self.resources: list[dict[str, Any]] = []
        self.metrics: dict[str, Any] = {}
        """The last of each name."""
        self.refusing = False
        self.tried = 0
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                refusing = collector.refusing
                if not refusing:
                    collector.take(self.path, dict(self.headers.items()), body)
                collector.tried += 1
                self.send_response(503 if refusing else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.headers.append({name.lower(): value for name, value in headers.items()})
        if self.headers[-1].get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.bodies.append(body)
        if path == "/v1/traces":
            for traced in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.resources.append(told(traced.resource.attributes))
                for scope in traced.scope_spans:
                    self.spans += scope.spans
        else:
            assert path == "/v1/metrics", path
            for metered in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for scope in metered.scope_metrics:
                    self.metrics.update({metric.name: metric for metric in scope.metrics})

    def queries(self) -> list[str]:
        return [told(span.attributes)["farthing.query"] for span in self.spans]

    def wait(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + WAIT_SECONDS
        while not done():
            assert time.monotonic() < until, "waited in vain"
            time.sleep(0.01)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def told(attributes: Any) -> dict[str, Any]:
    """What attributes say, in Python's types."""
    return {each.key: _value(each.value) for each in attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    assert kind is not None
    if kind == "array_value":
        return [_value(inner) for inner in value.array_value.values]
    return getattr(value, kind)
