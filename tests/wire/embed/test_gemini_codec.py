"""The codecs of Google's embeddings: one content or several, and what they share."""

from __future__ import annotations

from typing import Any

import pytest

from farthing.errors import Malformed
from farthing.wire.crossing import Crossing, Loss
from farthing.wire.embed.canon import MISSING, SEVERAL, WHOLE, Input, Request
from farthing.wire.embed.gemini_codec import (
    SEVERITIES,
    read_batch,
    read_one,
    write_batch,
    write_one,
)

X, Y = {"parts": [{"text": "x"}]}, {"parts": [{"text": "y"}]}


def lost(request: Request, there: str = "cohere-embeddings") -> set[Loss]:
    """Return what another dialect's writer would name."""
    crossing = Crossing(request.dialect, there, SEVERITIES)
    crossing.rest(request)
    for item in request.inputs:
        crossing.rest(item, "input")
    return crossing.losses


def test_what_all_requests_say_alike_is_the_whole_request_s() -> None:
    shared = {"taskType": "CLUSTERING", "outputDimensionality": 9, "model": "models/m"}
    request = read_batch({"requests": [{"content": X, **shared}, {"content": Y, **shared}]})
    assert (request.task, request.dimensions, request.model) == ("clustering", 9, "m")
    assert [item.text for item in request.inputs] == ["x", "y"]
    assert not lost(request)


def test_what_they_say_differently_cannot_be_said_elsewhere() -> None:
    rows = [{"content": X, "taskType": "CLUSTERING"}, {"content": Y}]
    assert lost(read_batch({"requests": rows})) == {Loss("input.taskType", "meaning")}
    rows = [{"content": X, "outputDimensionality": n} for n in (1, 2)]
    found = lost(read_batch({"requests": rows}))
    assert found == {Loss("input.outputDimensionality", "meaning")}


@pytest.mark.parametrize(
    ("content", "text", "form"),
    [
        (X, "x", ""),
        ({"parts": [{"text": "x"}], "role": "user"}, "x", WHOLE),
        ({"parts": [{"text": "x"}, {"text": "y"}]}, "xy", SEVERAL),
        ({"parts": [{"text": "x"}, {"inlineData": {}}]}, "", MISSING),
        ({"parts": []}, "", MISSING),
        ("x", "", MISSING),
    ],
)
def test_a_content_is_its_text(content: Any, text: str, form: str) -> None:
    (item,) = read_one({"content": content}).inputs
    assert (item.text, item.form) == (text, form)


def test_media_cannot_be_said_elsewhere() -> None:
    request = read_one({"content": {"parts": [{"inlineData": {}}]}})
    assert lost(request) == {Loss("input.content", "meaning")}


def test_only_a_batch_has_several() -> None:
    request = Request(dialect="none", inputs=[Input(text="x"), Input(text="y")])
    crossing = Crossing("none", "gemini-embeddings")
    assert write_one(request, crossing) == {"content": X}
    assert Loss("more than one input", "meaning") in crossing.losses
    crossing = Crossing("none", "gemini-batch-embeddings")
    assert write_batch(request, crossing) == {"requests": [{"content": X}, {"content": Y}]}
    assert crossing.losses == {Loss("too long a text is cut", "hint")}


@pytest.mark.parametrize(("cut", "severity"), [("none", "shape"), ("start", "shape"), ("end", "")])
def test_long_texts_are_cut_at_their_end_whatever_was_asked(cut: Any, severity: str) -> None:
    crossing = Crossing("none", "gemini-embeddings")
    write_one(Request(dialect="none", inputs=[Input(text="x")], cut=cut), crossing)
    assert crossing.losses == ({Loss("truncation", "shape")} if severity else set())


def test_between_the_two_forms_nothing_is_lost() -> None:
    told = {"content": {"parts": [{"text": "x"}, {"text": "y"}]}, "title": "t", "other": 1}
    crossing = Crossing("gemini-embeddings", "gemini-batch-embeddings")
    assert write_batch(read_one(told), crossing) == {"requests": [told]}
    assert not crossing.losses


@pytest.mark.parametrize("read", [read_one, read_batch])
def test_what_is_no_object_is_malformed(read: Any) -> None:
    with pytest.raises(Malformed):
        read([])
