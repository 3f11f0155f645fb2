"""Pieces of tool calls in a stream: which call each belongs to, and what it adds."""

from __future__ import annotations

from typing import Any

from farthing.wire.canon import JSON, ToolCall
from farthing.wire.chat.calls import CALLS, FIELDS, LEGACY
from farthing.wire.chat.track import Call, Track
from farthing.wire.events import Event, More


def read_pieces(delta: JSON, place: str, track: Track, events: list[Event]) -> None:
    """Append what a delta says of tool calls."""
    pieces = delta.get(CALLS)
    for position, piece in enumerate(pieces if isinstance(pieces, list) else []):
        if isinstance(piece, dict):
            _read_piece(piece, f"{place}.{CALLS}.{position}", track, events)
    legacy = delta.get(LEGACY)
    if isinstance(legacy, dict):
        call = track.calls.setdefault(LEGACY, Call(id=LEGACY))
        _add(call, legacy, "arguments", f"{place}.{LEGACY}", track, events)


def _read_piece(piece: JSON, place: str, track: Track, events: list[Event]) -> None:
    for field, arguments in FIELDS.values():
        box = piece.get(field)
        if isinstance(box, dict):
            call = _call_of(piece, box, track)
            _add(call, box, arguments, f"{place}.{field}", track, events)
            return


def _call_of(piece: JSON, box: JSON, track: Track) -> Call:
    """Return the call of a piece: by its index; where there is none, by its id; else the last.

    Some providers give each of several calls the same index: a new id and a name are a new call.
    """
    index, told = piece.get("index"), piece.get("id")
    told = told if isinstance(told, str) else ""
    key: object = index if type(index) is int else told
    call = track.calls.get(key) if key != "" else track.last_call
    if call is None or (told and call.id and told != call.id and box.get("name")):
        call = Call(id=told)
        track.calls[key] = call
    call.id = call.id or told
    track.last_call = call
    return call


def _add(call: Call, box: JSON, field: str, place: str, track: Track, events: list[Event]) -> None:
    name, text = box.get("name"), box.get(field)
    text = text if isinstance(text, str) else ""
    if call.part is None:
        if not isinstance(name, str) or not name:
            call.early += text
            return
        _open(call, name, field, track, events)
    if text:
        _more(call, text, f"{place}.{field}", track, events)


def _open(call: Call, name: str, field: str, track: Track, events: list[Event]) -> None:
    told = call.id or f"call_{track.answer}_{track.parts}"
    content = ToolCall(id=told, name=name, custom=field == "input")
    call.part = track.begin(None, content, events)
    if call.early:
        _more(call, call.early, "", track, events)


def _more(call: Call, text: str, place: str, track: Track, events: list[Event]) -> None:
    part: Any = call.part
    if part in track.open:
        part.arguments.append(text)
        events.append(More(answer=track.answer, part=part.number, text=text, form=place))
