"""Content parts, and what is said about them, both ways."""

from __future__ import annotations

from collections.abc import Sequence

from farthing.wire.canon import JSON, Citation, Media, Opaque, Part, Reasoning, Refusal, Text
from farthing.wire.chat.cache import read_cache, write_cache
from farthing.wire.chat.media import read_media, write_media
from farthing.wire.chat.nested import filled, full, inner, leftover, put_back
from farthing.wire.chat.reasoning import read_thinking, write_thinking
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

LIST = "list"  # the form of content that is an array where a string would do
PART = "part"  # the form of a refusal among the parts of the content
NOTES = "annotations"
CITATION = "url_citation"


def read_content(message: Taker, words: list[str]) -> list[Part]:
    """Take a message's content; `words` learns whether it is an array."""
    text = full(message, "content")
    if text:
        return [Text(text=text)]
    parts = message.objects("content")
    if parts is None:
        return []
    words.append(LIST)
    return [read_part(part) for part in parts]


def read_part(value: JSON) -> Part:
    """Read one part of an array; what is not understood is Opaque."""
    part = Taker(value)
    kind = part.take("type", str, "")
    return _understood(kind, part) or Opaque(type=kind, rest=value)


def _understood(kind: str, part: Taker) -> Part | None:
    match kind:
        case "text":
            return _read_text(part)
        case "refusal":
            told = part.maybe("refusal", str)
            return None if told is None else Refusal(text=told, form=PART, rest=part.left)
        case "thinking":
            return read_thinking(part)
    return read_media(kind, part)


def _read_text(part: Taker) -> Text | None:
    text = part.maybe("text", str)
    return None if text is None else Text(text=text, cache=read_cache(part), rest=part.left)


def write_content(parts: Sequence[Part], array: bool, crossing: Crossing) -> str | list[JSON]:
    """Return the content of a message: one plain text as a string unless it shall be an array."""
    found = (write_part(part, crossing) for part in parts)
    written = [part for part in found if part is not None]
    if array:
        return written
    if len(written) == 1 and written[0].keys() == {"type", "text"}:
        return str(written[0]["text"])
    return written or ([] if parts else "")


def write_part(part: Part, crossing: Crossing) -> JSON | None:
    """Return one part of an array; None, and a loss, for one that this dialect has not."""
    match part:
        case Text():
            told: JSON = {"type": "text", "text": part.text} | write_cache(part.cache, crossing)
            if part.signature and not crossing.same:
                crossing.lose("content.signature", "hint")
            return told | crossing.rest(part, "content")
        case Refusal():
            told = {"type": "refusal", "refusal": part.text}
            return told | crossing.rest(part, "content")
        case Media():
            return write_media(part, crossing)
        case Reasoning() if crossing.same:
            return write_thinking(part)
        case Opaque() if crossing.same:
            return part.rest
    crossing.lose(part.type if isinstance(part, Opaque) else type(part).__name__, "meaning")
    return None


# -- citations ----------------------------------------------------------------------------------


def take_citations(message: Taker, parts: Sequence[Part]) -> None:
    """Take a message's annotations to its last text, when all are understood."""
    texts = [part for part in parts if isinstance(part, Text)]
    notes = message.left.get(NOTES)
    if not texts or not isinstance(notes, list):
        return
    read = [read_citation(note) for note in notes]
    found = [citation for citation in read if citation is not None]
    if len(found) == len(notes):
        texts[-1].citations = found
        del message.left[NOTES]


def read_citation(value: object) -> Citation | None:
    """Read an annotation; None when it is no citation of a page."""
    if not isinstance(value, dict) or value.get("type") != CITATION:
        return None
    note = Taker(value)
    del note.left["type"]
    box = inner(note, CITATION)
    if box is None:
        return None
    citation = Citation(url=full(box, "url"), title=full(box, "title"))
    citation.quoted = full(box, "content")
    citation.start, citation.end = box.maybe("start_index", int), box.maybe("end_index", int)
    citation.rest = leftover(note, url_citation=box)
    return citation


def write_citations(texts: Sequence[Text], crossing: Crossing) -> JSON:
    """Return a message's field of citations."""
    notes, before = [], 0
    for text in texts:
        for citation in text.citations:
            note = write_citation(citation, before, len(text.text), crossing)
            if note is not None:
                notes.append(note)
        before += len(text.text)
    return {NOTES: notes} if notes else {}


def write_citation(citation: Citation, before: int, length: int, crossing: Crossing) -> JSON | None:
    """Return an annotation; `before` is how much text stands before the text cited in."""
    if crossing.same:
        same = filled(url=citation.url, title=citation.title, content=citation.quoted)
        same |= filled(start_index=citation.start, end_index=citation.end)
        return put_back({"type": CITATION, CITATION: same}, citation.rest, CITATION)
    crossing.rest(citation, "citations")
    if not citation.url:
        crossing.lose("citations", "shape")
        return None
    start = 0 if citation.start is None else citation.start
    end = length if citation.end is None else citation.end
    page = {"url": citation.url, "title": citation.title}
    told: JSON = page | filled(content=citation.quoted)
    told |= {"start_index": before + start, "end_index": before + end}
    return {"type": CITATION, CITATION: told}
