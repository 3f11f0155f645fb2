"""Images, sounds, films and documents: `inlineData` and `fileData`, both ways."""

from __future__ import annotations

import base64

from farthing.wire.canon import JSON, Media, MediaKind
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.spelling import Keys, spelled, words_of

# Where the provider keeps files itself: such an address is an id, and no one else can read it.
_OWN_FILES = ("https://generativelanguage.googleapis.com/", "gs://")
_FILMS = ("https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/")

# How base64 of the usual formats begins, for media whose type was not told.
_BEGINNINGS = {
    "/9j/": "image/jpeg",
    "iVBOR": "image/png",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "JVBER": "application/pdf",
}
_DEFAULTS: dict[MediaKind, str] = {
    "image": "image/jpeg",
    "audio": "audio/wav",
    "video": "video/mp4",
    "document": "application/pdf",
}

_TO_PLAIN = str.maketrans("-_", "+/")
_TO_URL_SAFE = str.maketrans("+/", "-_")


def read_inline(part: Keys) -> Media | None:
    """Read a part's `inlineData`; None, and it stays, when it has no data."""
    inner = part.inner("inlineData")
    data = inner.maybe("data", str) if inner else None
    if inner is None or data is None:
        return None
    mime = inner.text("mimeType")
    # The API writes and takes base64 in its URL-safe alphabet too; no other dialect does.
    if ("-" in data or "_" in data) and "+" not in data and "/" not in data:
        data = data.translate(_TO_PLAIN)
        part.words.append("urlsafe")
    name = inner.text("displayName")
    part.keep("inlineData", inner)
    return Media(kind=_kind(mime), data=data, mime=mime, name=name, rest=part.left, form=part.form)


def read_file(part: Keys) -> Media | None:
    """Read a part's `fileData`; None, and it stays, when it has no address."""
    inner = part.inner("fileData")
    uri = inner.maybe("fileUri", str) if inner else None
    if inner is None or uri is None:
        return None
    mime = inner.text("mimeType")
    name = inner.text("displayName")
    part.keep("fileData", inner)
    own = uri.startswith(_OWN_FILES)
    kind: MediaKind = "video" if uri.startswith(_FILMS) else _kind(mime)
    part.words.append("file")
    return Media(
        kind=kind,
        url="" if own else uri,
        file=uri if own else "",
        mime=mime,
        name=name,
        rest=part.left,
        form=part.form,
    )


def _kind(mime: str) -> MediaKind:
    match mime.partition("/")[0]:
        case "image" | "audio" | "video" as kind:
            return kind
    return "document"


def write_media(media: Media, crossing: Crossing) -> JSON | None:
    """Write a part; None when this dialect cannot take it."""
    rest = crossing.rest(media, media.kind)
    if crossing.same:
        return _write_back(media, rest)
    if media.cache:
        crossing.lose("cache_control", "hint")
    if media.name:
        crossing.lose(f"{media.kind}.name", "hint")
    if media.detail not in ("", "auto"):
        crossing.lose(f"{media.kind}.detail", "hint")
    if media.data:
        return {"inlineData": {"mimeType": media.mime or _guess(media), "data": _base64(media)}}
    if media.url:
        told = {"mimeType": media.mime} if media.mime else {}
        return {"fileData": {**told, "fileUri": media.url}}
    crossing.lose(f"{media.kind} in a provider's file", "meaning")
    return None


def _base64(media: Media) -> str:
    """Return the data as base64; it is text where the dialect it was read in says so."""
    if media.mime == "text/plain" and media.form == "text":
        return base64.b64encode(media.data.encode(errors="replace")).decode()
    return media.data


def _write_back(media: Media, rest: JSON) -> JSON:
    words = words_of(media.form)
    told: JSON = {"mimeType": media.mime} if media.mime else {}
    if media.name:
        told["displayName"] = media.name
    if "file" in words:
        told["fileUri"] = media.url or media.file
    else:
        url_safe = "urlsafe" in words
        told["data"] = media.data.translate(_TO_URL_SAFE) if url_safe else media.data
    key = "fileData" if "file" in words else "inlineData"
    return spelled({key: spelled(told, words, {})}, words, rest)


def _guess(media: Media) -> str:
    known = (mime for start, mime in _BEGINNINGS.items() if media.data.startswith(start))
    return next(known, _DEFAULTS[media.kind])
