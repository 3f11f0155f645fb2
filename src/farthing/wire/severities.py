"""How much is lost with a field that another dialect has no word for, by the dialect it is in.

A field that is not here is a shape: dropped and named, and refused to a strict client.
"""

from __future__ import annotations

from collections.abc import Mapping

from farthing.wire.crossing import Severity

HINTS: Mapping[str, tuple[str, ...]] = {
    "chat": (
        *("metadata", "prediction", "prompt_cache_key", "prompt_cache_retention"),
        *("safety_identifier", "service_tier", "store", "stream_options", "user"),
        *("object", "provider", "system_fingerprint", "timings", "x_groq"),
    ),
    "messages": (
        *("anthropic_version", "cache_control", "inference_geo", "service_tier", "speed"),
        *("property_ordering", "stop_sequence"),
    ),
    "responses": (
        *("include", "metadata", "prompt_cache_key", "prompt_cache_retention"),
        *("safety_identifier", "service_tier", "store", "stream_options", "truncation", "user"),
    ),
    "gemini": (
        *("labels", "avgLogprobs", "finishMessage", "modelStatus", "sdkHttpResponse"),
        "serviceTier",
    ),
    "converse": (
        *("additionalModelResponseFieldPaths", "metrics", "performanceConfig"),
        *("requestMetadata", "serviceTier", "trace"),
    ),
}

MEANINGS: Mapping[str, tuple[str, ...]] = {
    "chat": (
        *("audio", "functions", "modalities", "models", "plugins", "search_parameters"),
        "web_search_options",
    ),
    "messages": ("container", "mcp_servers"),
    "responses": ("background", "conversation", "previous_response_id", "prompt"),
    "gemini": (
        *("allowedFunctionNames", "cachedContent", "imageConfig", "responseModalities"),
        "speechConfig",
    ),
    "converse": ("guardrailConfig", "promptVariables"),
}


def severities(dialect: str) -> dict[str, Severity]:
    """Return what is known of a dialect's fields."""
    found: dict[str, Severity] = dict.fromkeys(HINTS.get(dialect, ()), "hint")
    return found | dict.fromkeys(MEANINGS.get(dialect, ()), "meaning")
