"""What an answer's text rests on: `groundingMetadata` and `citationMetadata`, both ways.

Places in a text are told here in bytes of its UTF-8, elsewhere in characters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from farthing.wire.canon import JSON, Citation, Part, Text
from farthing.wire.crossing import Crossing


def read_citations(candidate: JSON, parts: list[Part]) -> list[tuple[Text, Citation]]:
    """Return what a candidate cites, each with the text it belongs to.

    The candidate keeps what they were read from, which says more.
    """
    grounding, quoted = candidate.get("groundingMetadata"), candidate.get("citationMetadata")
    if not grounding and not quoted:
        return []
    found = list(_supports(grounding)) if isinstance(grounding, dict) else []
    found += list(_recitations(quoted)) if isinstance(quoted, dict) else []
    placed = [(_text_of(segment, parts), segment, citation) for segment, citation in found]
    return [
        (text, _place(citation, segment, text.text))
        for text, segment, citation in placed
        if text is not None
    ]


def _supports(grounding: JSON) -> Iterator[tuple[JSON, Citation]]:
    sources = [_source(chunk) for chunk in _objects(grounding.get("groundingChunks"))]
    for support in _objects(grounding.get("groundingSupports")):
        segment = support.get("segment")
        for index in _list(support.get("groundingChunkIndices")):
            if isinstance(segment, dict) and type(index) is int and 0 <= index < len(sources):
                url, title, quoted = sources[index]
                yield segment, Citation(url=url, title=title, quoted=quoted)


def _recitations(told: JSON) -> Iterator[tuple[JSON, Citation]]:
    for source in _objects(told.get("citations")) + _objects(told.get("citationSources")):
        if url := _text(source.get("uri")):
            yield source, Citation(url=url, title=_text(source.get("title")))


def _source(chunk: JSON) -> tuple[str, str, str]:
    """Return a source's address, its title and what it says."""
    for key in ("web", "retrievedContext", "maps"):
        told = chunk.get(key)
        if isinstance(told, dict):
            return _text(told.get("uri")), _text(told.get("title")), _text(told.get("text"))
    return "", "", ""


def _text_of(segment: JSON, parts: list[Part]) -> Text | None:
    """Return the text that a segment is of: the first, when it does not say another."""
    number = segment.get("partIndex")
    if type(number) is int and 0 < number < len(parts):
        told = parts[number]
        if isinstance(told, Text):
            return told
    return next((part for part in parts if isinstance(part, Text)), None)


def _place(citation: Citation, segment: JSON, text: str) -> Citation:
    """Give a citation its place, in characters; none where the text has no such bytes."""
    said = text.encode(errors="replace")
    start, end = segment.get("startIndex", 0), segment.get("endIndex")
    if type(start) is int and type(end) is int and 0 <= start <= end <= len(said):
        citation.start = len(said[:start].decode(errors="ignore"))
        citation.end = len(said[:end].decode(errors="ignore"))
    return citation


def _objects(value: Any) -> list[JSON]:
    return [item for item in _list(value) if isinstance(item, dict)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


class Grounding:
    """Gathers the citations of an answer's texts into one `groundingMetadata`."""

    def __init__(self, crossing: Crossing) -> None:
        self._crossing = crossing
        self._chunks: list[JSON] = []
        self._supports: list[JSON] = []

    def add(self, text: str, citations: list[Citation], place: JSON) -> None:
        """Add what a text cites. `place`: `partIndex`, or `before`, the bytes said before it."""
        for citation in citations:
            self._crossing.rest(citation, "citation")
            chunk = self._chunk(citation)
            if chunk not in self._chunks:
                self._chunks.append(chunk)
            segment = _segment(text, citation, place)
            index = self._chunks.index(chunk)
            self._supports.append({"segment": segment, "groundingChunkIndices": [index]})

    def _chunk(self, citation: Citation) -> JSON:
        told = {"title": citation.title} if citation.title else {}
        if not citation.url:
            return {"retrievedContext": {**told, "text": citation.quoted}}
        if citation.quoted:
            self._crossing.lose("citation.quoted", "shape")
        return {"web": {"uri": citation.url, **told}}

    def written(self) -> JSON:
        """Return the candidate's keys that say it."""
        if not self._chunks:
            return {}
        return {
            "groundingMetadata": {
                "groundingChunks": self._chunks,
                "groundingSupports": self._supports,
            }
        }


def _segment(text: str, citation: Citation, place: JSON) -> JSON:
    """Return the place of a citation in a text; the whole text when none is told."""
    start, end = citation.start or 0, len(text) if citation.end is None else citation.end
    said = text[start:end]
    before = place.get("before", 0) + len(text[:start].encode(errors="replace"))
    size = len(said.encode(errors="replace"))
    index = {"partIndex": place["partIndex"]} if place.get("partIndex") else {}
    return {**index, "startIndex": before, "endIndex": before + size, "text": said}
