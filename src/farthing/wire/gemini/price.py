"""What decides a generateContent request's price, and the usage of its answers."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from farthing.errors import FarthingError
from farthing.wire.asking import ask_of, decoded
from farthing.wire.canon import JSON
from farthing.wire.dialect import Answer, Ask, Changes, Tap, Target
from farthing.wire.gemini.requests import read_request as read_canonical
from farthing.wire.gemini.stops import read_stop
from farthing.wire.gemini.usage import read_usage
from farthing.wire.tap import TailTap

# Fields whose cost lies elsewhere: what the provider keeps, and what is not text.
UNBOUNDED_FIELDS = ("cachedContent", "cached_content")
UNBOUNDED_SETTINGS = frozenset({"responseModalities", "response_modalities", "speechConfig",
                                "speech_config", "imageConfig", "image_config"})  # fmt: skip

# https://ai.google.dev/gemini-api/docs/priority-inference
PLAIN_TIERS = frozenset({"", "standard", "unspecified"})
VERBS = ("generateContent", "streamGenerateContent?alt=sse")

_target = re.compile(rb"/v1(?:beta|alpha)?/models/([^/:]+):(generateContent|streamGenerateContent)")


class _Answer(msgspec.Struct, rename="camel"):
    response_id: str | None = None
    model_version: str | None = None
    usage_metadata: JSON | None = None
    candidates: msgspec.Raw = msgspec.Raw()
    prompt_feedback: Any = None


class _Candidate(msgspec.Struct, rename="camel"):
    finish_reason: str | int | None = None


_decode = msgspec.json.Decoder(_Answer).decode
_decode_candidates = msgspec.json.Decoder(list[_Candidate]).decode
# Within a text its quotes would stand escaped.
_CALL = b'"functionCall"'


def target(path: bytes) -> Target | None:
    """Read the model, and whether to stream, off a path."""
    found = _target.fullmatch(path)
    if found is None:
        return None
    return Target(found[1].decode("latin-1"), found[2] == b"streamGenerateContent")


def read_request(body: bytes) -> Ask:
    """Read what decides a request's price; its model and streaming stand in the path.

    Raises:
        Malformed: not a JSON object, or nested too deep.
    """
    told = decoded(body)
    ask = ask_of(read_canonical(told), body, UNBOUNDED_FIELDS)
    settings = _settings(told)
    named = sorted(UNBOUNDED_SETTINGS & settings.keys())
    spoken = [name for name in named if settings[name] not in (None, ["TEXT"], ["text"])]
    ask.unbounded += tuple(f"`{name}`" for name in spoken)
    ask.options = _options(told.get("serviceTier") or told.get("service_tier"))
    return ask


def _options(tier: object) -> dict[str, str]:
    """Return the tier, if it has a price of its own; it is also written SERVICE_TIER_PRIORITY."""
    name = str(tier or "").lower().removeprefix("service_tier_")
    return {} if name in PLAIN_TIERS else {"service_tier": name}


def write_request(ask: Ask, changes: Changes) -> bytes:
    """Return the request to send: the client's bytes, unless its cap must change."""
    if changes.output_cap is None:
        return ask.body
    told = decoded(ask.body)
    name = "generation_config" if "generation_config" in told else "generationConfig"
    settings = {k: v for k, v in _settings(told).items() if k != "max_output_tokens"}
    return msgspec.json.encode({**told, name: {**settings, "maxOutputTokens": changes.output_cap}})


def _settings(told: JSON) -> JSON:
    found = told.get("generationConfig") or told.get("generation_config")
    return found if isinstance(found, dict) else {}


def read_answer(body: bytes) -> Answer:
    """Read a whole answer, or one event of a stream."""
    try:
        told = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    counts = told.usage_metadata or {}
    return Answer(
        options=_options(counts.get("serviceTier")),
        usage=read_usage(counts) if counts else None,
        model=told.model_version or "",
        id=told.response_id or "",
        finish=_finish(told, _CALL in body),
    )


def _finish(told: _Answer, calls: bool) -> str:
    """Return why an answer ended; one of whose candidates any was cut off was cut off."""
    try:
        read = [read_stop(c.finish_reason, calls) for c in _decode_candidates(told.candidates)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        read = []  # none, or none of this dialect's
    kinds = [stop.kind for stop in read if stop is not None]
    if not kinds and isinstance(told.prompt_feedback, dict):
        return "filter" if told.prompt_feedback.get("blockReason") else ""
    return "length" if "length" in kinds else kinds[0] if kinds else ""


class GeminiTap(TailTap):
    """Reads the running totals off the last event that has them."""

    def answer(self) -> Answer:
        """Return what the last event with usage says."""
        for data in self.last_events(b'"usageMetadata"'):
            if (told := read_answer(data)).usage is not None:
                if told.finish == "end" and self.holds(_CALL):  # in an event before it
                    told.finish = "tool_calls"
                return told
        return Answer()


def tap(_: Ask) -> Tap:
    """Return the tap for a query's stream."""
    return GeminiTap()


# https://ai.google.dev/gemini-api/docs/troubleshooting
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "RESOURCE_EXHAUSTED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def error(problem: FarthingError, request_id: str) -> bytes:
    """Render an error as this dialect's clients expect it; our code stands among its details."""
    default = "INVALID_ARGUMENT" if problem.status < 500 else "INTERNAL"
    details = [{"reason": problem.code, "requestId": request_id}]
    shape = {"code": problem.status, "message": problem.message, "details": details}
    return msgspec.json.encode(
        {"error": {**shape, "status": STATUSES.get(problem.status, default)}}
    )


def fault(problem: FarthingError, request_id: str) -> bytes:
    """Render an error as an event of a stream that has begun."""
    return b"data: " + error(problem, request_id) + b"\n\n"


def model_list(models: list[str]) -> bytes:
    """Render the list of models ("provider/name" each), as one page."""
    rows = [
        {"name": f"models/{m}", "displayName": m, "supportedGenerationMethods": _methods(m)}
        for m in models
    ]
    return msgspec.json.encode({"models": rows})


def _methods(model: str) -> list[str]:
    """Return what can be asked of a model. All names of embedding models say what they are."""
    embeds = "embed" in model.lower()
    return ["embedContent"] if embeds else ["generateContent", "streamGenerateContent"]
