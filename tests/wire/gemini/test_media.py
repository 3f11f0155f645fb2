"""Images, sounds, films and documents."""

from __future__ import annotations

import pytest

from farthing.wire.canon import JSON, CacheMark, Media
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.media import read_file, read_inline, write_media
from farthing.wire.gemini.spelling import Keys


def test_url_safe_base64_becomes_plain() -> None:
    media = read_inline(Keys({"inlineData": {"data": "Ukl_-w==", "mimeType": "audio/wav"}}))
    assert media is not None
    assert (media.kind, media.data, media.mime) == ("audio", "Ukl/+w==", "audio/wav")


@pytest.mark.parametrize(
    ("uri", "mime", "kind", "own"),
    [
        ("gs://b/a", "video/mp4", "video", True),
        ("https://generativelanguage.googleapis.com/v1beta/files/1", "", "document", True),
        ("https://youtu.be/x", "", "video", False),
        ("https://a.example/b", "image/png", "image", False),
    ],
)
def test_a_file_is_the_providers_own_or_an_address(
    uri: str, mime: str, kind: str, own: bool
) -> None:
    media = read_file(Keys({"fileData": {"fileUri": uri, "mimeType": mime}}))
    assert media is not None
    assert (media.kind, media.file if own else media.url) == (kind, uri)


@pytest.mark.parametrize(
    ("media", "told"),
    [
        (Media(kind="image", data="/9j/4AA"), {"mimeType": "image/jpeg", "data": "/9j/4AA"}),
        (
            Media(kind="document", data="JVBERi0"),
            {"mimeType": "application/pdf", "data": "JVBERi0"},
        ),
        (Media(kind="audio", data="AAAA"), {"mimeType": "audio/wav", "data": "AAAA"}),
        (
            Media(kind="document", data="Hi", mime="text/plain", form="text"),
            {"mimeType": "text/plain", "data": "SGk="},
        ),
    ],
)
def test_data_gets_a_type(media: Media, told: JSON) -> None:
    assert write_media(media, Crossing("messages", "gemini")) == {"inlineData": told}


def test_what_cannot_be_said_is_named() -> None:
    crossing = Crossing("chat", "gemini")
    media = Media(kind="document", file="file-1", name="a.pdf", cache=CacheMark())
    assert write_media(media, crossing) is None
    assert {loss.what: loss.severity for loss in crossing.losses} == {
        "cache_control": "hint",
        "document.name": "hint",
        "document in a provider's file": "meaning",
    }
