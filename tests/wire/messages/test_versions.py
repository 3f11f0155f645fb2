"""The newer version of Messages: what it takes away, read and written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.messages.crossings import lost
from tests.wire.messages.golden import REQUESTS

from farthing.errors import Malformed
from farthing.wire import DIALECTS
from farthing.wire.canon import Citation, Media, Part, Request, Text, Turn
from farthing.wire.crossing import Crossing
from farthing.wire.messages.requests import write_request
from farthing.wire.messages.versions import HEADER, NEWER, OLDER, check, is_newer

TEXT = {"type": "text", "text": "So it is."}
CITED = {**TEXT, "citations": [{"type": "char_location", "cited_text": "x", "document_index": 0}]}
PAPER = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
FOUND = {"type": "search_result", "source": "s", "title": "t"}
FETCHED = {"type": "web_fetch_tool_result", "tool_use_id": "s", "content": {"content": PAPER}}


def says(role: str, *blocks: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": list(blocks)}]}


REFUSED: dict[str, dict[str, Any]] = {
    "temperature": {"temperature": 1},
    "top_p": {"top_p": 0.5},
    "top_k": {"top_k": 0},
    "assistant": says("assistant", TEXT, PAPER),
    "`citations`": says("user", CITED),
    "text in a user": says("user", {**FOUND, "content": [CITED]}),
}
TAKEN: dict[str, dict[str, Any]] = {
    "nothing of it": {},
    "null": {"temperature": None},
    "a user's document": says("user", {**PAPER, "citations": {"enabled": True}}),
    "the model's citations": says("assistant", CITED),
    "no citations": says("user", {**TEXT, "citations": []}),
    "a search result that may be cited": says("user", {**FOUND, "content": [TEXT]}),
    "a document within another block": says("assistant", FETCHED),
    "plain text": {"messages": [{"role": "user", "content": "temperature"}]},
    "no messages at all": {"messages": "?"},
}


def read(body: dict[str, Any], version: str | None) -> None:
    ask = DIALECTS["counting"].read_request(json.dumps({"model": "m", **body}).encode())
    ask.headers = {} if version is None else {HEADER: version}
    check(ask)


@pytest.mark.parametrize("version", [NEWER, "2027-01-01", f" {NEWER} "])
@pytest.mark.parametrize("what", REFUSED)
def test_the_newer_version_refuses_what_it_took_away(what: str, version: str) -> None:
    with pytest.raises(Malformed) as problem:
        read(REFUSED[what], version)
    assert problem.value.status == 400
    assert what in problem.value.message
    assert OLDER in problem.value.message, "it says what to do"


@pytest.mark.parametrize("version", [OLDER, None])
@pytest.mark.parametrize("what", REFUSED)
def test_the_older_version_takes_it(what: str, version: str | None) -> None:
    read(REFUSED[what], version)


@pytest.mark.parametrize("what", TAKEN)
def test_the_newer_version_takes_the_rest(what: str) -> None:
    read(TAKEN[what], NEWER)


def test_counting_has_the_same_versions() -> None:
    assert DIALECTS["counting"].check is check


def test_the_golden_request_of_the_newer_version_is_one() -> None:
    read(REQUESTS["the newer version"], NEWER)


def test_a_version_is_a_day() -> None:
    assert not is_newer({})
    assert not is_newer({HEADER: "2023-01-01"})
    assert is_newer({HEADER: "2026-10-22"})


def write(version: str, **fields: Any) -> tuple[dict[str, Any], dict[str, str]]:
    crossing = Crossing("chat", "messages", headers={HEADER: version})
    return write_request(Request(dialect="chat", **fields), crossing), lost(crossing)


def test_sampling_is_sent_in_the_older_version_and_a_named_loss_in_the_newer() -> None:
    assert write(OLDER, temperature=0.5, top_k=3) == (
        {"messages": [], "temperature": 0.5, "top_k": 3},
        {},
    )
    assert write(NEWER, temperature=0.5, top_k=3) == (
        {"messages": []},
        {"temperature": "shape", "top_k": "shape"},
    )
    assert write(NEWER, top_p=0.1) == ({"messages": []}, {"top_p": "shape"})


def test_a_temperature_of_one_is_what_it_is_anyway() -> None:
    assert write(NEWER, temperature=1) == ({"messages": []}, {})


def turns(role: str, *parts: Part) -> list[Turn]:
    return [Turn(role=role, parts=list(parts))]  # type: ignore[arg-type]


def test_a_document_of_the_model_is_a_lost_meaning_in_the_newer_version() -> None:
    paper = Media(kind="document", mime="text/plain", data="eA==")
    sent, losses = write(OLDER, turns=turns("assistant", Text(text="a"), paper))
    assert [block["type"] for block in sent["messages"][0]["content"]] == ["text", "document"]
    assert losses == {}
    sent, losses = write(NEWER, turns=turns("assistant", Text(text="a"), paper))
    assert sent["messages"][0]["content"] == "a"
    assert losses == {"document in an assistant message": "meaning"}
    sent, losses = write(NEWER, turns=turns("user", Text(text="a"), paper))
    assert len(sent["messages"][0]["content"]) == 2
    assert losses == {}


def test_citations_of_a_user_are_never_written() -> None:
    cited = Text(text="a", citations=[Citation(url="https://example.com", quoted="a")])
    sent, losses = write(NEWER, turns=turns("user", cited))
    assert sent["messages"] == [{"role": "user", "content": "a"}]
    assert losses == {"citations": "shape"}
