"""`generationConfig`: sampling settings, the answer's format and thinking, both ways."""

from __future__ import annotations

from typing import Any

from farthing.wire.canon import JSON, Format, Request, Thinking
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.schemas import from_json_schema, to_json_schema
from farthing.wire.gemini.spelling import Keys, spelled, words_of

_JSON = "application/json"

# Models up to 2.5 take no thinkingLevel. These are the budgets that the vendor's own
# OpenAI-compatible endpoint gives for each effort.
_BUDGETS = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576}
_LEVELS = frozenset(_BUDGETS)
_NO_LEVELS = ("gemini-1", "gemini-2")


def read_config(config: Keys, request: Request) -> None:
    """Read a `generationConfig` into a request; what is left stays in `config`."""
    request.output_cap = config.number("maxOutputTokens")
    request.temperature = config.maybe("temperature", float)
    request.top_p = config.maybe("topP", float)
    request.top_k = config.number("topK")
    request.answers = config.number("candidateCount")
    request.seed = config.number("seed")
    request.presence_penalty = config.maybe("presencePenalty", float)
    request.frequency_penalty = config.maybe("frequencyPenalty", float)
    config.words += ["stops"] if config.peek("stopSequences") == [] else []
    request.stop = config.strings("stopSequences") or []
    if config.peek("responseModalities") == ["TEXT"]:
        config.strings("responseModalities")
        config.words.append("texts")  # as it is when nothing is said
    _read_logprobs(config, request)
    request.format = _read_format(config)
    request.thinking = _read_thinking(config)


def _read_logprobs(config: Keys, request: Request) -> None:
    if config.peek("responseLogprobs") is True:
        config.take("responseLogprobs", bool, False)
        count = config.number("logprobs")
        request.logprobs = count or 0
        config.words += [] if count is None else ["logprobs"]


def _read_format(config: Keys) -> Format | None:
    """Read the answer's type and schema; None, and they stay, for an enumeration or a sound."""
    words: list[str] = []
    told = Keys(config.left, words=words)
    mime = told.text("responseMimeType")
    if mime == "text/plain":
        config.left = told.left
        return Format(kind="text", form=told.form)
    if mime not in ("", _JSON):
        return None
    for key in ("responseJsonSchema", "responseSchema"):
        schema = told.maybe(key, dict)
        if schema is not None:
            words += [key] if mime else [key, "nomime"]
            config.left = told.left
            return _with_schema(schema, key, told)
    if not mime:
        return None
    config.left = told.left
    return Format(kind="json", form=told.form)


def _with_schema(schema: JSON, key: str, told: Keys) -> Format:
    if key == "responseJsonSchema":
        return Format(kind="schema", schema=schema, form=told.form)
    common, rest = read_schema(schema, key, told.words)
    return Format(kind="schema", schema=common, rest=rest, form=told.form)


def read_schema(schema: JSON, key: str, words: list[str]) -> tuple[JSON, JSON]:
    """Return one of the API's own schemas as JSON Schema, and what keeps it where that loses."""
    common = to_json_schema(schema)
    if common == schema:
        return common, {}
    if from_json_schema(common) == schema:
        words.append("capitals")
        return common, {}
    words.append("whole")
    return common, {key: schema}


def _read_thinking(config: Keys) -> Thinking | None:
    words: list[str] = []
    outer = Keys(config.left, words=words)
    told = outer.inner("thinkingConfig")
    if told is None:
        return None
    budget = told.number("thinkingBudget")
    level = _read_level(told)
    shown = told.maybe("includeThoughts", bool)
    words += [] if shown is not False else ["hidden"]
    words += ["dynamic"] if budget == -1 else []
    config.left = outer.left
    return Thinking(
        enabled=None if budget is None else budget != 0,
        budget=None if budget == -1 else budget,
        effort=level,
        summary="auto" if shown else "",
        rest=told.left,
        form=outer.form,
    )


def _read_level(told: Keys) -> str:
    """Read a `thinkingLevel` in small letters; one in mixed letters stays."""
    level = told.peek("thinkingLevel")
    if not isinstance(level, str) or level not in (level.lower(), level.lower().upper()):
        return ""
    told.words += ["capitals"] if level != level.lower() else []
    return told.text("thinkingLevel").lower()


def write_config(request: Request, crossing: Crossing) -> JSON:
    """Write what a `generationConfig` says of a request."""
    words = words_of(crossing.form(request))
    made: JSON = {
        "maxOutputTokens": request.output_cap,
        "temperature": request.temperature,
        "topP": request.top_p,
        "topK": request.top_k,
        "candidateCount": request.answers,
        "seed": request.seed,
        "presencePenalty": request.presence_penalty,
        "frequencyPenalty": request.frequency_penalty,
        "stopSequences": request.stop if request.stop or "stops" in words else None,
    }
    if request.logprobs is not None:
        made["responseLogprobs"] = True
        if request.logprobs or "logprobs" in words:
            made["logprobs"] = request.logprobs
    if "texts" in words:
        made["responseModalities"] = ["TEXT"]
    made = {key: value for key, value in made.items() if value is not None}
    made = spelled(made, words, {})
    if request.format is not None:
        made |= _write_format(request.format, crossing)
    if request.thinking is not None:
        made |= _write_thinking(request.thinking, request.model, crossing)
    return made


def _write_format(told: Format, crossing: Crossing) -> JSON:
    words = words_of(crossing.form(told))
    if told.name and not crossing.same:
        crossing.lose("response_format.name", "hint")
    rest = crossing.rest(told, "response_format")
    if told.kind == "text":
        return spelled({"responseMimeType": "text/plain"}, words, rest) if crossing.same else {}
    made: JSON = {} if "nomime" in words else {"responseMimeType": _JSON}
    if told.kind == "schema" and "whole" not in words:
        key = "responseSchema" if "responseSchema" in words else "responseJsonSchema"
        made[key] = from_json_schema(told.schema or {}) if "capitals" in words else told.schema
    return spelled({**made, **rest}, words, {})


def _write_thinking(told: Thinking, model: str, crossing: Crossing) -> JSON:
    rest = crossing.rest(told, "thinking")
    if not crossing.same:
        made = _depth(told, model, crossing)
        shown = told.summary or (told.enabled and "auto")
        if shown and shown not in ("none", "omitted"):
            made["includeThoughts"] = True
        return {"thinkingConfig": made} if made else {}
    words = words_of(told.form)
    values: dict[str, Any] = {
        "thinkingBudget": -1 if "dynamic" in words else told.budget,
        "thinkingLevel": (told.effort.upper() if "capitals" in words else told.effort) or None,
        "includeThoughts": False if "hidden" in words else (bool(told.summary) or None),
    }
    made = {key: value for key, value in values.items() if value is not None}
    return spelled({"thinkingConfig": spelled(made, words, rest)}, words, {})


def _depth(told: Thinking, model: str, crossing: Crossing) -> JSON:
    """Return how much to think. A budget goes to every model, a level to the newer ones alone."""
    if told.enabled is False or told.effort == "none":
        return {"thinkingBudget": 0}
    if told.budget is not None:
        return {"thinkingBudget": told.budget}
    effort = told.effort
    if effort and effort not in _LEVELS:
        crossing.lose(f"thinking.effort {effort}", "shape")
        effort = "high"
    if not effort:
        return {"thinkingBudget": -1} if told.enabled else {}
    if any(family in model for family in _NO_LEVELS):
        return {"thinkingBudget": _BUDGETS[effort]}
    return {"thinkingLevel": effort}
