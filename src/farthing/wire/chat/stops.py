"""Why an answer ended, both ways."""

from __future__ import annotations

from farthing.wire.canon import Stop, StopKind
from farthing.wire.chat.nested import full
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

# The vendor's words, and those of others who speak its dialect.
KINDS: dict[str, StopKind] = {
    "stop": "end",
    "eos": "end",
    "end_turn": "end",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "filter",
    "error": "error",
}

WORDS: dict[StopKind, str] = {
    "end": "stop",
    "length": "length",
    "stop_sequence": "stop",
    "tool_calls": "tool_calls",
    "refusal": "content_filter",
    "filter": "content_filter",
    "pause": "stop",
    "error": "error",
    "other": "stop",
}


def read_stop(choice: Taker, refused: bool) -> Stop | None:
    """Take a choice's reason to end; a refusal has no word of its own here."""
    told = full(choice, "finish_reason")
    return stop_of(told, refused) if told else None


def stop_of(told: str, refused: bool) -> Stop:
    """Return what a word means."""
    return Stop(kind=kind_of(told, refused), told=told)


def kind_of(told: str, refused: bool) -> StopKind:
    """Return what a word means, of which one is said of refusals too."""
    kind = KINDS.get(told, "other")
    return "refusal" if refused and kind == "end" else kind


def write_stop(stop: Stop, crossing: Crossing, refused: bool = False) -> str:
    """Return the word for a stop; `refused`: the answer says so in its own field."""
    if crossing.same and stop.told:
        return stop.told
    if stop.kind == "pause":
        crossing.lose("stop.pause", "shape")
    if stop.kind == "refusal" and refused:
        return "stop"
    return WORDS[stop.kind]
