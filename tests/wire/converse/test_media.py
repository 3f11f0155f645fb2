"""Images, documents, films and sounds."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.converse.golden import BLOCKS, PNG

from farthing.wire.canon import Media
from farthing.wire.converse.media import FORMATS, MIMES, read_media, write_media
from farthing.wire.crossing import Crossing

SAME = Crossing("converse", "converse")


def write(media: Media) -> tuple[Any, set[tuple[str, str]]]:
    crossing = Crossing("messages", "converse")
    block = write_media(media, crossing)
    return block, {(loss.what, loss.severity) for loss in crossing.losses}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("kind", MIMES)
def test_every_format_is_written_back(kind: Any) -> None:
    for name in MIMES[kind]:
        block = {kind: {"format": name, "source": {"bytes": "AAAA"}}}
        media = read_media(kind, block)
        assert media is not None
        assert media.mime == MIMES[kind][name]
        assert write_media(media, SAME) == block
    assert all(MIMES[kind][name] == mime for mime, name in FORMATS[kind].items())


def test_a_place_in_a_bucket_is_a_url() -> None:
    media = read_media("image", BLOCKS["image in a bucket"])
    assert media is not None
    assert (media.url, media.mime, media.data) == ("s3://shelf/cat.jpg", "image/jpeg", "")


def test_plain_text_is_text_and_another_format_is_base64() -> None:
    plain = read_media("document", BLOCKS["document as text"])
    pieces = read_media("document", BLOCKS["document in pieces"])
    page = read_media("document", BLOCKS["another format as text"])
    assert plain is not None
    assert pieces is not None
    assert page is not None
    assert (plain.data, plain.mime, plain.form) == ("Milk\nand eggs", "text/plain", "text")
    assert (pieces.data, pieces.form) == ("Be kind.\n\nBe brief.", "text")
    assert (page.data, page.mime) == (encoded("# Übersicht"), "text/markdown")


CASES: dict[str, tuple[Media, Any, set[tuple[str, str]]]] = {
    "a type by another name": (
        Media(kind="image", data="/9j/4AAQ", mime="image/jpg"),
        {"image": {"format": "jpeg", "source": {"bytes": "/9j/4AAQ"}}},
        set(),
    ),
    "a type that is not told": (
        Media(kind="image", data=PNG),
        {"image": {"format": "png", "source": {"bytes": PNG}}},
        set(),
    ),
    "a type with parameters": (
        Media(kind="audio", data="AAAA", mime="audio/x-wav; rate=16000"),
        {"audio": {"format": "wav", "source": {"bytes": "AAAA"}}},
        set(),
    ),
    "a type this dialect has not": (
        Media(kind="image", data="AAAA", mime="image/tiff"),
        None,
        {("image of type image/tiff", "meaning")},
    ),
    "an unknown type": (
        Media(kind="video", data="AAAA"),
        None,
        {("video of type unknown", "meaning")},
    ),
    "a file": (Media(kind="document", file="f1"), None, {("document by file id", "meaning")}),
    "a bucket": (
        Media(kind="video", url="s3://shelf/a.mp4", mime="video/mp4"),
        {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://shelf/a.mp4"}}}},
        set(),
    ),
    "a detail": (
        Media(kind="image", data=PNG, detail="high"),
        {"image": {"format": "png", "source": {"bytes": PNG}}},
        {("detail", "shape")},
    ),
    "a document of plain text": (
        Media(kind="document", data="Some text", mime="text/plain", form="text", name="Note.txt"),
        {
            "document": {
                "format": "txt",
                "name": "Note-txt",
                "source": {"bytes": encoded("Some text")},
            }
        },
        set(),
    ),
    "a document of code": (
        Media(kind="document", data=encoded("x = 1"), mime="text/x-python", name="a"),
        {"document": {"format": "txt", "name": "a", "source": {"bytes": encoded("x = 1")}}},
        set(),
    ),
    "its rest": (
        Media(kind="image", data=PNG, rest={"odd": 1}),
        {"image": {"format": "png", "source": {"bytes": PNG}}},
        {("image.odd", "shape")},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_medium_of_another_dialect(name: str) -> None:
    media, block, losses = CASES[name]
    assert write(media) == (block, losses)


@given(st.text())
def test_names_are_such_as_this_dialect_takes(name: str) -> None:
    media = Media(kind="document", data="JVBERi0x", mime="application/pdf", name=name)
    block, _ = write(media)
    told = block["document"]["name"]
    assert re.fullmatch(r"[A-Za-z0-9 ()\[\]-]{1,200}", told)
    assert "  " not in told


def test_nameless_documents_are_named_by_what_is_in_them() -> None:
    def name(data: str) -> str:
        block, _ = write(Media(kind="document", data=data, mime="application/pdf"))
        return str(block["document"]["name"])

    assert name("AAAA") == name("AAAA") != name("BBBB")


@given(st.text())
def test_text_comes_back_as_it_was(text: str) -> None:
    for told in ("txt", "md", "new"):
        block = {"document": {"format": told, "name": "n", "source": {"text": text}}}
        media = read_media("document", block)
        assert media is not None
        assert write_media(media, SAME) == block
