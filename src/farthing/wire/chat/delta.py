"""One choice's delta in a stream: what it adds to the parts of its answer."""

from __future__ import annotations

from collections.abc import Hashable

from farthing.wire.canon import JSON, Opaque, Part, Reasoning, Refusal, Signature, Text
from farthing.wire.chat.logprobs import read_tokens
from farthing.wire.chat.parts import NOTES, read_citation
from farthing.wire.chat.pieces import read_pieces
from farthing.wire.chat.reasoning import DETAILS, FIELDS, TEXTS, VENDOR, known
from farthing.wire.chat.track import Track
from farthing.wire.events import Event, More

TEXT, THOUGHT, REFUSAL = "text", "thought", "refusal"


def read_delta(
    delta: JSON, logprobs: object, place: str, track: Track, events: list[Event]
) -> None:
    """Append what a delta says to `events`; each names the places of its text."""
    before = len(events)
    _reasoning(delta, place, track, events)
    _content(delta.get("content"), place + ".content", track, events)
    refusal = delta.get("refusal")
    if isinstance(refusal, str) and refusal:
        track.refused = True
        _more(track, REFUSAL, Refusal(text=""), refusal, place + ".refusal", events)
    audio = delta.get("audio")
    if isinstance(audio, dict):
        _content(audio.get("transcript"), place + ".audio.transcript", track, events)
    _citations(delta.get(NOTES), track, events)
    read_pieces(delta, place, track, events)
    if logprobs:
        _logprobs(logprobs, events, before)


def _more(
    track: Track, key: Hashable, content: Part, text: str, place: str, events: list[Event]
) -> None:
    """Append some text of a part, opening it when the last text was not of it."""
    part = track.current(key) or track.begin(key, content, events)
    events.append(More(answer=track.answer, part=part.number, text=text, form=place))


def _content(told: object, place: str, track: Track, events: list[Event]) -> None:
    if isinstance(told, str):
        if told:
            _more(track, TEXT, Text(text=""), told, place, events)
    elif isinstance(told, list):
        for position, part in enumerate(told):
            if isinstance(part, dict):
                _part(part, f"{place}.{position}", track, events)


def _part(part: JSON, place: str, track: Track, events: list[Event]) -> None:
    """Read a part of content that is an array."""
    kind = part.get("type")
    if kind == "text":
        _content(part.get("text"), place + ".text", track, events)
    elif kind == "thinking":
        pieces = part.get("thinking")
        if isinstance(pieces, str):
            _thought(pieces, place + ".thinking", TEXTS[0], THOUGHT, track, events)
        for position, piece in enumerate(pieces if isinstance(pieces, list) else []):
            text = piece.get("text") if isinstance(piece, dict) else None
            at = f"{place}.thinking.{position}.text"
            _thought(text, at, TEXTS[0], THOUGHT, track, events)
    else:
        told = kind if isinstance(kind, str) else ""
        track.begin(object(), Opaque(type=told, rest=part), events)


# -- reasoning ----------------------------------------------------------------------------------


def _thought(
    text: object, place: str, form: str, key: Hashable, track: Track, events: list[Event]
) -> None:
    if isinstance(text, str) and text:
        thought = Reasoning(summary=form == "reasoning.summary", form=form)
        _more(track, key, thought, text, place, events)


def _reasoning(delta: JSON, place: str, track: Track, events: list[Event]) -> None:
    told = {field: delta[field] for field in TEXTS if _is_told(delta.get(field))}
    details = delta.get(DETAILS)
    before = len(events)
    if isinstance(details, list) and all(map(known, details)):
        for position, detail in enumerate(details):
            _detail(detail, f"{place}.{DETAILS}.{position}", track, events)
    texts = [event for event in events[before:] if isinstance(event, More) and event.text]
    if not texts and told:
        field = next(iter(told))
        _thought(told[field], f"{place}.{field}", field, THOUGHT, track, events)
        texts = [event for event in events[-1:] if isinstance(event, More)]
    if len(texts) == 1:  # a field that repeats the text is filled from it
        again = [f"{place}.{field}" for field, text in told.items() if text == texts[0].text]
        texts[0].form = " ".join(dict.fromkeys([texts[0].form, *again]))


def _is_told(text: object) -> bool:
    return isinstance(text, str) and text != ""


def _detail(detail: JSON, place: str, track: Track, events: list[Event]) -> None:
    kind = detail["type"]
    field = FIELDS[kind]
    if kind == "reasoning.encrypted":
        _encrypted(detail, track, events)
        return
    index = detail.get("index")
    key = (kind, index if type(index) is int else 0)
    _thought(detail.get(field), f"{place}.{field}", kind, key, track, events)
    signature = detail.get("signature")
    if isinstance(signature, str) and signature:
        _sign(signature, key, track, events)


def _sign(value: str, key: Hashable, track: Track, events: list[Event]) -> None:
    part = track.current(key) or track.begin(key, Reasoning(), events)
    signature = Signature(value=value, vendor=VENDOR)
    events.append(More(answer=track.answer, part=part.number, signature=signature))


def _encrypted(detail: JSON, track: Track, events: list[Event]) -> None:
    data, told = detail.get("data"), detail.get("id")
    if isinstance(data, str) and data:
        thought = Reasoning(encrypted=data, id=told if isinstance(told, str) else "")
        track.begin(object(), thought, events)


# -- what goes with text -------------------------------------------------------------------------


def _citations(notes: object, track: Track, events: list[Event]) -> None:
    part = track.find(TEXT)
    for note in notes if isinstance(notes, list) and part else []:
        citation = read_citation(note)
        if citation is not None and part is not None:
            events.append(More(answer=track.answer, part=part.number, citation=citation))


def _logprobs(logprobs: object, events: list[Event], before: int) -> None:
    """Tell tokens with the text they are of."""
    tokens = read_tokens(logprobs)
    texts = [event for event in events[before:] if isinstance(event, More) and event.text]
    if tokens and texts:
        texts[-1].logprobs = tokens
