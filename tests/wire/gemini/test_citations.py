"""What a text rests on."""

from __future__ import annotations

from typing import Any

import pytest

from farthing.wire.canon import Citation, Part, Reasoning, Text
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.citations import Grounding, read_citations

CHUNKS = [{"web": {"uri": "u", "title": "t"}}, {"retrievedContext": {"text": "said"}}]


def grounded(segment: Any, *indices: Any) -> dict[str, Any]:
    supports = [{"segment": segment, "groundingChunkIndices": list(indices)}]
    return {"groundingMetadata": {"groundingChunks": CHUNKS, "groundingSupports": supports}}


def test_a_part_may_be_told() -> None:
    first, second = Text(text="a"), Text(text="äb")
    parts: list[Part] = [Reasoning(text="x"), first, second]
    told = grounded({"partIndex": 2, "startIndex": 2, "endIndex": 3}, 0)
    assert read_citations(told, parts) == [(second, Citation(url="u", title="t", start=1, end=2))]
    ((text, cited),) = read_citations(grounded({"endIndex": 1}, 1), parts)
    assert text is first and (cited.quoted, cited.end) == ("said", 1)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"groundingMetadata": []},
        {"groundingMetadata": {"groundingSupports": [1, {}]}},
        {"citationMetadata": {"citations": [{}, 1, {"uri": 5}]}},
        grounded(None, 0),
        grounded({}, -1, 7, True, "a"),
    ],
)
def test_what_is_irregular_cites_nothing(told: Any) -> None:
    assert read_citations(told, [Text(text="a")]) == []


def test_a_place_outside_the_text_is_none() -> None:
    ((_, cited),) = read_citations(grounded({"endIndex": 99}, 0), [Text(text="a")])
    assert (cited.start, cited.end) == (None, None)


def test_sources_are_written_once() -> None:
    crossing = Crossing("messages", "gemini")
    grounding = Grounding(crossing)
    cited = [Citation(url="u"), Citation(quoted="said", title="t"), Citation(url="u", quoted="q")]
    grounding.add("äb", cited, {"before": 10})
    told = grounding.written()["groundingMetadata"]
    assert told["groundingChunks"] == [
        {"web": {"uri": "u"}},
        {"retrievedContext": {"title": "t", "text": "said"}},
    ]
    assert [s["groundingChunkIndices"] for s in told["groundingSupports"]] == [[0], [1], [0]]
    assert told["groundingSupports"][0]["segment"] == {
        "startIndex": 10,
        "endIndex": 13,
        "text": "äb",
    }
    assert {loss.what for loss in crossing.losses} == {"citation.quoted"}
