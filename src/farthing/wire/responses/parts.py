"""Content parts, both ways: text, media and refusals, with their citations."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator

from farthing.wire.canon import (
    JSON,
    CacheMark,
    Citation,
    Media,
    Opaque,
    Part,
    Refusal,
    Text,
    TokenLogprob,
)
from farthing.wire.crossing import Crossing
from farthing.wire.responses.forms import Spelling, keep, spelling, word
from farthing.wire.responses.logprobs import Logs, read_logprobs, write_logprob
from farthing.wire.take import Taker

# The key of a part's rest under which its message's own rest stays; see items.py.
MESSAGE = "message"

SOUNDS = {"wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", "ogg": "audio/ogg"}
FORMATS = {mime: name for name, mime in SOUNDS.items()} | {"audio/mp3": "mp3", "audio/x-wav": "wav"}

# A document whose data is its text, not base64.
PLAIN = "text/plain"
PLAIN_FORM = "text"

MARK = "prompt_cache_breakpoint"


def read_part(part: JSON, logs: Logs | None = None) -> Part:
    """Read a content part; its log-probabilities go to `logs`, where that is given."""
    kind = part.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    read = reader(Taker(part), logs) if reader else None
    return read or Opaque(type=kind if isinstance(kind, str) else "", rest=part)


def _read_text(taker: Taker, logs: Logs | None) -> Part | None:
    text = taker.maybe("text", str)
    if text is None:
        return None
    citations = taker.objects("annotations") if taker.left.get("annotations") else None
    told = read_logprobs(taker.left.get("logprobs")) if logs is not None else None
    if told and logs is not None:
        del taker.left["logprobs"]
        logs += told
    cache = _read_mark(taker)
    form, rest = keep(taker.left, str(len(told)) if told else "")
    read = [read_citation(entry) for entry in citations or []]
    return Text(text=text, citations=read, cache=cache, form=form, rest=rest)


def _read_refusal(taker: Taker, _: Logs | None) -> Part | None:
    text = taker.maybe("refusal", str)
    if text is None:
        return None
    form, rest = keep(taker.left)
    return Refusal(text=text, form=form, rest=rest)


def _read_image(taker: Taker, _: Logs | None) -> Part | None:
    url, file, detail = (word(taker.left, key) for key in ("image_url", "file_id", "detail"))
    if not url and not file:
        return None
    mime, data = split_data(url)
    cache = _read_mark(taker)
    form, rest = keep(taker.left)
    return Media(
        kind="image",
        data=data,
        url="" if data else url,
        file=file,
        mime=mime,
        detail=detail,
        cache=cache,
        form=form,
        rest=rest,
    )


def _read_file(taker: Taker, _: Logs | None) -> Part | None:
    held, url, file, name = (
        word(taker.left, key) for key in ("file_data", "file_url", "file_id", "filename")
    )
    if not (held or url or file):
        return None
    mime, data = split_data(held)
    cache = _read_mark(taker)
    form, rest = keep(taker.left, "" if data or not held else "bare")
    if mime == PLAIN:
        # Text that can be read stands as text, which is what the canonical model wants of it.
        text = _plain(data)
        if text is None or taker.left != {"type": "input_file"}:
            return None
        data, form = text, PLAIN_FORM
    return Media(
        kind="document",
        data=data or held,
        url=url,
        file=file,
        mime=mime,
        name=name,
        cache=cache,
        form=form,
        rest=rest,
    )


def _read_audio(taker: Taker, _: Logs | None) -> Part | None:
    match taker.left.get("input_audio"):
        case {"data": str(data), "format": str(name), **more} if name in SOUNDS and not more:
            del taker.left["input_audio"]
            form, rest = keep(taker.left)
            return Media(kind="audio", data=data, mime=SOUNDS[name], form=form, rest=rest)
    return None


_READERS: dict[str, Callable[[Taker, Logs | None], Part | None]] = {
    "input_text": _read_text,
    "output_text": _read_text,
    "text": _read_text,
    "refusal": _read_refusal,
    "input_image": _read_image,
    "input_file": _read_file,
    "input_audio": _read_audio,
}


def _plain(data: str) -> str | None:
    """Return the text of a file, if it can be told back just as it was."""
    try:
        text = base64.b64decode(data, validate=True).decode()
    except ValueError:
        return None
    return text if text and _base64(text) == data else None


def _base64(text: str) -> str:
    return base64.b64encode(text.encode(errors="replace")).decode()


def split_data(url: str) -> tuple[str, str]:
    """Return the media type and the data of a data URL in base64; else nothing."""
    head, comma, data = url.partition(";base64,")
    if not comma or not data or not head.startswith("data:"):
        return "", ""
    return head.removeprefix("data:"), data


def _read_mark(taker: Taker) -> CacheMark | None:
    mark = taker.maybe(MARK, dict)
    if mark is None:
        return None
    left = dict(mark)
    ttl = word(left, "ttl")
    form, rest = keep(left, usual={"mode": ("explicit",)})
    return CacheMark(ttl=ttl, form=form, rest=rest)


def read_citation(entry: JSON) -> Citation:
    """Read an annotation: of a page, or of a file by its name."""
    taker = Taker(entry)
    url, title = word(taker.left, "url"), word(taker.left, "title")
    name = "" if title else word(taker.left, "filename")
    start, end = taker.maybe("start_index", int), taker.maybe("end_index", int)
    form, rest = keep(taker.left, "filename" if name else "title")
    return Citation(url=url, title=title or name, start=start, end=end, form=form, rest=rest)


# -- writing --------------------------------------------------------------------------------------


def write_part(
    part: Text | Media | Refusal, crossing: Crossing, side: str, logs: Iterator[TokenLogprob]
) -> JSON | None:
    """Write a content part of an "input" or an "output"; None when the dialect cannot take it."""
    form, first, _ = crossing.form(part).partition("\n")
    told, rest = spelling(form), crossing.rest(part)
    if first and MESSAGE in rest:
        rest = {key: value for key, value in rest.items() if key != MESSAGE}
    if isinstance(part, Refusal):
        if told is None and side == "input":
            return {"type": "input_text", "text": part.text}
        shell = told.hidden if told else {"type": "refusal"}
        return {**shell, "refusal": part.text, **rest}
    body = _write_media(part, crossing, side, told) if isinstance(part, Media) else None
    if isinstance(part, Text):
        body = _write_text(part, crossing, side, told, logs)
    if body is None:
        return None
    _write_mark(part.cache, crossing, body)
    return body | rest


def _write_text(
    text: Text, crossing: Crossing, side: str, told: Spelling | None, logs: Iterator[TokenLogprob]
) -> JSON:
    body: JSON = {"type": f"{side}_text"} if told is None else dict(told.hidden)
    body["text"] = text.text
    if told is None and side == "output":
        body["annotations"] = []  # its readers want them
    citations = [write_citation(one, crossing, len(text.text)) for one in text.citations]
    if text.citations:
        body["annotations"] = [one for one in citations if one is not None]
    # In another dialect they belong to the whole answer: the first text gets them all.
    counted = int(told.word or 0) if told else 0 if crossing.same else None
    if written := [write_logprob(one, crossing) for one in itertools.islice(logs, counted)]:
        body["logprobs"] = written
    if text.signature is not None:
        crossing.lose("reasoning", "hint")
    return body


def write_citation(citation: Citation, crossing: Crossing, length: int) -> JSON | None:
    """Write an annotation of a text of a length; None when the dialect cannot say it."""
    told = spelling(crossing.form(citation))
    if told is not None:
        fields = {"url": citation.url, told.word: citation.title}
        places = {"start_index": citation.start, "end_index": citation.end}
        said: JSON = {key: value for key, value in fields.items() if value}
        said |= {key: value for key, value in places.items() if value is not None}
        return {**told.hidden, **crossing.rest(citation), **said}
    crossing.rest(citation, "citation")
    if citation.quoted or not citation.url:
        crossing.lose("citation", "shape")
    if not citation.url:
        return None
    return {
        "type": "url_citation",
        "url": citation.url,
        "title": citation.title,
        "start_index": citation.start or 0,
        "end_index": length if citation.end is None else citation.end,
    }


def _write_mark(mark: CacheMark | None, crossing: Crossing, body: JSON) -> None:
    if mark is None:
        return
    told = spelling(crossing.form(mark))
    if told is None:
        crossing.lose("cache mark", "hint")
        return
    body[MARK] = {**told.hidden, **crossing.rest(mark)}
    if mark.ttl:
        body[MARK]["ttl"] = mark.ttl


def _write_media(media: Media, crossing: Crossing, side: str, told: Spelling | None) -> JSON | None:
    writer = _WRITERS.get(media.kind)
    body = writer(media, told) if writer and (told or side == "input") else None
    if body is None:
        crossing.lose(f"{media.kind} in an {side}", "meaning")
    return body


def _write_image(media: Media, told: Spelling | None) -> JSON | None:
    body: JSON = {"type": "input_image", "detail": "auto"} if told is None else dict(told.hidden)
    url = media.url or (f"data:{media.mime};base64,{media.data}" if media.data else "")
    said = {"image_url": url, "file_id": media.file, "detail": media.detail}
    return body | {key: value for key, value in said.items() if value}


def _write_file(media: Media, told: Spelling | None) -> JSON | None:
    body: JSON = {"type": "input_file"} | (told.hidden if told else {})
    name, data = media.name, media.data
    if media.mime == PLAIN and media.form == PLAIN_FORM:
        if told is None:
            return {"type": "input_text", "text": data}
        data = f"data:{PLAIN};base64,{_base64(data)}"
    elif told is None and data:
        name = name or "document"  # the API wants one
        data = f"data:{media.mime or 'application/pdf'};base64,{data}"
    elif told is not None and data and told.word != "bare":
        data = f"data:{media.mime};base64,{data}"
    said = {"file_data": data, "file_url": media.url, "file_id": media.file, "filename": name}
    return body | {key: value for key, value in said.items() if value}


def _write_audio(media: Media, told: Spelling | None) -> JSON | None:
    if media.mime not in FORMATS or (not media.data and told is None):
        return None
    body: JSON = {"type": "input_audio"} if told is None else dict(told.hidden)
    return body | {"input_audio": {"data": media.data, "format": FORMATS[media.mime]}}


_WRITERS: dict[str, Callable[[Media, Spelling | None], JSON | None]] = {
    "image": _write_image,
    "document": _write_file,
    "audio": _write_audio,
}
