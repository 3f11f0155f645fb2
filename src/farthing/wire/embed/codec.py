"""What a codec of embeddings is, and what all of them do alike."""

from __future__ import annotations

import base64
import sys
from array import array
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from farthing.errors import Malformed
from farthing.wire.canon import JSON, Problem
from farthing.wire.crossing import Crossing, Severity
from farthing.wire.embed.canon import (
    BASE64,
    FLOAT,
    SEVERAL,
    WHOLE,
    Input,
    Request,
    Response,
    Vector,
)
from farthing.wire.take import Taker


class EmbedCodec(msgspec.Struct, frozen=True):
    """One dialect, both ways. What is read is never changed."""

    name: str
    read_request: Callable[[JSON], Request]
    write_request: Callable[[Request, Crossing], JSON]
    read_response: Callable[[JSON], Response]
    write_response: Callable[[Response, Request, Crossing], JSON]
    """Takes the client's request too: it decides which encodings are told, and in which form."""
    read_problem: Callable[[int, Any], Problem]
    write_problem: Callable[[Problem, Crossing], JSON]
    severities: Mapping[str, Severity] = {}
    """Of the fields that no other dialect has a word for; a shape where it is not here."""
    echoes: frozenset[str] = frozenset()
    """What of an answer only repeats its request, or is said again in any other envelope."""


def kinds_of(request: Request, crossing: Crossing, known: Mapping[str, str]) -> list[str]:
    """Return the encodings to ask a provider for, in its own words.

    Base64 of floats is made here from floats, so it is lost nowhere.
    """
    words = {spelled: word for word, spelled in known.items()}
    found = []
    for kind in request.kinds or [FLOAT]:
        wanted = FLOAT if kind == BASE64 and kind not in words else kind
        if wanted in words:
            found.append(words[wanted])
        else:
            crossing.lose(f"embeddings as {kind}", "meaning")
    return list(dict.fromkeys(found))


def told_in(response: Response, request: Request) -> list[tuple[Vector, dict[str, Any]]]:
    """Return each vector with its values in the encodings that the client asked for.

    Raises:
        Malformed: the provider told other encodings, or another number of vectors.
    """
    if len(response.vectors) != len(request.inputs):
        raise Malformed(
            "invalid_field",
            f"It has {len(response.vectors)} embeddings for {len(request.inputs)} inputs.",
        )
    kinds = request.kinds or [FLOAT]
    return [(v, {kind: _value(v.values, kind) for kind in kinds}) for v in response.vectors]


def _value(values: dict[str, Any], kind: str) -> Any:
    if kind in values:
        return values[kind]
    if kind == BASE64 and isinstance(values.get(FLOAT), list):
        return packed(values[FLOAT])
    raise Malformed("invalid_field", f"It has no embeddings as {kind}.")


def packed(numbers: list[float]) -> str:
    """Return numbers as base64 of 32-bit floats, the lowest byte first.

    Raises:
        Malformed: there is something else among them than numbers.
    """
    try:
        made = array("f", numbers)
    except (TypeError, OverflowError) as error:
        raise Malformed("invalid_field", f"An embedding is not of numbers: {error}.") from None
    if sys.byteorder == "big":
        made.byteswap()
    return base64.b64encode(made.tobytes()).decode()


def read_word(taker: Taker, key: str, words: Mapping[str, Any]) -> Any:
    """Take what a word means; one that is not known stays, and "" is returned."""
    told = taker.left.get(key)
    if isinstance(told, str) and told in words:
        del taker.left[key]
        return words[told]
    return ""


def read_kinds(taker: Taker, key: str, words: Mapping[str, str]) -> list[str]:
    """Take the encodings asked for; if any is not known or asked for twice, all stay."""
    told = taker.left.get(key)
    kinds = told if isinstance(told, list) else []
    if not kinds or not all(isinstance(kind, str) and kind in words for kind in kinds):
        return []
    if len(set(kinds)) < len(kinds):
        return []
    del taker.left[key]
    return [words[kind] for kind in kinds]


def lose_titles(request: Request, crossing: Crossing) -> None:
    """Name titles, where a dialect has none."""
    if any(item.title for item in request.inputs):
        crossing.lose("title", "shape")


def texts_of(request: Request, crossing: Crossing) -> list[str]:
    """Return the inputs' texts; other kinds of input are lost, and with them the meaning."""
    if any(item.tokens is not None for item in request.inputs):
        crossing.lose("input as tokens", "meaning")
    for item in request.inputs:
        lose_rest(item, crossing)
    return [item.text for item in request.inputs]


def lose_rest(item: Input, crossing: Crossing) -> None:
    """Name what of an input only its own dialect understands."""
    if crossing.same:
        return
    if item.form == SEVERAL:
        crossing.lose("texts of several parts, joined", "shape")
    kept = item.rest
    if item.form in (WHOLE, SEVERAL):
        kept = {key: value for key, value in kept.items() if key != "content"}
    crossing.rest(Input(rest=kept), "input")
