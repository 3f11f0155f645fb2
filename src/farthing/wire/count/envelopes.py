"""The envelopes around requests that are counted, and what their endpoints take of them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from farthing.wire.canon import JSON
from farthing.wire.take import Taker

# What a count is the same with or without, in any of the dialects.
IDLE = frozenset(
    {
        *("max_tokens", "max_output_tokens", "temperature", "top_p", "top_k", "stop_sequences"),
        *("stream", "store", "include", "metadata", "user", "safety_identifier"),
        *("inferenceConfig", "requestMetadata", "top_logprobs"),
    }
)


class Envelope(msgspec.Struct, frozen=True):
    """How one dialect asks for a count."""

    name: str
    of: str
    """The dialect of the requests that it counts."""
    open: Callable[[JSON], tuple[JSON, list[str]]]
    """Returns the request, and what there is beside it that only this dialect understands."""
    wrap: Callable[[JSON, str], JSON]
    """Takes a request and the provider's name of the model."""
    write: Callable[[int], JSON]
    """Writes the answer."""
    takes: frozenset[str] | None = None
    """The fields of a request that may be in it; None: all."""


def _open_plain(told: JSON) -> tuple[JSON, list[str]]:
    return told, []


def _open_gemini(told: JSON) -> tuple[JSON, list[str]]:
    """The request stands nested, or its contents stand alone."""
    nested = told.get("generateContentRequest")
    if not isinstance(nested, dict):
        return told, []
    beside = [key for key, value in told.items() if value is not nested]
    return {key: value for key, value in nested.items() if key != "model"}, beside


def _open_converse(told: JSON) -> tuple[JSON, list[str]]:
    """Requests of InvokeModel can be counted too: each model has its own form of them."""
    taker = Taker(told.get("input"), "`input`")
    request = taker.maybe("converse", dict)
    return request or {}, [f"input.{key}" for key in taker.left]


def _wrap_gemini(request: JSON, model: str) -> JSON:
    if request.keys() <= {"contents"}:
        return request
    return {"generateContentRequest": {"model": f"models/{model}", **request}}


ENVELOPES: dict[str, Envelope] = {
    envelope.name: envelope
    for envelope in (
        Envelope(
            name="counting",
            of="messages",
            open=_open_plain,
            wrap=lambda request, _: request,
            write=lambda tokens: {"input_tokens": tokens},
            takes=frozenset(
                {
                    *("model", "messages", "system", "tools", "tool_choice", "thinking"),
                    *("output_config", "cache_control", "speed", "mcp_servers"),
                    "context_management",
                }
            ),
        ),
        Envelope(
            name="responses-counting",
            of="responses",
            open=_open_plain,
            wrap=lambda request, _: request,
            write=lambda tokens: {"object": "response.input_tokens", "input_tokens": tokens},
            takes=frozenset(
                {
                    *("model", "input", "instructions", "tools", "tool_choice", "reasoning"),
                    *("text", "parallel_tool_calls", "truncation", "conversation"),
                    "previous_response_id",
                }
            ),
        ),
        Envelope(
            name="gemini-counting",
            of="gemini",
            open=_open_gemini,
            wrap=_wrap_gemini,
            write=lambda tokens: {"totalTokens": tokens},
        ),
        Envelope(
            name="converse-counting",
            of="converse",
            open=_open_converse,
            wrap=lambda request, _: {"input": {"converse": request}},
            write=lambda tokens: {"inputTokens": tokens},
            takes=frozenset({"messages", "system", "toolConfig", "additionalModelRequestFields"}),
        ),
    )
}
