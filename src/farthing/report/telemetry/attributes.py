"""What is told of a query, by the names of OpenTelemetry's semantic conventions for GenAI, v1.41.1.

Our own begin with "farthing.". Nothing of what was asked or answered is in the ledger, and so it is
not here. An amount is text: telemetry is never the ledger, and a double would round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from farthing import money
from farthing.evidence.salt import is_plain
from farthing.ledger.entry import Settle, Unresolved, Void
from farthing.providers.load import LOCAL, Provider
from farthing.report.telemetry.reader import Ended, FirstEnding
from farthing.wire.dialect import Usage
from farthing.wire.operations import operation

Value = str | int | float | bool | tuple[str, ...]
Attributes = dict[str, Value]

SCHEMA = "https://opentelemetry.io/schemas/1.41.1"
PORTS = {"http": 80, "https": 443}

# OTEL_SEMCONV_STABILITY_OPT_IN, comma-separated: with this one the newer names are told as well.
OPT_IN, LATEST = "OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental"


class Teller(NamedTuple):
    """How queries are told."""

    providers: Mapping[str, Provider]
    users: bool = False
    """Whether end users and tags are named."""
    latest: bool = False

    def common(self, query: Ended) -> Attributes:
        """Return what spans and metrics say alike; it has few values."""
        hold, ending = query.hold, query.ending
        provider = self.providers.get(hold.provider)
        told: Attributes = {
            "gen_ai.operation.name": operation(hold.dialect),
            "gen_ai.provider.name": (provider and provider.telemetry_name) or hold.provider,
            "gen_ai.request.model": hold.model,
            **_server(provider),
        }
        if isinstance(ending, Settle) and ending.answered_model:
            told["gen_ai.response.model"] = ending.answered_model
        if problem := error_type(ending):
            told["error.type"] = problem
        return told

    def of_span(self, query: Ended) -> Attributes:
        """Return all that a span says."""
        hold, ending = query.hold, query.ending
        told = {
            **self.common(query),
            **_ended(ending),
            "farthing.query": hold.id,
            "farthing.entry": query.position,
            "farthing.dialect": hold.dialect,
            "farthing.scopes": tuple(s for s in hold.path if self.users or is_plain(s)),
        }
        if hold.output_cap:
            told["gen_ai.request.max_tokens"] = hold.output_cap
        if self.latest:
            told["gen_ai.request.stream"] = hold.stream
            if (first := first_byte(query)) is not None:
                told["gen_ai.response.time_to_first_chunk"] = first
        return told


def span_name(told: Attributes) -> str:
    """Return "{gen_ai.operation.name} {gen_ai.request.model}"; the first alone without a model."""
    return f"{told['gen_ai.operation.name']} {told['gen_ai.request.model']}".strip()


def error_type(ending: FirstEnding) -> str:
    """Return the provider's HTTP status, or our reason; nothing of what ended well."""
    if isinstance(ending, Settle):
        return str(ending.status) if ending.status >= 400 else ""
    return ending.reason


def seconds(query: Ended) -> float | None:
    """Return how long it took; nothing of what was not sent, or never came to an end."""
    took = query.ending.total_us if isinstance(query.ending, Settle | Unresolved) else 0
    return took / 1e6 if took else None


def first_byte(query: Ended) -> float | None:
    """Return the seconds to the first byte of a streamed answer."""
    if not query.hold.stream or not isinstance(query.ending, Settle):
        return None
    return query.ending.first_byte_us / 1e6 if query.ending.first_byte_us else None


def input_tokens(usage: Usage) -> int:
    """Return all input, cached as well: "This value SHOULD include all types of input tokens"."""
    return usage.tokens() - output_tokens(usage)


def output_tokens(usage: Usage) -> int:
    """Return all output, reasoning as well."""
    return usage.output + usage.output_audio + usage.output_image


def _ended(ending: FirstEnding) -> Attributes:
    return _ENDINGS[type(ending)](ending)


def _settled(ending: Settle) -> Attributes:
    usage = ending.usage
    told: Attributes = {"farthing.cost_usd": money.dollars(ending.usd)}
    if ending.upstream_id:
        told["gen_ai.response.id"] = ending.upstream_id
    if ending.status < 400:
        told["gen_ai.usage.input_tokens"] = input_tokens(usage)
        told["gen_ai.usage.output_tokens"] = output_tokens(usage)
    some = {
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write + usage.cache_write_1h,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
    }
    return {**told, **{name: count for name, count in some.items() if count}}


def _unresolved(ending: Unresolved) -> Attributes:
    """What it cost is not known, and so it is not told."""
    return {"gen_ai.response.id": ending.upstream_id} if ending.upstream_id else {}


_ENDINGS: dict[type, Callable[..., Attributes]] = {
    Settle: _settled,
    Void: lambda _: {"farthing.cost_usd": "0"},
    Unresolved: _unresolved,
}


def _server(provider: Provider | None) -> Attributes:
    """Return where a provider is, if that is one place that is known."""
    if provider is None or provider.name == LOCAL or "{" in provider.base_url:
        return {}
    parts = urlsplit(provider.base_url)
    if not parts.hostname:
        return {}
    return {
        "server.address": parts.hostname,
        "server.port": parts.port or PORTS.get(parts.scheme, 443),
    }
