"""Content parts: what they mean here, and how another dialect's are said."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.responses.cases import FILE, LINK, LOGPROB

from farthing.wire.canon import (
    CacheMark,
    Citation,
    Media,
    Node,
    Opaque,
    Refusal,
    Signature,
    Text,
    TokenLogprob,
)
from farthing.wire.crossing import Crossing, Loss
from farthing.wire.responses.logprobs import Logs
from farthing.wire.responses.parts import read_citation, read_part, write_citation, write_part


def plain(node: Node) -> dict[str, Any]:
    """Return what a node means: the fields that are set, but for its spelling."""
    return {
        name: value
        for name in node.__struct_fields__
        if (value := getattr(node, name)) and name not in ("rest", "form", "kind")
    }


@pytest.mark.parametrize(
    ("part", "meaning"),
    [
        ({"type": "input_text", "text": "a"}, {"text": "a"}),
        ({"type": "output_text", "text": ""}, {}),
        ({"type": "refusal", "refusal": "No."}, {"text": "No."}),
        (
            {"type": "input_image", "image_url": "data:image/png;base64,iVBO", "detail": "low"},
            {"data": "iVBO", "mime": "image/png", "detail": "low"},
        ),
        ({"type": "input_image", "image_url": "https://h"}, {"url": "https://h"}),
        ({"type": "input_image", "file_id": "file-1"}, {"file": "file-1"}),
        (
            {"type": "input_file", "file_data": "data:application/pdf;base64,JVBE",
             "filename": "a.pdf"},
            {"data": "JVBE", "mime": "application/pdf", "name": "a.pdf"},
        ),
        ({"type": "input_file", "file_data": "JVBE"}, {"data": "JVBE"}),
        ({"type": "input_file", "file_url": "https://h"}, {"url": "https://h"}),
        (
            {"type": "input_file", "file_data": "data:text/plain;base64,SGVsbG8="},
            {"data": "Hello", "mime": "text/plain"},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}},
            {"data": "SUQz", "mime": "audio/mpeg"},
        ),
    ],
)  # fmt: skip
def test_a_part_is_read(part: dict[str, Any], meaning: dict[str, Any]) -> None:
    read = read_part(part)
    assert plain(read) == meaning
    assert not isinstance(read, Opaque)
    assert isinstance(read, Text | Media | Refusal)
    side = Crossing("responses", "responses")
    assert write_part(read, side, "input", iter(())) == part


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"type": ["x"]},
        {"type": "input_text"},
        {"type": "input_text", "text": 3},
        {"type": "input_image"},
        {"type": "input_image", "image_url": {"url": "https://h"}},
        {"type": "input_audio", "input_audio": {"data": "x", "format": "mp3", "more": 1}},
        {"type": "input_file", "file_data": "data:text/plain;base64,/w=="},
        {"type": "computer_screenshot", "image_url": "https://h"},
    ],
)
def test_what_cannot_be_read_is_opaque(part: dict[str, Any]) -> None:
    read = read_part(part)
    assert isinstance(read, Opaque)
    assert read.rest == part


def test_log_probabilities_go_to_the_answer() -> None:
    logs: Logs = []
    part = {"type": "output_text", "text": "S", "logprobs": [LOGPROB]}
    read = read_part(part, logs)
    assert isinstance(read, Text)
    assert [one.token for one in logs] == ["S"]
    assert write_part(read, Crossing("responses", "responses"), "output", iter(logs)) == part


def test_a_breakpoint_is_a_cache_mark() -> None:
    read = read_part(
        {"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}
    )
    assert isinstance(read, Text)
    assert read.cache is not None
    assert read.cache.rest == {}


@pytest.mark.parametrize(
    ("part", "side", "written", "lost"),
    [
        (Text(text="a"), "input", {"type": "input_text", "text": "a"}, set()),
        (
            Text(text="a", rest={"x": 1, "y": None}, form="z"),
            "output",
            {"type": "output_text", "text": "a", "annotations": []},
            {Loss("x", "shape")},
        ),
        (
            Text(text="a", cache=CacheMark(), signature=Signature(value="s", vendor="v")),
            "input",
            {"type": "input_text", "text": "a"},
            {Loss("cache mark", "hint"), Loss("reasoning", "hint")},
        ),
        (Refusal(text="No."), "output", {"type": "refusal", "refusal": "No."}, set()),
        (Refusal(text="No."), "input", {"type": "input_text", "text": "No."}, set()),
        (
            Media(kind="image", data="iVBO", mime="image/png"),
            "input",
            {
                "type": "input_image",
                "image_url": "data:image/png;base64,iVBO",
                "detail": "auto",
            },
            set(),
        ),
        (
            Media(kind="image", url="https://h", detail="high"),
            "input",
            {"type": "input_image", "image_url": "https://h", "detail": "high"},
            set(),
        ),
        (
            Media(kind="document", data="JVBE", mime="application/pdf"),
            "input",
            {
                "type": "input_file",
                "file_data": "data:application/pdf;base64,JVBE",
                "filename": "document",
            },
            set(),
        ),
        (
            Media(kind="document", data="Hello", mime="text/plain", form="text"),
            "input",
            {"type": "input_text", "text": "Hello"},
            set(),
        ),
        (
            Media(kind="audio", data="SUQz", mime="audio/mp3"),
            "input",
            {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}},
            set(),
        ),
        (Media(kind="audio", data="x", mime="audio/odd"), "input", None,
         {Loss("audio in an input", "meaning")}),
        (Media(kind="video", url="https://h"), "input", None,
         {Loss("video in an input", "meaning")}),
        (Media(kind="image", url="https://h"), "output", None,
         {Loss("image in an output", "meaning")}),
    ],
)  # fmt: skip
def test_another_dialect_s_part_is_written(
    part: Text | Media | Refusal, side: str, written: Any, lost: set[Loss]
) -> None:
    crossing = Crossing("messages", "responses")
    assert write_part(part, crossing, side, iter(())) == written
    assert crossing.losses == lost


def test_the_first_text_gets_all_log_probabilities() -> None:
    logs = iter([TokenLogprob(token="a", logprob=-1), TokenLogprob(token="b", logprob=-2)])
    crossing = Crossing("chat", "responses")
    first = write_part(Text(text="ab"), crossing, "output", logs)
    second = write_part(Text(text="c"), crossing, "output", logs)
    assert first is not None and [one["token"] for one in first["logprobs"]] == ["a", "b"]
    assert second is not None and "logprobs" not in second


def test_citations_are_read() -> None:
    link, file = read_citation(LINK), read_citation(FILE)
    assert plain(link) == {"url": "https://h", "title": "H", "end": 6}
    assert link.start == 0
    assert plain(file) == {"title": "a.pdf"}
    assert file.rest == {"file_id": "file-1", "index": 3}


def test_citations_are_written() -> None:
    crossing = Crossing("messages", "responses")
    assert write_citation(Citation(url="https://h", title="H"), crossing, 6) == LINK
    assert not crossing.losses
    assert write_citation(Citation(title="a.pdf", quoted="x"), crossing, 6) is None
    assert crossing.losses == {Loss("citation", "shape")}
