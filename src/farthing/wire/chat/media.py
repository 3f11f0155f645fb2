"""Images, documents, sounds and films, both ways."""

from __future__ import annotations

from farthing.wire.canon import JSON, Media, MediaKind
from farthing.wire.chat.cache import read_cache, write_cache
from farthing.wire.chat.nested import filled, full, inner, leftover, put_back
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

# Parts that hold the place of a thing: {"type": T, T: {"url": …}}, or plainly {"type": T, T: …}.
PLACES: dict[str, MediaKind] = {
    "image_url": "image",
    "video_url": "video",
    "audio_url": "audio",
    "document_url": "document",
    "file_url": "document",
}

# The vendor's names of sound formats, where they are not the media type's.
FORMATS = {"mp3": "audio/mpeg"}
_NAMES = {mime: name for name, mime in FORMATS.items()}

PLAIN = " plain"  # the form of a part that holds a string where others hold an object


def put_location(media: Media, told: str) -> Media:
    """Note where the data is: in the URL itself, or at it."""
    mime, separator, data = told.removeprefix("data:").partition(";base64,")
    if told.startswith("data:") and separator and data:
        media.mime, media.data = mime, data
    else:
        media.url = told
    return media


def location(media: Media, mime: str = "") -> str:
    """Return the URL of the data, which may hold it."""
    return f"data:{media.mime or mime};base64,{media.data}" if media.data else media.url


def read_media(kind: str, part: Taker) -> Media | None:
    """Read a part whose `type` is taken; None when it is no medium, or not understood."""
    if kind in PLACES:
        return _read_place(kind, part)
    if kind == "file":
        return _read_file(part)
    return _read_sound(part) if kind == "input_audio" else None


def _read_place(field: str, part: Taker) -> Media | None:
    box, form = None, field
    url = part.maybe(field, str)
    if url is None:
        box = inner(part, field)
        url = box.maybe("url", str) if box else None
    else:
        form += PLAIN
    if url is None:
        return None
    media = Media(kind=PLACES[field], form=form, cache=read_cache(part))
    media.detail = full(box, "detail") if box else ""
    media.name = full(part, "document_name")
    media.rest = leftover(part, **{field: box})
    return put_location(media, url)


def _read_file(part: Taker) -> Media | None:
    box = inner(part, "file")
    if box is None:
        return None
    media = Media(kind="document", name=full(box, "filename"), cache=read_cache(part))
    data, media.file = full(box, "file_data"), full(box, "file_id")
    if data and not data.startswith(("data:", "http:", "https:")):
        media.data, media.form = data, "bare"
    elif data:
        put_location(media, data)
    media.rest = leftover(part, file=box)
    return media


def _read_sound(part: Taker) -> Media | None:
    data, box, form = part.maybe("input_audio", str), None, "plain"
    if data is None:
        box, form = inner(part, "input_audio"), ""
        data = box.maybe("data", str) if box else None
    if data is None:
        return None
    media = Media(kind="audio", form=form, cache=read_cache(part))
    name = full(box, "format") if box else ""
    if name:
        media.mime = FORMATS.get(name, "audio/" + name)
    if data.startswith(("http:", "https:")):
        media.url = data
    else:
        media.data = data
    media.rest = leftover(part, input_audio=box)
    if name != _format(media):  # a media type's own name for what this dialect calls otherwise
        media.rest["input_audio.format"] = name
    return media


def _format(media: Media) -> str:
    return _NAMES.get(media.mime, media.mime.partition("/")[2])


def write_media(media: Media, crossing: Crossing) -> JSON | None:
    """Write a part of a message's content; None, and a loss, when there is none for it."""
    written = _spelled(media, crossing)
    if written is None:
        crossing.lose(_unsent(media), "meaning")
        return None
    kind = written["type"]
    written |= write_cache(media.cache, crossing)
    return put_back(written, crossing.rest(media, "content"), kind)


def _unsent(media: Media) -> str:
    held = "file" if media.file else "url" if media.url else "data"
    return f"{media.kind} {held}"


def _spelled(media: Media, crossing: Crossing) -> JSON | None:
    form = crossing.form(media)
    field = form.removesuffix(PLAIN)
    if field in PLACES:
        return _write_place(media, field, form.endswith(PLAIN))
    if media.kind == "image" and not media.file:
        return _write_place(media, "image_url", False)
    if crossing.same:
        return _write_file(media) if media.kind == "document" else _write_sound(media)
    if media.file or not media.data:  # a file is known to its provider alone
        return None
    if media.kind == "audio":
        return _write_sound(media)
    return _foreign_document(media) if media.kind == "document" else None


def _write_place(media: Media, field: str, plain: bool) -> JSON:
    url = location(media, "image/png" if media.kind == "image" else "")
    told = url if plain else {"url": url} | filled(detail=media.detail)
    return {"type": field, field: told} | filled(document_name=media.name)


def _foreign_document(media: Media) -> JSON:
    if media.mime == "text/plain" and media.form == "text":  # the data is the text itself
        return {"type": "text", "text": media.data}
    data = location(media, "application/pdf")
    return {"type": "file", "file": {"filename": media.name or "document", "file_data": data}}


def _write_file(media: Media) -> JSON:
    data = media.data if media.form == "bare" else location(media)
    return {
        "type": "file",
        "file": filled(filename=media.name, file_data=data, file_id=media.file),
    }


def _write_sound(media: Media) -> JSON:
    told = media.data or media.url
    if media.form == "plain":
        return {"type": "input_audio", "input_audio": told}
    sound: JSON = {"data": told} | filled(format=_format(media))
    return {"type": "input_audio", "input_audio": sound}
