"""Content parts and citations."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.chat.crossings import into, lost, same

from farthing.wire.canon import CacheMark, Citation, Opaque, Part, Refusal, Text
from farthing.wire.chat.parts import (
    read_content,
    read_part,
    take_citations,
    write_citation,
    write_citations,
    write_content,
    write_part,
)
from farthing.wire.take import Taker

NOTE = {
    "type": "url_citation",
    "url_citation": {"url": "u", "title": "t", "content": "c", "start_index": 1, "end_index": 2},
}


@pytest.mark.parametrize(
    ("content", "parts", "words"),
    [
        ("a", [Text(text="a")], []),
        ([], [], ["list"]),
        ([{"type": "text", "text": "a"}], [Text(text="a")], ["list"]),
        (["a"], [], []),
        ({"a": 1}, [], []),
        (None, [], []),
    ],
)
def test_content(content: object, parts: list[Part], words: list[str]) -> None:
    told: list[str] = []
    assert read_content(Taker({"content": content}), told) == parts
    assert told == words


@pytest.mark.parametrize(
    ("part", "node"),
    [
        ({"type": "text", "text": "a", "x": 1}, Text(text="a", rest={"x": 1})),
        ({"type": "refusal", "refusal": "no"}, Refusal(text="no", form="part")),
        ({"type": "text"}, Opaque(type="text", rest={"type": "text"})),
        ({"type": "new", "a": 1}, Opaque(type="new", rest={"type": "new", "a": 1})),
        ({}, Opaque(type="", rest={})),
    ],
)
def test_parts_are_read_and_written_back(part: dict[str, Any], node: Part) -> None:
    assert read_part(part) == node
    assert write_part(node, same()) == part


def test_one_plain_text_is_a_string() -> None:
    assert write_content([Text(text="a")], False, into()) == "a"
    assert write_content([Text(text="a")], True, same()) == [{"type": "text", "text": "a"}]
    two: list[Part] = [Text(text="a"), Text(text="b")]
    told = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert write_content(two, False, into()) == told
    assert write_content([], False, into()) == ""


def test_a_mark_that_was_added_needs_an_array() -> None:
    marked = [Text(text="a", cache=CacheMark())]
    told = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    assert write_content(marked, False, same()) == [told]


def test_parts_of_other_dialects_are_a_meaning_lost() -> None:
    crossing = into()
    assert write_content([Opaque(type="search_result")], False, crossing) == []
    assert lost(crossing) == {"search_result": "meaning"}


def test_citations_belong_to_the_last_text() -> None:
    texts = [Text(text="ab"), Text(text="cd")]
    message = Taker({"annotations": [NOTE]})
    take_citations(message, texts)
    assert message.left == {}
    assert texts[1].citations == [Citation(url="u", title="t", quoted="c", start=1, end=2)]
    assert write_citations(texts, same()) == {"annotations": [NOTE]}


@pytest.mark.parametrize("notes", [[NOTE, {"type": "file"}], [NOTE, 1], "x"])
def test_annotations_of_other_kinds_stay(notes: object) -> None:
    message = Taker({"annotations": notes})
    take_citations(message, [Text(text="a")])
    assert message.left == {"annotations": notes}


def test_another_dialect_s_citations_are_placed_in_the_whole_text() -> None:
    crossing = into()
    texts = [Text(text="abc"), Text(text="def", citations=[Citation(url="u", start=1)])]
    told = {"url": "u", "title": "", "start_index": 4, "end_index": 6}
    note = {"type": "url_citation", "url_citation": told}
    assert write_citations(texts, crossing) == {"annotations": [note]}
    assert lost(crossing) == {}


def test_a_citation_of_no_page_is_a_shape_lost() -> None:
    crossing = into()
    assert write_citation(Citation(title="a document"), 0, 1, crossing) is None
    assert lost(crossing) == {"citations": "shape"}
