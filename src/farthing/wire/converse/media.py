"""Images, documents, films and sounds, both ways.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from hashlib import sha256

from farthing.wire.canon import JSON, Media, MediaKind
from farthing.wire.converse.unions import (
    filled,
    fold,
    folded,
    join_texts,
    merge,
    split_texts,
    unfold,
)
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

_OFFICE = "application/vnd.openxmlformats-officedocument"

# Where several formats have one type, the first is written for it.
MIMES: dict[MediaKind, dict[str, str]] = {
    "image": {
        "png": "image/png",
        "jpeg": "image/jpeg",
        "gif": "image/gif",
        "webp": "image/webp",
    },
    "document": {
        "pdf": "application/pdf",
        "csv": "text/csv",
        "doc": "application/msword",
        "docx": f"{_OFFICE}.wordprocessingml.document",
        "xls": "application/vnd.ms-excel",
        "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
        "html": "text/html",
        "txt": "text/plain",
        "md": "text/markdown",
    },
    "video": {
        "mp4": "video/mp4",
        "mov": "video/quicktime",
        "mkv": "video/x-matroska",
        "webm": "video/webm",
        "flv": "video/x-flv",
        "mpeg": "video/mpeg",
        "mpg": "video/mpeg",
        "wmv": "video/x-ms-wmv",
        "three_gp": "video/3gpp",
    },
    "audio": {
        "mp3": "audio/mpeg",
        "wav": "audio/wav",
        "flac": "audio/flac",
        "aac": "audio/aac",
        "ogg": "audio/ogg",
        "opus": "audio/opus",
        "m4a": "audio/mp4",
        "mp4": "audio/mp4",
        "mkv": "audio/x-matroska",
        "webm": "audio/webm",
        "pcm": "audio/pcm",
        "mpga": "audio/mpeg",
        "mpeg": "audio/mpeg",
    },
}

FORMATS: dict[MediaKind, dict[str, str]] = {
    kind: {mime: name for name, mime in reversed(formats.items())}
    for kind, formats in MIMES.items()
}

# Other names of those types, in other dialects.
ALIASES = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/x-aac": "audio/aac",
    "audio/x-flac": "audio/flac",
    "text/x-markdown": "text/markdown",
    "application/csv": "text/csv",
}

# How the base64 of well-known files begins.
BEGINNINGS = {
    "iVBORw0KGgo": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "JVBERi": "application/pdf",
}

# A document's name may have letters, digits, single spaces, hyphens, parentheses and brackets.
_forbidden = re.compile(r"[^A-Za-z0-9 ()\[\]-]+").sub
_spaces = re.compile(r"\s+").sub
LONGEST_NAME = 200

PLAIN = "text/plain"

TEXT = "text"
ENCODED = "base64 text"
ENCODED_PIECES = "base64 content:"
BETWEEN = "\n"


def read_media(kind: MediaKind, block: JSON) -> Media | None:
    """Read `{"image": {...}}` and its like; None when the block is not of that kind."""
    found = unfold(block, kind)
    if found is None:
        return None
    inner, outer = found
    media = Media(kind=kind, name=filled(inner, "name"))
    _read_format(inner, media)
    source = inner.left.get("source")
    if isinstance(source, dict) and source:
        kept = _read_source(Taker(source), media)
        inner.left.pop("source")
        if kept:
            inner.left["source"] = kept
    media.rest = folded(inner, outer)
    return media


def _read_format(inner: Taker, media: Media) -> None:
    told = inner.left.get("format")
    mime = MIMES[media.kind].get(told) if isinstance(told, str) else None
    if mime is not None:
        del inner.left["format"]
        media.mime = mime
        media.form = "" if FORMATS[media.kind][mime] == told else str(told)


def _read_source(source: Taker, media: Media) -> JSON:
    """Take the data, or where it is; return what is left of the source."""
    if media.kind == "document" and _read_text(source.left, media):
        return source.left if media.form == TEXT and "content" in source.left else {}
    media.data = filled(source, "bytes")
    place = source.left.get("s3Location")
    if isinstance(place, dict):
        inner = Taker(place)
        media.url = filled(inner, "uri")
        if media.url:
            del source.left["s3Location"]
        if media.url and inner.left:
            source.left["s3Location"] = inner.left
    return source.left


def _read_text(source: JSON, media: Media) -> bool:
    """Read a source that is text, or pieces of text; False when it is none.

    Plain text stands in the data as it is, and its pieces stay in the rest; of another format
    it becomes base64, as all data, and the form remembers the pieces.
    """
    if len(source) != 1:
        return False
    pieces = join_texts(source.get("content"), BETWEEN)
    text = source.get("text") if pieces is None else pieces[0]
    if not isinstance(text, str):
        return False
    if media.mime == PLAIN:
        media.data, media.form = text, TEXT
    else:
        media.data = _base64(text)
        media.form = ENCODED if pieces is None else ENCODED_PIECES + pieces[1]
    return True


def _base64(text: str) -> str:
    return b64encode(text.encode("utf-8", "surrogatepass")).decode()


def _text(data: str) -> str:
    return b64decode(data).decode("utf-8", "surrogatepass")


def write_media(media: Media, crossing: Crossing) -> JSON | None:
    """Return the block of a medium; None, and a loss is named, when it cannot be said."""
    if not crossing.same:
        return _write_foreign(media, crossing)
    told: JSON = {"name": media.name} if media.name else {}
    known = FORMATS[media.kind].get(media.mime)
    if known is not None:
        told["format"] = media.form if media.form in MIMES[media.kind] else known
    source = _write_source(media)
    if source:
        told["source"] = merge(media.rest.get("source"), source)
    return fold(media.kind, told, media.rest)


def _write_source(media: Media) -> JSON:
    if media.form == TEXT:
        kept = media.rest.get("source")
        return {} if kept else {"text": media.data}
    if media.form == ENCODED:
        return {"text": _text(media.data)}
    if media.form.startswith(ENCODED_PIECES):
        lengths = media.form.removeprefix(ENCODED_PIECES)
        return {"content": split_texts(_text(media.data), lengths, BETWEEN)}
    source: JSON = {"bytes": media.data} if media.data else {}
    if media.url:
        source["s3Location"] = {"uri": media.url}
    return source


def _write_foreign(media: Media, crossing: Crossing) -> JSON | None:
    crossing.rest(media, media.kind)
    if media.detail not in ("", "auto"):
        crossing.lose("detail", "shape")
    name = _format(media)
    if media.data:
        source: JSON = {"bytes": _data(media)}
    elif media.url.startswith("s3://"):
        source = {"s3Location": {"uri": media.url}}
    else:
        crossing.lose(f"{media.kind} by {'file id' if media.file else 'URL'}", "meaning")
        return None
    if not name:
        crossing.lose(f"{media.kind} of type {media.mime or 'unknown'}", "meaning")
        return None
    told: JSON = {"format": name, "source": source}
    if media.kind == "document":
        told["name"] = _name(media)
    return {media.kind: told}


def _format(media: Media) -> str:
    """Return the format's name; "" when this dialect has none for it."""
    mime = media.mime.partition(";")[0].strip().lower()
    if not mime:
        found = (mime for begin, mime in BEGINNINGS.items() if media.data.startswith(begin))
        mime = next(found, "")
    known = FORMATS[media.kind].get(ALIASES.get(mime, mime), "")
    if not known and media.kind == "document" and mime.startswith("text/"):
        return "txt"
    return known


def _data(media: Media) -> str:
    """Return base64: the data of plain text may be the text itself."""
    if media.mime == PLAIN and media.form == TEXT:
        return _base64(media.data)
    if media.mime.startswith("text/"):
        try:
            b64decode(media.data, validate=True)
        except (binascii.Error, ValueError):
            return _base64(media.data)
    return media.data


def _name(media: Media) -> str:
    """Return a name this dialect allows; one is required, and should tell the model nothing."""
    name = _spaces(" ", _forbidden("-", media.name)).strip(" -")[:LONGEST_NAME].strip()
    if name:
        return name
    place = media.data or media.url
    return f"document-{sha256(place.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
