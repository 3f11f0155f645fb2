"""Images, documents, sounds and films."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.chat.crossings import into, lost, same

from farthing.wire.canon import Media
from farthing.wire.chat.media import read_media, write_media
from farthing.wire.take import Taker

READ: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"type": "image_url", "image_url": {"url": "https://e.x/a", "detail": "low"}},
        {"kind": "image", "url": "https://e.x/a", "detail": "low"},
    ),
    (
        {"type": "image_url", "image_url": "data:image/png;base64,AA"},
        {"kind": "image", "mime": "image/png", "data": "AA"},
    ),
    (
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}},
        {"kind": "image", "url": "data:image/png;base64,", "data": ""},
    ),
    (
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}},
        {"kind": "audio", "mime": "audio/mpeg", "data": "AA"},
    ),
    (
        {"type": "input_audio", "input_audio": {"data": "https://e.x", "format": "wav"}},
        {"kind": "audio", "mime": "audio/wav", "url": "https://e.x"},
    ),
    (
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA", "filename": "f"}},
        {"kind": "document", "mime": "application/pdf", "data": "AA", "name": "f"},
    ),
    ({"type": "file", "file": {"file_id": "f-1"}}, {"kind": "document", "file": "f-1"}),
    ({"type": "file", "file": {"file_data": "AA"}}, {"kind": "document", "data": "AA"}),
    (
        {"type": "document_url", "document_url": "https://e.x", "document_name": "n"},
        {"kind": "document", "url": "https://e.x", "name": "n"},
    ),
    ({"type": "video_url", "video_url": {"url": "u"}}, {"kind": "video", "url": "u"}),
]


def read(part: dict[str, Any]) -> Media | None:
    taker = Taker(part)
    return read_media(taker.take("type", str, ""), taker)


@pytest.mark.parametrize(("part", "meaning"), READ)
def test_media_are_read_and_written_back(part: dict[str, Any], meaning: dict[str, Any]) -> None:
    media = read(part)
    assert media is not None
    assert {key: getattr(media, key) for key in meaning} == meaning
    assert write_media(media, same()) == part


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url"},
        {"type": "image_url", "image_url": {"url": 1}},
        {"type": "input_audio", "input_audio": []},
        {"type": "file", "file": "f"},
        {"type": "text", "text": "t"},
    ],
)
def test_what_is_not_understood_is_none(part: dict[str, Any]) -> None:
    assert read(part) is None


SENT: list[tuple[Media, dict[str, Any]]] = [
    (
        Media(kind="image", data="AA", mime="image/gif", detail="high"),
        {"type": "image_url", "image_url": {"url": "data:image/gif;base64,AA", "detail": "high"}},
    ),
    (Media(kind="image", url="u"), {"type": "image_url", "image_url": {"url": "u"}}),
    (
        Media(kind="audio", data="AA", mime="audio/mpeg"),
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}},
    ),
    (
        Media(kind="document", data="AA", mime="application/pdf", name="a.pdf"),
        {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA"},
        },
    ),
    (
        Media(kind="document", data="words", mime="text/plain", form="text"),
        {"type": "text", "text": "words"},
    ),
]


@pytest.mark.parametrize(("media", "part"), SENT)
def test_another_dialect_s_media_are_sent(media: Media, part: dict[str, Any]) -> None:
    crossing = into()
    assert write_media(media, crossing) == part
    assert lost(crossing) == {}


@pytest.mark.parametrize(
    ("media", "what"),
    [
        (Media(kind="image", file="f"), "image file"),
        (Media(kind="audio", url="u"), "audio url"),
        (Media(kind="document", url="u"), "document url"),
        (Media(kind="video", data="AA"), "video data"),
    ],
)
def test_what_cannot_be_sent_is_a_meaning_lost(media: Media, what: str) -> None:
    crossing = into()
    assert write_media(media, crossing) is None
    assert lost(crossing) == {what: "meaning"}


def test_what_another_dialect_left_is_named() -> None:
    crossing = into()
    write_media(Media(kind="image", url="u", rest={"x": 1, "y": None}), crossing)
    assert lost(crossing) == {"content.x": "shape"}
